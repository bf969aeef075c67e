// Deliveries that are answered LATER: who completes them, how often, and what waits for it.
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

// Answers LATER and keeps the tokens.
struct Deferring {
  std::mutex mutex;
  std::vector<uint64_t> tokens;
  std::vector<uint32_t> attempts;
  std::function<void()> meanwhile;
  Probe probe;
  Deferring() {
    probe.answer = [this](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
      {
        std::lock_guard guard(mutex);
        tokens.push_back(delivery.token);
        attempts.push_back(delivery.attempt);
      }
      if (meanwhile) meanwhile();
      return NEXUS_LATER;
    };
  }
  std::vector<uint32_t> seen_attempts() {
    std::lock_guard guard(mutex);
    return attempts;
  }
  // Until the handler has taken so many down; the probe counts a call before that.
  void await(size_t count) {
    while (seen_attempts().size() < count) std::this_thread::yield();
  }
  uint64_t token(size_t i) {
    std::lock_guard guard(mutex);
    return tokens.at(i);
  }
};

// Until the handler has returned: only then is its delivery deferred.
void await_waiting(Bus& bus, uint64_t count) {
  while (bus.totals().waiting != count) std::this_thread::yield();
}

Completion done() { return {}; }
Completion failed() {
  Completion completion;
  completion.verdict = NEXUS_REJECT;
  completion.error_text = "no such buyer";
  return completion;
}

}  // namespace

TEST_CASE("a deferred delivery lets the next one run, and is handled when it is completed") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Deferring deferring;
  rig.subscribe(*shop, "order.created", deferring.probe);
  rig.emit(*shop, "order.created", "1");
  rig.emit(*shop, "order.created", "2");
  deferring.await(2);
  await_waiting(*rig.bus, 2);
  CHECK(rig.bus->totals().deliveries.handled == 0);
  CHECK(rig.bus->complete(*shop, deferring.token(1), done()) == NEXUS_OK);
  CHECK(rig.bus->complete(*shop, deferring.token(1), done()) == NEXUS_E_HANDLE);
  CHECK(rig.bus->complete(*shop, deferring.token(0), failed()) == NEXUS_OK);
  REQUIRE(rig.settle());
  CHECK(rig.bus->totals().deliveries.handled == 1);
  CHECK(rig.bus->totals().deliveries.failed == 1);
  CHECK(rig.bus->totals().waiting == 0);
}

TEST_CASE("what a deferring handler emits leaves when it is completed well, and only then") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Deferring deferring;
  Probe follow;
  deferring.meanwhile = [&] { must(rig.emit(*shop, "order.booked") == NEXUS_OK); };
  rig.subscribe(*shop, "order.created", deferring.probe);
  rig.subscribe(*shop, "order.booked", follow);
  rig.emit(*shop, "order.created");
  rig.emit(*shop, "order.created");
  deferring.await(2);
  await_waiting(*rig.bus, 4);  // two deliveries, and a place for each of the two events that have not left
  CHECK(follow.count() == 0);
  CHECK(rig.bus->complete(*shop, deferring.token(0), done()) == NEXUS_OK);
  CHECK(rig.bus->complete(*shop, deferring.token(1), failed()) == NEXUS_OK);
  REQUIRE(rig.settle());
  CHECK(follow.count() == 1);
  CHECK(rig.bus->totals().withdrawn == 1);
}

TEST_CASE("a completion that comes before the handler has returned counts") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Deferring deferring;
  deferring.meanwhile = [&] {
    const uint64_t token = deferring.token(deferring.probe.count() - 1);
    std::thread([&, token] {
      must(rig.bus->complete(*shop, token, done()) == NEXUS_OK);
      must(rig.bus->complete(*shop, token, failed()) == NEXUS_E_HANDLE);
    }).join();
  };
  rig.subscribe(*shop, "order.created", deferring.probe);
  for (int i = 0; i < 200; ++i) rig.emit(*shop, "order.created");
  REQUIRE(rig.settle());
  CHECK(rig.bus->totals().deliveries.handled == 200);
  CHECK(rig.bus->totals().deliveries.failed == 0);
}

TEST_CASE("a completion by another plugin, of a made-up token, or with LATER is refused") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), thief = rig.add("com.example.thief");
  Deferring deferring;
  rig.subscribe(*shop, "order.created", deferring.probe);
  rig.emit(*shop, "order.created");
  await_waiting(*rig.bus, 1);
  deferring.await(1);
  CHECK(rig.bus->complete(*thief, deferring.token(0), done()) == NEXUS_E_HANDLE);
  CHECK(rig.bus->complete(*shop, deferring.token(0) + 1, done()) == NEXUS_E_HANDLE);
  Completion later;
  later.verdict = NEXUS_LATER;
  CHECK(rig.bus->complete(*shop, deferring.token(0), later) == NEXUS_E_ARGUMENT);
  CHECK(rig.bus->complete(*shop, deferring.token(0), done()) == NEXUS_OK);
  REQUIRE(rig.settle());
}

