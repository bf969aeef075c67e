// The promises of the bus, one by one: who gets an event, in which order, and what becomes of it otherwise.
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

nexus_error error_buffer(char* text, uint32_t cap) {
  nexus_error error{};
  error.size = sizeof error;
  error.cap = cap;
  error.text = text;
  return error;
}

}  // namespace

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
      case 0: throw std::runtime_error("broken");
      case 1: throw 42;
      case 2: return 4711;
      default: return NEXUS_DONE;
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

TEST_CASE("what a handler emits leaves when it succeeds and is withdrawn when it fails") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), mail = rig.add("com.example.mail");
  Probe orders, mails;
  orders.answer = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    CHECK(rig.emit(*shop, "mail.wanted", "held") == NEXUS_OK);
    CHECK(rig.emit(*shop, "mail.wanted", "at once", 0, 0, NEXUS_EMIT_NOW) == NEXUS_OK);
    return delivery.event->data.size == 4 ? NEXUS_DONE : NEXUS_REJECT;
  };
  rig.subscribe(*shop, "order.created", orders);
  rig.subscribe(*mail, "mail.wanted", mails);
  rig.emit(*shop, "order.created", "good");
  rig.emit(*shop, "order.created", "bad");
  REQUIRE(rig.settle());
  size_t held = 0, at_once = 0;
  for (const auto& text : mails.copy()) (text == "held" ? held : at_once)++;
  CHECK(held == 1);
  CHECK(at_once == 2);
  CHECK(rig.bus->totals().withdrawn == 1);
}

TEST_CASE("correlation and causation pass from the handled event to what its handler emits") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe first, second;
  nexus_uuid root{}, child_cause{};
  std::string root_correlation, child_correlation, source;
  first.answer = [&](const nexus_delivery& delivery, nexus_outcome&) {
    root = delivery.event->id;
    root_correlation = to_view(delivery.event->correlation_id);
    rig.emit(*shop, "mail.wanted");
    return NEXUS_DONE;
  };
  second.answer = [&](const nexus_delivery& delivery, nexus_outcome&) {
    child_cause = delivery.event->causation_id;
    child_correlation = to_view(delivery.event->correlation_id);
    source = to_view(delivery.event->source);
    return NEXUS_DONE;
  };
  rig.subscribe(*shop, "order.created", first);
  rig.subscribe(*shop, "mail.wanted", second);
  rig.emit(*shop, "order.created");
  REQUIRE(rig.settle());
  CHECK(root_correlation == uuid_text(root));
  CHECK(child_correlation == root_correlation);
  CHECK(UuidEqual{}(child_cause, root));
  CHECK(source == "com.example.shop");
}

TEST_CASE("a chain of events ends after 32 hops") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe probe;
  std::atomic<int> last_code{0};
  probe.answer = [&](const nexus_delivery&, nexus_outcome&) {
    last_code = rig.emit(*shop, "echo");
    return NEXUS_DONE;
  };
  rig.subscribe(*shop, "echo", probe);
  rig.emit(*shop, "echo");
  REQUIRE(rig.settle());
  CHECK(probe.count() == 33);  // the root and 32 hops behind it
  CHECK(last_code == NEXUS_E_LOOP);
  CHECK(rig.bus->rejected(NEXUS_E_LOOP) == 1);
}

TEST_CASE("reject: the emit fails when the mailbox is full, and the sums add up") {
  BusOptions options;
  options.max_queue_size = 10;
  options.overflow = Overflow::kReject;
  Rig rig(options);
  auto shop = rig.add("com.example.shop");
  Gate gate;
  Probe probe;
  probe.answer = [&](const nexus_delivery&, nexus_outcome&) { return gate.wait(), NEXUS_DONE; };
  rig.subscribe(*shop, "order.created", probe);
  REQUIRE(rig.emit(*shop, "order.created") == NEXUS_OK);
  gate.await(1);
  int accepted = 0, rejected = 0;
  for (int i = 0; i < 100; ++i) (rig.emit(*shop, "order.created") == NEXUS_OK ? accepted : rejected)++;
  CHECK(accepted == 10);
  CHECK(rejected == 90);
  gate.open();
  REQUIRE(rig.settle());
  const BusTotals totals = rig.bus->totals();
  CHECK(totals.accepted == 11);
  CHECK(totals.rejected == 90);
  CHECK(totals.deliveries.handled == 11);
}

