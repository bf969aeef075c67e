// Plugins that require each other, under the plugin manager.
#include "host/plugin/manager.hpp"

#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/host/plugin/manager_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {
using Lines = std::vector<std::string>;
}

TEST_CASE("plugins are loaded in the order of their requirements") {
  ManagerRig rig;
  rig.folder.put("needs_needs", "1.so");
  rig.folder.put("needs_good_1", "2.so");
  rig.folder.put("good", "3.so");
  rig.folder.put("provider", "4.so");
  CHECK(rig.manager().scan().loaded == 4);
  CHECK(rig.loaded_order() == Lines{"com.test.provider", "com.test.good", "com.test.needs", "com.test.top"});
  const auto info = rig.manager().info("com.test.good");
  REQUIRE(info.has_value());
  CHECK(info->required_by == Lines{"com.test.needs"});

  rig.journal.take();
  CHECK(rig.manager().stop_all("shutdown", std::chrono::seconds(5)));
  Lines stopped;
  for (const std::string& line : rig.journal.take()) {
    if (line.rfind("unloaded ", 0) == 0) stopped.push_back(line);
  }
  CHECK(stopped == Lines{"unloaded com.test.top: shutdown", "unloaded com.test.needs: shutdown",
                         "unloaded com.test.good: shutdown", "unloaded com.test.provider: shutdown"});
}

TEST_CASE("what is missing is named, and comes later") {
  ManagerRig rig;
  rig.folder.put("needs_needs");
  rig.folder.put("needs_good_1");
  rig.manager().scan();
  CHECK(rig.state("com.test.needs") == "refused 409");
  CHECK(rig.state("com.test.top") == "refused 409");
  CHECK(rig.journal.has(
      "error com.test.needs load_requires: com.test.needs requires com.test.good ^1.0, which is not loaded"));

  rig.folder.put("good_2", "good.so");
  rig.manager().scan();
  CHECK(rig.journal.has("com.test.needs requires com.test.good ^1.0, but its version is 2.0.0"));
  CHECK(rig.state("com.test.good") == "running");
  CHECK(rig.state("com.test.needs") == "refused 409");

  rig.folder.put("good", "good.so");
  rig.manager().scan();
  CHECK(rig.state("com.test.needs") == "running");
  CHECK(rig.state("com.test.top") == "running");
}

TEST_CASE("a plugin goes down after those that require it, and they come back with it") {
  ManagerRig rig;
  rig.folder.put("needs_needs");
  rig.folder.put("needs_good_1");
  const fs::path good = rig.folder.put("good");
  rig.manager().scan();
  rig.journal.take();
  fs::remove(good);
  rig.manager().scan();
  Lines stopped;
  for (const std::string& line : rig.journal.take()) {
    if (line.rfind("unloaded ", 0) == 0) stopped.push_back(line);
  }
  CHECK(stopped == Lines{"unloaded com.test.top: com.test.top requires com.test.needs, which is stopped",
                         "unloaded com.test.needs: com.test.needs requires com.test.good, which is stopped",
                         "unloaded com.test.good: its file was removed"});
  CHECK(rig.state("com.test.needs") == "refused 409");
  rig.folder.put("good");
  CHECK(rig.manager().scan().loaded == 3);
  CHECK(rig.state("com.test.top") == "running");
}

TEST_CASE("circles are refused") {
  ManagerRig rig;
  rig.folder.put("circle_a");
  rig.folder.put("circle_b");
  rig.folder.put("good");
  rig.manager().scan();
  CHECK(rig.state("com.test.good") == "running");
  CHECK(rig.state("com.test.a") == "refused 410");
  CHECK(rig.journal.has(
      "error com.test.a load_cycle: plugins require each other in a circle: com.test.a → com.test.b → com.test.a"));
  CHECK(rig.state("com.test.b") == "refused 410");
}

TEST_CASE("a plugin whose requirement failed to start is told why, and waits") {
  ManagerRig rig;
  rig.folder.put("fails_start", "good.so");
  rig.folder.put("needs_good_1");
  rig.manager().scan();
  CHECK(rig.state("com.test.good") == "refused 414");
  CHECK(rig.state("com.test.needs") == "refused 409");
  rig.folder.put("good", "good.so");
  rig.manager().scan();
  CHECK(rig.state("com.test.needs") == "running");
}

TEST_CASE("only what is required can be looked up at another plugin") {
  ManagerRig rig;
  rig.folder.put("good");
  rig.folder.put("other");
  rig.folder.put("needs_good_1");
  rig.manager().scan();
  PluginManager& manager = rig.manager();
  const auto* answer =
      static_cast<const int*>(manager.query_plugin("com.test.needs", "com.test.good", "test.answer/1"));
  REQUIRE(answer != nullptr);
  CHECK(*answer == 42);
  CHECK(manager.query_plugin("com.test.needs", "com.test.good", "test.other/1") == nullptr);
  CHECK(manager.query_plugin("com.test.needs", "com.test.other", "test.answer/1") == nullptr);
  CHECK(manager.query_plugin("com.test.nobody", "com.test.good", "test.answer/1") == nullptr);
  CHECK(manager.query_plugin("com.test.needs", "com.test.nobody", "test.answer/1") == nullptr);
  CHECK(manager.query_plugin("com.test.needs", "com.test.good", nullptr) == nullptr);
  CHECK(manager.query_plugin("", "com.test.other", "test.answer/1") != nullptr);
}
