#include "host/bus/dispatcher.hpp"

#include <bit>
#include <exception>
#include <memory>
#include <string>
#include <thread>

#include "host/base/error.hpp"
#include "host/bus/dispatcher_turn.hpp"
#include "host/bus/participant.hpp"
#include "host/bus/task.hpp"
#include "host/bus/trace.hpp"

namespace nexus::host {
namespace {

// How long an empty mailbox is watched before it is given up, in units of relax(): a few microseconds.
constexpr int kLingerSpins = 2000;
// After that it lets others have the core so many times before it gives up: where an emitter shares the core, it goes
// on emitting, and neither of the two has to be woken.
constexpr int kLingerYields = 32;
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

namespace {

// The lines of an event's header that deliveries read, and the first of its data; the item may be null. Always inline:
// gcc drops a call that does nothing else.
[[gnu::always_inline]] inline void prefetch(const void* item) {
  const auto at = reinterpret_cast<uintptr_t>(item);
  for (const uintptr_t offset : {0, 128, 192, 256}) __builtin_prefetch(reinterpret_cast<const void*>(at + offset));
}

}  // namespace

void Dispatcher::run_turn(Mailbox& mailbox, Worker& worker) {
  ThreadState& thread = thread_state();
  Turn turn(mailbox, worker, thread);
  Batch& batch = worker.batch;
  if (traces_ != nullptr) {
    if (worker.trace == nullptr) worker.trace = traces_->take_shard();
    turn.trace = worker.trace;
  }
  thread.running.participant = &mailbox.owner();
  thread.running.holds = &turn.holds;
  batch.begins_turn = true;
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
    if (turn.trace != nullptr)
      turn.shared_counts ? run_batch<true, true>(turn) : run_batch<false, true>(turn);
    else
      turn.shared_counts ? run_batch<true, false>(turn) : run_batch<false, false>(turn);
    done += taken;
    if (done >= worker.turn_max && (worker.is_driven || worker.scheduler().has_work())) {
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
  thread.running.holds = nullptr;
}

// Waits a little for more work; false when the turn should end.
bool Dispatcher::linger(Turn& turn) {
  Scheduler& scheduler = turn.worker.scheduler();
  if (turn.shared_counts || turn.worker.is_driven) return false;
  for (int i = 0; i < kLingerSpins; ++i) {
    if ((i & 1) == 0 && turn.mailbox.has_work_hint()) {
      for (int wait = 0; wait < turn.gather && !scheduler.has_work(); ++wait) relax();
      return true;
    }
    if ((i & 15) == 15 && (scheduler.has_work() || scheduler.is_stopping())) return false;
    relax();
  }
  turn.gather = 0;
  for (int i = 0; i < kLingerYields; ++i) {
    std::this_thread::yield();
    if (turn.mailbox.has_work_hint()) return true;
    if (scheduler.has_work() || scheduler.is_stopping()) return false;
  }
  return false;
}

// A handler that is tried again, one with a condition, one that leaves its own plugin's events alone.
[[gnu::noinline]] int32_t Dispatcher::ask_and_call(Turn& turn, EventBlock* event, Target& target, Entry& entry,
                                                   uint32_t minds) {
  if ((minds & Entry::kBacklog) != 0 && port_.hold_back(event, target, entry)) return kHeldBack;
  if ((minds & Entry::kNoSelf) != 0 && event->emitter == turn.mailbox.owner().number()) return NEXUS_SKIP;
  if ((minds & Entry::kCondition) != 0) {
    const int32_t wanted = entry.condition(entry.user, &event->event);
    if (wanted == 0) return NEXUS_SKIP;
    if (wanted != 1) {
      turn.outcome.error_type = to_abi("condition_failed");
      if (turn.error.len == 0) write_text(turn.error, "the condition of this handler failed");
      return NEXUS_REJECT;
    }
  }
  const auto call = [&] {
    const int32_t verdict = entry.handler(entry.user, &turn.delivery, &turn.outcome);
    return verdict == kHeldBack ? -1 : verdict;
  };
  if ((minds & Entry::kRetry) == 0) return call();
  struct OneRetry {
    OneRetry(nexus_delivery& its_delivery, uint32_t attempt) : delivery(its_delivery) {
      delivery.attempt = attempt;
      delivery.flags |= NEXUS_DELIVERY_REDELIVERED;
    }
    ~OneRetry() {
      delivery.attempt = 1;
      delivery.flags &= ~NEXUS_DELIVERY_REDELIVERED;
    }
    nexus_delivery& delivery;
  } const retry(turn.delivery, entry.attempt);
  return call();
}

template <bool kParallel, bool kTimed, bool kMinding>
inline void Dispatcher::run_handlers(Turn& turn, EventBlock* event, Target& target) {
  WorkerActivity& activity = turn.worker.activity;
  Entry* const end = target.entries.get() + target.size;
  int64_t began = kTimed ? clock_.monotonic_ns() : 0;
  for (Entry* entry = target.entries.get(); entry != end; ++entry, ++turn.delivery.token) {
    const nexus_handle id = entry->id;
    activity.subscription.store(id, std::memory_order_relaxed);
    turn.delivery.subscription = id;
    int32_t verdict = NEXUS_DONE;
    uint32_t followed = 0;
    uint32_t minds = entry->minds.load(std::memory_order_relaxed);
    if constexpr (kMinding)
      if (!entry->subscription->backlog.is_idle()) minds |= Entry::kBacklog;
    try {
      if (minds == 0) [[likely]] {
        verdict = entry->handler(entry->user, &turn.delivery, &turn.outcome);
      } else if ((minds & Entry::kInactive) == 0) {
        followed = minds & (Entry::kBacklog | Entry::kHoldsKey | Entry::kReleased);
        verdict = ask_and_call(turn, event, target, *entry, minds);
      } else {
        entry->discarded.fetch_add(1, std::memory_order_relaxed);
        if constexpr (kMinding)
          if (turn.trace != nullptr) trace(turn, *event, *entry, TraceKind::discarded, 0);
        if (target.is_retry) port_.retry_discarded(target);
        continue;
      }
    } catch (...) {
      verdict = caught(turn);
    }
    [[maybe_unused]] int64_t duration = 0;
    if constexpr (kTimed) {
      const int64_t ended = clock_.monotonic_ns();
      duration = ended - began;
      began = ended;
      if (!kMinding || turn.until_sample == 0) times_.add(duration);
    }
    [[maybe_unused]] bool has_ended = true;
    // Success, and nothing said beside it: all in one comparison, and nothing to clear for the next handler.
    if (followed != 0) [[unlikely]]
      has_ended = settle_followed(turn, event, target, *entry, verdict, followed);
    else if (is_plain_success(turn, verdict)) [[likely]]
      count<kParallel>(entry->handled);
    else
      has_ended = settle_unusual(turn, event, target, *entry, verdict);
    if constexpr (kMinding)
      if (turn.trace != nullptr)
        trace(turn, *event, *entry, verdict == kHeldBack ? TraceKind::held : kind_of(verdict, has_ended), duration);
  }
}

template <bool kParallel>
[[gnu::noinline]] void Dispatcher::run_handlers_timed(Turn& turn, EventBlock* event, Target& target) {
  turn.until_sample = HandlerTimes::kSample;
  run_handlers<kParallel, true, false>(turn, event, target);
}

template <bool kParallel>
[[gnu::noinline]] void Dispatcher::run_handlers_minding(Turn& turn, EventBlock* event, Target& target) {
  if ((event->host_flags & EventBlock::kHostExpires) != 0 && port_.is_expired(event, target)) return;
  if (turn.until_sample != 0) --turn.until_sample;
  if (turn.until_sample == 0 || turn.trace != nullptr)
    run_handlers<kParallel, true, true>(turn, event, target);
  else
    run_handlers<kParallel, false, true>(turn, event, target);
  if (turn.until_sample == 0) turn.until_sample = HandlerTimes::kSample;
}

template <bool kParallel, bool kTraced>
void Dispatcher::run_batch(Turn& turn) {
  Batch& batch = turn.worker.batch;
  Mailbox& mailbox = turn.mailbox;
  WorkerActivity& activity = turn.worker.activity;
  turn.thread.in_callback = true;
  uint64_t sequence = activity.sequence.load(std::memory_order_relaxed);
  const Slot* slot = batch.slots + batch.next;
  const Slot* const end = batch.slots + batch.size;
  for (; slot != end; ++slot) {
    if (!mailbox.start_next<kParallel>()) break;
    prefetch(slot[Batch::kAhead].item);
    activity.sequence.store(++sequence, std::memory_order_relaxed);
    turn.delivery.token = sequence << kTokenShift;
    if (slot->target == nullptr) [[unlikely]] {
      run_task(turn, slot->item);
      continue;
    }
    auto* event = static_cast<EventBlock*>(slot->item);
    turn.thread.running.event = event;
    turn.delivery.event = &event->event;
    if (kTraced || (event->host_flags & EventBlock::kHostMinds) != 0) [[unlikely]]
      run_handlers_minding<kParallel>(turn, event, *slot->target);
    else if (--turn.until_sample != 0) [[likely]]
      run_handlers<kParallel, false, false>(turn, event, *slot->target);
    else
      run_handlers_timed<kParallel>(turn, event, *slot->target);
    if (!slot->target->is_retry && event->route != nullptr) [[unlikely]]
      port_.first_attempt_done(event);
    event->release();
  }
  // No handler runs, and no token is one's that does.
  activity.subscription.store(0, std::memory_order_relaxed);
  activity.sequence.store(++sequence, std::memory_order_relaxed);
  batch.next = static_cast<uint32_t>(slot - batch.slots);
  turn.thread.running.event = nullptr;
  turn.thread.in_callback = false;
}

void Dispatcher::run_task(Turn& turn, void* task) {
  turn.worker.activity.subscription.store(0, std::memory_order_relaxed);
  turn.thread.running.event = nullptr;
  const std::unique_ptr<Task> owned(static_cast<Task*>(task));
  owned->run();
  if (turn.holds != 0) port_.commit(turn.thread.running);
}

}  // namespace nexus::host
