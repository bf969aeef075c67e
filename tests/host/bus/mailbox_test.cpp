// The mailbox alone, run by the test's own thread.
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <map>

#include "host/bus/route.hpp"
#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

struct ByHand final : MailboxRunner {
  int scheduled = 0;
  void schedule(Mailbox&, int32_t) override { ++scheduled; }
};

struct MailboxRig {
  Rig rig;
  std::shared_ptr<Participant> owner = rig.add("com.example.owner");
  ByHand runner;
  Target target;

  EventBlock* event(int32_t priority = 0) {
    EventBlock* block = allocate_block(0);
    block->event = nexus_event{};
    block->event.priority = priority;
    block->route = nullptr;
    return block;
  }
  static void finish(Batch& batch) {
    for (; batch.next < batch.size; ++batch.next)
      if (batch.slots[batch.next].target != nullptr) static_cast<EventBlock*>(batch.slots[batch.next].item)->release();
  }
};

}  // namespace

TEST_CASE("a mailbox is scheduled once when it turns non-empty") {
  MailboxRig r;
  Mailbox mailbox(*r.owner, r.runner, {});
  for (int i = 0; i < 10; ++i) CHECK(mailbox.push(r.event(), &r.target, false, nullptr) == Mailbox::Push::kAccepted);
  CHECK(r.runner.scheduled == 1);
  Batch batch;
  bool ended = false;
  CHECK(mailbox.take(batch, false, &ended) == 10);
  CHECK_FALSE(mailbox.is_unused(r.target));
  r.finish(batch);
  CHECK(mailbox.take(batch, true, &ended) == 0);
  CHECK(ended);
  CHECK(mailbox.is_unused(r.target));
  EventBlock* more = r.event();
  mailbox.push(more, &r.target, false, nullptr);
  CHECK(r.runner.scheduled == 2);
  mailbox.take(batch, true, &ended);
  r.finish(batch);
  mailbox.take(batch, true, &ended);
}

TEST_CASE("what was taken but not started counts as waiting and goes back to the front") {
  MailboxRig r;
  MailboxOptions options;
  options.size_max = 8;
  options.overflow = Overflow::kReject;
  Mailbox mailbox(*r.owner, r.runner, options);
  for (int i = 0; i < 8; ++i) REQUIRE(mailbox.push(r.event(), &r.target, false, nullptr) == Mailbox::Push::kAccepted);
  Batch batch;
  bool ended = false;
  REQUIRE(mailbox.take(batch, false, &ended) == 2);  // a quarter of the size
  EventBlock* refused = r.event();
  CHECK(mailbox.push(refused, &r.target, false, nullptr) == Mailbox::Push::kFull);
  REQUIRE(mailbox.start_next());
  CHECK(mailbox.depth() == 7);
  CHECK(mailbox.push(refused, &r.target, false, nullptr) == Mailbox::Push::kAccepted);
  void* second = batch.slots[1].item;
  static_cast<EventBlock*>(batch.slots[0].item)->release();
  batch.next = 1;
  REQUIRE(mailbox.take(batch, false, &ended) == 2);
  CHECK(batch.slots[0].item == second);
  while (batch.size != 0) {
    r.finish(batch);
    mailbox.take(batch, true, &ended);
  }
}

TEST_CASE("a higher priority interrupts a batch") {
  MailboxRig r;
  Mailbox mailbox(*r.owner, r.runner, {});
  for (int i = 0; i < 3; ++i) mailbox.push(r.event(0), &r.target, false, nullptr);
  Batch batch;
  bool ended = false;
  REQUIRE(mailbox.take(batch, false, &ended) == 3);
  CHECK(mailbox.start_next());
  mailbox.push(r.event(5), &r.target, false, nullptr);
  CHECK_FALSE(mailbox.start_next());
  static_cast<EventBlock*>(batch.slots[0].item)->release();
  batch.next = 1;
  REQUIRE(mailbox.take(batch, false, &ended) == 1);
  CHECK(batch.level == 5);
  while (batch.size != 0) {
    r.finish(batch);
    mailbox.take(batch, true, &ended);
  }
}

TEST_CASE("reservations count against the bound, and can be given back") {
  MailboxRig r;
  MailboxOptions options;
  options.size_max = 2;
  options.size_max_hard = 3;
  options.overflow = Overflow::kReject;
  Mailbox mailbox(*r.owner, r.runner, options);
  CHECK(mailbox.reserve(false, nullptr) == Mailbox::Push::kAccepted);
  CHECK(mailbox.reserve(false, nullptr) == Mailbox::Push::kAccepted);
  CHECK(mailbox.reserve(false, nullptr) == Mailbox::Push::kFull);
  CHECK(mailbox.reserve(true, nullptr) == Mailbox::Push::kAccepted);
  CHECK(mailbox.reserve(true, nullptr) == Mailbox::Push::kFull);
  mailbox.unreserve();
  mailbox.unreserve();
  CHECK(mailbox.push_reserved(r.event(), &r.target) == Mailbox::Push::kAccepted);
  CHECK(mailbox.depth() == 1);
  REQUIRE(mailbox.pause(0) == false);
  Batch batch;
  bool ended = false;
  CHECK(mailbox.take(batch, false, &ended) == 0);
  CHECK(ended);
  const auto left = mailbox.close();
  REQUIRE(left.size() == 1);
  static_cast<EventBlock*>(left[0].item)->release();
  EventBlock* late = r.event();
  CHECK(mailbox.push(late, &r.target, false, nullptr) == Mailbox::Push::kClosed);
  late->release();
}

