// Deliveries that have failed for good: what is kept, and who is told.
#include "tests/host/bus/letter_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;
using nexus::events::EventDeadLettered;

TEST_CASE("a dead letter holds the event byte for byte and all that is known of the failure") {
  LetterRig r(retrying(2));
  auto shop = r.add("com.example.shop", "2.1.0"), watch = r.add("com.example.watch");
  Failing failing;
  Reports reports(r.rig, *watch);
  r.subscribe(*shop, "order.*", failing.probe, "save_order");
  auto port = r.rig.bus->intern(*shop, "order.created");
  nexus_emit_options options{};
  options.size = sizeof options;
  options.key = to_abi("k");
  options.subject = to_abi("s");
  options.priority = 7;
  options.schema_version = 3;
  options.data_format = NEXUS_DATA_JSON;
  nexus_uuid id{};
  const std::string_view data = "{ \"a\" : 1 }";
  REQUIRE(r.rig.bus->emit(*shop, port.value(), &options, {reinterpret_cast<const uint8_t*>(data.data()), data.size()},
                          &id, nullptr) == NEXUS_OK);
  REQUIRE(r.rig.settle());
  const int64_t begin = r.clock.unix_ns();
  CHECK(r.letters().empty());
  r.pass(kDelay);
  CHECK(r.letters().empty());
  r.pass(kDelay);
  const DeadLetterPointer letter = r.only();
  CHECK(letter->id == 1);
  const nexus_event& event = letter->event.event();
  CHECK(uuid_text(event.id) == uuid_text(id));
  CHECK(to_view(event.type) == "order.created");
  CHECK(to_view(event.key) == "k");
  CHECK(to_view(event.subject) == "s");
  CHECK(to_view(event.source) == "com.example.shop");
  CHECK(event.priority == 7);
  CHECK(event.schema_version == 3);
  CHECK(event.data_format == NEXUS_DATA_JSON);
  CHECK(std::string_view(reinterpret_cast<const char*>(event.data.data), event.data.size) == data);
  CHECK(letter->plugin_id == "com.example.shop");
  CHECK(letter->plugin_version == "2.1.0");
  CHECK(letter->subscription == "save_order");
  CHECK(letter->pattern == "order.*");
  CHECK(letter->reason == DeadLetterReason::kAttempts);
  CHECK(letter->attempts == 3);
  CHECK(letter->replays == 0);
  CHECK(letter->first_unix_ns == begin);
  CHECK(letter->last_unix_ns == begin + 2 * kDelay);
  CHECK(letter->error_type == "std::runtime_error");
  CHECK(letter->error_message == "no room for A-1");
  CHECK(letter->fingerprint ==
        fingerprint_of("com.example.shop", "save_order", "order.created", "std::runtime_error", "no room for A-2"));
  CHECK(letter->note.empty());

  REQUIRE(reports.letters.size() == 1);
  const EventDeadLettered& report = reports.letters[0];
  CHECK(report.event_id == uuid_text(id));
  CHECK(report.event_type == "order.created");
  CHECK(report.plugin_id == "com.example.shop");
  CHECK(report.plugin_version == "2.1.0");
  CHECK(report.subscription == "save_order");
  CHECK(report.reason == "attempts");
  CHECK(report.attempts == 3);
  CHECK(report.error_type == "std::runtime_error");
  CHECK(report.error_message == "no room for A-1");
  CHECK(report.fingerprint == letter->fingerprint);
  CHECK(report.dead_letter_id == 1);
  CHECK(reports.error_probe.count() == 1);
  const BusTotals totals = r.rig.bus->totals();
  CHECK(totals.deliveries.failed == 1);
  CHECK(totals.dead_letters.held == 1);
  CHECK(totals.dead_letters.given_up[static_cast<size_t>(DeadLetterReason::kAttempts)] == 1);
}

