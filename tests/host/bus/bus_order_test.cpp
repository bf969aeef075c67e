// Order: by key, whatever is retried, deferred, parked or of a higher priority; and subscriptions that are paused.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <map>
#include <random>
#include <thread>

#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

struct OrderRig {
  explicit OrderRig(BusOptions options = {}) : rig(options, clock) {}
  static BusOptions retrying(uint32_t attempts) {
    BusOptions options;
    options.retry = {attempts, false, 1'000, 0};
    return options;
  }
  int32_t emit(std::string_view data, std::string_view key, int32_t priority = 0) {
    nexus_emit_options options{};
    options.size = sizeof options;
    options.key = to_abi(key);
    options.priority = priority;
    options.data_format = NEXUS_DATA_BYTES;
    return rig.bus->emit(*shop, rig.bus->intern(*shop, "order.created").value(), &options,
                         {reinterpret_cast<const uint8_t*>(data.data()), data.size()}, nullptr, nullptr);
  }
  nexus_handle subscribe(Probe& probe, uint32_t concurrency = NEXUS_CONCURRENCY_SERIAL, uint32_t flags = 0) {
    return subscribe(*shop, probe, concurrency, flags);
  }
  nexus_handle subscribe(Participant& participant, Probe& probe, uint32_t concurrency, uint32_t flags) {
    nexus_subscribe_options options{};
    options.size = sizeof options;
    options.concurrency = concurrency;
    options.flags = flags;
    options.name = to_abi("book");
    return rig.bus->subscribe(participant, "order.created", options, &Probe::handle, &probe).value();
  }
  void pass(int64_t ns) {
    clock.advance(ns);
    rig.bus->timers().run_due(clock.monotonic_ns());
  }
  // Until so many have been called, and the bus says that so many wait.
  void await(Probe& probe, size_t seen, uint64_t waiting) {
    while (probe.count() < seen || rig.bus->totals().waiting != waiting) std::this_thread::yield();
  }

  VirtualClock clock;
  Rig rig;
  std::shared_ptr<Participant> shop = rig.add("com.example.shop");
};

using Seen = std::vector<std::string>;

}  // namespace

TEST_CASE("a retry blocks its key and no other") {
  OrderRig r(OrderRig::retrying(2));
  Probe probe;
  int failures = 2;
  probe.answer = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    return delivery.event->data.data[0] == 'f' && failures-- > 0 ? NEXUS_RETRY : NEXUS_DONE;
  };
  r.subscribe(probe);
  for (const char* data : {"f1", "a2", "a3"}) r.emit(data, "a");
  for (const char* data : {"b1", "b2"}) r.emit(data, "b");
  r.emit("none", "");
  r.await(probe, 4, 3);
  CHECK(probe.copy() == Seen{"f1", "b1", "b2", "none"});
  r.pass(1'000);
  r.await(probe, 5, 3);
  r.emit("a4", "a");
  r.await(probe, 5, 4);
  r.pass(1'000);
  REQUIRE(r.rig.settle());
  CHECK(probe.copy() == Seen{"f1", "b1", "b2", "none", "f1", "f1", "a2", "a3", "a4"});
  CHECK(r.rig.bus->totals().deliveries.handled == 7);
  // The key is free again.
  r.emit("a5", "a");
  REQUIRE(r.rig.settle());
  CHECK(probe.count() == 10);
}

TEST_CASE("behind a delivery that ends in the dead letters its key goes on, but for order = strict") {
  const uint32_t flags = GENERATE(0u, static_cast<uint32_t>(NEXUS_SUBSCRIBE_STRICT_ORDER));
  OrderRig r;
  Probe probe;
  probe.answer = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    return delivery.event->data.data[0] == 'f' ? NEXUS_REJECT : NEXUS_DONE;
  };
  r.subscribe(probe, NEXUS_CONCURRENCY_SERIAL, flags);
  for (const char* data : {"f1", "a2", "a3"}) r.emit(data, "a");
  r.emit("b1", "b");
  const bool strict = flags != 0;
  r.await(probe, strict ? 2 : 4, strict ? 2 : 0);
  CHECK(probe.copy() == (strict ? Seen{"f1", "b1"} : Seen{"f1", "a2", "a3", "b1"}));
  if (strict) {
    r.rig.bus->remove(r.shop);
    CHECK(r.rig.bus->totals().deliveries.discarded == 2);
    CHECK(r.rig.bus->totals().waiting == 0);
  }
}

TEST_CASE("a higher priority does not overtake its own key") {
  OrderRig r;
  Gate gate;
  Probe probe;
  probe.answer = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    if (delivery.event->data.data[0] == 'x') gate.wait();
    return NEXUS_DONE;
  };
  r.subscribe(probe);
  r.emit("x", "");
  gate.await(1);
  r.emit("a1", "a", 0);
  r.emit("b1", "b", 0);
  r.emit("a2", "a", 10);
  r.emit("c1", "c", 10);
  r.emit("a3", "a", -5);
  r.emit("a4", "a", 20);
  r.emit("d1", "", 20);
  gate.open();
  REQUIRE(r.rig.settle());
  CHECK(probe.copy() == Seen{"x", "d1", "c1", "a1", "b1", "a2", "a3", "a4"});
}

