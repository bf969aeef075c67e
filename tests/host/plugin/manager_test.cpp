// The life of plugins under the plugin manager: loaded, refused, stopped, by the folder and by hand.
#include "host/plugin/manager.hpp"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/host/plugin/growing_limit.hpp"
#include "tests/host/plugin/manager_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {
using Lines = std::vector<std::string>;
}

TEST_CASE("a file that is dropped is loaded, and its life is in order") {
  ManagerRig rig;
  const fs::path file = rig.folder.put("good");
  const ScanReport report = rig.manager().scan();
  CHECK(report.loaded == 1);
  CHECK(report.refused == 0);
  CHECK(rig.journal.take() == Lines{"com.test.good 1.0.0 create", "com.test.good 1.0.0 start", "loaded com.test.good 1.0.0"});

  const auto info = rig.manager().info("com.test.good");
  REQUIRE(info.has_value());
  CHECK(info->state == PluginState::running);
  CHECK(info->file == file);
  CHECK(info->generation == 1);
  CHECK(info->content_hash.size() == 64);
  CHECK(info->loaded_unix_ns > 0);
  CHECK(info->load_time.count() > 0);

  // Nothing changed: nothing happens.
  CHECK(rig.manager().scan().loaded == 0);
  CHECK(rig.journal.take().empty());

  fs::remove(file);
  CHECK(rig.manager().scan().unloaded == 1);
  CHECK(rig.journal.take() == Lines{"com.test.good 1.0.0 quiesce", "com.test.good 1.0.0 destroy",
                                    "unloaded com.test.good: its file was removed"});
  CHECK(rig.manager().list().empty());
  CHECK(rig.manager().collect() == 0);
}

TEST_CASE("a question is put to the plugins that provide the interface, in their mailboxes") {
  ManagerRig rig;
  rig.folder.put("good");
  rig.folder.put("handover");
  rig.manager().scan();
  Lines asked;
  const auto make = [&](const std::string& id, const void* table, void* instance) -> std::function<void()> {
    if (instance == nullptr || *static_cast<const int*>(table) != 42) return {};
    return [&asked, id] { asked.push_back(id); };
  };
  rig.manager().ask_providers("test.answer/1", "", make);
  CHECK(asked == Lines{"com.test.good", "com.test.handover"});
  rig.manager().ask_providers("test.answer/1", "com.test.handover", make);
  CHECK(asked.size() == 3);
  rig.manager().ask_providers("test.other/1", "", make);
  rig.manager().ask_providers("test.answer/1", "com.test.nobody", make);
  CHECK(asked.size() == 3);
}

TEST_CASE("the host's side of a stop is in order too") {
  ManagerRig rig;
  rig.folder.put("good");
  rig.manager().scan();
  rig.factory.verbose = true;
  rig.journal.take();
  CHECK(rig.manager().unload("com.test.good", "enough").has_value());
  CHECK(rig.journal.take() == Lines{"com.test.good #1 drain", "com.test.good #1 pause", "com.test.good 1.0.0 quiesce",
                                    "com.test.good 1.0.0 destroy", "com.test.good #1 revoke",
                                    "unloaded com.test.good: enough"});
}

TEST_CASE("refused files are listed, announced once, and the others go on") {
  std::unique_ptr<ManagerRig> made;
  ScanReport report;
  with_growing_limit(std::chrono::milliseconds(500), [&](std::chrono::milliseconds limit) {
    made = std::make_unique<ManagerRig>(limit);
    for (const char* name : {"good", "trouble_crash", "trouble_exit", "trouble_hang", "plain_library", "bad_id"}) {
      made->folder.put(name);
    }
    made->folder.put_bytes("not a library", "text.so");
    made->folder.put_bytes("not looked at", ".hidden.so");
    made->folder.put_bytes("not looked at", "notes.txt");
    report = made->manager().scan();
    return made->journal.count("load_hang") == 1;
  });
  ManagerRig& rig = *made;
  CHECK(report.loaded == 1);
  CHECK(report.refused == 6);
  CHECK(rig.state("com.test.good") == "running");
  CHECK(rig.journal.has("error trouble_crash.so load_crash: "));
  CHECK(rig.journal.has("error trouble_exit.so load_exit: "));
  CHECK(rig.journal.has("error trouble_hang.so load_hang: "));
  CHECK(rig.journal.has("error plain_library.so load_symbol: "));
  CHECK(rig.journal.has("error text.so load_format: "));

  const std::vector<PluginStatus> list = rig.manager().list();
  CHECK(list.size() == 7);
  for (const PluginStatus& status : list) {
    if (status.state == PluginState::running) continue;
    INFO(status.file);
    CHECK(status.state == PluginState::refused);
    REQUIRE(status.error);
    CHECK(status.error->message.find(status.file.string()) == 0);
    CHECK_FALSE(status.error->help.empty());
  }
  rig.journal.take();
  CHECK(rig.manager().scan().refused == 0);
  CHECK(rig.journal.take().empty());
}

