// The fake host keeps the promises of the real one as far as a plugin can see them.
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "nexus/plugin.hpp"
#include "nexus/testing.hpp"

namespace {

using namespace std::chrono_literals;
using nexus::Event;

struct Job {
  std::string name;
};
NEXUS_EVENT(Job, "test.job", name)

struct Result {
  std::string name;
};
NEXUS_EVENT(Result, "test.result", name)

using Calls = std::vector<std::string>;

struct Worker final : nexus::Plugin {
  using Plugin::after;
  using Plugin::emit;
  using Plugin::post;
  using Plugin::query;
  using Plugin::subscribe;
  Calls calls;
};
NEXUS_PLUGIN_INFO(Worker, "com.example.worker", "1.0.0")

struct Other final : nexus::Plugin {
  using Plugin::subscribe;
};
NEXUS_PLUGIN_INFO(Other, "com.example.other", "1.0.0")

TEST_CASE("events of a higher priority go first, in order within one") {
  nexus::testing::Host host;
  auto worker = host.load<Worker>();
  auto live = worker->subscribe<Job>([&](const Job& job) { worker->calls.push_back(job.name); });
  host.emit(Job{"low"}, {.priority = -1});
  host.emit(Job{"first"});
  host.emit(Job{"second"});
  host.emit(Job{"urgent"}, {.priority = 100});
  host.emit(Job{"urgent too"}, {.priority = 100});
  worker->post([&] { worker->calls.push_back("task"); });
  host.run();
  CHECK(worker->calls == Calls{"urgent", "urgent too", "first", "second", "task", "low"});
}

TEST_CASE("handlers of a higher priority finish first, across plugins, and a failure stops nobody") {
  nexus::testing::Host host;
  auto worker = host.load<Worker>();
  auto other = host.load<Other>();
  auto low =
      worker->subscribe<Job>({.priority = -1}, [&](const Job& job) { worker->calls.push_back("low " + job.name); });
  auto middle = other->subscribe<Job>([&](const Job& job) { worker->calls.push_back("middle " + job.name); });
  auto high = worker->subscribe<Job>({.priority = 10, .retry = nexus::fixed(1, 5s)}, [&](const Job& job) {
    worker->calls.push_back("high " + job.name);
    if (worker->calls.size() == 1) throw std::runtime_error("once");
  });
  host.emit(Job{"a"});
  host.run();
  CHECK(worker->calls == Calls{"high a", "middle a", "low a"});
  host.advance(5s);
  CHECK(worker->calls == Calls{"high a", "middle a", "low a", "high a"});
  CHECK(host.delivered() == 3);
}

TEST_CASE("emits of a handler leave when it has succeeded, and not at all when it fails") {
  nexus::testing::Host host;
  auto worker = host.load<Worker>();
  auto live = worker->subscribe<Job>({.retry = nexus::no_retry()}, [&](const Job& job) {
    worker->emit(Result{job.name});
    worker->emit(Result{job.name + " now"}, {.now = true});
    CHECK(host.emitted<Result>().back().name == job.name + " now");
    if (job.name == "bad") throw std::runtime_error("after all");
  });
  host.emit(Job{"good"});
  host.run();
  CHECK(host.emitted<Result>().size() == 2);
  host.emit(Job{"bad"});
  host.run();
  REQUIRE(host.emitted<Result>().size() == 3);
  CHECK(host.emitted<Result>().back().name == "bad now");
}

TEST_CASE("emits of a handler belong to the chain of its event, unless they begin one") {
  nexus::testing::Host host;
  auto worker = host.load<Worker>();
  auto live = worker->subscribe<Job>([&](const Job&) {
    worker->emit(Result{"in the chain"});
    worker->emit(Result{"named"}, {.correlation = "own"});
    worker->emit(Result{"root"}, {.root = true});
  });
  host.emit(Job{}, {.correlation = "c-1"});
  host.run();
  const Event job = host.events()[0]->event();
  const Event inside = host.events()[1]->event();
  const Event named = host.events()[2]->event();
  const Event root = host.events()[3]->event();
  CHECK(inside.correlation_id() == "c-1");
  CHECK(inside.causation_id() == job.id());
  CHECK(named.correlation_id() == "own");
  CHECK(named.causation_id() == job.id());
  CHECK(root.correlation_id() == root.id().str());
  CHECK_FALSE(root.causation_id());
}

TEST_CASE("a failed delivery is tried again by the clock, then goes to the dead letters and is told of once") {
  nexus::testing::Host host;
  auto worker = host.load<Worker>();
  auto live = worker->subscribe<Job>({.retry = nexus::exponential(3, 1s, 3s)}, [&](const Job&) {
    worker->calls.push_back("try");
    throw std::runtime_error("never works");
  });
  auto errors = worker->subscribe("*.error", [&](const Event&) { worker->calls.push_back("told"); });
  host.emit(Job{});
  host.run();
  CHECK(worker->calls == Calls{"try"});
  host.advance(1s);
  CHECK(worker->calls.size() == 2);
  host.advance(2s);
  CHECK(worker->calls.size() == 3);
  host.advance(3s - 1ms);
  CHECK(worker->calls.size() == 3);
  host.advance(1ms);
  CHECK(worker->calls == Calls{"try", "try", "try", "try", "told"});
  host.advance(1h);
  CHECK(worker->calls.size() == 5);

  REQUIRE(host.failures().size() == 4);
  CHECK(host.failures()[0].retry_after == 1s);
  CHECK(host.failures()[1].retry_after == 2s);
  CHECK(host.failures()[2].retry_after == 3s);
  CHECK(host.failures()[3].attempt == 4);
  CHECK(host.failures()[3].dead_lettered);
  REQUIRE(host.emitted("event.dead_lettered").size() == 1);
  CHECK(host.emitted("event.dead_lettered")[0]->event().value().at("reason").get<std::string>() == "attempts");
  const auto told = host.emitted<nexus::events::PluginError>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].plugin_id == "com.example.worker");
  CHECK(told[0].error_message == "never works");
}