TEST_CASE("a rejected delivery is a dead letter at once") {
  LetterRig r(retrying(5));
  auto shop = r.add("com.example.shop"), watch = r.add("com.example.watch");
  Failing failing;
  failing.verdict = NEXUS_REJECT;
  Reports reports(r.rig, *watch);
  r.subscribe(*shop, "order.created", failing.probe);
  r.emit(*shop, "order.created");
  CHECK(r.only()->reason == DeadLetterReason::kRejected);
  CHECK(r.only()->attempts == 1);
  REQUIRE(reports.letters.size() == 1);
  CHECK(reports.letters[0].reason == "rejected");
  CHECK(reports.error_probe.count() == 1);
}

TEST_CASE("a text that is not UTF-8 is made so: a letter can always be shown") {
  LetterRig r;
  auto shop = r.add("com.example.shop"), watch = r.add("com.example.watch");
  Failing failing;
  failing.text = "bad \xff byte";
  Reports reports(r.rig, *watch);
  r.subscribe(*shop, "order.created", failing.probe);
  r.emit(*shop, "order.created");
  CHECK(r.only()->error_message == "bad \\xff byte");
  REQUIRE(reports.letters.size() == 1);
  CHECK(reports.letters[0].error_message == "bad \\xff byte");
}

TEST_CASE("handlers of plugin.error and event.dead_lettered that fail feed nobody; their letters are kept") {
  LetterRig r(retrying(1));
  auto shop = r.add("com.example.shop"), watch = r.add("com.example.watch");
  Failing failing, on_error, on_letter;
  r.subscribe(*shop, "order.created", failing.probe, "save");
  r.subscribe(*watch, "plugin.error", on_error.probe, "on_error");
  r.subscribe(*watch, "event.dead_lettered", on_letter.probe, "on_letter");
  r.emit(*shop, "order.created");
  for (int i = 0; i < 10; ++i) r.pass(kDelay);
  CHECK(on_error.attempts == std::vector<uint32_t>{1, 2});
  CHECK(on_letter.attempts == std::vector<uint32_t>{1, 2});
  REQUIRE(r.letters().size() == 3);
  CHECK(r.letters()[0]->subscription == "save");
  CHECK(r.rig.bus->totals().deliveries.failed == 3);
}

TEST_CASE("a handler of plugin.error that emits what fails again comes to an end, and tells of it") {
  LetterRig r;
  auto shop = r.add("com.example.shop"), watch = r.add("com.example.watch");
  Failing failing;
  Probe on_error;
  on_error.answer = [&](const nexus_delivery&, nexus_outcome&) -> int32_t {
    r.rig.emit(*watch, "alert.wanted");
    return NEXUS_DONE;
  };
  r.subscribe(*shop, "order.created", failing.probe, "save");
  r.subscribe(*shop, "alert.wanted", failing.probe, "alert");
  r.subscribe(*watch, "plugin.error", on_error, "on_error");
  r.emit(*shop, "order.created");
  // Each alert is two hops behind the one before, up to 32; the last is refused while handling a report.
  CHECK(failing.attempts.size() == 17);
  CHECK(on_error.count() == 17);
  CHECK(r.letters().size() == 18);
  CHECK(r.letters().back()->reason == DeadLetterReason::kLoop);
  CHECK(r.rig.bus->rejected(NEXUS_E_LOOP) == 1);
}

