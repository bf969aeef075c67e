// Subscriptions and timers made while running: scopes that may end anywhere, also inside their own call.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "nexus/plugin.hpp"
#include "nexus/testing.hpp"

namespace {

using namespace std::chrono_literals;
using nexus::Event;
using nexus::Subscription;
using nexus::Timer;

struct Tick {
  int number = 0;
};
NEXUS_EVENT(Tick, "test.tick", number)

struct Tock {
  int number = 0;
};
NEXUS_EVENT(Tock, "test.tock", number)

struct Dynamic final : nexus::Plugin {
  using Plugin::after;
  using Plugin::every;
  using Plugin::subscribe;

  std::vector<std::string> calls;
  std::optional<Subscription> held;
  std::optional<Timer> timer;
};
NEXUS_PLUGIN_INFO(Dynamic, "com.example.dynamic", "1.0.0")

using Calls = std::vector<std::string>;

TEST_CASE("a subscription lives as long as its scope") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  {
    auto live = plugin->subscribe<Tick>(
        {.priority = 5}, [&](const Tick& t) { plugin->calls.push_back("tick " + std::to_string(t.number)); });
    CHECK(static_cast<bool>(live));
    host.emit(Tick{1});
    host.run();
  }
  host.emit(Tick{2});
  host.run();
  CHECK(plugin->calls == Calls{"tick 1"});
}

TEST_CASE("events that still wait when the subscription ends do not reach it") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  auto live = plugin->subscribe<Tick>([&](const Tick&) { plugin->calls.push_back("tick"); });
  host.emit(Tick{1});
  live.drop();
  live.drop();  // again does nothing
  CHECK_FALSE(static_cast<bool>(live));
  host.run();
  CHECK(plugin->calls.empty());
}

TEST_CASE("every form of a dynamic handler") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  auto payload = plugin->subscribe<Tick>([&](const Tick&) { plugin->calls.push_back("payload"); });
  auto both = plugin->subscribe<Tick>(
      {}, [&](const Tick&, const Event& event) { plugin->calls.push_back("both " + std::string(event.source())); });
  auto pattern =
      plugin->subscribe("test.*", [&](const Event& event) { plugin->calls.push_back(std::string(event.type())); });
  auto options = plugin->subscribe("test.*", {.priority = 9, .filter = nexus::type_is("*.tock")},
                                   [&](const Event&) { plugin->calls.push_back("filtered"); });
  auto replies = plugin->subscribe<Tick>([&](const Tick& t) { return Tock{t.number + 1}; });
  auto large = plugin->subscribe<Tick>({.when = [](const Tick& t) { return t.number > 100; }},
                                       [&](const Tick&) { plugin->calls.push_back("large"); });
  auto elsewhere =
      plugin->subscribe<Tick>({.topic = "other.tick"}, [&](const Tick&) { plugin->calls.push_back("other"); });
  const auto answer = host.request<Tock>(Tick{1});
  REQUIRE(answer);
  CHECK(answer->number == 2);
  CHECK(plugin->calls == Calls{"payload", "both test", "test.tick", "filtered", "test.tock"});
  plugin->calls.clear();
  host.emit("other.tick", {{"number", 3}});
  host.run();
  CHECK(plugin->calls == Calls{"other"});
}

TEST_CASE("a subscription moves, and assigning over one ends it") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  Subscription first = plugin->subscribe<Tick>([&](const Tick&) { plugin->calls.push_back("first"); });
  Subscription second = plugin->subscribe<Tick>([&](const Tick&) { plugin->calls.push_back("second"); });
  Subscription moved = std::move(first);
  CHECK_FALSE(static_cast<bool>(first));
  second = std::move(moved);
  host.emit(Tick{});
  host.run();
  CHECK(plugin->calls == Calls{"first"});
  second.detach();
}

TEST_CASE("a handler may end its own subscription, and what it captured stays until it returns") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  auto alive = std::make_shared<int>(7);
  const std::weak_ptr<int> watch = alive;
  plugin->held = plugin->subscribe<Tick>([p = &*plugin, alive = std::move(alive)](const Tick&) {
    p->held.reset();
    p->calls.push_back("once " + std::to_string(*alive));
  });
  host.emit(Tick{});
  host.emit(Tick{});
  host.run();
  CHECK(plugin->calls == Calls{"once 7"});
  CHECK(watch.expired());
}

TEST_CASE("a handler may end another one that was to come") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  auto first = plugin->subscribe<Tick>({.priority = 1}, [&](const Tick&) {
    plugin->held.reset();
    plugin->calls.push_back("first");
  });
  plugin->held = plugin->subscribe<Tick>([&](const Tick&) { plugin->calls.push_back("never"); });
  host.emit(Tick{});
  host.run();
  CHECK(plugin->calls == Calls{"first"});
}

TEST_CASE("a handler may subscribe; the new one sees later events only") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  auto first = plugin->subscribe<Tick>([&](const Tick& t) {
    plugin->calls.push_back("first " + std::to_string(t.number));
    if (!plugin->held) {
      plugin->held = plugin->subscribe<Tick>(
          [&](const Tick& later) { plugin->calls.push_back("second " + std::to_string(later.number)); });
    }
  });
  host.emit(Tick{1});
  host.run();
  host.emit(Tick{2});
  host.run();
  CHECK(plugin->calls == Calls{"first 1", "first 2", "second 2"});
}