TEST_CASE("with concurrency keyed one key is serial and in order, and keys run side by side") {
  BusOptions options;
  options.worker_count = 4;
  OrderRig r(options);
  Gate gate;
  Probe probe;
  probe.answer = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    if (delivery.event->data.data[0] == 'x') gate.wait();
    return NEXUS_DONE;
  };
  r.subscribe(probe, NEXUS_CONCURRENCY_KEYED);
  r.emit("x1", "a");
  r.emit("x2", "b");
  gate.await(2);  // both at the same time
  r.emit("a2", "a");
  r.emit("c1", "c");
  r.await(probe, 3, 1);
  gate.open();
  REQUIRE(r.rig.settle());
  const Seen seen = probe.copy();
  CHECK(seen.size() == 4);
  CHECK(seen[2] == "c1");
  CHECK(seen[3] == "a2");
}

TEST_CASE("many keys with failures, priorities and workers: each key in its order, each event handled once") {
  const uint32_t concurrency =
      GENERATE(static_cast<uint32_t>(NEXUS_CONCURRENCY_SERIAL), static_cast<uint32_t>(NEXUS_CONCURRENCY_KEYED));
  BusOptions options = OrderRig::retrying(50);
  options.worker_count = 4;
  OrderRig r(options);
  std::mutex mutex;
  std::map<std::string, std::vector<int>> handled;
  std::map<std::string, int> running;
  std::mt19937 random(7);
  Probe probe;
  probe.answer = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    const std::string key(to_view(delivery.event->key));
    const std::string data(reinterpret_cast<const char*>(delivery.event->data.data), delivery.event->data.size);
    {
      std::lock_guard guard(mutex);
      must(++running[key] == 1);
    }
    std::this_thread::yield();
    std::lock_guard guard(mutex);
    --running[key];
    if (random() % 8 == 0) return NEXUS_RETRY;
    handled[key].push_back(std::stoi(data));
    return NEXUS_DONE;
  };
  r.subscribe(probe, concurrency);
  constexpr int kEvents = 3'000;
  std::mt19937 which(11);
  std::map<std::string, std::vector<int>> sent;
  for (int i = 0; i < kEvents; ++i) {
    const std::string key = "k" + std::to_string(which() % 17);
    REQUIRE(r.emit(std::to_string(i), key, static_cast<int32_t>(which() % 3)) == NEXUS_OK);
    sent[key].push_back(i);
    if (i % 64 == 0) r.pass(1'000);
  }
  while (r.rig.bus->totals().deliveries.handled != kEvents) r.pass(1'000);
  REQUIRE(r.rig.settle());
  CHECK(handled == sent);
  CHECK(r.rig.bus->totals().deliveries.handled == kEvents);
}

TEST_CASE("a paused subscription keeps what comes, and hands it over in order when it is resumed") {
  OrderRig r;
  Probe probe, other;
  const nexus_handle paused = r.subscribe(probe);
  r.rig.subscribe(*r.shop, "order.created", other);
  REQUIRE(r.rig.bus->pause_subscription(paused).has_value());
  for (int i = 0; i < 50; ++i) r.emit(std::to_string(i), i % 2 == 0 ? "a" : "");
  r.await(other, 50, 50);
  CHECK(probe.count() == 0);
  Gate gate;
  probe.answer = [&](const nexus_delivery&, nexus_outcome&) -> int32_t {
    if (probe.count() == 1) gate.wait();
    return NEXUS_DONE;
  };
  REQUIRE(r.rig.bus->resume_subscription(paused).has_value());
  gate.await(1);
  for (int i = 50; i < 60; ++i) r.emit(std::to_string(i), "");
  gate.open();
  REQUIRE(r.rig.settle());
  Seen expected;
  for (int i = 0; i < 60; ++i) expected.push_back(std::to_string(i));
  CHECK(probe.copy() == expected);
  // And it is as if nothing had been.
  r.emit("60", "a");
  REQUIRE(r.rig.settle());
  CHECK(probe.count() == 61);
  CHECK(r.rig.bus->pause_subscription(paused + 100).error().code == NEXUS_E_HANDLE);
}

TEST_CASE("what is held back outlives a hot swap, in its order, and ends with an unsubscription") {
  OrderRig r(OrderRig::retrying(5));
  Probe probe;
  probe.answer = [](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    return delivery.event->data.data[0] == 'f' ? NEXUS_RETRY : NEXUS_DONE;
  };
  r.subscribe(probe);
  for (const char* data : {"f1", "a2", "a3"}) r.emit(data, "a");
  r.await(probe, 1, 3);
  ParticipantOptions options;
  options.id = "com.example.shop";
  const auto next = r.rig.bus->add_participant(options);
  Probe successor;
  const nexus_handle handle = r.subscribe(*next, successor, NEXUS_CONCURRENCY_SERIAL, 0);
  REQUIRE(r.rig.bus->pause(*r.shop, in_seconds(30)));
  r.rig.bus->hand_over(*r.shop, *next);
  r.rig.bus->activate(*next);
  r.rig.bus->remove(r.shop);
  REQUIRE(r.rig.settle());
  CHECK(successor.copy() == Seen{"f1", "a2", "a3"});
  r.shop = next;
  REQUIRE(r.rig.bus->pause_subscription(handle).has_value());
  r.emit("a4", "a");
  r.await(successor, 3, 1);
  REQUIRE(r.rig.bus->unsubscribe(*next, handle).has_value());
  REQUIRE(r.rig.settle());
  CHECK(r.rig.bus->totals().waiting == 0);
  CHECK(r.rig.bus->totals().deliveries.discarded == 1);
}
