// The queue of one plugin instance and the unit of serial execution, back-pressure, pause and drain. Emitters push from
// any thread; a worker that got the mailbox from its scheduler takes batches until it is empty. Invariants: at most
// turns_max workers run it at once (one, unless it is a parallel mailbox); what was taken but not started still counts
// as waiting; an accepted slot is handed out exactly once or returned by close(). Emitters and the runner have a lock
// and lines of memory each, and meet only in the inbox: see host/bus/README.md.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "host/base/spin_lock.hpp"
#include "host/bus/inbox.hpp"
#include "host/bus/key_levels.hpp"
#include "host/bus/key_turns.hpp"
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
  uint32_t size_max = 10000;        // waiting deliveries for emitters from outside
  uint32_t size_max_hard = 100000;  // for emits from handlers, which never block
  Overflow overflow = Overflow::kBlock;
  uint32_t turns_max = 1;
};

// What one turn took and has not given back. Owned by the worker that runs the mailbox.
struct Batch {
  static constexpr uint32_t kMax = 64;
  static constexpr uint32_t kAhead = 4;  // how far the runner looks ahead, for prefetching
  Slot slots[kMax + kAhead];
  uint32_t size = 0;
  uint32_t next = 0;  // slots before it have been started and finished
  int32_t level = 0;
  uint64_t keys[kMax] = {};         // of those slots that key_levels_ counts
  uint64_t key = KeyTurns::kNoKey;  // of the one slot of a parallel mailbox, where it keeps its key's turn
  bool begins_turn = true;          // set by the worker when it got the mailbox from its runner
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
  // Rises with each mailbox that is made: the order in which several locks are taken.
  uint64_t number() const { return number_; }