TEST_CASE("reject is all or nothing when an event has several mailboxes") {
  BusOptions options;
  options.max_queue_size = 4;
  options.overflow = Overflow::kReject;
  Rig rig(options);
  auto shop = rig.add("com.example.shop"), slow = rig.add("com.example.slow");
  Gate gate;
  Probe fast, stuck, later;
  stuck.answer = [&](const nexus_delivery&, nexus_outcome&) { return gate.wait(), NEXUS_DONE; };
  rig.subscribe(*shop, "order.created", fast);
  rig.subscribe(*slow, "order.created", stuck);
  rig.subscribe(*shop, "order.created", later, -10);
  int accepted = 0;
  for (int i = 0; i < 50; ++i) accepted += rig.emit(*shop, "order.created") == NEXUS_OK ? 1 : 0;
  gate.open();
  REQUIRE(rig.settle());
  CHECK(accepted >= 2);  // each takes two places in the mailbox of com.example.shop
  CHECK(fast.count() == static_cast<size_t>(accepted));
  CHECK(stuck.count() == static_cast<size_t>(accepted));
  CHECK(later.count() == static_cast<size_t>(accepted));
  CHECK(rig.bus->totals().waiting == 0);
}

TEST_CASE("drop_oldest: the newest stay, what was dropped is counted") {
  BusOptions options;
  options.max_queue_size = 10;
  options.overflow = Overflow::kDropOldest;
  Rig rig(options);
  auto shop = rig.add("com.example.shop");
  Gate gate;
  Probe probe;
  probe.answer = [&](const nexus_delivery&, nexus_outcome&) { return gate.wait(), NEXUS_DONE; };
  rig.subscribe(*shop, "order.created", probe);
  REQUIRE(rig.emit(*shop, "order.created", "running") == NEXUS_OK);
  gate.await(1);
  for (int i = 0; i < 100; ++i) REQUIRE(rig.emit(*shop, "order.created", std::to_string(i)) == NEXUS_OK);
  gate.open();
  REQUIRE(rig.settle());
  const auto seen = probe.copy();
  const BusTotals totals = rig.bus->totals();
  CHECK(totals.accepted == 101);
  CHECK(seen.size() == 11);
  CHECK(seen.back() == "99");
  CHECK(totals.deliveries.handled == 11);
  CHECK(totals.deliveries.discarded == 90);
}

TEST_CASE("block: the emitter waits for room, and gives up at its deadline") {
  BusOptions options;
  options.max_queue_size = 4;
  Rig rig(options);
  auto shop = rig.add("com.example.shop");
  Gate gate;
  Probe probe;
  probe.answer = [&](const nexus_delivery&, nexus_outcome&) { return gate.wait(), NEXUS_DONE; };
  rig.subscribe(*shop, "order.created", probe);
  REQUIRE(rig.emit(*shop, "order.created") == NEXUS_OK);
  gate.await(1);
  for (int i = 0; i < 4; ++i) REQUIRE(rig.emit(*shop, "order.created") == NEXUS_OK);
  CHECK(rig.emit(*shop, "order.created", "", 0, 1'000'000) == NEXUS_E_QUEUE_FULL);
  CHECK(rig.emit(*shop, "order.created", "", 0, -1) == NEXUS_E_QUEUE_FULL);
  std::atomic<int> code{-1};
  std::thread waiting([&] { code = rig.emit(*shop, "order.created", "", 0, 30'000'000'000); });
  gate.open();
  waiting.join();
  CHECK(code == NEXUS_OK);
  REQUIRE(rig.settle());
  CHECK(probe.count() == 6);
}

TEST_CASE("emits of handlers never block: they are admitted up to ten times the size, then rejected") {
  BusOptions options;
  options.max_queue_size = 5;
  Rig rig(options);
  auto shop = rig.add("com.example.shop"), slow = rig.add("com.example.slow");
  Gate gate;
  Probe burst, stuck;
  std::atomic<int> accepted{0}, rejected{0};
  stuck.answer = [&](const nexus_delivery&, nexus_outcome&) { return gate.wait(), NEXUS_DONE; };
  burst.answer = [&](const nexus_delivery&, nexus_outcome&) {
    for (int i = 0; i < 100; ++i) ++(rig.emit(*shop, "mail.wanted") == NEXUS_OK ? accepted : rejected);
    gate.open();
    return NEXUS_DONE;
  };
  rig.subscribe(*shop, "order.created", burst);
  rig.subscribe(*slow, "mail.wanted", stuck);
  rig.emit(*shop, "order.created");
  REQUIRE(rig.settle());
  CHECK(accepted == 50);
  CHECK(rejected == 50);
  CHECK(stuck.count() == 50);
}

TEST_CASE("unsubscribing inside the handler, and from elsewhere, ends it; what waits is counted as discarded") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe once, other;
  nexus_handle handle = 0;
  once.answer = [&](const nexus_delivery&, nexus_outcome&) {
    CHECK(rig.bus->unsubscribe(*shop, handle));
    return NEXUS_DONE;
  };
  REQUIRE(rig.bus->pause(*shop, in_seconds(10)));
  handle = rig.subscribe(*shop, "order.created", once);
  rig.subscribe(*shop, "order.created", other);
  for (int i = 0; i < 10; ++i) rig.emit(*shop, "order.created");
  rig.bus->resume(*shop);
  REQUIRE(rig.settle());
  CHECK(once.count() == 1);
  CHECK(other.count() == 10);
  CHECK(rig.bus->totals().deliveries.discarded == 9);
  CHECK(rig.bus->unsubscribe(*shop, handle).error().code == NEXUS_E_HANDLE);
}

TEST_CASE("a subscription of another plugin cannot be ended") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), other = rig.add("com.example.other");
  Probe probe;
  const nexus_handle handle = rig.subscribe(*shop, "order.created", probe);
  CHECK(rig.bus->unsubscribe(*other, handle).error().code == NEXUS_E_HANDLE);
  CHECK(rig.bus->unsubscribe(*shop, 0).error().code == NEXUS_E_HANDLE);
}

