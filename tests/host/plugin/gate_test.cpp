// Every refusal of the load gate, with a real file that is wrong in that way. This process must live on each time, so the
// last line of each case is itself a proof.
#include "host/plugin/gate.hpp"

#include <fcntl.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "host/base/os/shared_object.hpp"
#include "host/plugin/instance.hpp"
#include "tests/host/plugin/gate_rig.hpp"
#include "tests/host/plugin/growing_limit.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

TEST_CASE("a good plugin passes, and its description comes back whole") {
  GateRig rig;
  const fs::path file = rig.folder.put("needs_good_1");
  auto passed = rig.gate->pass(file);
  REQUIRE(passed.has_value());
  CHECK(passed->file == file);
  CHECK(passed->unmaps);
  CHECK(passed->module.id == "com.test.needs");
  CHECK(passed->module.version == "1.0.0");
  CHECK(passed->module.name == "A specimen");
  CHECK(passed->module.description == "made for the tests of the load gate");
  CHECK(passed->module.vendor == "Nexus");
  CHECK(passed->module.minor_min == 0);
  REQUIRE(passed->module.requirements.size() == 1);
  CHECK(passed->module.requirements[0].id == "com.test.good");
  CHECK(passed->module.requirements[0].version == "^1.0");
  REQUIRE(passed->module.events.size() == 1);
  CHECK(passed->module.events[0].type == "test.happened");
  REQUIRE(passed->module.handlers.size() == 1);
  CHECK(passed->module.handlers[0].pattern == "test.*");
  CHECK(passed->module.handlers[0].priority == 5);

  const std::string name = passed->copy.path().filename().string();
  CHECK(name == "com.test.needs.1." + passed->copy.content_hash().substr(0, 16) + ".so");
  CHECK(read_file(passed->copy.path()) == read_file(file));
  CHECK((fs::status(passed->copy.path()).permissions() & fs::perms::all) == fs::perms::owner_read);
  CHECK((fs::status(rig.folder.private_folder()).permissions() & fs::perms::all) == fs::perms::owner_all);
  CHECK_FALSE(os::is_mapped(passed->copy.path()));
}

