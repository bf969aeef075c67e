// What the base class gives a plugin: emitting in every form, logs, metrics, control, kept events, tasks.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "nexus/plugin.hpp"
#include "nexus/testing.hpp"

namespace {

using namespace std::chrono_literals;
using nexus::cbor::Value;

struct Ping {
  int number = 0;
};
NEXUS_EVENT_V(Ping, "test.ping", 3, number)

struct Pong {
  int number = 0;
};
NEXUS_EVENT(Pong, "test.pong", number)

// A plugin that lets the test use what it is given.
struct Probe final : nexus::Plugin {
  using Plugin::after;
  using Plugin::control;
  using Plugin::counter;
  using Plugin::data_folder;
  using Plugin::emit;
  using Plugin::emit_batch;
  using Plugin::gauge;
  using Plugin::histogram;
  using Plugin::keep;
  using Plugin::log;
  using Plugin::now;
  using Plugin::post;
  using Plugin::query;
  using Plugin::query_plugin;
  using Plugin::request_stop;
  using Plugin::try_emit;
  using Plugin::try_emit_bytes;

  std::vector<std::string> seen;
  nexus::KeptEvent kept;

  NEXUS_ON(see, .topic = "kept.*")
  void see(const nexus::Event& event) { kept = keep(event); }
};
NEXUS_PLUGIN_INFO(Probe, "com.example.probe", "1.0.0")

TEST_CASE("an emit carries its payload and its options") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  const nexus::Id cause = *nexus::Id::parse("01890a5d-ac96-774b-bcce-b302099a8057");
  const nexus::Id id = probe->emit(Ping{7}, {.priority = -3,
                                             .key = "k",
                                             .correlation = "c",
                                             .metadata = {{"environment", "production"}, {"build", 7}},
                                             .expires = 30s,
                                             .subject = "s",
                                             .causation = cause});
  REQUIRE(host.events().size() == 1);
  const nexus::Event event = host.events().front()->event();
  CHECK(event.id() == id);
  CHECK(event.type() == "test.ping");
  CHECK(event.is<Ping>());
  CHECK_FALSE(event.is<Pong>());
  CHECK(event.as<Ping>().number == 7);
  CHECK(event.value().at("number").get<int>() == 7);
  CHECK(event.source() == "com.example.probe");
  CHECK(event.schema_version() == 3);
  CHECK(event.priority() == -3);
  CHECK(event.key() == "k");
  CHECK(event.correlation_id() == "c");
  CHECK(event.causation_id() == cause);
  CHECK(event.metadata("environment") == "production");
  CHECK_FALSE(event.metadata("build"));
  CHECK_FALSE(event.metadata("region"));
  CHECK(event.expires() == host.now() + 30s);
  CHECK(event.time() == host.now());
  CHECK(event.subject() == "s");
  CHECK(event.data_format() == NEXUS_DATA_CBOR);
}

TEST_CASE("an emit without options begins a chain of its own") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  const nexus::Id id = probe->emit(Ping{});
  const nexus::Event event = host.events().front()->event();
  CHECK(event.correlation_id() == id.str());
  CHECK_FALSE(event.causation_id());
  CHECK_FALSE(event.expires());
  CHECK(event.metadata().size == 0);
}

TEST_CASE("a type may be known only when running, with any data") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  probe->emit("dynamic.event", {{"name", "x"}, {"list", Value::array({1, 2})}});
  probe->emit(std::string("dynamic.event"), Value(5));
  const std::string json = "{\"a\":1}";
  CHECK(probe
            ->try_emit_bytes("dynamic.json", {reinterpret_cast<const std::uint8_t*>(json.data()), json.size()},
                             NEXUS_DATA_JSON)
            .ok());
  REQUIRE(host.events().size() == 3);
  CHECK(host.events()[0]->event().value().at("list.1").get<int>() == 2);
  CHECK(host.events()[1]->event().value() == Value(5));
  CHECK(host.events()[2]->raw.data_format == NEXUS_DATA_JSON);
}

TEST_CASE("what the host refuses is thrown by emit and returned by try_emit") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  const nexus::Status bad_name = probe->try_emit("Bad Name", Value());
  CHECK_FALSE(bad_name);
  CHECK(bad_name.code == NEXUS_E_TYPE_NAME);
  CHECK(bad_name.message.find("Bad Name") != std::string::npos);
  CHECK(probe->try_emit("system.started", Value()).code == NEXUS_E_RESERVED);
  CHECK(probe->try_emit("plugin.loaded", Value()).code == NEXUS_E_RESERVED);
  CHECK(probe->try_emit(Ping{}, {.key = std::string(256, 'k')}).code == NEXUS_E_TOO_LARGE);
  CHECK(probe->try_emit(Ping{}, {.expires = host.now() - 1s}).code == NEXUS_E_EXPIRED);
  const nexus::Bytes broken = {0xa1};
  CHECK(probe->try_emit_bytes("a.b", {broken.data(), broken.size()}).code == NEXUS_E_CBOR);
  CHECK(probe->try_emit(Ping{}, {.metadata = 5}).code == NEXUS_E_CBOR);
  try {
    probe->emit("Bad Name", Value());
    FAIL("must throw");
  } catch (const nexus::Rejected& rejected) {
    CHECK(rejected.code() == NEXUS_E_TYPE_NAME);
    CHECK_FALSE(rejected.in_doubt());
  }
  CHECK(host.events().empty());
}

