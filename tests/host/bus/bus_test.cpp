// The promises of the bus, one by one: who gets an event, in which order, and what becomes of it otherwise.
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

TEST_CASE("an event reaches every matching handler once, and nobody else") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), mail = rig.add("com.example.mail");
  Probe exact, trailing, leading, all, other;
  rig.subscribe(*shop, "order.created", exact);
  rig.subscribe(*shop, "order.*", trailing);
  rig.subscribe(*mail, "*.created", leading);
  rig.subscribe(*mail, "*", all);
  rig.subscribe(*mail, "user.created", other);
  REQUIRE(rig.emit(*shop, "order.created", "one") == NEXUS_OK);
  REQUIRE(rig.settle());
  CHECK(exact.copy() == std::vector<std::string>{"one"});
  CHECK(trailing.count() == 1);
  CHECK(leading.count() == 1);
  CHECK(all.count() == 1);
  CHECK(other.count() == 0);
  const BusTotals totals = rig.bus->totals();
  CHECK(totals.accepted == 1);
  CHECK(totals.deliveries.handled == 4);
  CHECK(totals.waiting == 0);
}

TEST_CASE("an event that nobody listens to is accepted and counted as unrouted") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  REQUIRE(rig.emit(*shop, "order.created") == NEXUS_OK);
  CHECK(rig.bus->totals().unrouted == 1);
}

TEST_CASE("a type that is interned after a wildcard subscription is routed to it") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe probe;
  rig.subscribe(*shop, "order.**", probe);
  for (const char* type : {"order", "order.created", "order.item.added", "orders.created"})
    REQUIRE(rig.emit(*shop, type) == NEXUS_OK);
  REQUIRE(rig.settle());
  CHECK(probe.count() == 3);
}

TEST_CASE("events of one emitter reach a handler in the order of emission") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), mail = rig.add("com.example.mail");
  Probe probe;
  rig.subscribe(*mail, "order.created", probe);
  for (int i = 0; i < 5000; ++i) REQUIRE(rig.emit(*shop, "order.created", std::to_string(i)) == NEXUS_OK);
  REQUIRE(rig.settle());
  const auto seen = probe.copy();
  REQUIRE(seen.size() == 5000);
  for (size_t i = 0; i < seen.size(); ++i) REQUIRE(seen[i] == std::to_string(i));
}

TEST_CASE("higher event priorities overtake what waits") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe probe;
  rig.subscribe(*shop, "order.created", probe);
  REQUIRE(rig.bus->pause(*shop, in_seconds(10)));
  rig.emit(*shop, "order.created", "low", -5);
  rig.emit(*shop, "order.created", "normal");
  rig.emit(*shop, "order.created", "high", 100);
  rig.emit(*shop, "order.created", "higher", 2'000'000'000);
  rig.emit(*shop, "order.created", "high again", 100);
  rig.bus->resume(*shop);
  REQUIRE(rig.settle());
  CHECK(probe.copy() == std::vector<std::string>{"higher", "high", "high again", "normal", "low"});
}

TEST_CASE("an urgent event comes next, even when a batch of others has been taken") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Gate gate;
  Probe probe;
  probe.answer = [&](const nexus_delivery& delivery, nexus_outcome&) {
    if (delivery.event->data.size == 5) gate.wait();
    return NEXUS_DONE;
  };
  rig.subscribe(*shop, "order.created", probe);
  REQUIRE(rig.bus->pause(*shop, in_seconds(10)));
  rig.emit(*shop, "order.created", "first");
  for (int i = 0; i < 20; ++i) rig.emit(*shop, "order.created", std::to_string(i));
  rig.bus->resume(*shop);
  gate.await(1);
  rig.emit(*shop, "order.created", "urgent", 10);
  gate.open();
  REQUIRE(rig.settle());
  const auto seen = probe.copy();
  REQUIRE(seen.size() == 22);
  CHECK(seen[1] == "urgent");
  for (size_t i = 2; i < seen.size(); ++i) CHECK(seen[i] == std::to_string(i - 2));
}

