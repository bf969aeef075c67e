#include "host/plugin/swap.hpp"

#include <set>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/host/plugin/manager_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

using Lines = std::vector<std::string>;

// Runs `from`, then puts `to` in its place; the journal holds what the swap did.
struct SwapRig : ManagerRig {
  SwapRig(const char* from, const char* id_given) : id(id_given) {
    folder.put(from, "x.so");
    REQUIRE(manager().scan().loaded == 1);
    factory.current[id]->queue = {1, 2, 3};
    journal.take();
  }
  ScanReport put(const char* to) {
    folder.put(to, "x.so");
    return manager().scan();
  }
  std::deque<int>& queue() { return factory.current.at(id)->queue; }
  // The journal without the id that begins most lines.
  Lines story() {
    Lines out;
    for (const std::string& line : journal.take()) {
      out.push_back(line.rfind(id + " ", 0) == 0 ? line.substr(id.size() + 1) : line);
    }
    return out;
  }
  std::string id;
};

}  // namespace

TEST_CASE("a replaced file takes over, with the events that wait") {
  SwapRig rig("good", "com.test.good");
  rig.factory.verbose = true;
  CHECK(rig.put("good_1_1").swapped == 1);
  CHECK(rig.story() == Lines{"1.1.0 create", "#1 pause", "1.1.0 start", "#1 hand_over", "#2 activate", "1.0.0 quiesce",
                             "1.0.0 destroy", "#1 revoke", "unloaded com.test.good: replaced by 1.1.0",
                             "loaded com.test.good 1.1.0"});
  CHECK(rig.queue() == std::deque<int>{1, 2, 3});
  CHECK(rig.version(rig.id) == "1.1.0");
  CHECK(rig.manager().info(rig.id)->generation == 2);
  CHECK(rig.manager().collect() == 0);
}

TEST_CASE("whatever is wrong with the new file, the old version serves on") {
  for (const char* name : {"fails_create", "fails_start", "trouble_crash", "trouble_exit", "plain_library", "bad_id"}) {
    SwapRig rig("good", "com.test.good");
    INFO(name);
    CHECK(rig.put(name).refused == 1);
    CHECK(rig.version(rig.id) == "1.0.0");
    const auto info = rig.manager().info(rig.id);
    REQUIRE(info.has_value());
    CHECK(info->state == PluginState::running);
    REQUIRE(info->error);
    CHECK(info->detail.find("1.0.0 runs on") != std::string::npos);
    CHECK(rig.queue() == std::deque<int>{1, 2, 3});
    CHECK_FALSE(rig.factory.current[rig.id]->paused);
    CHECK_FALSE(rig.journal.has("1.0.0 quiesce"));
    CHECK(rig.journal.count("error ") == 1);
    CHECK(rig.manager().collect() == 0);

    // The next good one takes over.
    CHECK(rig.put("good_1_1").swapped == 1);
    CHECK_FALSE(rig.manager().info(rig.id)->error);
  }
}

TEST_CASE("a file that is overwritten in place harms nothing") {
  SwapRig rig("good", "com.test.good");
  const fs::path file = rig.folder.plugins() / "x.so";
  fs::resize_file(file, 100);
  CHECK(rig.manager().scan().refused == 1);
  CHECK(rig.state(rig.id) == "running 402");
  { std::ofstream(file, std::ios::binary | std::ios::trunc) << read_file(specimen("good_1_1")); }
  CHECK(rig.manager().scan().swapped == 1);
  // Put back to what runs: nothing to do, and the error is gone.
  fs::resize_file(file, 100);
  rig.manager().scan();
  { std::ofstream(file, std::ios::binary | std::ios::trunc) << read_file(specimen("good_1_1")); }
  CHECK(rig.manager().scan().swapped == 0);
  CHECK(rig.state(rig.id) == "running");
}

TEST_CASE("a callback that does not return puts the swap off") {
  SwapRig rig("good", "com.test.good");
  rig.factory.never_pauses[rig.id] = true;
  CHECK(rig.put("good_1_1").refused == 1);
  CHECK(rig.journal.has("error com.test.good timeout: com.test.good has a callback that did not return within 10 ms"));
  CHECK(rig.version(rig.id) == "1.0.0");
  // It is tried again by the timer, without another report, until the callback has returned.
  rig.journal.take();
  rig.manager().collect();
  CHECK(rig.version(rig.id) == "1.0.0");
  CHECK_FALSE(rig.journal.has("error"));
  rig.factory.never_pauses[rig.id] = false;
  rig.manager().collect();
  CHECK(rig.version(rig.id) == "1.1.0");
  CHECK(rig.state(rig.id) == "running");
  CHECK(rig.queue() == std::deque<int>{1, 2, 3});
}