TEST_CASE("libraries for other machines") {
  GateRig rig;
  const std::string good = read_file(specimen("good"));
  auto patched = [&](size_t at, std::string_view bytes) {
    std::string out = good;
    out.replace(at, bytes.size(), bytes);
    return rig.refusal(rig.folder.put_bytes(out, "patched.so"));
  };
  Error error = patched(18, std::string_view("\xf3\x00", 2));  // e_machine
  CHECK(error.code == NEXUS_E_LOAD_ARCH);
  CHECK(holds(error, "is built for RISC-V; this host runs on "));
  error = patched(18, std::string_view("\x34\x12", 2));
  CHECK(error.code == NEXUS_E_LOAD_ARCH);
  CHECK(holds(error, "machine number 4660"));
  error = patched(4, "\x01");  // EI_CLASS
  CHECK(error.code == NEXUS_E_LOAD_ARCH);
  CHECK(holds(error, "a 32-bit machine"));
  error = patched(5, "\x02");  // EI_DATA
  CHECK(error.code == NEXUS_E_LOAD_ARCH);
  CHECK(holds(error, "other byte order"));
  for (const auto& [at, bytes] : {std::pair<size_t, std::string_view>{0, "\x7e"}, {4, "\x07"}, {5, "\x09"}, {6, "\x05"},
                                  {16, std::string_view("\x01\x00", 2)}, {16, std::string_view("\x02\x00", 2)},
                                  {16, std::string_view("\x04\x00", 2)}, {16, std::string_view("\x77\x00", 2)},
                                  {52, std::string_view("\x01\x00", 2)}, {54, std::string_view("\x01\x00", 2)},
                                  {56, std::string_view("\x00\x00", 2)}, {56, std::string_view("\xff\xff", 2)},
                                  {32, std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff", 8)},
                                  {40, std::string_view("\xff\xff\xff\xff\xff\xff\xff\x7f", 8)}}) {
    INFO("byte " << at);
    CHECK(patched(at, bytes).code == NEXUS_E_LOAD_FORMAT);
  }
}

TEST_CASE("broken descriptions") {
  GateRig rig;
  struct Row {
    const char* specimen;
    int32_t code;
    const char* sentence;
  };
  const std::vector<Row> rows = {
      {"other_major", NEXUS_E_LOAD_MAJOR, "it provides nexus_module_v2, another major of the ABI"},
      {"plain_library", NEXUS_E_LOAD_SYMBOL, "it does not export nexus_module_v1"},
      {"too_new_minor", NEXUS_E_LOAD_MINOR, "it needs a host of ABI 1.700 or newer; this one has 1."},
      {"unknown_flag", NEXUS_E_LOAD_MODULE, "the module's flags have unknown bits"},
      {"no_create", NEXUS_E_LOAD_MODULE, "the module's create is null"},
      {"no_destroy", NEXUS_E_LOAD_MODULE, "the module's destroy is null"},
      {"no_id", NEXUS_E_LOAD_MODULE, "the module's id is empty"},
      {"bad_id", NEXUS_E_LOAD_MODULE, "the module's id is wrong: "},
      {"bad_id_text", NEXUS_E_LOAD_MODULE, "the module's id has a null pointer and a length of 5"},
      {"bad_version", NEXUS_E_LOAD_MODULE, "the module's version is wrong: \"1.02.3\" is not a version"},
      {"bad_name", NEXUS_E_LOAD_MODULE, "name is not UTF-8 at byte 4"},
      {"bad_range", NEXUS_E_LOAD_MODULE, "requirement 1 (com.test.other) is wrong: \"=>1\" is not a version range"},
      {"bad_count", NEXUS_E_LOAD_MODULE, "requirement_count is not 0, but its list is null"},
      {"needs_itself", NEXUS_E_LOAD_MODULE, "requirement 1 names the plugin itself"},
      {"short_size", NEXUS_E_LOAD_MODULE, "the module's size is 64 bytes, below the 1.0 layout of "},
      {"long_size", NEXUS_E_LOAD_MODULE, "the module's size is 2147483647 bytes, over the limit"},
      {"null_module", NEXUS_E_LOAD_MODULE, "nexus_module_v1 returned null"},
      {"wild_module", NEXUS_E_LOAD_CRASH, "while nexus_module_v1 was called and read"},
  };
  for (const Row& row : rows) {
    INFO(row.specimen);
    const Error error = rig.refusal(rig.folder.put(row.specimen));
    CHECK(error.code == row.code);
    CHECK(holds(error, row.sentence));
  }
  // A plugin of a later minor that can live with this host may set flags that this host does not know.
  CHECK(rig.gate->pass(rig.folder.put("newer_but_modest")).has_value());
}

TEST_CASE("libraries that do harm when they are loaded") {
  GateRig rig;
  struct Row {
    const char* specimen;
    int32_t code;
    std::string sentence;
  };
#if defined(NEXUS_SANITIZED)
  const std::string segv = "as a sanitizer found, ";
#else
  const std::string segv = "SIGSEGV (Segmentation fault) ";
#endif
  const std::vector<Row> rows = {
      {"trouble_crash", NEXUS_E_LOAD_CRASH, segv + "while it was loaded"},
      {"trouble_abort", NEXUS_E_LOAD_CRASH, "its last words: no more pepper"},
      {"trouble_abort", NEXUS_E_LOAD_CRASH, "SIGABRT"},
      {"trouble_exit", NEXUS_E_LOAD_EXIT, "with exit status 7, while it was loaded"},
      {"trouble_quick_exit", NEXUS_E_LOAD_EXIT, "with exit status 0, while it was loaded"},
      {"trouble_destructor", NEXUS_E_LOAD_CRASH, segv + "while it was unloaded"},
      {"trouble_forge", NEXUS_E_LOAD_MODULE, "the probe's answer cannot be read: member version"},
      {"trouble_undefined", NEXUS_E_LOAD_LINK, "undefined symbol: nobody_defines_this"},
      {"missing_library", NEXUS_E_LOAD_LINK, "libnexus_absent.so"},
  };
  for (const Row& row : rows) {
    INFO(row.specimen);
    const Error error = rig.refusal(rig.folder.put(row.specimen));
    CHECK(error.code == row.code);
    CHECK(holds(error, row.sentence));
  }
  CHECK(rig.gate->pass(rig.folder.put("trouble_noise")).has_value());
  CHECK(rig.gate->pass(rig.folder.put("trouble_legacy")).has_value());
}

TEST_CASE("libraries that never finish are ended in time") {
  const std::pair<const char*, std::string> rows[] = {{"trouble_hang", "while it was loaded"},
                                                      {"trouble_spin", "while it was loaded"},
                                                      {"hanging_module", "while nexus_module_v1 was called"}};
  for (const auto& [specimen, place] : rows) {
    INFO(specimen);
    with_growing_limit(std::chrono::milliseconds(300), [&](std::chrono::milliseconds limit) {
      GateRig rig(limit);
      const Error error = rig.refusal(rig.folder.put(specimen));
      CHECK(error.code == NEXUS_E_LOAD_HANG);
      return holds(error, "it did not finish within " + std::to_string(limit.count()) + " ms " + place);
    });
  }
}

TEST_CASE("a probe that cannot begin is the host's fault, not the file's") {
  GateRig rig;
  rig.options.private_folder = rig.folder.path() / "private2";
  for (const char* program : {"/nonexistent/nexus", "/bin/false"}) {
    rig.options.probe.program = program;
    auto gate = LoadGate::create(rig.options);
    REQUIRE(gate.has_value());
    const auto passed = (*gate)->pass(rig.folder.put("good"));
    REQUIRE(passed.has_error());
    CHECK(passed.error().code == NEXUS_E_IO);
    CHECK(holds(passed.error(), "it could not be probed"));
  }
}

TEST_CASE("a library that stays mapped is let in, but told") {
  GateRig rig;
  auto passed = rig.gate->pass(rig.folder.put("pinned"));
  REQUIRE(passed.has_value());
  CHECK_FALSE(passed->unmaps);
}

TEST_CASE("what describes itself differently in the host is refused there") {
  GateRig rig;
  auto passed = rig.gate->pass(rig.folder.put("two_faces"));
  REQUIRE(passed.has_value());
  CHECK(passed->module.version == "1.0.0");
  const fs::path copy = passed->copy.path();
  const auto mapped = LoadedModule::map(std::move(*passed));
  REQUIRE(mapped.has_error());
  CHECK(mapped.error().code == NEXUS_E_LOAD_MODULE);
  CHECK(holds(mapped.error(), "describes itself here as com.test.good 6.6.6, but in the probe as com.test.good 1.0.0"));
  CHECK_FALSE(os::is_mapped(copy));
}

TEST_CASE("a library is mapped from the copy and really unmapped") {
  GateRig rig;
  const fs::path file = rig.folder.put("good");
  auto passed = rig.gate->pass(file);
  REQUIRE(passed.has_value());
  const fs::path copy = passed->copy.path();
  {
    auto mapped = LoadedModule::map(std::move(*passed));
    REQUIRE(mapped.has_value());
    CHECK(os::is_mapped(copy));
    CHECK_FALSE(os::is_mapped(file));
    // What is done to the dropped file now is no concern of the running code.
    fs::resize_file(file, 100);
    CHECK(std::string((*mapped)->table.version.data) == "1.0.0");
  }
  CHECK_FALSE(os::is_mapped(copy));
  CHECK_FALSE(fs::exists(copy));
}

TEST_CASE("many files are probed side by side and keep their order") {
  GateRig rig;
  std::vector<StagedFile> staged;
  for (const char* name : {"good", "trouble_crash", "other", "trouble_exit", "provider"}) {
    auto one = rig.gate->stage(rig.folder.put(name));
    REQUIRE(one.has_value());
    staged.push_back(std::move(*one));
  }
  auto results = rig.gate->probe(std::move(staged));
  REQUIRE(results.size() == 5);
  CHECK(results[0]->module.id == "com.test.good");
  CHECK(results[1].error().code == NEXUS_E_LOAD_CRASH);
  CHECK(results[2]->module.id == "com.test.other");
  CHECK(results[3].error().code == NEXUS_E_LOAD_EXIT);
  CHECK(results[4]->module.provider());
}

TEST_CASE("private copies of hosts that are gone are removed, those of living ones stay") {
  Folder folder;
  const fs::path base = folder.private_folder();
  auto first = CopyFolder::open(base);
  REQUIRE(first.has_value());
  fs::create_directory(base / "host.999999.gone");
  { std::ofstream(base / "host.999999.gone" / ".lock") << ""; }
  { std::ofstream(base / "host.999999.gone" / "old.1.abc.so") << "x"; }
  fs::create_directory(base / "somebody_else");
  auto second = CopyFolder::open(base);
  REQUIRE(second.has_value());
  CHECK_FALSE(fs::exists(base / "host.999999.gone"));
  CHECK(fs::exists((*first)->path()));
  CHECK(fs::exists(base / "somebody_else"));
  const fs::path path = (*second)->path();
  second->reset();
  CHECK_FALSE(fs::exists(path));

  ::chmod(base.c_str(), 0755);
  const auto open_to_others = CopyFolder::open(base);
  REQUIRE(open_to_others.has_error());
  CHECK(open_to_others.error().code == NEXUS_E_PERMISSION);
  fs::create_symlink(base, folder.path() / "link");
  CHECK(CopyFolder::open(folder.path() / "link").has_error());
}

TEST_CASE("the gate leaves no descriptor and no child behind") {
  GateRig rig(std::chrono::milliseconds(300));
  auto descriptors = [] {
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) out.insert(entry.path().filename().string());
    return out.size();
  };
  (void)rig.gate->pass(rig.folder.put("good"));
  const size_t before = descriptors();
  for (const char* name : {"good", "trouble_crash", "trouble_hang", "trouble_exit", "plain_library", "trouble_legacy"}) {
    (void)rig.gate->pass(rig.folder.put(name));
  }
  CHECK(descriptors() == before);
  // Each copy went with its result.
  size_t copies = 0;
  for (const auto& entry : fs::recursive_directory_iterator(rig.folder.private_folder())) {
    if (entry.path().extension() == ".so") ++copies;
  }
  CHECK(copies == 0);
}