TEST_CASE("the same id twice is accepted once, with other content refused") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  const nexus::Id id = *nexus::Id::parse("01890a5d-ac96-774b-bcce-b302099a8057");
  CHECK_FALSE(probe->try_emit(Ping{1}, {.id = id}).duplicate());
  const nexus::Status again = probe->try_emit(Ping{1}, {.id = id});
  CHECK(again.ok());
  CHECK(again.duplicate());
  CHECK(again.id == id);
  CHECK(probe->try_emit(Ping{2}, {.id = id}).code == NEXUS_E_CONFLICT);
  CHECK(host.events().size() == 1);
}

TEST_CASE("a delayed emit leaves when its time has come") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  probe->emit(Ping{}, {.delay = 10s});
  host.advance(9s);
  CHECK(host.events().empty());
  host.advance(1s);
  CHECK(host.events().size() == 1);
}

TEST_CASE("a batch keeps its order and tells how far it came") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  std::vector<Ping> pings;
  for (int i = 0; i < 1000; ++i) pings.push_back({i});  // far more than fits into a buffer's first room
  const nexus::BatchStatus status = probe->emit_batch(pings, {.priority = 2});
  CHECK(status);
  CHECK(status.accepted == 1000);
  CHECK(status.ids.size() == 1000);
  REQUIRE(host.emitted<Ping>().size() == 1000);
  CHECK(host.emitted<Ping>()[999].number == 999);
  CHECK(host.events()[500]->raw.priority == 2);
  CHECK(host.events()[500]->event().id() == status.ids[500]);

  CHECK(probe->emit_batch(std::vector<Ping>{}));
  const nexus::BatchStatus refused = probe->emit_batch(pings, {.key = std::string(300, 'k')});
  CHECK_FALSE(refused);
  CHECK(refused.accepted == 0);
  CHECK(refused.status.code == NEXUS_E_TOO_LARGE);
}

TEST_CASE("log lines carry fields of every kind") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  const nexus::Id id = *nexus::Id::parse("01890a5d-ac96-774b-bcce-b302099a8057");
  const std::string text = "text";
  probe->log().info("all", {{"text", text},
                            {"literal", "x"},
                            {"number", -5},
                            {"big", UINT64_MAX},
                            {"fraction", 0.5},
                            {"yes", true},
                            {"letter", 'c'},
                            {"id", id}});
  probe->log().trace("0");
  probe->log().debug("1");
  probe->log().warn("3");
  probe->log().error("4");
  const auto lines = host.logs();
  REQUIRE(lines.size() == 5);
  const auto& fields = lines[0].fields;
  CHECK(fields.at("text") == "text");
  CHECK(fields.at("literal") == "x");
  CHECK(fields.at("number") == "-5");
  CHECK(fields.at("big") == "18446744073709551615");
  CHECK(fields.at("fraction") == "0.5");
  CHECK(fields.at("yes") == "true");
  CHECK(fields.at("letter") == "c");
  CHECK(fields.at("id") == id.str());
  CHECK(lines[0].plugin == "com.example.probe");
  CHECK(lines[0].level == NEXUS_LOG_INFO);
  CHECK(lines[1].level == NEXUS_LOG_TRACE);
  CHECK(lines[4].level == NEXUS_LOG_ERROR);
}

TEST_CASE("a log line may have more fields than fit on the stack") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  probe->log().info("many", {{"a", 1},
                             {"b", 1},
                             {"c", 1},
                             {"d", 1},
                             {"e", 1},
                             {"f", 1},
                             {"g", 1},
                             {"h", 1},
                             {"i", 1},
                             {"j", 1},
                             {"k", 1},
                             {"l", 1},
                             {"m", 1},
                             {"n", 1},
                             {"o", 1},
                             {"p", 1},
                             {"q", 1},
                             {"r", 1}});
  CHECK(host.logs().front().fields.size() == 18);
}