TEST_CASE("routes that cannot move leave the old version as it was") {
  SwapRig rig("good", "com.test.good");
  rig.factory.fail_hand_over = true;
  CHECK(rig.put("good_1_1").refused == 1);
  CHECK(rig.story() == Lines{"1.1.0 create", "1.1.0 start", "1.1.0 quiesce", "1.1.0 destroy",
                             "error com.test.good internal: the routes cannot move"});
  CHECK(rig.queue() == std::deque<int>{1, 2, 3});
}

TEST_CASE("state is handed over") {
  SwapRig rig("handover", "com.test.handover");
  CHECK(rig.put("handover_1_1").swapped == 1);
  CHECK(rig.story() == Lines{"1.1.0 create", "1.0.0 quiesce", "1.0.0 save", "1.1.0 restore state of 1.0.0 from 1.0.0",
                             "1.1.0 start", "1.0.0 destroy", "unloaded com.test.handover: replaced by 1.1.0",
                             "loaded com.test.handover 1.1.0"});
  CHECK(rig.queue() == std::deque<int>{1, 2, 3});
}

TEST_CASE("a state that is refused brings the old version back, with its state") {
  SwapRig rig("handover", "com.test.handover");
  CHECK(rig.put("handover_no_restore").refused == 1);
  CHECK(rig.story() ==
        Lines{"1.2.0 create", "1.0.0 quiesce", "1.0.0 save", "1.2.0 restore state of 1.0.0 from 1.0.0", "1.2.0 destroy",
              "1.0.0 destroy", "1.0.0 create", "1.0.0 restore state of 1.0.0 from 1.0.0", "1.0.0 start",
              "error com.test.handover load_create: com.test.handover: restore failed: unknown state"});
  CHECK(rig.version(rig.id) == "1.0.0");
  CHECK(rig.queue() == std::deque<int>{1, 2, 3});
}

TEST_CASE("a state that cannot be saved keeps the old version") {
  SwapRig rig("handover_no_save", "com.test.handover");
  CHECK(rig.put("handover_1_1").refused == 1);
  CHECK(rig.version(rig.id) == "1.3.0");
  CHECK(rig.journal.has("error com.test.handover plugin_failed: com.test.handover: save failed: cannot save"));
  CHECK(rig.queue() == std::deque<int>{1, 2, 3});
}

TEST_CASE("an exclusive plugin is gone before the new one comes") {
  SwapRig rig("exclusive", "com.test.exclusive");
  CHECK(rig.put("exclusive_1_1").swapped == 1);
  CHECK(rig.story() == Lines{"1.0.0 quiesce", "1.0.0 destroy", "1.1.0 create", "1.1.0 start",
                             "unloaded com.test.exclusive: replaced by 1.1.0", "loaded com.test.exclusive 1.1.0"});
  CHECK(rig.queue() == std::deque<int>{1, 2, 3});
}

TEST_CASE("an exclusive plugin comes back when the new one fails") {
  SwapRig rig("exclusive", "com.test.exclusive");
  CHECK(rig.put("exclusive_fails").refused == 1);
  CHECK(rig.story() == Lines{"1.0.0 quiesce", "1.0.0 destroy", "1.2.0 create", "1.2.0 start", "1.2.0 destroy",
                             "1.0.0 create", "1.0.0 start",
                             "error com.test.exclusive load_create: com.test.exclusive: start failed: the port is taken"});
  CHECK(rig.version(rig.id) == "1.0.0");
  CHECK(rig.queue() == std::deque<int>{1, 2, 3});
  CHECK(rig.put("exclusive_1_1").swapped == 1);
}

TEST_CASE("when even the old one cannot come back, it is said, and the host goes on") {
  SwapRig rig("exclusive_once", "com.test.exclusive");
  rig.put("exclusive_fails");
  CHECK(rig.journal.has("and the old version could not be started again"));
  CHECK(rig.journal.has("unloaded com.test.exclusive: "));
  CHECK(rig.state(rig.id) == "refused 414");
  CHECK(rig.manager().collect() == 0);
  CHECK(rig.put("exclusive_1_1").loaded == 1);
}

TEST_CASE("a reload takes fresh settings and a fresh library") {
  SwapRig rig("good", "com.test.good");
  rig.settings[rig.id].own_thread = true;
  const auto reloaded = rig.manager().reload(rig.id);
  REQUIRE(reloaded.has_value());
  CHECK(reloaded->settings.own_thread);
  CHECK(reloaded->generation == 2);
  CHECK(rig.queue() == std::deque<int>{1, 2, 3});
  CHECK(rig.manager().reload("com.test.nobody").error().code == NEXUS_E_UNKNOWN);
}