TEST_CASE("scopes that outlive their plugin, or their host, do nothing") {
  Subscription subscription;
  Timer timer;
  {
    nexus::testing::Host host;
    auto plugin = host.load<Dynamic>();
    subscription = plugin->subscribe<Tick>([](const Tick&) {});
    timer = plugin->after(1s, [] {});
    host.unload(plugin);
    host.advance(2s);
  }
  subscription.drop();
  timer.cancel();
}

TEST_CASE("a parallel subscription is freed with the plugin, not while a call might run") {
  auto alive = std::make_shared<int>(7);
  const std::weak_ptr<int> watch = alive;
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  {
    auto live = plugin->subscribe<Tick>({.concurrency = nexus::parallel},
                                        [alive = std::move(alive)](const Tick& t) { return Tock{t.number + *alive}; });
    CHECK(host.request<Tock>(Tick{1})->number == 8);
  }
  host.run();
  CHECK_FALSE(watch.expired());
  host.unload(plugin);
  CHECK(watch.expired());
}

TEST_CASE("a subscription on something that is no pattern is refused") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  for (const char* bad : {"", "user*", "A", "a..b"}) {
    CAPTURE(bad);
    try {
      auto live = plugin->subscribe(bad, [](const Event&) {});
      FAIL("must throw");
    } catch (const nexus::Error& error) {
      CHECK(error.code() == NEXUS_E_PATTERN);
    }
  }
}

TEST_CASE("a plugin may leave out what it emits itself") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  auto own = plugin->subscribe("test.tock", {.no_self = true}, [&](const Event&) { plugin->calls.push_back("tock"); });
  auto answers = plugin->subscribe<Tick>([](const Tick&) { return Tock{1}; });
  host.emit(Tick{});
  host.run();
  CHECK(plugin->calls.empty());
  host.emit(Tock{});
  host.run();
  CHECK(plugin->calls == Calls{"tock"});
}

// --- timers ---

TEST_CASE("a timer runs once, when its time has come") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  Timer timer = plugin->after(5s, [&] { plugin->calls.push_back("ran"); });
  host.advance(4999ms);
  CHECK(plugin->calls.empty());
  CHECK(static_cast<bool>(timer));
  host.advance(1ms);
  CHECK(plugin->calls == Calls{"ran"});
  CHECK_FALSE(static_cast<bool>(timer));
  host.advance(1h);
  CHECK(plugin->calls.size() == 1);
}

TEST_CASE("dropping a timer cancels it, detaching lets it run") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  auto alive = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = alive;
  {
    Timer dropped = plugin->after(1s, [&, alive = std::move(alive)] { plugin->calls.push_back("dropped"); });
  }
  CHECK(watch.expired());
  {
    Timer detached = plugin->after(1s, [&] { plugin->calls.push_back("detached"); });
    detached.detach();
  }
  Timer replaced = plugin->after(1s, [&] { plugin->calls.push_back("replaced"); });
  replaced = plugin->after(2s, [&] { plugin->calls.push_back("new"); });
  host.advance(10s);
  CHECK(plugin->calls == Calls{"detached", "new"});
}

TEST_CASE("a repeated timer runs once each period until it is dropped, also by itself") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  plugin->timer = plugin->every(1s, [&] {
    plugin->calls.push_back(std::to_string((host.now().time_since_epoch() / 1s) % 60));
    if (plugin->calls.size() == 3) plugin->timer.reset();
  });
  host.advance(10s);
  CHECK(plugin->calls == Calls{"1", "2", "3"});
  CHECK_THROWS_AS(plugin->every(0s, [] {}), nexus::Error);
  CHECK_THROWS_AS(plugin->every(-1s, [] {}), nexus::Error);
}

TEST_CASE("a timer that was dropped after its time, but before its turn, does not run") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  plugin->timer = plugin->after(1s, [&] { plugin->calls.push_back("late"); });
  Timer first = plugin->after(1s, [&] {
    plugin->timer.reset();
    plugin->calls.push_back("first");
  });
  // Both are due in one step: the one registered first runs first.
  Timer earlier = plugin->after(999ms, [&] { plugin->timer.reset(); });
  host.advance(2s);
  CHECK(plugin->calls == Calls{"first"});
}

TEST_CASE("a failing timer is logged and goes on") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  int runs = 0;
  Timer timer = plugin->every(1s, [&] {
    ++runs;
    throw std::runtime_error("no luck");
  });
  host.advance(3s);
  CHECK(runs == 3);
  CHECK(host.logged("a timer failed: no luck"));
}

TEST_CASE("timers may be made and dropped on the plugin's own threads") {
  nexus::testing::Host host;
  auto plugin = host.load<Dynamic>();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        Timer timer = plugin->after(1s, [] { FAIL("was dropped"); });
        Subscription live = plugin->subscribe<Tick>([](const Tick&) { FAIL("was dropped"); });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  host.emit(Tick{});
  host.advance(2s);
  CHECK(plugin->calls.empty());
}

}  // namespace
