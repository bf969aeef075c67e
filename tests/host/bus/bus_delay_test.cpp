// Events that leave later or expire, and ids that come twice.
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

struct DelayRig {
  explicit DelayRig(BusOptions options = {}) : rig(options, clock) {}
  nexus_emit_options options() const {
    nexus_emit_options made{};
    made.size = sizeof made;
    made.data_format = NEXUS_DATA_BYTES;
    return made;
  }
  int32_t emit(const nexus_emit_options& with, std::string_view data = "x", std::string_view type = "order.created") {
    return rig.bus->emit(*shop, rig.bus->intern(*shop, type).value(), &with,
                         {reinterpret_cast<const uint8_t*>(data.data()), data.size()}, nullptr, nullptr);
  }
  void pass(int64_t ns) {
    clock.advance(ns);
    rig.bus->timers().run_due(clock.monotonic_ns());
    REQUIRE(rig.settle());
  }

  VirtualClock clock;
  Rig rig;
  std::shared_ptr<Participant> shop = rig.add("com.example.shop"), store = rig.add("com.example.store");
};

}  // namespace

TEST_CASE("a delayed event leaves at its time, also when its plugin has gone") {
  DelayRig r;
  Probe probe;
  r.rig.subscribe(*r.store, "order.created", probe);
  auto options = r.options();
  options.delay_ns = 5'000;
  REQUIRE(r.emit(options) == NEXUS_OK);
  r.pass(4'999);
  CHECK(probe.count() == 0);
  CHECK(r.rig.bus->totals().delayed == 1);
  CHECK(r.rig.bus->totals().accepted == 1);
  r.rig.bus->remove(r.shop);
  r.pass(1);
  CHECK(probe.count() == 1);
  CHECK(r.rig.bus->totals().delayed == 0);
  CHECK(r.rig.bus->totals().accepted == 1);
}

TEST_CASE("a delayed emit of a handler leaves only if that succeeds") {
  DelayRig r;
  Probe probe, asking;
  int calls = 0;
  asking.answer = [&](const nexus_delivery&, nexus_outcome&) -> int32_t {
    auto options = r.options();
    options.delay_ns = 1'000;
    must(r.emit(options, "x", "order.late") == NEXUS_OK);
    return ++calls == 1 ? NEXUS_REJECT : NEXUS_DONE;
  };
  r.rig.subscribe(*r.shop, "order.created", asking);
  r.rig.subscribe(*r.store, "order.late", probe);
  r.emit(r.options());
  r.emit(r.options());
  REQUIRE(r.rig.settle());
  CHECK(r.rig.bus->totals().delayed == 1);
  CHECK(r.rig.bus->totals().withdrawn == 1);
  r.pass(1'000);
  CHECK(probe.count() == 1);
}

TEST_CASE("a negative delay and a time that has passed are refused") {
  DelayRig r;
  auto options = r.options();
  options.delay_ns = -1;
  CHECK(r.emit(options) == NEXUS_E_ARGUMENT);
  options.delay_ns = 0;
  options.expires_unix_ns = r.clock.unix_ns();
  CHECK(r.emit(options) == NEXUS_E_EXPIRED);
}

TEST_CASE("an event that has waited past its time is counted, and not delivered") {
  BusOptions bus_options;
  bus_options.rules.push_back({Pattern::parse("price.*").value(), 2'000});
  DelayRig r(bus_options);
  Gate gate;
  Probe probe;
  probe.answer = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    if (delivery.event->data.data[0] == 'g') gate.wait();
    return NEXUS_DONE;
  };
  r.rig.subscribe(*r.store, "**", probe);
  r.emit(r.options(), "g");
  gate.await(1);
  auto options = r.options();
  options.expires_unix_ns = r.clock.unix_ns() + 1'000;
  r.emit(options, "soon");
  options.expires_unix_ns = r.clock.unix_ns() + 3'000;
  r.emit(options, "later");
  r.emit(r.options(), "by rule", "price.told");
  nexus_bytes data{reinterpret_cast<const uint8_t*>("plain"), 5};
  CHECK(r.rig.bus->emit(*r.shop, r.rig.bus->intern(*r.shop, "price.told").value(), nullptr, data, nullptr, nullptr) ==
        NEXUS_OK);
  r.emit(r.options(), "never");
  r.clock.advance(2'000);
  gate.open();
  REQUIRE(r.rig.settle());
  CHECK(probe.copy() == std::vector<std::string>{"g", "later", "never"});
  const BusTotals totals = r.rig.bus->totals();
  CHECK(totals.expired == 3);
  CHECK(totals.deliveries.discarded == 3);
  CHECK(totals.deliveries.handled == 3);
}

TEST_CASE("the same id again is a duplicate, with other content a conflict, and after the window new") {
  BusOptions bus_options;
  bus_options.dedup_window_ns = 10'000;
  DelayRig r(bus_options);
  Probe probe;
  r.rig.subscribe(*r.store, "order.created", probe);
  auto options = r.options();
  options.flags = NEXUS_EMIT_HAS_ID;
  options.id.bytes[3] = 7;
  CHECK(r.emit(options) == NEXUS_OK);
  CHECK(r.emit(options) == NEXUS_OK_DUPLICATE);
  CHECK(r.emit(options, "y") == NEXUS_E_CONFLICT);
  CHECK(r.emit(options, "x", "order.paid") == NEXUS_E_CONFLICT);
  REQUIRE(r.rig.settle());
  CHECK(probe.count() == 1);
  CHECK(r.rig.bus->totals().accepted == 1);
  CHECK(r.rig.bus->rejected(NEXUS_E_CONFLICT) == 2);
  r.clock.advance(10'000);
  CHECK(r.emit(options) == NEXUS_OK);
  REQUIRE(r.rig.settle());
  CHECK(probe.count() == 2);
}

TEST_CASE("an id of an event that was not accepted, or never left, may be used again") {
  BusOptions bus_options;
  bus_options.max_queue_size = 1;
  bus_options.overflow = Overflow::kReject;
  DelayRig r(bus_options);
  Gate gate;
  Probe slow, failing;
  slow.answer = [&](const nexus_delivery&, nexus_outcome&) -> int32_t {
    gate.wait();
    return NEXUS_DONE;
  };
  r.rig.subscribe(*r.store, "order.created", slow);
  CHECK(r.emit(r.options()) == NEXUS_OK);
  gate.await(1);
  CHECK(r.emit(r.options()) == NEXUS_OK);
  auto options = r.options();
  options.flags = NEXUS_EMIT_HAS_ID;
  options.id.bytes[3] = 7;
  CHECK(r.emit(options) == NEXUS_E_QUEUE_FULL);
  gate.open();
  REQUIRE(r.rig.settle());
  CHECK(r.emit(options) == NEXUS_OK);
  REQUIRE(r.rig.settle());
  int calls = 0;
  failing.answer = [&](const nexus_delivery&, nexus_outcome&) -> int32_t {
    auto held = options;
    held.id.bytes[3] = 8;
    must(r.emit(held, "x", "order.late") == NEXUS_OK);
    return ++calls == 1 ? NEXUS_REJECT : NEXUS_DONE;
  };
  r.rig.subscribe(*r.shop, "order.paid", failing);
  r.emit(r.options(), "x", "order.paid");
  REQUIRE(r.rig.settle());
  r.emit(r.options(), "x", "order.paid");
  REQUIRE(r.rig.settle());
  CHECK(calls == 2);
}