TEST_CASE("whoever holds an interface is made anew around the swap, without losing events or state") {
  SwapRig rig("good", "com.test.good");
  rig.folder.put("uses_good");
  REQUIRE(rig.manager().scan().loaded == 1);
  CHECK(rig.journal.has("com.test.user 1.0.0 peer 42"));
  rig.factory.current["com.test.user"]->queue = {7};
  rig.journal.take();
  CHECK(rig.put("good_1_1").swapped == 1);
  const Lines lines = rig.journal.take();
  CHECK(lines == Lines{"com.test.user 1.0.0 quiesce", "com.test.user 1.0.0 save", "com.test.user 1.0.0 destroy",
                       "com.test.good 1.1.0 create", "com.test.good 1.1.0 start", "com.test.good 1.0.0 quiesce",
                       "com.test.good 1.0.0 destroy", "com.test.user 1.0.0 create", "com.test.user 1.0.0 peer 42",
                       "com.test.user 1.0.0 restore state of 1.0.0 from 1.0.0", "com.test.user 1.0.0 start",
                       "unloaded com.test.good: replaced by 1.1.0", "loaded com.test.good 1.1.0"});
  CHECK(rig.factory.current["com.test.user"]->queue == std::deque<int>{7});
  CHECK(rig.state("com.test.user") == "running");
}

TEST_CASE("users are made anew also when the swap fails, and a stuck one puts it off") {
  SwapRig rig("good", "com.test.good");
  rig.folder.put("uses_good");
  REQUIRE(rig.manager().scan().loaded == 1);
  rig.factory.current["com.test.user"]->queue = {7};
  CHECK(rig.put("fails_start").refused == 1);
  CHECK(rig.state("com.test.user") == "running");
  CHECK(rig.factory.current["com.test.user"]->queue == std::deque<int>{7});

  rig.factory.never_pauses["com.test.user"] = true;
  CHECK(rig.put("good_1_1").refused == 1);
  CHECK(rig.version("com.test.good") == "1.0.0");
  CHECK(rig.state("com.test.user") == "running");
  rig.factory.never_pauses["com.test.user"] = false;
  CHECK(rig.manager().reload("com.test.good").has_value());
  CHECK(rig.version("com.test.good") == "1.1.0");
}

TEST_CASE("a version that those who require it cannot live with waits for theirs") {
  SwapRig rig("good", "com.test.good");
  rig.folder.put("needs_good_1", "needs.so");
  rig.manager().scan();
  CHECK(rig.put("good_2").refused == 1);
  CHECK(rig.journal.has("com.test.needs requires com.test.good ^1.0, but its version is 2.0.0"));
  CHECK(rig.version("com.test.good") == "1.0.0");
  CHECK(rig.state("com.test.needs") == "running");
  rig.journal.take();

  rig.folder.put("needs_good_2", "needs.so");
  rig.manager().scan();
  CHECK(rig.version("com.test.good") == "2.0.0");
  CHECK(rig.version("com.test.needs") == "2.0.0");
  CHECK(rig.state("com.test.good") == "running");
  CHECK(rig.queue() == std::deque<int>{1, 2, 3});
}

TEST_CASE("a hundred swaps leave no mapping, no copy and no descriptor") {
  SwapRig rig("good", "com.test.good");
  auto count = [](const fs::path& folder) {
    return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
  };
  const auto descriptors = count("/proc/self/fd");
  for (int i = 0; i < 50; ++i) {
    REQUIRE(rig.put("good_1_1").swapped == 1);
    REQUIRE(rig.put("good").swapped == 1);
  }
  CHECK(rig.manager().info(rig.id)->generation == 101);
  CHECK(rig.queue() == std::deque<int>{1, 2, 3});
  CHECK(count("/proc/self/fd") == descriptors);
  size_t copies = 0;
  for (const auto& entry : fs::recursive_directory_iterator(rig.folder.private_folder())) {
    if (entry.path().extension() == ".so") ++copies;
  }
  CHECK(copies == 1);
  const std::string maps = read_file("/proc/self/maps");
  std::set<std::string> mapped;
  const std::string ours = rig.folder.private_folder().string();
  for (size_t at = maps.find(ours); at != std::string::npos; at = maps.find(ours, at + 1)) {
    mapped.insert(maps.substr(at, maps.find('\n', at) - at));
  }
  CHECK(mapped.size() == 1);
}