TEST_CASE("handlers of a higher priority finish before lower ones start, across plugins") {
  Rig rig;
  std::vector<std::shared_ptr<Participant>> plugins;
  std::atomic<int> high_running{0}, violations{0}, high_done{0};
  Probe high[3], middle, low[3];
  for (int i = 0; i < 3; ++i) {
    plugins.push_back(rig.add("com.example.p" + std::to_string(i)));
    high[i].answer = [&](const nexus_delivery&, nexus_outcome&) {
      ++high_running;
      std::this_thread::yield();
      --high_running;
      ++high_done;
      return NEXUS_DONE;
    };
    low[i].answer = [&](const nexus_delivery&, nexus_outcome&) {
      if (high_running != 0 || high_done < 3) ++violations;
      return NEXUS_DONE;
    };
  }
  for (int i = 0; i < 3; ++i) rig.subscribe(*plugins[static_cast<size_t>(i)], "order.created", low[i], -1);
  rig.subscribe(*plugins[1], "order.created", middle, 5);
  for (int i = 0; i < 3; ++i) rig.subscribe(*plugins[static_cast<size_t>(i)], "order.created", high[i], 10);
  for (int round = 0; round < 200; ++round) {
    high_done = 0;
    REQUIRE(rig.emit(*plugins[0], "order.created") == NEXUS_OK);
    REQUIRE(rig.settle());
  }
  CHECK(violations == 0);
  CHECK(middle.count() == 200);
  for (int i = 0; i < 3; ++i) {
    CHECK(high[i].count() == 200);
    CHECK(low[i].count() == 200);
  }
}

TEST_CASE("a failing handler stops neither the others nor the next stage, and is reported") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), watch = rig.add("com.example.watch");
  Probe throwing, next, errors;
  throwing.answer = [](const nexus_delivery&, nexus_outcome& outcome) -> int32_t {
    outcome.error_type = to_abi("std::runtime_error");
    write_error(outcome.error, NEXUS_E_PLUGIN, "no database");
    return NEXUS_RETRY;
  };
  rig.subscribe(*shop, "order.created", throwing, 10, NEXUS_CONCURRENCY_SERIAL, "save");
  rig.subscribe(*watch, "order.created", next, 0);
  rig.subscribe(*watch, "plugin.error", errors);
  REQUIRE(rig.emit(*shop, "order.created") == NEXUS_OK);
  REQUIRE(rig.settle());
  CHECK(next.count() == 1);
  REQUIRE(errors.count() == 1);
  CHECK(errors.copy()[0].find("no database") != std::string::npos);
  CHECK(errors.copy()[0].find("com.example.shop") != std::string::npos);
  CHECK(rig.bus->totals().deliveries.failed == 1);
}

TEST_CASE("a C++ exception or a nonsense answer that leaves a handler is contained") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe probe, errors;
  int turn = 0;
  probe.answer = [&](const nexus_delivery&, nexus_outcome&) -> int32_t {
    switch (turn++) {
      case 0:
        throw std::runtime_error("broken");
      case 1:
        throw 42;
      case 2:
        return 4711;
      default:
        return NEXUS_DONE;
    }
  };
  rig.subscribe(*shop, "order.created", probe);
  rig.subscribe(*shop, "plugin.error", errors);
  for (int i = 0; i < 4; ++i) rig.emit(*shop, "order.created");
  REQUIRE(rig.settle());
  CHECK(errors.count() == 3);
  CHECK(rig.bus->totals().deliveries.handled == 4);  // one order and three reports
}

TEST_CASE("a handler of plugin.error that fails does not feed itself") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe errors, orders;
  const auto fail = [](const nexus_delivery&, nexus_outcome&) -> int32_t { return NEXUS_REJECT; };
  errors.answer = fail;
  orders.answer = fail;
  rig.subscribe(*shop, "order.created", orders);
  rig.subscribe(*shop, "plugin.error", errors);
  rig.emit(*shop, "order.created");
  REQUIRE(rig.settle());
  CHECK(errors.count() == 1);
}