TEST_CASE("a failure while handling a failure is not told of again") {
  nexus::testing::Host host;
  auto worker = host.load<Worker>();
  auto errors = worker->subscribe("*.error", {.retry = nexus::no_retry()},
                                  [&](const Event&) { throw std::runtime_error("cannot even tell"); });
  auto live = worker->subscribe<Job>([&](const Job&) { throw nexus::Reject("no"); });
  host.emit(Job{});
  host.run();
  CHECK(host.failures().size() == 2);
  CHECK(host.emitted("plugin.error").size() == 1);
}

TEST_CASE("events of one key stay in order: a retry blocks its key, a priority does not overtake it") {
  nexus::testing::Host host;
  auto worker = host.load<Worker>();
  auto live = worker->subscribe<Job>({.retry = nexus::fixed(1, 5s)}, [&](const Job& job) {
    worker->calls.push_back(job.name);
    if (job.name == "a1" && worker->calls.size() == 1) throw std::runtime_error("once");
  });
  host.emit(Job{"a1"}, {.key = "a"});
  host.emit(Job{"a2"}, {.priority = 100, .key = "a"});
  host.emit(Job{"b1"}, {.key = "b"});
  host.emit(Job{"none"});
  host.run();
  CHECK(worker->calls == Calls{"a1", "b1", "none"});
  host.advance(5s);
  CHECK(worker->calls == Calls{"a1", "b1", "none", "a1", "a2"});
}

TEST_CASE("an expired event is not handled") {
  nexus::testing::Host host;
  auto worker = host.load<Worker>();
  auto live = worker->subscribe<Job>({.retry = nexus::fixed(3, 10s)}, [&](const Job&) {
    worker->calls.push_back("try");
    throw std::runtime_error("later");
  });
  host.emit(Job{}, {.expires = 15s});
  host.advance(1h);
  CHECK(worker->calls.size() == 2);
}

TEST_CASE("a chain without end is cut, and plugins that answer each other for ever are found out") {
  SECTION("by the hop limit") {
    nexus::testing::Host host({.hops_max = 5});
    auto worker = host.load<Worker>();
    auto live = worker->subscribe<Job>({.retry = nexus::no_retry()}, [&](const Job&) { worker->emit(Job{"again"}); });
    host.emit(Job{});
    host.run();
    CHECK(host.events().size() == 6 + 2);  // and the two that tell of the failure
    REQUIRE(host.failures().size() == 1);
    CHECK(host.failures()[0].code == NEXUS_E_LOOP);
  }
  SECTION("by the limit of run()") {
    nexus::testing::Host host({.steps_max = 100});
    auto worker = host.load<Worker>();
    auto live = worker->subscribe<Job>([&](const Job&) { worker->emit(Job{"again"}, {.root = true}); });
    host.emit(Job{});
    CHECK_THROWS_AS(host.run(), std::runtime_error);
  }
}

