// Dead letters that are sent again, and the keys that they park.
#include <algorithm>
#include <thread>

#include "tests/host/bus/letter_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

TEST_CASE("a redrive reaches the handler that failed, and no other, as a first attempt without its condition") {
  LetterRig r(retrying(1));
  auto shop = r.add("com.example.shop"), mail = r.add("com.example.mail");
  Failing failing;
  Probe beside, other;
  static std::atomic<int> asked{0};
  asked = 0;
  r.rig.subscribe(*shop, "order.created", failing.probe, 0, NEXUS_CONCURRENCY_SERIAL, "save",
                  [](void*, const nexus_event*) -> int32_t { return ++asked == 1 ? 1 : 0; });
  r.subscribe(*shop, "order.created", beside, "count");
  r.subscribe(*mail, "order.created", other, "save");
  r.emit(*shop, "order.created", "x");
  r.pass(kDelay);
  failing.fails = false;
  REQUIRE(r.rig.bus->check_redrive(1));
  REQUIRE(r.redrive(1));
  CHECK(failing.attempts == std::vector<uint32_t>{1, 2, 1});
  CHECK(failing.redelivered == std::vector<bool>{false, true, true});
  CHECK(failing.probe.copy() == std::vector<std::string>{"x", "x", "x"});
  CHECK(beside.count() == 1);
  CHECK(other.count() == 1);
  CHECK(asked == 1);
  CHECK(r.letters().empty());
  const BusTotals totals = r.rig.bus->totals();
  CHECK(totals.redriven == 1);
  CHECK(totals.dead_letters.held == 0);
  // 3 deliveries of the event, 1 of the letter; the reports found nobody.
  CHECK(totals.deliveries.handled + totals.deliveries.failed == 3 + totals.redriven);
  for (int i = 0; i < 20; ++i) r.rig.bus->tick();
  CHECK(r.rig.bus->totals().deliveries.handled == 3);
  CHECK(r.redrive(1).error().code == NEXUS_E_UNKNOWN);
}

TEST_CASE("one that fails again is the same letter, with one more replay") {
  LetterRig r(retrying(1));
  auto shop = r.add("com.example.shop"), watch = r.add("com.example.watch");
  Failing failing;
  Reports reports(r.rig, *watch);
  r.subscribe(*shop, "order.created", failing.probe);
  r.emit(*shop, "order.created", "x");
  r.pass(kDelay);
  const DeadLetterPointer first = r.only();
  r.clock.advance(100 * kDelay);
  failing.text = "something else";
  REQUIRE(r.redrive(first->id, "the disk was full"));
  CHECK(r.letters().empty());
  r.pass(kDelay);
  const DeadLetterPointer second = r.only();
  CHECK(second->id == first->id);
  CHECK(second->replays == 1);
  CHECK(second->attempts == 4);
  CHECK(second->first_unix_ns == first->first_unix_ns);
  CHECK(second->last_unix_ns == first->last_unix_ns + 101 * kDelay);
  CHECK(second->error_message == "something else");
  CHECK(second->note == "the disk was full");
  CHECK(second->event.get() == first->event.get());
  CHECK(reports.letters.size() == 2);
  CHECK(reports.letters[1].dead_letter_id == first->id);
  REQUIRE(r.redrive(first->id));
  r.pass(kDelay);
  CHECK(r.only()->replays == 2);
  CHECK(r.only()->note == "the disk was full");
  CHECK(failing.attempts == std::vector<uint32_t>{1, 2, 1, 2, 1, 2});
  CHECK(r.store().last_id() == first->id);
}

TEST_CASE("without the plugin, or its handler, a redrive says so and the letter stays") {
  LetterRig r;
  auto shop = r.add("com.example.shop"), mail = r.add("com.example.mail");
  Failing failing;
  Probe other;
  r.subscribe(*mail, "order.created", failing.probe, "save");
  r.emit(*shop, "order.created");
  r.unload(mail);
  REQUIRE_FALSE(r.rig.bus->check_redrive(1));
  const auto absent = r.redrive(1);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == NEXUS_E_STATE);
  CHECK(absent.error().message.find("com.example.mail") != std::string::npos);
  CHECK(absent.error().message.find("save") != std::string::npos);
  CHECK(r.letters().size() == 1);
  // Another plugin's handler of the same name, another name, and a pattern that no longer takes the type, are no good.
  r.subscribe(*shop, "order.created", other, "save");
  mail = r.add("com.example.mail", "2.0.0");
  r.subscribe(*mail, "order.created", other, "store");
  const nexus_handle narrower = r.subscribe(*mail, "order.paid", other, "save");
  CHECK(r.redrive(1).error().code == NEXUS_E_STATE);
  REQUIRE(r.rig.bus->unsubscribe(*mail, narrower));
  r.subscribe(*mail, "order.*", other, "save");
  REQUIRE(r.redrive(1));
  CHECK(other.count() == 1);
  CHECK(r.letters().empty());
  CHECK(r.rig.bus->totals().redriven == 1);
}

