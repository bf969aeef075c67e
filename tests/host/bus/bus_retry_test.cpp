// Deliveries that fail and are tried again: how often, when, and what becomes of them otherwise.
#include <catch2/catch_test_macros.hpp>
#include <deque>

#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

constexpr int64_t kDelay = 1'000'000;

BusOptions retrying(uint32_t attempts) {
  BusOptions options;
  options.retry = {attempts, false, kDelay, 0};
  return options;
}

struct RetryRig {
  explicit RetryRig(BusOptions options = retrying(3)) : rig(options, clock) {}
  // Lets time pass, delivers what is due, and waits until that is handled.
  void pass(int64_t ns) {
    clock.advance(ns);
    rig.bus->timers().run_due(clock.monotonic_ns());
    REQUIRE(rig.settle());
  }
  uint64_t waiting() const { return rig.bus->totals().waiting; }
  SubscriptionTotals ended() const { return rig.bus->totals().deliveries; }

  VirtualClock clock;
  Rig rig;
};

// Fails as often as it is told, and writes down which attempts it saw.
struct Failing {
  int failures = 0;
  int64_t after_ns = 0;
  int32_t verdict = NEXUS_RETRY;
  std::vector<uint32_t> attempts;
  std::vector<bool> redelivered;
  Probe probe;
  explicit Failing(int how_often) : failures(how_often) {
    probe.answer = [this](const nexus_delivery& delivery, nexus_outcome& outcome) -> int32_t {
      attempts.push_back(delivery.attempt);
      redelivered.push_back((delivery.flags & NEXUS_DELIVERY_REDELIVERED) != 0);
      if (failures-- <= 0) return NEXUS_DONE;
      outcome.retry_after_ns = after_ns;
      return verdict;
    };
  }
};

}  // namespace

TEST_CASE("a failed delivery is tried again after the delay, and nobody else sees the event twice") {
  RetryRig r;
  auto shop = r.rig.add("com.example.shop"), watch = r.rig.add("com.example.watch");
  Failing failing(2);
  Probe other, beside, errors;
  r.rig.subscribe(*shop, "order.created", failing.probe);
  r.rig.subscribe(*shop, "order.*", beside);
  r.rig.subscribe(*watch, "order.created", other);
  r.rig.subscribe(*watch, "plugin.error", errors);
  r.rig.emit(*shop, "order.created", "x");
  REQUIRE(r.rig.settle());
  CHECK(failing.attempts == std::vector<uint32_t>{1});
  CHECK(r.waiting() == 1);
  r.pass(kDelay - 1);
  CHECK(failing.attempts.size() == 1);
  r.pass(1);
  CHECK(failing.attempts == std::vector<uint32_t>{1, 2});
  r.pass(kDelay);
  CHECK(failing.attempts == std::vector<uint32_t>{1, 2, 3});
  CHECK(failing.redelivered == std::vector<bool>{false, true, true});
  CHECK(failing.probe.copy() == std::vector<std::string>{"x", "x", "x"});
  CHECK(other.count() == 1);
  CHECK(beside.count() == 1);
  CHECK(errors.count() == 0);
  CHECK(r.waiting() == 0);
  CHECK(r.ended().handled == 3);
  CHECK(r.ended().retried == 2);
  CHECK(r.ended().failed == 0);
  r.pass(kDelay * 100);
  CHECK(failing.attempts.size() == 3);
}

TEST_CASE("after the last attempt the delivery has failed, and that is reported once") {
  RetryRig r;
  auto shop = r.rig.add("com.example.shop");
  Failing failing(100);
  Probe errors;
  r.rig.subscribe(*shop, "order.created", failing.probe);
  r.rig.subscribe(*shop, "plugin.error", errors);
  r.rig.emit(*shop, "order.created");
  REQUIRE(r.rig.settle());
  for (int i = 0; i < 10; ++i) {
    CHECK(errors.count() == (i < 3 ? 0 : 1));
    r.pass(kDelay);
  }
  CHECK(failing.attempts == std::vector<uint32_t>{1, 2, 3, 4});
  CHECK(r.ended().failed == 1);
  CHECK(r.ended().retried == 3);
  CHECK(r.waiting() == 0);
}