TEST_CASE("lower priorities wait for a deferred delivery of a higher one") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), store = rig.add("com.example.store");
  Deferring first;
  Probe second;
  rig.subscribe(*shop, "order.created", first.probe, 10);
  rig.subscribe(*store, "order.created", second, 0);
  rig.emit(*shop, "order.created");
  first.await(1);
  await_waiting(*rig.bus, 2);
  CHECK(second.count() == 0);
  CHECK(rig.bus->complete(*shop, first.token(0), done()) == NEXUS_OK);
  REQUIRE(rig.settle());
  CHECK(second.count() == 1);
}

TEST_CASE("a deferred delivery that fails is tried again, and a reply may ride on its completion") {
  VirtualClock clock;
  BusOptions options;
  options.retry = {2, false, 1'000, 0};
  Rig rig(options, clock);
  auto shop = rig.add("com.example.shop"), asker = rig.add("com.example.asker");
  Deferring deferring;
  Probe told;
  std::string cause;
  told.answer = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    cause.assign(reinterpret_cast<const char*>(delivery.event->causation_id.bytes), 16);
    return NEXUS_DONE;
  };
  rig.subscribe(*shop, "price.asked", deferring.probe);
  rig.subscribe(*asker, "price.told", told);
  rig.emit(*asker, "price.asked");
  await_waiting(*rig.bus, 1);
  deferring.await(1);
  Completion again;
  again.verdict = NEXUS_RETRY;
  CHECK(rig.bus->complete(*shop, deferring.token(0), again) == NEXUS_OK);
  while (rig.bus->totals().deliveries.retried == 0) std::this_thread::yield();
  clock.advance(1'000);
  rig.bus->timers().run_due(clock.monotonic_ns());
  deferring.await(2);
  CHECK(deferring.seen_attempts() == std::vector<uint32_t>{1, 2});
  Completion reply;
  reply.reply_type = "price.told";
  reply.reply = {0x18, 0x2a};
  CHECK(rig.bus->complete(*shop, deferring.token(1), reply) == NEXUS_OK);
  REQUIRE(rig.settle());
  CHECK(told.copy() == std::vector<std::string>{"\x18\x2a"});
  CHECK(cause != std::string(16, '\0'));
}

TEST_CASE("deferred deliveries count against the size of the queue") {
  BusOptions options;
  options.max_queue_size = 4;
  options.overflow = Overflow::kReject;
  Rig rig(options);
  auto shop = rig.add("com.example.shop");
  Deferring deferring;
  rig.subscribe(*shop, "order.created", deferring.probe);
  for (int i = 0; i < 4; ++i) {
    CHECK(rig.emit(*shop, "order.created") == NEXUS_OK);
    deferring.await(static_cast<size_t>(i) + 1);
    await_waiting(*rig.bus, static_cast<uint64_t>(i) + 1);
  }
  CHECK(rig.emit(*shop, "order.created") == NEXUS_E_QUEUE_FULL);
  CHECK(rig.bus->complete(*shop, deferring.token(2), done()) == NEXUS_OK);
  await_waiting(*rig.bus, 3);
  CHECK(rig.emit(*shop, "order.created") == NEXUS_OK);
  deferring.await(5);
  for (const size_t i : {size_t{0}, size_t{1}, size_t{3}, size_t{4}})
    while (rig.bus->complete(*shop, deferring.token(i), done()) != NEXUS_OK) std::this_thread::yield();
  REQUIRE(rig.settle());
}

TEST_CASE("at a hot swap the successor gets what was deferred, as another attempt; at removal it is discarded") {
  Rig rig;
  auto old_one = rig.add("com.example.shop");
  Deferring deferring;
  rig.subscribe(*old_one, "order.created", deferring.probe, 0, NEXUS_CONCURRENCY_SERIAL, "book");
  rig.emit(*old_one, "order.created", "x");
  deferring.await(1);
  await_waiting(*rig.bus, 1);
  ParticipantOptions options;
  options.id = "com.example.shop";
  auto new_one = rig.bus->add_participant(options);
  Deferring next;
  rig.subscribe(*new_one, "order.created", next.probe, 0, NEXUS_CONCURRENCY_SERIAL, "book");
  REQUIRE(rig.bus->pause(*old_one, in_seconds(30)));
  rig.bus->hand_over(*old_one, *new_one);
  rig.bus->activate(*new_one);
  CHECK(rig.bus->complete(*old_one, deferring.token(0), done()) == NEXUS_E_HANDLE);
  rig.bus->remove(old_one);
  next.await(1);
  await_waiting(*rig.bus, 1);
  CHECK(next.seen_attempts() == std::vector<uint32_t>{2});
  rig.bus->remove(new_one);
  CHECK(rig.bus->totals().waiting == 0);
  CHECK(rig.bus->totals().deliveries.discarded == 1);
}