  // ---- Emitters, any thread -------------------------------------------------------------------------------------
  // Accepts one delivery, or says why not. `hard` takes the bound for workers. When `overflow` is drop_oldest and the
  // bound is reached, the oldest one of the lowest priority is handed back in `dropped`, for the caller to count.
  [[gnu::always_inline]] Push push(EventBlock* event, Target* target, bool hard, Slot* dropped) {
    bool schedule = false;
    bool accepted = false;
    const int32_t level = event->event.priority;
    {
      std::lock_guard guard(lock_);
      if (has_room(hard)) [[likely]] {
        add(level, Slot{event, target}, &schedule);
        ++target->pushed;
        accepted = true;
      }
    }
    if (!accepted) [[unlikely]]
      return push_slow(event, target, hard, dropped);
    if (schedule) [[unlikely]]
      runner_.schedule(*this, level);
    return Push::kAccepted;
  }
  // From now on events may have keys. Before the first of them is pushed.
  void expect_keys() {
    if (!expects_keys_.load(std::memory_order_relaxed)) expects_keys_.store(true, std::memory_order_relaxed);
  }
  // Several of one priority, for emitters from outside, as far as there is room; returns how many were accepted.
  uint32_t push_run(const Slot* slots, uint32_t count);
  // One event into the mailboxes of several targets, all or none; at most kTogetherMax, in the order of their
  // mailboxes' numbers. On kFull nothing was dropped, whatever the policy; so it says of no targets at all.
  static constexpr size_t kTogetherMax = 32;
  static Push push_all(EventBlock* event, const std::vector<Target*>& targets, bool hard);
  // The same in two steps, for an event that must enter several mailboxes or none, some of them later.
  Push reserve(bool hard, Slot* dropped);
  // Without a bound: what was accepted here long ago takes a place again until unreserve.
  void reserve_forced();
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
  template <bool kParallel = false>
  bool start_next() {
    if (has_signal(kSignalPreempt | kSignalPause | kSignalRoom | kSignalSorting) && !keep_going()) [[unlikely]]
      return false;
    if constexpr (kParallel)
      started_.fetch_add(1, std::memory_order_relaxed);
    else
      started_.store(started_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return true;
  }
  // Whether something was pushed since the last take; a hint, and one that costs emitters little.
  bool has_work_hint();
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
  // kSignalMixed: what is in the inbox is not all of one level. kSignalSorting: the runner's own, as sorting_.
  static constexpr uint32_t kSignalPreempt = 1, kSignalPause = 2, kSignalRoom = 4, kSignalMixed = 8,
                            kSignalSorting = 16;
  class TogetherLock;
  static constexpr int64_t kEveryPush = INT64_MIN, kNoPush = INT64_MAX, kNoLevel = INT64_MIN;

  // The names say which locks are held: _pushing lock_, _running run_lock_, _both both.
  bool has_signal(uint32_t bits) const { return (signals_.load(std::memory_order_relaxed) & bits) != 0; }
  void signal(uint32_t bit) { signals_.fetch_or(bit, std::memory_order_relaxed); }
  void unsignal(uint32_t bit) { signals_.fetch_and(~bit, std::memory_order_relaxed); }
  bool keep_going();
  bool higher_has_come();

  bool has_room(bool hard) const { return pushed_ < bound_ + (hard ? hard_extra_ : 0); }
  bool find_room_pushing(bool hard);
  void add(int32_t level, Slot slot, bool* schedule) {
    if (level != inbox_level_) [[unlikely]]
      mix_pushing(level);
    inbox_.push(slot);
    ++pushed_;
    if (level > told_above_) [[unlikely]]
      added_unusual_pushing(schedule);
  }
  Push push_slow(EventBlock* event, Target* target, bool hard, Slot* dropped);
  bool drop_oldest_both(Slot* dropped);
  void mix_pushing(int32_t level);
  void added_unusual_pushing(bool* schedule);
  bool may_begin_turn_pushing() const;
  void begin_turn_pushing();
  void end_turn_pushing();
  bool begin_turn_if_waiting_both(int32_t* level);
  bool is_empty_both() { return lanes_.size() == 0 && inbox_.empty() && !key_turns_.has_ready(); }

  static int32_t level_of(const Slot& slot) {
    return slot.target == nullptr ? 0 : static_cast<const EventBlock*>(slot.item)->event.priority;
  }
  static uint64_t key_of(const Slot& slot);
  void to_lanes_running(const Slot& slot);
  uint32_t from_lanes_running(Slot* out, uint32_t max, int32_t* level, uint64_t* keys);
  bool take_ready_running(Batch& batch);
  bool keep_turn_running(Batch& batch);
  void ingest_running();
  void settle_running(Batch& batch);
  uint32_t take_running(Batch& batch);
  int64_t level_to_beat_running(const Batch& batch) const;
  uint32_t take_sorted_running(Batch& batch);
  uint32_t take_lanes_both(Batch& batch);
  void end_sorting_both();
  uint32_t take_serial(Batch& batch, bool end_turn, bool* ended);
  uint32_t take_parallel(Batch& batch, bool end_turn, bool* ended);

  void wake_waiters();
  bool wait_until(int64_t deadline_monotonic_ns, const std::function<bool()>& done_both);

  Participant& owner_;
  MailboxRunner& runner_;
  const MailboxOptions options_;
  const uint64_t number_;
  const uint32_t batch_max_;
  const int64_t hard_extra_;  // by how much size_max_hard is larger

  // ---- The emitters' side. Where both locks are taken, run_lock_ comes first.
  alignas(64) mutable SpinLock lock_;  // guards down to the pushing end of inbox_
  bool queued_ = false;                // in the runner's queue; kept for parallel ones only
  bool closed_ = false;
  uint32_t turns_ = 0;               // scheduled or running
  int64_t pushed_ = 0;               // accepted, ever
  int64_t bound_;                    // what pushed_ may come to, as far as emitters know
  int64_t told_above_ = kEveryPush;  // a push of a higher level than this is somebody's business
  int32_t inbox_level_ = 0;          // of what was pushed last
  uint32_t reserved_ = 0;
  int64_t removed_ = 0;  // taken out without being started
  Inbox inbox_;

  // ---- The runner's side.
  alignas(64) mutable SpinLock run_lock_;  // guards the consuming end of inbox_, lanes_ and `finished` of targets
  std::atomic<int64_t> started_{0};        // written by the runner (by several for a parallel one)
  int64_t level_now_ = kNoLevel;           // of the batch that runs
  bool sorting_ = false;                   // several levels arrive: all goes through lanes_, see take_sorted_running
  uint32_t in_order_ = 0;                  // while sorting_: so many in a row had needed no sorting
  Lanes lanes_;                            // comes before the inbox; in use when several levels wait
  KeyLevels key_levels_;                   // of what is in the lanes
  KeyTurns key_turns_;                     // of a parallel one

  // ---- Both, seldom written.
  alignas(64) std::atomic<uint32_t> signals_{0};
  std::atomic<uint32_t> sleepers_{0};
  std::atomic<int64_t> room_at_{0};  // of started_, at which the runner answers kSignalRoom
  std::atomic<bool> stuck_{false};
  std::atomic<bool> expects_keys_{false};

  std::mutex wait_mutex_;
  std::condition_variable wait_condition_;
};

}  // namespace nexus::host