TEST_CASE("conditions leave events aside, and that is counted") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe probe;
  rig.subscribe(*shop, "order.created", probe, 0, NEXUS_CONCURRENCY_SERIAL, "large",
                [](void*, const nexus_event* event) -> int32_t { return event->data.size > 3 ? 1 : 0; });
  rig.emit(*shop, "order.created", "big one");
  rig.emit(*shop, "order.created", "no");
  REQUIRE(rig.settle());
  CHECK(probe.count() == 1);
  CHECK(rig.bus->totals().deliveries.filtered == 1);
}

TEST_CASE("a parallel handler runs on several workers at once, a serial one never") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Gate gate;
  Probe parallel, serial;
  std::atomic<int> running{0}, most{0};
  parallel.answer = [&](const nexus_delivery&, nexus_outcome&) { return gate.wait(), NEXUS_DONE; };
  serial.answer = [&](const nexus_delivery&, nexus_outcome&) {
    most = std::max(most.load(), ++running);
    std::this_thread::yield();
    --running;
    return NEXUS_DONE;
  };
  rig.subscribe(*shop, "order.created", parallel, 0, NEXUS_CONCURRENCY_PARALLEL);
  rig.subscribe(*shop, "mail.wanted", serial);
  for (int i = 0; i < 3; ++i) rig.emit(*shop, "order.created");
  gate.await(3);  // three at once, or the test hangs
  for (int i = 0; i < 500; ++i) rig.emit(*shop, "mail.wanted");
  gate.open();
  REQUIRE(rig.settle());
  CHECK(parallel.count() == 3);
  CHECK(serial.count() == 500);
  CHECK(most == 1);
}

TEST_CASE("a plugin with a thread of its own gets all its calls on one thread that is no worker") {
  Rig rig;
  auto own = rig.add("com.example.own", true), shared = rig.add("com.example.shared");
  Probe probe, other;
  std::mutex mutex;
  std::vector<std::thread::id> threads, others;
  probe.answer = [&](const nexus_delivery&, nexus_outcome&) {
    std::lock_guard guard(mutex);
    return threads.push_back(std::this_thread::get_id()), NEXUS_DONE;
  };
  other.answer = [&](const nexus_delivery&, nexus_outcome&) {
    std::lock_guard guard(mutex);
    return others.push_back(std::this_thread::get_id()), NEXUS_DONE;
  };
  rig.subscribe(*own, "order.created", probe);
  rig.subscribe(*shared, "order.created", other);
  for (int i = 0; i < 100; ++i) rig.emit(*shared, "order.created");
  REQUIRE(rig.settle());
  REQUIRE(threads.size() == 100);
  for (const auto& id : threads) REQUIRE(id == threads[0]);
  for (const auto& id : others) REQUIRE(id != threads[0]);
}

TEST_CASE("a handler over its deadline is reported, the pool is topped up, and shrinks again") {
  BusOptions options;
  options.worker_count = 1;
  Rig rig(options);
  auto slow = rig.add("com.example.slow"), watch = rig.add("com.example.watch");
  Gate gate;
  Probe stuck, errors;
  stuck.answer = [&](const nexus_delivery&, nexus_outcome&) { return gate.wait(), NEXUS_DONE; };
  rig.subscribe(*slow, "order.created", stuck, 0, NEXUS_CONCURRENCY_SERIAL, "brood", nullptr, 1);
  rig.subscribe(*watch, "plugin.error", errors);
  rig.emit(*watch, "order.created");
  gate.await(1);
  while (errors.count() == 0) rig.bus->tick();  // the report is handled: a second worker runs
  CHECK(errors.copy()[0].find("handler_timeout") != std::string::npos);
  CHECK(errors.copy()[0].find("com.example.slow") != std::string::npos);
  CHECK(rig.bus->worker_count() == 2);
  CHECK(slow->mailbox().is_stuck());
  gate.open();
  REQUIRE(rig.settle());
  while (rig.bus->worker_count() != 1) rig.bus->tick();
  CHECK_FALSE(slow->mailbox().is_stuck());
  CHECK(rig.bus->totals().handler_timeouts == 1);
}