TEST_CASE("a refused file is looked at again when it changes, or when its rights do") {
  ManagerRig rig;
  const fs::path file = rig.folder.put("trouble_crash", "x.so");
  rig.manager().scan();
  CHECK(rig.journal.has("load_crash"));
  rig.folder.put("good", "x.so");
  CHECK(rig.manager().scan().loaded == 1);
  CHECK(rig.state("com.test.good") == "running");

  const fs::path open = rig.folder.put("other");
  ::chmod(open.c_str(), 0666);
  CHECK(rig.manager().scan().refused == 1);
  CHECK(rig.journal.has("error other.so load_permissions: "));
  ::chmod(open.c_str(), 0644);
  CHECK(rig.manager().scan().loaded == 1);
  CHECK(rig.state("com.test.other") == "running");
}

TEST_CASE("create and start that fail") {
  struct Row {
    const char* specimen;
    const char* id;
    const char* sentence;
    size_t destroyed;
  };
  const std::vector<Row> rows = {
      {"fails_create", "com.test.good", "com.test.good: create failed: no license file", 0},
      {"fails_silently", "com.test.good", "com.test.good: create failed with code 4711", 0},
      {"fails_lying", "com.test.good", "com.test.good: create failed: ", 0},
      {"fails_start", "com.test.good", "com.test.good: start failed: the port is taken", 1},
      {"throws_create", "com.test.throwing", "create threw std::runtime_error: the wall must hold", 0},
      {"throws_start", "com.test.throwing", "com.test.throwing: start threw int", 0},
  };
  for (const Row& row : rows) {
    ManagerRig rig;
    INFO(row.specimen);
    rig.folder.put(row.specimen);
    CHECK(rig.manager().scan().refused == 1);
    CHECK(rig.state(row.id) == "refused 414");
    CHECK(rig.journal.has("error " + std::string(row.id) + " load_create: "));
    CHECK(rig.journal.has(row.sentence));
    CHECK(rig.journal.count("destroy") == row.destroyed);
    CHECK_FALSE(rig.journal.has("quiesce"));
    CHECK(rig.manager().collect() == 0);  // unmapped
    // It is not tried again for nothing.
    CHECK(rig.manager().scan().refused == 0);
    CHECK(rig.journal.count("load_create") == 1);
  }
}

TEST_CASE("functions that throw where they cannot fail are contained") {
  ManagerRig rig;
  rig.folder.put("throws_nothing");
  rig.manager().scan();
  CHECK(rig.state("com.test.throwing") == "running");
  CHECK(rig.manager().unload("com.test.throwing", "enough").has_value());
  CHECK(rig.state("com.test.throwing") == "unloaded");
}

TEST_CASE("a wrong config is a refusal until it is mended") {
  ManagerRig rig;
  rig.wrong_config["com.test.good"] = "nexus.toml:7:3: unknown key limt; did you mean limit?";
  rig.folder.put("good");
  rig.manager().scan();
  CHECK(rig.state("com.test.good") == "refused 415");
  CHECK(rig.journal.has("error com.test.good load_config: nexus.toml:7:3: unknown key limt"));
  CHECK_FALSE(rig.journal.has("create"));
  rig.wrong_config.clear();
  CHECK(rig.manager().scan().loaded == 1);
}

TEST_CASE("enabled = false, and enabling and disabling by hand") {
  ManagerRig rig;
  rig.settings["com.test.good"].enabled = false;
  rig.folder.put("good");
  rig.folder.put("needs_good_1");
  rig.manager().scan();
  CHECK(rig.state("com.test.good") == "disabled 417");
  CHECK(rig.state("com.test.needs") == "refused 409");
  CHECK_FALSE(rig.journal.has("error com.test.good"));

  auto enabled = rig.manager().enable("com.test.good");
  REQUIRE(enabled.has_value());
  CHECK(enabled->state == PluginState::running);
  CHECK(rig.state("com.test.needs") == "running");

  auto disabled = rig.manager().disable("com.test.good");
  REQUIRE(disabled.has_value());
  CHECK(disabled->state == PluginState::disabled);
  CHECK(rig.journal.has("unloaded com.test.good: disabled"));
  CHECK(rig.state("com.test.needs") == "refused 409");
  rig.manager().scan();
  CHECK(rig.state("com.test.good") == "disabled 417");

  CHECK(rig.manager().enable("com.test.good").has_value());
  CHECK(rig.state("com.test.needs") == "running");
  CHECK(rig.manager().enable("com.test.nobody").error().code == NEXUS_E_UNKNOWN);
  CHECK(rig.manager().disable("com.test.nobody").error().code == NEXUS_E_UNKNOWN);
}

