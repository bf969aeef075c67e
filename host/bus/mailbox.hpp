// The queue of one plugin instance and the unit of serial execution, back-pressure, pause and drain. Emitters push from
// any thread; a worker that got the mailbox from its scheduler takes batches until it is empty. Invariants: at most
// turns_max workers run it at once (one, unless it is a parallel mailbox); what was taken but not started still counts
// as waiting; an accepted slot is handed out exactly once or returned by close().
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "host/base/spin_lock.hpp"
#include "host/bus/lanes.hpp"
#include "host/bus/target.hpp"
#include "host/event/block.hpp"

namespace nexus::host {

class Mailbox;
class Participant;
class Task;

// Runs mailboxes that have work; implemented by the scheduler, and by tests in the test's own thread.
class MailboxRunner {
 public:
  virtual ~MailboxRunner() = default;
  // The mailbox turned non-empty: call Mailbox::take until it ends the turn. Any thread; must not run it right here.
  virtual void schedule(Mailbox& mailbox, int32_t level) = 0;
};

enum class Overflow : uint8_t { kBlock, kReject, kDropOldest };

struct MailboxOptions {
  uint32_t size_max = 10000;       // waiting deliveries for emitters from outside
  uint32_t size_max_hard = 100000; // for emits from handlers, which never block
  Overflow overflow = Overflow::kBlock;
  uint32_t turns_max = 1;
};

// What one turn took and has not given back. Owned by the worker that runs the mailbox.
struct Batch {
  static constexpr uint32_t kMax = 64;
  Slot slots[kMax];
  uint32_t size = 0;
  uint32_t next = 0;  // slots before it have been started and finished
  int32_t level = 0;
};

class Mailbox {
 public:
  enum class Push : uint8_t { kAccepted, kFull, kClosed };

  Mailbox(Participant& owner, MailboxRunner& runner, const MailboxOptions& options);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  Participant& owner() const { return owner_; }
  bool is_parallel() const { return options_.turns_max > 1; }

  // ---- Emitters, any thread -------------------------------------------------------------------------------------
  // Accepts one delivery, or says why not. `hard` takes the bound for workers. When `overflow` is drop_oldest and the
  // bound is reached, the oldest one of the lowest priority is handed back in `dropped`, for the caller to count.
  Push push(EventBlock* event, Target* target, bool hard, Slot* dropped) {
    bool schedule = false;
    const int32_t level = event->event.priority;
    {
      std::lock_guard guard(lock_);
      if (closed_) [[unlikely]] return Push::kClosed;
      if (may_be_full(hard) && !make_room(hard, dropped)) [[unlikely]] return Push::kFull;
      ++target->queued;
      add(level, Slot{event, target}, &schedule);
    }
    if (schedule) [[unlikely]] runner_.schedule(*this, level);
    return Push::kAccepted;
  }
  // The same in two steps, for an event that must enter several mailboxes or none.
  Push reserve(bool hard, Slot* dropped);
  void unreserve();
  Push push_reserved(EventBlock* event, Target* target);
  // Without a bound, for what another mailbox had already accepted.
  Push push_forced(EventBlock* event, Target* target);
  // Tasks are always accepted, unless closed: each stands for something that the bus has already promised.
  Push push_task(Task* task);
  // Waits until there may be room, not longer than the monotonic deadline; false when that has passed.
  bool wait_for_room(int64_t deadline_monotonic_ns);