TEST_CASE("subscribing inside a handler works from the next event on") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe first, second;
  first.answer = [&](const nexus_delivery&, nexus_outcome&) {
    if (first.count() == 1) rig.subscribe(*shop, "order.created", second);
    return NEXUS_DONE;
  };
  rig.subscribe(*shop, "order.created", first);
  rig.emit(*shop, "order.created");
  REQUIRE(rig.settle());
  rig.emit(*shop, "order.created");
  REQUIRE(rig.settle());
  CHECK(first.count() == 2);
  CHECK(second.count() == 1);
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

TEST_CASE("names and data out of bounds get a code and a sentence") {
  BusOptions options;
  options.event_size_max = 100;
  Rig rig(options);
  auto shop = rig.add("com.example.shop");
  CHECK(rig.bus->intern(*shop, "order.*").error().code == NEXUS_E_TYPE_NAME);
  CHECK(rig.bus->intern(*shop, "Order").error().code == NEXUS_E_TYPE_NAME);
  CHECK(rig.bus->intern(*shop, "").error().code == NEXUS_E_TYPE_NAME);
  CHECK(rig.bus->intern(*shop, std::string(256, 'a')).error().code == NEXUS_E_TYPE_NAME);
  CHECK(rig.bus->intern(*shop, std::string(255, 'a')));
  CHECK(rig.bus->intern(*shop, "system.started").error().code == NEXUS_E_RESERVED);
  CHECK(rig.bus->intern(*shop, "plugin.error").error().code == NEXUS_E_RESERVED);
  const uint64_t port = rig.bus->intern(*shop, "order.created").value();
  char text[200];
  const auto emit = [&](nexus_emit_options emit_options, size_t size, nexus_error* error) {
    const std::string data(size, 'x');
    emit_options.size = sizeof emit_options;
    return rig.bus->emit(*shop, port, &emit_options, {reinterpret_cast<const uint8_t*>(data.data()), size}, nullptr,
                         error);
  };
  nexus_error error = error_buffer(text, sizeof text);
  CHECK(emit({}, 100, &error) == NEXUS_OK);
  CHECK(emit({}, 101, &error) == NEXUS_E_TOO_LARGE);
  CHECK(std::string(text, error.len).find("100 bytes") != std::string::npos);
  nexus_emit_options wrong{};
  const std::string long_key(256, 'k');
  wrong.key = to_abi(long_key);
  CHECK(emit(wrong, 1, &error) == NEXUS_E_ARGUMENT);
  wrong = {};
  wrong.subject = to_abi("\xff\xfe");
  CHECK(emit(wrong, 1, &error) == NEXUS_E_ARGUMENT);
  CHECK(std::string(text, error.len).find("UTF-8") != std::string::npos);
  wrong = {};
  const uint8_t no_map[] = {0x01};
  wrong.metadata = {no_map, 1};
  CHECK(emit(wrong, 1, &error) == NEXUS_E_ARGUMENT);
  wrong = {};
  wrong.flags = 0x80000000u;
  CHECK(emit(wrong, 1, &error) == NEXUS_E_ARGUMENT);
  wrong = {};
  wrong.flags = NEXUS_EMIT_FORWARD;
  CHECK(emit(wrong, 1, &error) == NEXUS_E_PERMISSION);
  CHECK(rig.bus->emit(*shop, 0, nullptr, {}, nullptr, &error) == NEXUS_E_HANDLE);
  CHECK(rig.bus->emit(*shop, 4711, nullptr, {}, nullptr, &error) == NEXUS_E_HANDLE);
}

