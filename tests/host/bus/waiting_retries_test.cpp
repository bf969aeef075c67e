// What waits for another attempt: looked at, hastened, given up.
#include "tests/host/bus/letter_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

TEST_CASE("what waits for another attempt can be looked at") {
  LetterRig r(retrying(3));
  auto shop = r.add("com.example.shop");
  Failing failing;
  r.subscribe(*shop, "order.*", failing.probe, "save");
  r.emit(*shop, "order.created", "x");
  const int64_t begin = r.clock.unix_ns();
  r.pass(kDelay);
  r.clock.advance(kDelay / 4);
  const auto waiting = r.rig.bus->waiting_retries();
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0].event_type == "order.created");
  CHECK_FALSE(is_nil(waiting[0].event_id));
  CHECK(waiting[0].plugin_id == "com.example.shop");
  CHECK(waiting[0].subscription == "save");
  CHECK(waiting[0].pattern == "order.*");
  CHECK(waiting[0].attempt == 3);
  CHECK(waiting[0].due_monotonic_ns - r.clock.monotonic_ns() == kDelay - kDelay / 4);
  CHECK(waiting[0].first_failed_unix_ns == begin);
  CHECK(waiting[0].error_type == "std::runtime_error");
  CHECK(waiting[0].error_message == "no room for A-1");
  failing.fails = false;
  r.pass(kDelay);
  CHECK(r.rig.bus->waiting_retries().empty());
}

TEST_CASE("one that waits can be had at once") {
  LetterRig r(retrying(3));
  auto shop = r.add("com.example.shop");
  Failing failing;
  r.subscribe(*shop, "order.created", failing.probe);
  r.emit(*shop, "order.created");
  const uint64_t id = r.rig.bus->waiting_retries().at(0).id;
  CHECK_FALSE(r.rig.bus->retry_now(id + 1));
  REQUIRE(r.rig.bus->retry_now(id));
  REQUIRE(r.rig.settle());
  CHECK(failing.attempts == std::vector<uint32_t>{1, 2});
  CHECK_FALSE(r.rig.bus->retry_now(id));
  r.pass(kDelay);
  CHECK(failing.attempts == std::vector<uint32_t>{1, 2, 3});
  CHECK(r.rig.bus->totals().deliveries.retried == 3);
}

TEST_CASE("one that waits can be given up: it is a rejected dead letter, and may be sent again") {
  LetterRig r(retrying(3));
  auto shop = r.add("com.example.shop"), watch = r.add("com.example.watch");
  Failing failing;
  Reports reports(r.rig, *watch);
  r.subscribe(*shop, "order.created", failing.probe);
  r.emit(*shop, "order.created");
  r.pass(kDelay);
  const uint64_t id = r.rig.bus->waiting_retries().at(0).id;
  REQUIRE(r.rig.bus->kill_retry(id));
  CHECK_FALSE(r.rig.bus->kill_retry(id));
  REQUIRE(r.rig.settle());
  const DeadLetterPointer letter = r.only();
  CHECK(letter->reason == DeadLetterReason::kRejected);
  CHECK(letter->note == "killed");
  CHECK(letter->attempts == 2);
  CHECK(letter->error_message == "no room for A-1");
  CHECK(reports.letters.size() == 1);
  CHECK(reports.error_probe.count() == 1);
  CHECK(r.rig.bus->totals().waiting == 0);
  CHECK(r.rig.bus->totals().deliveries.failed == 1);
  r.pass(kDelay * 10);
  CHECK(failing.attempts.size() == 2);
  for (int i = 0; i < 20; ++i) r.rig.bus->tick();
  CHECK(r.rig.bus->totals().deliveries.failed == 1);
  failing.fails = false;
  REQUIRE(r.redrive(letter->id));
  CHECK(failing.attempts.size() == 3);
}

TEST_CASE("one that is due and on its way through the mailbox can still be given up") {
  LetterRig r(retrying(3));
  auto shop = r.add("com.example.shop");
  Failing failing;
  r.subscribe(*shop, "order.created", failing.probe);
  r.emit(*shop, "order.created");
  REQUIRE(r.rig.bus->pause(*shop, in_seconds(10)));
  r.clock.advance(kDelay);
  r.rig.bus->timers().run_due(r.clock.monotonic_ns());
  REQUIRE(r.rig.bus->kill_retry(r.rig.bus->waiting_retries().at(0).id));
  r.rig.bus->resume(*shop);
  REQUIRE(r.rig.settle());
  CHECK(failing.attempts.size() == 1);
  CHECK(r.only()->note == "killed");
  CHECK(r.rig.bus->totals().waiting == 0);
}

TEST_CASE("retries hastened and given up under load: every delivery ends once") {
  LetterRig r(retrying(3));
  auto shop = r.add("com.example.shop"), mail = r.add("com.example.mail");
  std::atomic<uint64_t> state{1};
  Probe first, second;
  first.answer = second.answer = [&](const nexus_delivery&, nexus_outcome&) -> int32_t {
    return state.fetch_add(0x9E3779B97F4A7C15u) * 0xD1B54A32D192ED03u >> 63 == 0 ? NEXUS_RETRY : NEXUS_DONE;
  };
  r.rig.subscribe(*shop, "order.*", first, 0, NEXUS_CONCURRENCY_PARALLEL, "first");
  r.rig.subscribe(*mail, "order.*", second, 0, NEXUS_CONCURRENCY_SERIAL, "second");
  uint64_t redriven = 0;
  const auto interfere = [&] {
    for (const WaitingRetry& retry : r.rig.bus->waiting_retries()) {
      if (retry.id % 3 == 0) static_cast<void>(r.rig.bus->retry_now(retry.id));
      if (retry.id % 3 == 1) static_cast<void>(r.rig.bus->kill_retry(retry.id));
    }
    for (const auto& letter : r.store().list({}, 3))
      if (r.rig.bus->redrive(letter->id)) ++redriven;
    r.rig.bus->tick();
  };
  for (int i = 0; i < 2000; ++i) {
    must(r.rig.emit(*shop, "order.created") == NEXUS_OK);
    if (i % 20 != 0) continue;
    r.clock.advance(kDelay / 3);
    r.rig.bus->timers().run_due(r.clock.monotonic_ns());
    interfere();
  }
  for (int i = 0; i < 3; ++i) {
    REQUIRE(r.rig.settle());
    interfere();
  }
  REQUIRE(r.rig.settle());
  for (int i = 0; i < 100 && r.rig.bus->totals().waiting != 0; ++i) r.pass(kDelay);
  const BusTotals totals = r.rig.bus->totals();
  CHECK(totals.waiting == 0);
  CHECK(totals.redriven == redriven);
  CHECK(redriven > 0);
  CHECK(totals.deliveries.handled + totals.deliveries.failed == 4000 + redriven);
  CHECK(totals.deliveries.discarded == 0);
  // A letter that was sent again and did not fail again is gone; each other failure is one that is held.
  uint64_t given_up = 0;
  for (const uint64_t count : totals.dead_letters.given_up) given_up += count;
  CHECK(given_up == totals.deliveries.failed);
  CHECK(totals.dead_letters.held == given_up - redriven);
}