TEST_CASE("events of several levels come out highest first, each level in its order, whatever comes in between") {
  MailboxRig r;
  Mailbox mailbox(*r.owner, r.runner, {});
  uint64_t state = 1;
  std::map<int32_t, std::deque<EventBlock*>> waiting;
  uint64_t out_of_order = 0, lower_first = 0, delivered = 0;
  Batch batch;
  bool ended = false;
  const auto push = [&](int32_t level) {
    EventBlock* event = r.event(level);
    REQUIRE(mailbox.push(event, &r.target, true, nullptr) == Mailbox::Push::kAccepted);
    waiting[-level].push_back(event);
  };
  for (int round = 0; round < 2000; ++round) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    // Runs of one level, so that the mailbox goes in and out of sorting.
    const auto level = static_cast<int32_t>((state >> 40) % 4) * (round % 700 < 350 ? 0 : 10);
    for (uint64_t i = 0; i <= (state >> 33) % 20; ++i) push(level);
    for (uint64_t i = (state >> 50) % 24; i > 0; --i) {
      while (batch.next == batch.size && mailbox.take(batch, false, &ended) == 0 && !waiting.empty()) {
      }
      if (waiting.empty()) break;
      if (!mailbox.start_next()) {
        mailbox.take(batch, false, &ended);
        if (batch.size == 0 || !mailbox.start_next()) continue;
      }
      auto* event = static_cast<EventBlock*>(batch.slots[batch.next++].item);
      auto& lane = waiting[-event->event.priority];
      if (-waiting.begin()->first != event->event.priority) ++lower_first;
      if (lane.front() != event) ++out_of_order;
      std::erase(lane, event);
      if (lane.empty()) waiting.erase(-event->event.priority);
      event->release();
      ++delivered;
    }
  }
  CHECK(delivered > 10'000);
  CHECK(out_of_order == 0);
  // What ageing lets through: one in fifty.
  CHECK(lower_first <= delivered / 49);
  while (mailbox.take(batch, true, &ended) != 0) r.finish(batch);
  CHECK(ended);
  CHECK(mailbox.is_unused(r.target));
}

TEST_CASE("a flood above leaves what waits below its turn, however it comes in") {
  for (const int each : {1, 2, 7}) {
    MailboxRig r;
    Mailbox mailbox(*r.owner, r.runner, {});
    EventBlock* low = r.event(-5);
    REQUIRE(mailbox.push(low, &r.target, true, nullptr) == Mailbox::Push::kAccepted);
    Batch batch;
    bool ended = false;
    int before = 0;
    const auto flood = [&] {
      for (int i = 0; i < each; ++i)
        REQUIRE(mailbox.push(r.event(3), &r.target, true, nullptr) == Mailbox::Push::kAccepted);
    };
    flood();
    for (bool seen = false; !seen && before < 1000; ++before) {
      // More comes just between what was taken and its start.
      while (batch.next == batch.size || !mailbox.start_next()) {
        mailbox.take(batch, false, &ended);
        flood();
      }
      auto* event = static_cast<EventBlock*>(batch.slots[batch.next++].item);
      seen = event == low;
      event->release();
    }
    CHECK(before <= 101);
    while (mailbox.take(batch, true, &ended) != 0) r.finish(batch);
  }
}

TEST_CASE("a run of events enters as far as there is room") {
  MailboxRig r;
  MailboxOptions options;
  options.size_max = 5;
  options.overflow = Overflow::kReject;
  Mailbox mailbox(*r.owner, r.runner, options);
  Slot slots[8];
  for (Slot& slot : slots) slot = {r.event(), &r.target};
  CHECK(mailbox.push_run(slots, 3) == 3);
  CHECK(mailbox.push_run(slots + 3, 5) == 2);
  CHECK(mailbox.depth() == 5);
  CHECK(r.runner.scheduled == 1);
  for (int i = 5; i < 8; ++i) static_cast<EventBlock*>(slots[i].item)->release();
  Batch batch;
  bool ended = false;
  int at = 0;
  while (mailbox.take(batch, true, &ended) != 0)
    for (; batch.next < batch.size; ++batch.next) {
      CHECK(batch.slots[batch.next].item == slots[at++].item);
      static_cast<EventBlock*>(batch.slots[batch.next].item)->release();
    }
  CHECK(at == 5);
}