TEST_CASE("a hot swap moves what waits to the new instance, in order, and loses nothing") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), old_one = rig.add("com.example.mail");
  Probe old_probe, new_probe, unwanted;
  rig.subscribe(*old_one, "order.created", old_probe, 0, NEXUS_CONCURRENCY_SERIAL, "on_order");
  rig.subscribe(*old_one, "user.created", unwanted, 0, NEXUS_CONCURRENCY_SERIAL, "on_user");
  REQUIRE(rig.bus->pause(*old_one, in_seconds(10)));
  for (int i = 0; i < 100; ++i) rig.emit(*shop, "order.created", std::to_string(i), i % 2);
  rig.emit(*shop, "user.created");
  ParticipantOptions options;
  options.id = "com.example.mail";
  auto new_one = rig.bus->add_participant(options);
  rig.subscribe(*new_one, "order.*", new_probe, 0, NEXUS_CONCURRENCY_SERIAL, "on_order");
  CHECK(rig.bus->hand_over(*old_one, *new_one) == 100);
  for (int i = 100; i < 200; ++i) rig.emit(*shop, "order.created", std::to_string(i), i % 2);
  rig.bus->activate(*new_one);
  rig.bus->remove(old_one);
  REQUIRE(rig.settle());
  const auto seen = new_probe.copy();
  REQUIRE(seen.size() == 200);
  int last_odd = -1, last_even = -1;
  for (const auto& text : seen) {
    const int number = std::stoi(text);
    int& last = number % 2 == 0 ? last_even : last_odd;
    CHECK(number > last);
    last = number;
  }
  CHECK(old_probe.count() == 0);
  CHECK(rig.bus->totals().deliveries.discarded == 1);  // the new version does not want user.created
}

TEST_CASE("hot swaps under load lose no event") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  auto current = rig.add("com.example.mail");
  Probe probe;
  rig.subscribe(*current, "order.created", probe, 0, NEXUS_CONCURRENCY_SERIAL, "on_order");
  std::atomic<bool> stop{false};
  std::atomic<size_t> sent{0};
  std::thread load([&] {
    while (!stop) {
      if (rig.emit(*shop, "order.created", "x") == NEXUS_OK) ++sent;
    }
  });
  for (int i = 0; i < 50; ++i) {
    ParticipantOptions options;
    options.id = "com.example.mail";
    auto next = rig.bus->add_participant(options);
    rig.subscribe(*next, "order.created", probe, 0, NEXUS_CONCURRENCY_SERIAL, "on_order");
    REQUIRE(rig.bus->pause(*current, in_seconds(20)));
    rig.bus->hand_over(*current, *next);
    rig.bus->activate(*next);
    rig.bus->remove(current);
    current = next;
    rig.bus->tick();
  }
  stop = true;
  load.join();
  REQUIRE(rig.settle());
  CHECK(probe.count() == sent);
  CHECK(rig.bus->totals().deliveries.discarded == 0);
}

TEST_CASE("a removed participant gets nothing more, and what waited for it is counted") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), gone = rig.add("com.example.gone");
  Probe probe;
  rig.subscribe(*gone, "order.created", probe);
  REQUIRE(rig.bus->pause(*gone, in_seconds(10)));
  for (int i = 0; i < 10; ++i) rig.emit(*shop, "order.created");
  rig.bus->remove(gone);
  gone.reset();
  rig.bus->tick();
  CHECK(rig.emit(*shop, "order.created") == NEXUS_OK);
  REQUIRE(rig.settle());
  CHECK(probe.count() == 0);
  CHECK(rig.bus->totals().deliveries.discarded == 10);
  CHECK(rig.bus->totals().unrouted == 1);
}

TEST_CASE("many emitters and subscribers that come and go: every accepted event is accounted for") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), mail = rig.add("com.example.mail"), rest = rig.add("com.example.rest");
  Probe steady, all, fleeting;
  rig.subscribe(*mail, "order.created", steady);
  rig.subscribe(*rest, "*", all, -3);
  std::atomic<bool> stop{false};
  std::thread churn([&] {
    while (!stop) {
      const nexus_handle handle = rig.subscribe(*rest, "order.*", fleeting, 7);
      std::this_thread::yield();
      static_cast<void>(rig.bus->unsubscribe(*rest, handle));
      rig.bus->tick();
    }
  });
  std::vector<std::thread> emitters;
  for (int t = 0; t < 3; ++t)
    emitters.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        if (rig.emit(*shop, "order.created", "x", i % 3) != NEXUS_OK) std::abort();
      }
    });
  for (auto& emitter : emitters) emitter.join();
  stop = true;
  churn.join();
  REQUIRE(rig.settle());
  rig.bus->tick();
  const BusTotals totals = rig.bus->totals();
  CHECK(totals.accepted == 15000);
  CHECK(steady.count() == 15000);
  CHECK(all.count() == 15000);
  CHECK(totals.deliveries.handled == steady.count() + all.count() + fleeting.count());
  CHECK(totals.deliveries.failed == 0);
  CHECK(totals.waiting == 0);
}