TEST_CASE("an emit at the end of a chain is a letter of its emitter, without a subscription") {
  LetterRig r;
  auto shop = r.add("com.example.shop"), watch = r.add("com.example.watch");
  Reports reports(r.rig, *watch);
  Probe chain;
  std::atomic<int> refused{0};
  chain.answer = [&](const nexus_delivery&, nexus_outcome&) -> int32_t {
    if (r.rig.emit(*shop, "chain.goes", "on") == NEXUS_E_LOOP) ++refused;
    return NEXUS_DONE;
  };
  r.subscribe(*shop, "chain.goes", chain);
  r.emit(*shop, "chain.goes");
  CHECK(chain.count() == 33);
  CHECK(refused == 1);
  const DeadLetterPointer letter = r.only();
  CHECK(letter->reason == DeadLetterReason::kLoop);
  CHECK(letter->plugin_id == "com.example.shop");
  CHECK(letter->subscription.empty());
  CHECK(letter->pattern.empty());
  CHECK(letter->attempts == 0);
  CHECK(to_view(letter->event.event().type) == "chain.goes");
  CHECK(letter->event.event().data.size == 2);
  REQUIRE(reports.letters.size() == 1);
  CHECK(reports.letters[0].reason == "loop");
  CHECK(reports.letters[0].dead_letter_id == letter->id);
  CHECK(reports.error_probe.count() == 1);
  const auto redriven = r.redrive(letter->id);
  REQUIRE_FALSE(redriven);
  CHECK(redriven.error().code == NEXUS_E_STATE);
  CHECK(r.letters().size() == 1);
}

TEST_CASE("what gives way in a full mailbox is a letter where the config says so, of nobody who only watches") {
  for (const bool wanted : {false, true}) {
    BusOptions options = retrying(0);
    options.max_queue_size = 2;
    options.overflow = Overflow::kDropOldest;
    options.dead_letter_dropped = wanted;
    LetterRig r(options);
    auto shop = r.add("com.example.shop"), mail = r.add("com.example.mail"), watch = r.add("com.example.watch");
    ParticipantOptions tap;
    tap.id = "nexus.tap";
    tap.overflow = Overflow::kDropOldest;
    auto tapped = r.rig.bus->add_participant(std::move(tap));
    r.rig.bus->activate(*tapped);
    Probe first, second, seen;
    Reports reports(r.rig, *watch);
    r.subscribe(*mail, "order.created", first, "first");
    r.subscribe(*mail, "order.created", second, "second");
    r.subscribe(*tapped, "order.created", seen, "tap");
    REQUIRE(r.rig.bus->pause(*mail, in_seconds(10)));
    REQUIRE(r.rig.bus->pause(*tapped, in_seconds(10)));
    for (int i = 0; i < 3; ++i) CHECK(r.rig.emit(*shop, "order.created", std::to_string(i)) == NEXUS_OK);
    r.rig.bus->resume(*mail);
    r.rig.bus->resume(*tapped);
    REQUIRE(r.rig.settle());
    CHECK(first.copy() == std::vector<std::string>{"1", "2"});
    CHECK(r.rig.bus->totals().deliveries.discarded == 3);
    CHECK(r.rig.bus->totals().deliveries.failed == 0);
    REQUIRE(r.letters().size() == (wanted ? 2 : 0));
    CHECK(reports.letters.empty());
    if (!wanted) continue;
    CHECK(r.letters()[0]->subscription == "first");
    CHECK(r.letters()[1]->subscription == "second");
    CHECK(r.letters()[0]->reason == DeadLetterReason::kOverflow);
    CHECK(r.letters()[0]->attempts == 0);
    REQUIRE(r.redrive(1));
    CHECK(first.copy() == std::vector<std::string>{"1", "2", "0"});
    CHECK(second.count() == 2);
  }
}

TEST_CASE("letters are bounded, and what is dropped is counted") {
  BusOptions options = retrying(0);
  options.dead_letters = {5, true};
  LetterRig r(options);
  auto shop = r.add("com.example.shop"), watch = r.add("com.example.watch");
  Failing failing;
  Reports reports(r.rig, *watch);
  r.subscribe(*shop, "order.created", failing.probe);
  for (int i = 0; i < 8; ++i) r.emit(*shop, "order.created", std::to_string(i));
  const BusTotals totals = r.rig.bus->totals();
  CHECK(totals.dead_letters.held == 5);
  CHECK(totals.dead_letters.dropped == 3);
  CHECK(totals.deliveries.failed == 8);
  REQUIRE(reports.letters.size() == 8);
  CHECK(reports.letters[4].dead_letter_id == 5);
  CHECK(reports.letters[5].dead_letter_id == 0);
}