  // ---- The worker that runs it ----------------------------------------------------------------------------------
  // Gives back what of the batch was not started and takes the next one; returns its size. On 0 the turn goes on
  // unless `end_turn`, in which case it has ended and the mailbox must not be touched again; `ended` tells.
  uint32_t take(Batch& batch, bool end_turn, bool* ended);
  // Before each slot of the batch. False: stop here and call take, for a higher priority or a pause has come.
  bool start_next() {
    if (signals_.load(std::memory_order_relaxed) != 0 && !keep_going()) return false;
    if (is_parallel())
      started_.fetch_add(1, std::memory_order_relaxed);
    else
      started_.store(started_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return true;
  }
  // Whether something was pushed since the last take; a hint, read without the lock.
  bool has_work_hint() const { return waiting_hint_.load(std::memory_order_relaxed) != 0; }
  // Puts a batch back unstarted and the mailbox behind others in the run queue, when its time slice is over.
  void yield_turn(Batch& batch);

  // ---- The control thread ---------------------------------------------------------------------------------------
  // No slot is started after it returns true. False at the deadline: one still runs; the pause stays asked for.
  bool pause(int64_t deadline_monotonic_ns);
  void resume();
  bool is_paused() const { return (signals_.load(std::memory_order_relaxed) & kSignalPause) != 0; }
  // Waits until nothing waits and nothing runs; false at the deadline. Does not stop emitters.
  bool drain(int64_t deadline_monotonic_ns);
  // Accepts nothing any more and hands out what waits, highest priority first. Only while paused.
  std::vector<Slot> close();
  // Puts slots in front of all that waits, in the order given, with their events' own priorities. Only while paused.
  void prepend(const std::vector<Slot>& slots);
  // A handler is over its deadline; for figures only.
  void mark_stuck(bool stuck) { stuck_.store(stuck, std::memory_order_relaxed); }
  bool is_stuck() const { return stuck_.load(std::memory_order_relaxed); }

  // ---- Figures, any thread --------------------------------------------------------------------------------------
  uint64_t depth() const;
  bool is_closed() const;
  // Whether no waiting or running slot names the target.
  bool is_unused(const Target& target) const;

  // For the runner's queue, guarded by its lock.
  Mailbox* run_next = nullptr;
  int32_t run_level = 0;

 private:
  static constexpr uint32_t kSignalPreempt = 1, kSignalPause = 2, kSignalRoom = 4;

  bool keep_going();
  bool may_be_full(bool hard) const {
    return pushed_ + reserved_ - removed_ - started_seen_ >= (hard ? options_.size_max_hard : options_.size_max);
  }
  bool is_full(bool hard);
  bool make_room(bool hard, Slot* dropped);
  bool wants_turn() const;
  void add(int32_t level, Slot slot, bool* schedule) {
    lanes_.push(level, slot);
    ++pushed_;
    // Written only when it changes: a worker that lingers reads it all the time.
    if (waiting_hint_.load(std::memory_order_relaxed) == 0) waiting_hint_.store(1, std::memory_order_relaxed);
    if (turns_ == 0 || level > running_level_ || is_parallel()) [[unlikely]] added_unusual(schedule);
  }
  void added_unusual(bool* schedule);
  // Under lock_, after slots were taken or put.
  void tell_waiting() {
    const uint32_t waiting = lanes_.size() != 0 ? 1 : 0;
    if (waiting_hint_.load(std::memory_order_relaxed) != waiting)
      waiting_hint_.store(waiting, std::memory_order_relaxed);
  }
  void settle(Batch& batch);
  void signal(uint32_t bit) { signals_.fetch_or(bit, std::memory_order_relaxed); }
  void unsignal(uint32_t bit) { signals_.fetch_and(~bit, std::memory_order_relaxed); }
  void wake_waiters();
  bool wait_until(int64_t deadline_monotonic_ns, const std::function<bool()>& done_locked);

  Participant& owner_;
  MailboxRunner& runner_;
  const MailboxOptions options_;
  const uint32_t batch_max_;

  alignas(64) mutable SpinLock lock_;
  uint32_t turns_ = 0;      // guarded by lock_: scheduled or running
  uint32_t reserved_ = 0;   // guarded by lock_
  uint64_t pushed_ = 0;     // guarded by lock_
  uint64_t started_seen_ = 0;  // guarded by lock_: started_ as last read by an emitter
  uint64_t removed_ = 0;    // guarded by lock_: taken out without being started
  int32_t running_level_ = 0;  // guarded by lock_
  bool queued_ = false;     // guarded by lock_: in the runner's queue
  bool closed_ = false;     // guarded by lock_
  std::atomic<uint32_t> sleepers_{0};
  Lanes lanes_;             // guarded by lock_

  alignas(64) std::atomic<uint64_t> started_{0};  // written by the runner (by several for a parallel one)
  alignas(64) std::atomic<uint32_t> signals_{0};
  alignas(64) std::atomic<uint32_t> waiting_hint_{0};  // 1 when lanes_ holds something; written under lock_
  std::atomic<bool> stuck_{false};

  std::mutex wait_mutex_;
  std::condition_variable wait_condition_;
};

}  // namespace nexus::host
