// What the plugin manager makes of the files in its folders.
#include "host/plugin/manager.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/host/plugin/manager_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

TEST_CASE("of two files with one id the first by name runs, and the other takes its place when it goes") {
  ManagerRig rig;
  const fs::path first = rig.folder.put("good", "a.so");
  const fs::path second = rig.folder.put("good_1_1", "b.so");
  rig.manager().scan();
  CHECK(rig.version("com.test.good") == "1.0.0");
  CHECK(rig.journal.has("error com.test.good load_duplicate: " + second.string() + " provides com.test.good, which " +
                        first.string() + " already provides"));
  fs::remove(first);
  rig.journal.take();
  rig.manager().scan();
  CHECK(rig.version("com.test.good") == "1.1.0");
  // It was a swap: nothing was lost between the two.
  CHECK(rig.journal.has("unloaded com.test.good: replaced by 1.1.0"));
  CHECK(rig.manager().list().size() == 1);
}

TEST_CASE("folders are taken in their order") {
  ManagerRig rig;
  const fs::path late = rig.folder.path() / "a_but_late";
  fs::create_directory(late);
  ::chmod(late.c_str(), 0755);
  rig.options.folders = {rig.folder.plugins() / "", late, rig.folder.plugins()};
  rig.folder.put("good", "z.so");
  fs::copy_file(specimen("good_1_1"), late / "a.so");
  rig.manager().scan();
  CHECK(rig.manager().folders().size() == 2);
  CHECK(rig.version("com.test.good") == "1.0.0");
}

TEST_CASE("a renamed file goes on running, a replaced folder stops nothing") {
  ManagerRig rig;
  const fs::path file = rig.folder.put("good", "old.so");
  rig.manager().scan();
  rig.journal.take();
  fs::rename(file, rig.folder.plugins() / "new.so");
  rig.manager().scan();
  CHECK(rig.journal.take().empty());
  CHECK(rig.manager().info("com.test.good")->file == rig.folder.plugins() / "new.so");

  fs::rename(rig.folder.plugins(), rig.folder.path() / "away");
  rig.manager().scan();
  CHECK(rig.journal.take().empty());
  CHECK(rig.state("com.test.good") == "running");
  fs::create_directory(rig.folder.plugins());
  ::chmod(rig.folder.plugins().c_str(), 0755);
  rig.folder.put("good_1_1", "new.so");
  CHECK(rig.manager().scan().swapped == 1);

  // A removal that was seen counts, even when the folder went with it.
  fs::remove_all(rig.folder.plugins());
  CHECK(rig.manager().scan({true, {rig.folder.plugins() / "new.so"}, {}}).unloaded == 1);
}

TEST_CASE("a file that is being written is left alone") {
  ManagerRig rig;
  const fs::path file = rig.folder.put("good", "x.so");
  rig.manager().scan();
  rig.journal.take();
  const fs::path half = rig.folder.put_bytes("half", "half.so");
  fs::remove(file);
  CHECK(rig.manager().scan({true, {}, {file, half}}).unloaded == 0);
  CHECK(rig.manager().scan({false, {file, half}, {file, half}}).refused == 0);
  CHECK(rig.journal.take().empty());
  CHECK(rig.manager().scan({false, {file}, {}}).unloaded == 1);
}

TEST_CASE("a touched file is not reloaded") {
  ManagerRig rig;
  const fs::path file = rig.folder.put("good");
  rig.manager().scan();
  rig.journal.take();
  fs::last_write_time(file, fs::file_time_type::clock::now() + std::chrono::hours(1));
  rig.folder.put("good");  // another inode, the same bytes
  const ScanReport report = rig.manager().scan();
  CHECK(report.swapped + report.loaded + report.unloaded + report.refused == 0);
  CHECK(rig.journal.take().empty());
  CHECK(rig.manager().info("com.test.good")->generation == 1);
}

TEST_CASE("a file outside the folders is loaded when it is named") {
  ManagerRig rig;
  rig.manager().scan();
  const fs::path file = rig.folder.path() / "elsewhere.so";
  fs::copy_file(specimen("good"), file);
  const auto loaded = rig.manager().load(file);
  REQUIRE(loaded.has_value());
  CHECK(loaded->id == "com.test.good");
  rig.manager().scan();
  CHECK(rig.state("com.test.good") == "running");

  const auto twin = rig.manager().load(rig.folder.put("good_1_1"));
  REQUIRE(twin.has_error());
  CHECK(twin.error().code == NEXUS_E_LOAD_DUPLICATE);
  const auto absent = rig.manager().load(rig.folder.path() / "absent.so");
  REQUIRE(absent.has_error());
  CHECK(absent.error().code == NEXUS_E_LOAD_FILE);
}