TEST_CASE("a handler without a name is found by its pattern") {
  LetterRig r;
  auto shop = r.add("com.example.shop");
  Failing failing;
  Probe other;
  r.subscribe(*shop, "order.*", failing.probe, "");
  r.subscribe(*shop, "order.created", other, "");
  r.emit(*shop, "order.created");
  failing.fails = false;
  REQUIRE(r.redrive(1));
  CHECK(failing.attempts.size() == 2);
  CHECK(other.count() == 1);
}

TEST_CASE("a letter that was sent again is not lost when its plugin goes, or unsubscribes, before it comes") {
  LetterRig r(retrying(3));
  auto shop = r.add("com.example.shop"), mail = r.add("com.example.mail");
  Failing failing;
  failing.verdict = NEXUS_REJECT;
  const nexus_handle save = r.subscribe(*shop, "order.created", failing.probe, "save");
  r.subscribe(*mail, "order.created", failing.probe, "send");
  r.emit(*shop, "order.created");
  REQUIRE(r.letters().size() == 2);
  const auto before = r.letters();
  REQUIRE(r.rig.bus->pause(*shop, in_seconds(10)));
  REQUIRE(r.rig.bus->pause(*mail, in_seconds(10)));
  REQUIRE(r.rig.bus->redrive(1));
  REQUIRE(r.rig.bus->redrive(2));
  CHECK(r.letters().empty());
  REQUIRE(r.rig.bus->unsubscribe(*shop, save));
  r.rig.bus->resume(*shop);
  r.rig.bus->remove(mail);
  REQUIRE(r.rig.settle());
  CHECK(failing.attempts.size() == 2);
  REQUIRE(r.letters().size() == 2);
  CHECK(r.letters()[0]->replays == 0);
  CHECK(r.rig.bus->totals().deliveries.discarded == 2);
  // The same while it waits for another attempt.
  failing.verdict = NEXUS_RETRY;
  mail = r.add("com.example.mail");
  r.subscribe(*mail, "order.created", failing.probe, "send");
  for (const auto& letter : before)
    if (letter->plugin_id == mail->id()) REQUIRE(r.redrive(letter->id));
  CHECK(r.letters().size() == 1);
  CHECK(r.rig.bus->totals().waiting == 1);
  r.unload(mail);
  CHECK(r.letters().size() == 2);
  CHECK(r.rig.bus->totals().waiting == 0);
}

TEST_CASE("a letter that was sent again goes to the new version of its plugin, and is the same when it fails there") {
  LetterRig r;
  auto shop = r.add("com.example.shop"), old_one = r.add("com.example.mail", "1.0.0");
  Failing before, after;
  r.subscribe(*old_one, "order.created", before.probe, "send");
  r.emit(*shop, "order.created");
  REQUIRE(r.rig.bus->pause(*old_one, in_seconds(10)));
  REQUIRE(r.rig.bus->redrive(1));
  ParticipantOptions options;
  options.id = "com.example.mail";
  options.version = "2.0.0";
  auto new_one = r.rig.bus->add_participant(std::move(options));
  r.subscribe(*new_one, "order.created", after.probe, "send");
  r.rig.bus->hand_over(*old_one, *new_one);
  r.rig.bus->activate(*new_one);
  r.rig.bus->remove(old_one);
  old_one.reset();
  REQUIRE(r.rig.settle());
  CHECK(after.attempts == std::vector<uint32_t>{1});
  const DeadLetterPointer letter = r.only();
  CHECK(letter->id == 1);
  CHECK(letter->replays == 1);
  CHECK(letter->plugin_version == "2.0.0");
}