TEST_CASE("what the test emits is told apart from what plugins emit, and clear forgets both") {
  nexus::testing::Host host;
  auto worker = host.load<Worker>();
  host.emit(Job{"test"});
  worker->emit(Job{"plugin"});
  CHECK(host.events().size() == 2);
  REQUIRE(host.emitted<Job>().size() == 1);
  CHECK(host.emitted<Job>()[0].name == "plugin");
  CHECK(host.emitted("test.*").size() == 1);
  CHECK(host.emitted("other.*").empty());
  host.clear();
  CHECK(host.events().empty());
}

TEST_CASE("a test's bad emit is refused with a sentence") {
  nexus::testing::Host host;
  CHECK_THROWS_AS(host.emit("Bad Name", nexus::cbor::Value()), nexus::Rejected);
  CHECK_THROWS_AS(host.emit(Job{}, {.key = std::string(256, 'k')}), nexus::Rejected);
  host.emit("plugin.error", nexus::cbor::Value::map());  // a test may speak for the host
}

TEST_CASE("a request without an answer comes back empty when its time is up") {
  nexus::testing::Host host;
  const auto before = host.now();
  CHECK_FALSE(host.request<Result>(Job{}, 3s));
  CHECK(host.now() - before == 3s);
}

TEST_CASE("the virtual clock and the ids are the same in every run") {
  std::vector<std::string> ids;
  for (int i = 0; i < 2; ++i) {
    nexus::testing::Host host;
    CHECK(host.now() == nexus::TimePoint(std::chrono::sys_days(std::chrono::year(2024) / 1 / 1)));
    ids.push_back(host.emit(Job{}).str());
    CHECK(ids.back().size() == 36);
    CHECK(ids.back()[14] == '7');
  }
  CHECK(ids[0] == ids[1]);
}

TEST_CASE("a plugin in the middle of its work can be unloaded") {
  nexus::testing::Host host;
  auto worker = host.load<Worker>();
  auto other = host.load<Other>();
  auto waiting = worker->subscribe<Job>({.priority = 1}, [&](const Job&) { throw std::runtime_error("again"); });
  int handled = 0;
  auto live = other->subscribe<Job>({.priority = 0}, [&](const Job&) { ++handled; });
  host.emit(Job{});
  host.run();
  host.emit(Job{});
  host.unload(worker);
  host.advance(1h);
  CHECK(handled == 2);
}

TEST_CASE("the fake's JSON and pattern interface answers") {
  nexus::testing::Host host;
  auto worker = host.load<Worker>();
  const auto* data = worker->query<nexus_data>(NEXUS_DATA_ID);
  REQUIRE(data != nullptr);
  const nexus::Bytes bytes = nexus::cbor::Value({{"a", 1}}).encode();
  std::string json;
  const auto append = [](void* user, const std::uint8_t* text, std::uint64_t size) {
    static_cast<std::string*>(user)->append(reinterpret_cast<const char*>(text), size);
  };
  CHECK(data->cbor_to_json(data->ctx, {bytes.data(), bytes.size()}, append, &json, nullptr) == NEXUS_OK);
  CHECK(json == "{\"a\":1}");
  CHECK(data->cbor_check(data->ctx, {bytes.data(), bytes.size() - 1}, nullptr) == NEXUS_E_CBOR);
  const nexus::Bytes map_as_key = {0xa1, 0xa0, 0x01};
  CHECK(data->cbor_to_json(data->ctx, {map_as_key.data(), map_as_key.size()}, append, &json, nullptr) == NEXUS_E_CBOR);
  CHECK(json == "{\"a\":1}");
  CHECK(data->pattern_matches(data->ctx, nexus::detail::to_abi("a.*"), nexus::detail::to_abi("a.b")) == 1);
  CHECK(data->pattern_matches(data->ctx, nexus::detail::to_abi("a.*"), nexus::detail::to_abi("b")) == 0);
  CHECK(data->pattern_matches(data->ctx, nexus::detail::to_abi("a*"), nexus::detail::to_abi("b")) == NEXUS_E_PATTERN);
}

}  // namespace
