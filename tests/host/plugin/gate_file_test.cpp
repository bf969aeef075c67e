// What the load gate says of files that it does not even open: no file, a link out of the folder, the wrong owner or
// mode.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/host/plugin/gate_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

TEST_CASE("files that are no plugin file") {
  GateRig rig;
  const fs::path plugins = rig.folder.plugins();

  Error error = rig.refusal(plugins / "nothing.so");
  CHECK(error.code == NEXUS_E_LOAD_FILE);
  CHECK(holds(error, "does not exist"));

  error = rig.refusal(rig.folder.path() / "no-folder" / "x.so");
  CHECK(error.code == NEXUS_E_LOAD_FILE);

  fs::create_directory(plugins / "folder.so");
  error = rig.refusal(plugins / "folder.so");
  CHECK(error.code == NEXUS_E_LOAD_FILE);
  CHECK(holds(error, "is a folder, not a file"));

  REQUIRE(::mkfifo((plugins / "pipe.so").c_str(), 0644) == 0);
  error = rig.refusal(plugins / "pipe.so");
  CHECK(error.code == NEXUS_E_LOAD_FILE);
  CHECK(holds(error, "is a pipe, not a file"));

  error = rig.refusal(rig.folder.put_bytes("", "empty.so"));
  CHECK(error.code == NEXUS_E_LOAD_FORMAT);
  CHECK(holds(error, "is empty"));

  error = rig.refusal(rig.folder.put_bytes("#!/bin/sh\necho hello\n", "text.so"));
  CHECK(error.code == NEXUS_E_LOAD_FORMAT);
  CHECK(holds(error, "does not begin as an ELF file does"));

  error = rig.refusal(rig.folder.put_file(specimen("plain_program"), "program.so"));
  CHECK(error.code == NEXUS_E_LOAD_FORMAT);
  CHECK(holds(error, "is a program, not a shared library"));

  rig.options.policy.size_max = 1000;
  rig.options.private_folder = rig.folder.path() / "private2";
  auto narrow = LoadGate::create(rig.options);
  REQUIRE(narrow.has_value());
  const auto large = (*narrow)->pass(rig.folder.put("good"));
  REQUIRE(large.has_error());
  CHECK(large.error().code == NEXUS_E_LOAD_FILE);
  CHECK(holds(large.error(), "over the limit of 1000"));
}

TEST_CASE("links are followed inside the folder only") {
  GateRig rig;
  const fs::path plugins = rig.folder.plugins();
  rig.folder.put("good", "real.so.1");
  fs::create_symlink("real.so.1", plugins / "inside.so");
  CHECK(rig.gate->pass(plugins / "inside.so").has_value());
  fs::create_symlink(plugins / "real.so.1", plugins / "inside_by_path.so");
  CHECK(rig.gate->pass(plugins / "inside_by_path.so").has_value());

  fs::create_symlink(specimen("good"), plugins / "outside.so");
  Error error = rig.refusal(plugins / "outside.so");
  CHECK(error.code == NEXUS_E_LOAD_FILE);
  CHECK(holds(error, "is a link out of its folder, to "));

  fs::create_symlink("../plugins/../private", plugins / "up.so");
  CHECK(holds(rig.refusal(plugins / "up.so"), "is a link out of its folder"));
  fs::create_symlink("..", plugins / "parent.so");
  CHECK(holds(rig.refusal(plugins / "parent.so"), "is a link out of its folder"));
  fs::create_symlink("nowhere.so", plugins / "dangling.so");
  CHECK(holds(rig.refusal(plugins / "dangling.so"), "is a link to nothing"));
  fs::create_symlink("ring2.so", plugins / "ring1.so");
  fs::create_symlink("ring1.so", plugins / "ring2.so");
  CHECK(holds(rig.refusal(plugins / "ring1.so"), "goes in a circle"));
  // Two steps, the second of which leaves the folder.
  fs::create_symlink("outside.so", plugins / "two_steps.so");
  CHECK(holds(rig.refusal(plugins / "two_steps.so"), "is a link out of its folder"));
}

TEST_CASE("files that others can change") {
  GateRig rig;
  const fs::path file = rig.folder.put("good");
  ::chmod(file.c_str(), 0666);
  Error error = rig.refusal(file);
  CHECK(error.code == NEXUS_E_LOAD_PERMISSIONS);
  CHECK(holds(error, "is writable by everybody"));
  CHECK(error.help.find("chmod go-w") == 0);
  ::chmod(file.c_str(), 0664);
  CHECK(holds(rig.refusal(file), "is writable by its group"));
  ::chmod(file.c_str(), 0644);
  CHECK(rig.gate->pass(file).has_value());

  ::chmod(rig.folder.plugins().c_str(), 0777);
  auto passed = rig.gate->pass(file);
  REQUIRE(passed.has_error());
  CHECK(passed.error().code == NEXUS_E_LOAD_PERMISSIONS);
  CHECK(holds(passed.error(), "the folder " + rig.folder.plugins().string() + " is writable by everybody"));

  rig.options.policy.unsafe_permissions = true;
  rig.options.private_folder = rig.folder.path() / "private2";
  auto lenient = LoadGate::create(rig.options);
  REQUIRE(lenient.has_value());
  CHECK((*lenient)->pass(file).has_value());
}

TEST_CASE("files of other users, and unreadable ones") {
  if (::geteuid() != 0) SKIP("only root can give files away");
  GateRig rig;
  const fs::path file = rig.folder.put("good");
  REQUIRE(::chown(file.c_str(), 65534, 65534) == 0);
  Error error = rig.refusal(file);
  CHECK(error.code == NEXUS_E_LOAD_PERMISSIONS);
  CHECK(holds(error, "belongs to user 65534"));

  REQUIRE(::chown(file.c_str(), 0, 0) == 0);
  ::chmod(file.c_str(), 0600);
  ::chmod(rig.folder.path().c_str(), 0755);
  REQUIRE(::seteuid(65534) == 0);
  const auto opened = os::open_trusted_file(file, {});
  REQUIRE(::seteuid(0) == 0);
  REQUIRE(opened.has_error());
  CHECK(opened.error().code == NEXUS_E_LOAD_FILE);
  CHECK(holds(opened.error(), "cannot be read: Permission denied"));
}
