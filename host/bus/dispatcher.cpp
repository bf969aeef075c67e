#include "host/bus/dispatcher.hpp"

#include <bit>
#include <exception>
#include <memory>
#include <string>

#include "host/base/error.hpp"
#include "host/bus/participant.hpp"
#include "host/bus/task.hpp"

namespace nexus::host {
namespace {

constexpr uint32_t kErrorTextMax = 2048;
// A turn ends after this many deliveries when other mailboxes wait.
constexpr uint32_t kTurnMax = 1024;
// How long an empty mailbox is watched before it is given up, in units of relax(): a few microseconds.
constexpr int kLingerSpins = 2000;
// While events trickle in one by one, waiting up to this long lets them come in batches, which saves both sides most of
// the cache misses.
constexpr int kGatherMax = 512;
constexpr uint32_t kSmallBatch = 8;

}  // namespace

void HandlerTimes::add(int64_t ns) {
  const auto value = static_cast<uint64_t>(ns < 1 ? 1 : ns);
  const auto bucket = static_cast<size_t>(std::bit_width(value - 1));
  buckets_[bucket < kBuckets ? bucket : kBuckets - 1].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(ns, std::memory_order_relaxed);
}

struct Dispatcher::Turn {
  Turn(Mailbox& its_mailbox, Worker& its_worker, ThreadState& its_thread)
      : mailbox(its_mailbox), worker(its_worker), thread(its_thread), shared_counts(its_mailbox.is_parallel()) {
    delivery.size = sizeof delivery;
    delivery.attempt = 1;
    error.size = sizeof error;
    error.cap = kErrorTextMax;
    error.text = error_text;
    outcome.size = sizeof outcome;
    outcome.error = &error;
  }