TEST_CASE("a rejected delivery is not tried again") {
  RetryRig r;
  auto shop = r.rig.add("com.example.shop");
  Failing failing(100);
  failing.verdict = NEXUS_REJECT;
  r.rig.subscribe(*shop, "order.created", failing.probe);
  r.rig.emit(*shop, "order.created");
  REQUIRE(r.rig.settle());
  r.pass(kDelay * 10);
  CHECK(failing.attempts.size() == 1);
  CHECK(r.ended().failed == 1);
}

TEST_CASE("a handler may say when, and a subscription how often") {
  RetryRig r(retrying(0));
  auto shop = r.rig.add("com.example.shop");
  Failing never(100), twice(100);
  twice.after_ns = 50 * kDelay;
  r.rig.subscribe(*shop, "order.created", never.probe);
  nexus_subscribe_options options{};
  options.size = sizeof options;
  options.flags = NEXUS_SUBSCRIBE_HAS_RETRY;
  options.retry_attempts = 2;
  options.retry_delay_ns = kDelay;
  REQUIRE(r.rig.bus->subscribe(*shop, "order.created", options, &Probe::handle, &twice.probe));
  r.rig.emit(*shop, "order.created");
  REQUIRE(r.rig.settle());
  r.pass(49 * kDelay);
  CHECK(never.attempts.size() == 1);
  CHECK(twice.attempts.size() == 1);
  r.pass(kDelay);
  CHECK(twice.attempts.size() == 2);
  r.pass(50 * kDelay);
  CHECK(twice.attempts.size() == 3);
  r.pass(500 * kDelay);
  CHECK(twice.attempts.size() == 3);
  CHECK(r.ended().failed == 2);
}

TEST_CASE("what a failed attempt emitted does not leave, what the last one emitted leaves once") {
  RetryRig r;
  auto shop = r.rig.add("com.example.shop"), mail = r.rig.add("com.example.mail");
  Probe orders, mails;
  orders.answer = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    must(r.rig.emit(*shop, "mail.wanted", std::to_string(delivery.attempt)) == NEXUS_OK);
    return delivery.attempt < 3 ? NEXUS_RETRY : NEXUS_DONE;
  };
  r.rig.subscribe(*shop, "order.created", orders);
  r.rig.subscribe(*mail, "mail.wanted", mails);
  r.rig.emit(*shop, "order.created");
  REQUIRE(r.rig.settle());
  r.pass(kDelay);
  r.pass(kDelay);
  CHECK(mails.copy() == std::vector<std::string>{"3"});
  CHECK(r.rig.bus->totals().withdrawn == 2);
}

TEST_CASE("a handler of a lower priority does not wait for another attempt of a higher one") {
  RetryRig r;
  auto shop = r.rig.add("com.example.shop"), mail = r.rig.add("com.example.mail");
  Failing high(2);
  Probe low, last;
  r.rig.subscribe(*shop, "order.created", high.probe, 10);
  r.rig.subscribe(*mail, "order.created", low, 5);
  r.rig.subscribe(*shop, "order.created", last, 0);
  for (int i = 0; i < 50; ++i) r.rig.emit(*shop, "order.created", std::to_string(i));
  REQUIRE(r.rig.settle());
  CHECK(low.count() == 50);
  CHECK(last.count() == 50);
  r.pass(kDelay);
  r.pass(kDelay);
  CHECK(high.attempts.size() == 52);
  CHECK(low.count() == 50);
  CHECK(last.count() == 50);
  CHECK(r.ended().handled == 150);
  CHECK(r.waiting() == 0);
}

TEST_CASE("a condition is asked once, not for every attempt") {
  RetryRig r;
  auto shop = r.rig.add("com.example.shop");
  Failing failing(1);
  static std::atomic<int> asked{0};
  asked = 0;
  r.rig.subscribe(*shop, "order.created", failing.probe, 0, NEXUS_CONCURRENCY_SERIAL, "save",
                  [](void*, const nexus_event*) -> int32_t { return ++asked == 1 ? 1 : 0; });
  r.rig.emit(*shop, "order.created");
  REQUIRE(r.rig.settle());
  r.pass(kDelay);
  CHECK(asked == 1);
  CHECK(failing.attempts.size() == 2);
  CHECK(r.ended().handled == 1);
}