namespace {

// A handler in strict order by key, which fails for the events that say so.
struct StrictRig : LetterRig {
  explicit StrictRig(BusOptions options = retrying(0)) : LetterRig(options) {
    shop = add("com.example.shop");
    probe.answer = [this](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
      return fails && delivery.event->data.data[0] == '!' ? NEXUS_RETRY : NEXUS_DONE;
    };
    nexus_subscribe_options wanted{};
    wanted.size = sizeof wanted;
    wanted.name = to_abi("save");
    wanted.concurrency = NEXUS_CONCURRENCY_KEYED;
    wanted.flags = NEXUS_SUBSCRIBE_STRICT_ORDER;
    REQUIRE(rig.bus->subscribe(*shop, "order.created", wanted, &Probe::handle, &probe));
  }
  void emit(std::string_view key, std::string_view data) {
    auto port = rig.bus->intern(*shop, "order.created");
    nexus_emit_options options{};
    options.size = sizeof options;
    options.key = to_abi(key);
    options.data_format = NEXUS_DATA_BYTES;
    REQUIRE(rig.bus->emit(*shop, port.value(), &options, {reinterpret_cast<const uint8_t*>(data.data()), data.size()},
                          nullptr, nullptr) == NEXUS_OK);
  }
  // One of each key that fails, and two behind it.
  void park(std::initializer_list<std::string_view> keys) {
    for (const std::string_view key : keys)
      for (const char* what : {"!", "1", "2"}) emit(key, what + std::string(key));
    REQUIRE(rig.bus->pause(*shop, in_seconds(10)));
    rig.bus->resume(*shop);
  }
  // Until all that can run has; what is parked does not count.
  void await(size_t seen) {
    while (probe.count() < seen) std::this_thread::yield();
    REQUIRE(rig.bus->pause(*shop, in_seconds(10)));
    rig.bus->resume(*shop);
  }

  std::shared_ptr<Participant> shop;
  std::atomic<bool> fails{true};
  Probe probe;
};

}  // namespace

TEST_CASE("a key that a letter parks goes on when it is sent again and succeeds, in order") {
  StrictRig r;
  r.park({"k"});
  r.await(1);
  REQUIRE(r.letters().size() == 1);
  CHECK(r.letters()[0]->parks_key);
  REQUIRE(r.rig.bus->redrive(1));
  r.await(2);
  CHECK(r.letters().size() == 1);  // failed again: it parks its key still
  r.fails = false;
  REQUIRE(r.redrive(1));
  CHECK(r.probe.copy() == std::vector<std::string>{"!k", "!k", "!k", "1k", "2k"});
  CHECK(r.letters().empty());
  CHECK(r.rig.bus->totals().waiting == 0);
}

TEST_CASE("a key goes on when the letter that parks it is removed, or gives way to another") {
  BusOptions options = retrying(0);
  options.dead_letters = {1, false};
  StrictRig r(options);
  r.park({"a"});
  r.await(1);
  r.park({"b"});
  r.await(4);  // the letter of b took the place of that of a
  const std::vector<std::string> seen = r.probe.copy();
  CHECK(std::count(seen.begin(), seen.end(), "2a") == 1);
  CHECK(std::count(seen.begin(), seen.end(), "1b") == 0);
  REQUIRE(r.letters().size() == 1);
  REQUIRE(r.rig.bus->remove_letter(2));
  REQUIRE(r.rig.settle());
  CHECK(r.probe.count() == 6);
  CHECK(r.rig.bus->remove_letter(2).error().code == NEXUS_E_UNKNOWN);
}

TEST_CASE("a key is not parked by a letter for which there was no room") {
  BusOptions options = retrying(1);
  options.dead_letters = {0, true};
  for (const uint32_t attempts : {0u, 1u}) {
    options.retry.attempts = attempts;
    StrictRig r(options);
    r.park({"a"});
    r.await(1);
    if (attempts == 1) r.pass(kDelay);
    REQUIRE(r.rig.settle());
    CHECK(r.probe.count() == 3 + attempts);
    CHECK(r.rig.bus->totals().waiting == 0);
  }
}

TEST_CASE("a retry that is given up parks its key where the order is strict") {
  StrictRig r(retrying(3));
  r.park({"k"});
  r.await(1);
  REQUIRE(r.rig.bus->kill_retry(r.rig.bus->waiting_retries().at(0).id));
  r.await(1);
  CHECK(r.probe.count() == 1);
  CHECK(r.only()->parks_key);
  r.fails = false;
  REQUIRE(r.redrive(1));
  CHECK(r.probe.copy() == std::vector<std::string>{"!k", "!k", "1k", "2k"});
}