TEST_CASE("a config that disables a running plugin stops it at the next scan, and enabling brings it back") {
  ManagerRig rig;
  rig.folder.put("good");
  rig.manager().scan();
  rig.settings["com.test.good"].enabled = false;
  rig.manager().scan();
  CHECK(rig.state("com.test.good") == "disabled 417");
  rig.settings["com.test.good"].enabled = true;
  CHECK(rig.manager().scan().loaded == 1);
}

TEST_CASE("unloaded by hand stays so until it is asked for or changes") {
  ManagerRig rig;
  rig.folder.put("good");
  rig.manager().scan();
  CHECK(rig.manager().unload("com.test.good", "maintenance").has_value());
  CHECK(rig.state("com.test.good") == "unloaded");
  rig.manager().scan();
  CHECK(rig.state("com.test.good") == "unloaded");
  CHECK(rig.manager().unload("com.test.good", "again").error().code == NEXUS_E_STATE);
  CHECK(rig.manager().unload("com.test.nobody", "x").error().code == NEXUS_E_UNKNOWN);

  CHECK(rig.manager().reload("com.test.good").has_value());
  CHECK(rig.state("com.test.good") == "running");
  CHECK(rig.manager().unload("com.test.good", "maintenance").has_value());
  rig.folder.put("good_1_1", "good.so");
  CHECK(rig.manager().scan().loaded == 1);
  CHECK(rig.version("com.test.good") == "1.1.0");
}

TEST_CASE("the dry run says what a load would, and changes nothing") {
  ManagerRig rig;
  rig.folder.put("good");
  rig.manager().scan();
  rig.journal.take();

  CheckReport report = rig.manager().check(specimen("needs_good_1"));
  CHECK_FALSE(report.error);
  REQUIRE(report.module);
  CHECK(report.module->id == "com.test.needs");
  CHECK(report.probe_time.count() > 0);
  report = rig.manager().check(specimen("needs_good_2"));
  REQUIRE(report.error);
  CHECK(report.error->code == NEXUS_E_LOAD_REQUIRES);
  report = rig.manager().check(specimen("trouble_crash"));
  REQUIRE(report.error);
  CHECK(report.error->code == NEXUS_E_LOAD_CRASH);
  CHECK_FALSE(report.module);
  report = rig.manager().check(specimen("pinned"));
  CHECK_FALSE(report.error);
  CHECK(report.warnings.size() == 2);  // it stays mapped; its id runs from another file
  rig.wrong_config["com.test.other"] = "wrong";
  report = rig.manager().check(specimen("other"));
  REQUIRE(report.error);
  CHECK(report.error->message == "wrong");

  CHECK(rig.journal.take().empty());
  CHECK(rig.manager().list().size() == 1);
}

TEST_CASE("a plugin whose callback never returns is stuck, not freed; when it returns it is ended") {
  ManagerRig rig;
  const fs::path file = rig.folder.put("good");
  rig.manager().scan();
  rig.factory.never_pauses["com.test.good"] = true;
  const auto stopped = rig.manager().unload("com.test.good", "enough");
  REQUIRE(stopped.has_error());
  CHECK(stopped.error().code == NEXUS_E_TIMEOUT);
  CHECK(rig.journal.has("error com.test.good timeout: com.test.good is stuck"));
  CHECK_FALSE(rig.journal.has("destroy"));
  bool stuck = false;
  for (const PluginStatus& status : rig.manager().list()) stuck = stuck || status.state == PluginState::stuck;
  CHECK(stuck);
  CHECK(rig.manager().collect() == 1);

  // A new version can run meanwhile: it is another mapping.
  rig.folder.put("good_1_1", "good.so");
  CHECK(rig.manager().scan().loaded == 1);

  rig.factory.never_pauses["com.test.good"] = false;
  CHECK(rig.manager().collect() == 0);
  CHECK(rig.journal.has("com.test.good 1.0.0 destroy"));
  CHECK(rig.journal.has("unloaded com.test.good: enough"));
  CHECK(rig.version("com.test.good") == "1.1.0");
}

TEST_CASE("a mailbox that does not run dry does not hold up the stop") {
  ManagerRig rig;
  rig.folder.put("good");
  rig.manager().scan();
  rig.factory.never_drains["com.test.good"] = true;
  CHECK(rig.manager().unload("com.test.good", "enough").has_value());
  CHECK(rig.journal.has("destroy"));
}

TEST_CASE("a library that stays mapped is reported as retained") {
  ManagerRig rig;
  rig.folder.put("pinned");
  rig.manager().scan();
  CHECK(rig.manager().unload("com.test.good", "enough").has_value());
  std::vector<std::string> states;
  for (const PluginStatus& status : rig.manager().list()) states.emplace_back(plugin_state_name(status.state));
  CHECK(states == Lines{"unloaded", "retained"});
  CHECK(rig.manager().collect() == 1);
  CHECK_FALSE(rig.manager().stop_all("end", std::chrono::seconds(1)));
}