TEST_CASE("metrics are registered once and then updated by their handle") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  const nexus::Counter orders = probe->counter("orders_total", "Orders seen", {{"shop", "north"}});
  orders.add();
  probe->counter("orders_total", "Orders seen", {{"shop", "north"}}).add(2);
  probe->counter("orders_total", "Orders seen", {{"shop", "south"}}).add();
  CHECK(host.metric("orders_total", {{"shop", "north"}}) == 3);
  CHECK(host.metric("orders_total", {{"shop", "south"}}) == 1);
  CHECK(host.metric("orders_total") == 0);
  const nexus::Gauge depth = probe->gauge("depth");
  depth.set(5);
  depth.add(-2);
  CHECK(host.metric("depth") == 3);
  const nexus::Histogram seconds = probe->histogram("work_seconds", "", {}, {0.1, 1.0});
  seconds.observe(0.05);
  seconds.observe(2);
  CHECK(host.observed("work_seconds") == std::vector<double>{0.05, 2});
  CHECK_THROWS_AS(probe->counter("bad name"), nexus::Error);
  CHECK_THROWS_AS(probe->counter("nexus_mine"), nexus::Error);
  CHECK_THROWS_AS(probe->gauge("orders_total"), nexus::Error);
  const nexus::Counter unset;
  unset.add();  // nothing, and no harm
}

TEST_CASE("the control surface is there when it is granted") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  try {
    probe->control("stat");
    FAIL("must throw");
  } catch (const nexus::Error& error) {
    CHECK(error.code() == NEXUS_E_PERMISSION);
  }
  host.on_control("echo", [](const Value& params) { return Value{{"got", params}}; });
  host.on_control("fail", [](const Value&) -> Value { throw std::runtime_error("no such plugin"); });
  CHECK(probe->control("echo", {{"a", 1}}).at("got.a").get<int>() == 1);
  CHECK(probe->control("echo").at("got").is_null());
  try {
    probe->control("fail");
    FAIL("must throw");
  } catch (const nexus::Error& error) {
    CHECK(std::string(error.what()) == "no such plugin");
  }
  CHECK_THROWS_AS(probe->control("unknown"), nexus::Error);
}

TEST_CASE("a plugin may ask the host to stop, and knows its time") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  const auto before = probe->now();
  host.advance(90s);
  CHECK(probe->now() - before == 90s);
  CHECK(host.stop_reason().empty());
  probe->request_stop("the disk is gone");
  CHECK(host.stop_reason() == "the disk is gone");
}

TEST_CASE("a kept event outlives its handler and the host's memory of it") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  host.emit("kept.event", {{"a", 1}}, {.key = "first"});
  host.run();
  host.clear();
  REQUIRE(probe->kept);
  CHECK((*probe->kept).key() == "first");
  nexus::KeptEvent moved = std::move(probe->kept);
  CHECK((*moved).value().at("a").get<int>() == 1);
}

TEST_CASE("a posted task runs in the mailbox, from any thread, behind what waits") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  std::vector<int> order;
  const auto test_thread = std::this_thread::get_id();
  std::thread([&] {
    probe->post([&] {
      CHECK(std::this_thread::get_id() == test_thread);
      order.push_back(1);
    });
    probe->post([&] { order.push_back(2); });
  }).join();
  CHECK(order.empty());
  host.run();
  CHECK(order == std::vector<int>{1, 2});
  probe->post([] { throw std::runtime_error("oh"); });
  host.run();
  CHECK(host.logged("a posted task failed: oh"));
}

TEST_CASE("emits from a plugin's own thread are accepted") {
  nexus::testing::Host host;
  auto probe = host.load<Probe>();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        if (i % 2 == 0) {
          probe->emit(Ping{t * 1000 + i});
        } else {
          probe->emit("thread.event", Value(i));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(host.events().size() == 400);
}

TEST_CASE("a plugin made by hand has its methods, a silent log, and nothing that needs a host") {
  Probe probe;
  probe.log().info("nobody hears this");
  CHECK_FALSE(probe.log().enabled(NEXUS_LOG_ERROR));
  CHECK_THROWS_AS(probe.emit(Ping{}), nexus::Error);
  CHECK_THROWS_AS(probe.counter("x"), nexus::Error);
  CHECK_THROWS_AS(probe.post([] {}), nexus::Error);
}

TEST_CASE("a host without metrics, timers or bus is met with a sentence or in silence") {
  nexus::testing::Host host;
  host.set_interface(NEXUS_METRICS_ID, nullptr);
  host.set_interface(NEXUS_TIMER_ID, nullptr);
  auto probe = host.load<Probe>();
  probe->counter("x").add();
  CHECK_THROWS_AS(probe->after(1s, [] {}), nexus::Error);
  host.set_interface(NEXUS_BUS_ID, nullptr);
  CHECK_THROWS_AS(host.load<Probe>(), nexus::Error);
}

TEST_CASE("a plugin's files are where the test can see them, over an unload, until the host ends") {
  std::filesystem::path folder;
  {
    nexus::testing::Host host;
    auto probe = host.load<Probe>();
    folder = probe->data_folder();
    CHECK(folder.is_absolute());
    CHECK(folder == host.data_folder("com.example.probe"));
    std::ofstream(folder / "state") << "kept";
    host.unload(probe);
    probe = host.load<Probe>();
    CHECK(std::filesystem::exists(probe->data_folder() / "state"));
    CHECK(host.data_folder("com.example.other") != folder);
  }
  CHECK_FALSE(std::filesystem::exists(folder));
}

}  // namespace