  Mailbox& mailbox;
  Worker& worker;
  ThreadState& thread;
  const bool shared_counts;  // several workers run this mailbox
  nexus_delivery delivery{};
  nexus_outcome outcome{};
  nexus_error error{};
  uint32_t until_sample = HandlerTimes::kSample;
  int gather = 0;        // how long to let a batch form
  uint32_t no_gather = 0;  // for so many batches do not try
  char error_text[kErrorTextMax];
};

namespace {

void write_text(nexus_error& error, std::string_view text) { write_error(&error, NEXUS_E_PLUGIN, text); }

void count(OwnedCount& counter, bool shared) {
  if (shared)
    counter.add_shared();
  else
    counter.add();
}

}  // namespace

void Dispatcher::run_turn(Mailbox& mailbox, Worker& worker) {
  ThreadState& thread = thread_state();
  Turn turn(mailbox, worker, thread);
  Batch& batch = worker.batch;
  thread.running.participant = &mailbox.owner();
  bool end_turn = false;
  uint32_t done = 0;
  for (;;) {
    bool ended = false;
    const uint32_t taken = mailbox.take(batch, end_turn, &ended);
    if (ended) break;
    if (taken == 0) {
      end_turn = !linger(turn);
      continue;
    }
    end_turn = false;
    run_batch(turn);
    done += taken;
    if (done >= kTurnMax && worker.scheduler().has_work()) {
      mailbox.yield_turn(batch);
      break;
    }
    if (taken > kSmallBatch || turn.no_gather > 0 || turn.shared_counts) {
      turn.gather /= 2;
      if (turn.no_gather > 0) --turn.no_gather;
    } else {
      // If waiting has not made batches grow, the events do not come in a stream: it only adds latency.
      if (turn.gather >= kGatherMax && taken == 1) {
        turn.gather = 0;
        turn.no_gather = 256;
      } else if (turn.gather < kGatherMax) {
        turn.gather = turn.gather * 2 + 16;
      }
    }
  }
  thread.running.participant = nullptr;
}

// Waits a little for more work; false when the turn should end.
bool Dispatcher::linger(Turn& turn) {
  Scheduler& scheduler = turn.worker.scheduler();
  if (turn.shared_counts) return false;
  for (int i = 0; i < kLingerSpins; ++i) {
    if (turn.mailbox.has_work_hint()) {
      for (int wait = 0; wait < turn.gather && !scheduler.has_work(); ++wait) relax();
      return true;
    }
    if ((i & 15) == 15 && (scheduler.has_work() || scheduler.is_stopping())) return false;
    relax();
  }
  turn.gather = 0;
  return false;
}

inline void Dispatcher::run_handler(Turn& turn, EventBlock* event, Entry& entry) {
  WorkerActivity& activity = turn.worker.activity;
  activity.sequence.store(activity.sequence.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  activity.subscription.store(entry.id, std::memory_order_relaxed);
  turn.delivery.subscription = entry.id;
  turn.outcome.retry_after_ns = 0;
  turn.outcome.error_type.size = 0;
  turn.outcome.reply_type.size = 0;
  turn.error.len = 0;
  turn.error.code = 0;
  const bool sampled = --turn.until_sample == 0;
  int64_t began = 0;
  if (sampled) [[unlikely]] {
    turn.until_sample = HandlerTimes::kSample;
    began = clock_.monotonic_ns();
  }
  int32_t verdict = NEXUS_DONE;
  // The SDK's trampolines let no exception out; a plugin written without it might, and must not end the host.
  try {
    if (entry.condition == nullptr && (entry.flags & NEXUS_SUBSCRIBE_NO_SELF) == 0) [[likely]] {
      verdict = entry.handler(entry.user, &turn.delivery, &turn.outcome);
    } else if ((entry.flags & NEXUS_SUBSCRIBE_NO_SELF) != 0 && event->emitter == turn.mailbox.owner().number()) {
      verdict = NEXUS_SKIP;
    } else if (entry.condition != nullptr) {
      const int32_t wanted = entry.condition(entry.user, &event->event);
      verdict = wanted == 1 ? entry.handler(entry.user, &turn.delivery, &turn.outcome)
                : wanted == 0 ? NEXUS_SKIP
                              : NEXUS_REJECT;
      if (wanted != 0 && wanted != 1) {
        turn.outcome.error_type = to_abi("condition_failed");
        if (turn.error.len == 0) write_text(turn.error, "the condition of this handler failed");
      }
    } else {
      verdict = entry.handler(entry.user, &turn.delivery, &turn.outcome);
    }
  } catch (const std::exception& thrown) {
    verdict = NEXUS_RETRY;
    turn.outcome.error_type = to_abi("exception");
    write_text(turn.error, thrown.what());
  } catch (...) {
    verdict = NEXUS_RETRY;
    turn.outcome.error_type = to_abi("exception");
    write_text(turn.error, "an exception of an unknown type left the handler");
  }
  if (sampled) [[unlikely]] times_.add(clock_.monotonic_ns() - began);
  if (verdict == NEXUS_DONE && turn.outcome.reply_type.size == 0 && turn.thread.running.held.empty()) [[likely]] {
    count(entry.handled, turn.shared_counts);
    return;
  }
  settle_unusual(turn, event, entry, verdict);
}

inline void Dispatcher::run_event(Turn& turn, EventBlock* event, Target& target) {
  turn.thread.running.event = event;
  turn.delivery.event = &event->event;
  for (uint32_t i = 0; i < target.size; ++i) {
    Entry& entry = target.entries[i];
    if (!entry.subscription->active.load(std::memory_order_relaxed)) [[unlikely]] {
      entry.discarded.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    run_handler(turn, event, entry);
  }
  turn.thread.running.event = nullptr;
}

void Dispatcher::run_batch(Turn& turn) {
  Batch& batch = turn.worker.batch;
  turn.thread.in_callback = true;
  while (batch.next < batch.size) {
    if (!turn.mailbox.start_next()) break;
    const Slot slot = batch.slots[batch.next];
    if (batch.next + 1 < batch.size) __builtin_prefetch(batch.slots[batch.next + 1].item);
    if (slot.target == nullptr) {
      run_task(turn, slot.item);
    } else {
      auto* event = static_cast<EventBlock*>(slot.item);
      run_event(turn, event, *slot.target);
      if (event->route != nullptr) port_.first_attempt_done(event);
      event->release();
    }
    ++batch.next;
  }
  turn.thread.in_callback = false;
}

// All but a success without emits. Here, and only here, the fate of a delivery is decided.
void Dispatcher::settle_unusual(Turn& turn, EventBlock* event, Entry& entry, int32_t verdict) {
  std::vector<HeldEmit>& held = turn.thread.running.held;
  switch (verdict) {
    case NEXUS_DONE:
      if (turn.outcome.reply_type.size != 0) port_.reply(turn.mailbox.owner(), turn.outcome);
      port_.commit(held);
      count(entry.handled, turn.shared_counts);
      return;
    case NEXUS_SKIP:
      port_.abort(held);
      count(entry.filtered, turn.shared_counts);
      return;
    default: break;
  }
  port_.abort(held);
  count(entry.failed, turn.shared_counts);
  std::string_view type = to_view(turn.outcome.error_type);
  std::string_view text(turn.error_text, turn.error.len < kErrorTextMax ? turn.error.len : kErrorTextMax);
  if (verdict == NEXUS_LATER) {
    type = "later_unsupported";
    text = "the handler answered LATER, which this host does not support";
  } else if (verdict != NEXUS_RETRY && verdict != NEXUS_REJECT) {
    type = "bad_verdict";
    if (text.empty()) text = "the handler returned a value that is none of DONE, RETRY, REJECT, SKIP, LATER";
  }
  port_.handler_failed(*event, entry, type.empty() ? "handler_failed" : type,
                       text.empty() ? "the handler failed without saying why" : text);
}

void Dispatcher::run_task(Turn& turn, void* task) {
  WorkerActivity& activity = turn.worker.activity;
  activity.sequence.store(activity.sequence.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  activity.subscription.store(0, std::memory_order_relaxed);
  const std::unique_ptr<Task> owned(static_cast<Task*>(task));
  owned->run();
  if (!turn.thread.running.held.empty()) port_.commit(turn.thread.running.held);
}

}  // namespace nexus::host