TEST_CASE("what waits for another attempt of a handler that is unsubscribed, or of a plugin that goes, is counted") {
  RetryRig r;
  auto shop = r.rig.add("com.example.shop"), gone = r.rig.add("com.example.gone");
  Failing left(100), lost(100);
  const nexus_handle subscription = r.rig.subscribe(*shop, "order.created", left.probe);
  r.rig.subscribe(*gone, "order.created", lost.probe);
  r.rig.emit(*shop, "order.created");
  REQUIRE(r.rig.settle());
  CHECK(r.waiting() == 2);
  REQUIRE(r.rig.bus->unsubscribe(*shop, subscription));
  REQUIRE(r.rig.bus->pause(*gone, in_seconds(10)));
  r.rig.bus->remove(gone);
  CHECK(r.waiting() == 1);
  r.pass(kDelay);
  CHECK(r.waiting() == 0);
  CHECK(left.attempts.size() == 1);
  CHECK(lost.attempts.size() == 1);
  CHECK(r.ended().discarded == 2);
  for (int i = 0; i < 20; ++i) r.rig.bus->tick();
  CHECK(r.ended().discarded == 2);
  CHECK(r.ended().retried == 2);
}

TEST_CASE("a new version of a plugin gets what waited for another attempt of the old one, at once") {
  RetryRig r;
  auto shop = r.rig.add("com.example.shop"), old_one = r.rig.add("com.example.mail");
  Failing before(100), after(0);
  r.rig.subscribe(*old_one, "order.created", before.probe, 0, NEXUS_CONCURRENCY_SERIAL, "send");
  for (int i = 0; i < 3; ++i) r.rig.emit(*shop, "order.created", std::to_string(i));
  REQUIRE(r.rig.settle());
  CHECK(r.waiting() == 3);
  ParticipantOptions options;
  options.id = "com.example.mail";
  auto new_one = r.rig.bus->add_participant(std::move(options));
  r.rig.subscribe(*new_one, "order.created", after.probe, 0, NEXUS_CONCURRENCY_SERIAL, "send");
  REQUIRE(r.rig.bus->pause(*old_one, in_seconds(10)));
  r.rig.bus->hand_over(*old_one, *new_one);
  r.rig.bus->activate(*new_one);
  r.rig.bus->remove(old_one);
  old_one.reset();
  REQUIRE(r.rig.settle());
  CHECK(after.attempts == std::vector<uint32_t>{2, 2, 2});
  CHECK(after.probe.copy() == std::vector<std::string>{"0", "1", "2"});
  CHECK(r.waiting() == 0);
  CHECK(r.ended().handled == 3);
  CHECK(r.ended().discarded == 0);
  for (int i = 0; i < 20; ++i) r.rig.bus->tick();
  CHECK(r.ended().handled == 3);
}

TEST_CASE("many failures under load: every delivery ends once") {
  BusOptions options = retrying(3);
  options.worker_count = 2;
  options.retry.exponential = true;
  RetryRig r(options);
  auto shop = r.rig.add("com.example.shop"), mail = r.rig.add("com.example.mail");
  std::atomic<uint64_t> state{1};
  Probe first, second;
  const auto flaky = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    const uint64_t roll = state.fetch_add(0x9E3779B97F4A7C15u) * 0xD1B54A32D192ED03u >> 60;
    return roll < 6 ? NEXUS_RETRY : roll == 6 ? NEXUS_REJECT : delivery.attempt > 4 ? std::abort(), 0 : NEXUS_DONE;
  };
  first.answer = second.answer = flaky;
  r.rig.subscribe(*shop, "order.*", first, 10, NEXUS_CONCURRENCY_PARALLEL);
  r.rig.subscribe(*mail, "order.*", second, 0);
  for (int i = 0; i < 3000; ++i) {
    must(r.rig.emit(*shop, i % 2 == 0 ? "order.created" : "order.paid", "x", i % 3) == NEXUS_OK);
    if (i % 50 == 0) r.clock.advance(kDelay / 3), r.rig.bus->timers().run_due(r.clock.monotonic_ns());
  }
  REQUIRE(r.rig.settle());
  for (int i = 0; i < 100 && r.waiting() != 0; ++i) r.pass(kDelay * 8);
  CHECK(r.waiting() == 0);
  const SubscriptionTotals ended = r.ended();
  CHECK(ended.handled + ended.failed == 6000);
  CHECK(ended.discarded == 0);
  CHECK(first.count() + second.count() == 6000 + ended.retried);
  for (int i = 0; i < 50; ++i) r.rig.bus->tick();
  CHECK(r.ended().handled == ended.handled);
  CHECK(r.ended().retried == ended.retried);
}
