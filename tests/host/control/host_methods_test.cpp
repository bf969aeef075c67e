#include "host/control/host_methods.hpp"

#include <catch2/catch_test_macros.hpp>

#include <unistd.h>

#include "host/base/log.hpp"
#include "tests/host/control/bus_rig.hpp"
#include "tests/host/control/result_text.hpp"

namespace nexus::host {
namespace {

struct HostRig : BusRig {
  std::string stopped;
  HostRig() {
    HostFacts facts;
    facts.name = "test";
    facts.version = "1.2.3";
    facts.started_unix_ns = bus->clock().unix_ns();
    add_host_methods(surface, {*bus, metrics, facts, [] { return std::string_view("running"); },
                               [this](std::string_view reason) { stopped = reason; }});
  }
};

TEST_CASE("host.info tells who answers") {
  HostRig rig;
  const auto info = rig.surface.call("host.info");
  REQUIRE(info);
  CHECK(info->at("name").get<std::string>() == "test");
  CHECK(info->at("version").get<std::string>() == "1.2.3");
  CHECK(info->at("abi").get<std::string>() == "1.0");
  CHECK(info->at("state").get<std::string>() == "running");
  CHECK(info->at("process").get<int>() == ::getpid());
}

TEST_CASE("host.stop passes the reason on") {
  HostRig rig;
  REQUIRE(rig.surface.call("host.stop", {{"reason", "maintenance"}}));
  CHECK(rig.stopped == "maintenance");
}

TEST_CASE("stat adds up exactly, also for plugins that are gone") {
  HostRig rig;
  rig.subscribe("orders", "order.*", [](const nexus_event&) { return NEXUS_DONE; });
  rig.subscribe("orders", "order.created",
                [](const nexus_event& event) { return event.priority > 0 ? NEXUS_DONE : NEXUS_REJECT; });
  rig.subscribe("audit", "*", [](const nexus_event&) { return NEXUS_SKIP; });
  for (int i = 0; i < 100; ++i) CHECK(rig.emit("shop", "order.created", i % 4) == NEXUS_OK);
  for (int i = 0; i < 10; ++i) CHECK(rig.emit("other", "nobody.listens", 0) == NEXUS_OK);
  rig.drain();
  rig.remove("shop");
  rig.drain();
  const auto stat = rig.surface.call("stat");
  REQUIRE(stat);
  const auto number = [&](std::string_view path) { return stat->at(path).get<uint64_t>(); };
  // 100 orders and 10 others, and a plugin.error and an event.dead_lettered for each of the 25 failures.
  CHECK(number("emitted.accepted") == 160);
  CHECK(number("emitted.rejected") == 0);
  CHECK(number("deliveries.handled") == 100 + 75);
  CHECK(number("deliveries.failed") == 25);
  CHECK(number("deliveries.filtered") == 100 + 10 + 25 + 25);
  CHECK(number("deliveries.discarded") == 0);
  CHECK(number("deliveries.waiting") == 0);
  uint64_t accepted = 0, handled = 0;
  for (const cbor::Value& row : stat->at("types").items()) {
    accepted += row.at("accepted").get<uint64_t>();
    handled += row.at("handled").get<uint64_t>();
  }
  CHECK(accepted == 160);
  CHECK(handled == 175);
  handled = 0;
  for (const cbor::Value& row : stat->at("plugins").items()) handled += row.at("handled").get<uint64_t>();
  CHECK(handled == 175);
}

TEST_CASE("rejected emits are counted by reason and by type") {
  HostRig rig;
  rig.bus->refuse_outside_emits();
  for (int i = 0; i < 3; ++i) CHECK(rig.emit("shop", "order.created", 0) == NEXUS_E_STOPPING);
  const auto stat = rig.surface.call("stat");
  CHECK(stat->at("emitted").at("rejected").get<int>() == 3);
  CHECK(stat->at("emitted").at("rejected_by_reason").at("stopping").get<int>() == 3);
  CHECK(stat->at("types").items()[0].at("rejected").get<int>() == 3);
}

TEST_CASE("subscriptions.list explains patterns and can be narrowed to a plugin") {
  HostRig rig;
  rig.subscribe("orders", "order.*", [](const nexus_event&) { return NEXUS_DONE; });
  rig.subscribe("audit", "*", [](const nexus_event&) { return NEXUS_DONE; });
  CHECK(rig.surface.call("subscriptions.list")->at("subscriptions").size() == 2);
  const auto one = rig.surface.call("subscriptions.list", {{"plugin", "orders"}});
  REQUIRE(one->at("subscriptions").size() == 1);
  CHECK(one->at("subscriptions.0.pattern").get<std::string>() == "order.*");
  CHECK_FALSE(one->at("subscriptions.0.explanation").get<std::string>().empty());
}

TEST_CASE("types.list is sorted by name") {
  HostRig rig;
  for (const char* type : {"b.two", "a.one", "c.three"}) CHECK(rig.emit("shop", type, 0) == NEXUS_OK);
  const auto list = rig.surface.call("types.list");
  REQUIRE(list->at("types").size() == 3);
  CHECK(list->at("types.0.type").get<std::string>() == "a.one");
  CHECK(list->at("types.2.type").get<std::string>() == "c.three");
}

TEST_CASE("log.level changes the level and knows its words") {
  HostRig rig;
  const log::Level before = log::level();
  const auto changed = rig.surface.call("log.level", {{"level", "error"}});
  REQUIRE(changed);
  CHECK(changed->at("level").get<std::string>() == "error");
  CHECK(log::level() == log::Level::error);
  CHECK(rig.surface.call("log.level", {{"level", "loud"}}).error().code == NEXUS_E_ARGUMENT);
  CHECK(rig.surface.call("log.level")->at("level").get<std::string>() == "error");
  log::set_level(before);
}

TEST_CASE("metrics.text speaks both formats and no third") {
  HostRig rig;
  rig.metrics.gauge(metric::kStartTimeSeconds).set(5);
  CHECK(rig.surface.call("metrics.text")->at("text").get<std::string>().find("nexus_start_time_seconds 5") !=
        std::string::npos);
  const auto open = rig.surface.call("metrics.text", {{"format", "openmetrics"}});
  CHECK(open->at("text").get<std::string>().ends_with("# EOF\n"));
  CHECK(rig.surface.call("metrics.text", {{"format", "xml"}}).error().code == NEXUS_E_ARGUMENT);
}

}  // namespace
}  // namespace nexus::host
