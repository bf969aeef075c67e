#include "host/bus/mailbox.hpp"

#include <algorithm>
#include <chrono>

#include "host/bus/route.hpp"
#include "host/bus/task.hpp"
#include "host/event/block.hpp"

namespace nexus::host {
namespace {

// A batch never takes more than a quarter of a small mailbox, so that drop_oldest has something to drop.
uint32_t batch_size(const MailboxOptions& options) {
  if (options.turns_max > 1) return 1;
  return std::clamp(options.size_max / 4, 1u, Batch::kMax);
}

int64_t monotonic_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int32_t level_of(const Slot& slot) {
  return slot.target == nullptr ? 0 : static_cast<const EventBlock*>(slot.item)->event.priority;
}

}  // namespace

Mailbox::Mailbox(Participant& owner, MailboxRunner& runner, const MailboxOptions& options)
    : owner_(owner), runner_(runner), options_(options), batch_max_(batch_size(options)) {}

Mailbox::~Mailbox() = default;

// ---- Emitters -----------------------------------------------------------------------------------------------------

bool Mailbox::is_full(bool hard) {
  if (!may_be_full(hard)) return false;
  started_seen_ = started_.load(std::memory_order_relaxed);
  return may_be_full(hard);
}

bool Mailbox::make_room(bool hard, Slot* dropped) {
  if (!is_full(hard)) [[likely]] return true;
  if (options_.overflow != Overflow::kDropOldest || dropped == nullptr) return false;
  if (!lanes_.take_lowest(dropped)) return false;
  ++removed_;
  if (dropped->target != nullptr) --dropped->target->queued;
  return true;
}

bool Mailbox::wants_turn() const {
  return !queued_ && turns_ < options_.turns_max && lanes_.size() > 0 &&
         (signals_.load(std::memory_order_relaxed) & kSignalPause) == 0;
}

void Mailbox::added_unusual(bool* schedule) {
  if (turns_ == 0 || options_.turns_max > 1) {
    if (!wants_turn()) return;
    ++turns_;
    queued_ = true;
    *schedule = true;
  } else if ((signals_.load(std::memory_order_relaxed) & kSignalPreempt) == 0) {
    signal(kSignalPreempt);
  }
}

Mailbox::Push Mailbox::reserve(bool hard, Slot* dropped) {
  std::lock_guard guard(lock_);
  if (closed_) return Push::kClosed;
  if (!make_room(hard, dropped)) return Push::kFull;
  ++reserved_;
  return Push::kAccepted;
}

void Mailbox::unreserve() {
  {
    std::lock_guard guard(lock_);
    --reserved_;
  }
  if (sleepers_.load(std::memory_order_relaxed) != 0) wake_waiters();
}

Mailbox::Push Mailbox::push_reserved(EventBlock* event, Target* target) {
  bool schedule = false;
  const int32_t level = event->event.priority;
  {
    std::lock_guard guard(lock_);
    --reserved_;
    if (closed_) [[unlikely]] return Push::kClosed;
    ++target->queued;
    add(level, Slot{event, target}, &schedule);
  }
  if (schedule) runner_.schedule(*this, level);
  return Push::kAccepted;
}

Mailbox::Push Mailbox::push_forced(EventBlock* event, Target* target) {
  {
    std::lock_guard guard(lock_);
    ++reserved_;
  }
  return push_reserved(event, target);
}

Mailbox::Push Mailbox::push_task(Task* task) {
  bool schedule = false;
  {
    std::lock_guard guard(lock_);
    if (closed_) return Push::kClosed;
    add(0, Slot{task, nullptr}, &schedule);
  }
  if (schedule) runner_.schedule(*this, 0);
  return Push::kAccepted;
}

bool Mailbox::wait_for_room(int64_t deadline_monotonic_ns) {
  return wait_until(deadline_monotonic_ns, [this] {
    if (closed_ || !is_full(false)) return true;
    signal(kSignalRoom);
    return false;
  });
}

// ---- The runner ---------------------------------------------------------------------------------------------------

bool Mailbox::keep_going() {
  const uint32_t signals = signals_.load(std::memory_order_relaxed);
  if ((signals & kSignalRoom) != 0) {
    unsignal(kSignalRoom);
    wake_waiters();
  }
  return (signals & (kSignalPreempt | kSignalPause)) == 0;
}

// Under lock_: the finished slots no longer hold their targets, the unstarted ones go back to the front.
void Mailbox::settle(Batch& batch) {
  Target* target = nullptr;
  uint64_t run = 0;
  for (uint32_t i = 0; i < batch.next; ++i) {
    if (batch.slots[i].target != target) {
      if (target != nullptr) target->queued -= run;
      target = batch.slots[i].target;
      run = 0;
    }
    ++run;
  }
  if (target != nullptr) target->queued -= run;
  if (batch.next < batch.size) lanes_.give_back(batch.level, batch.slots + batch.next, batch.size - batch.next);
  batch.size = batch.next = 0;
}

uint32_t Mailbox::take(Batch& batch, bool end_turn, bool* ended) {
  bool reschedule = false;
  bool wake = false;
  int32_t level = 0;
  *ended = false;
  {
    std::lock_guard guard(lock_);
    settle(batch);
    queued_ = false;
    if ((signals_.load(std::memory_order_relaxed) & kSignalPause) != 0) {
      --turns_;
      *ended = true;
    } else {
      if ((signals_.load(std::memory_order_relaxed) & kSignalPreempt) != 0) unsignal(kSignalPreempt);
      batch.size = lanes_.take(batch.slots, batch_max_, &batch.level);
      running_level_ = batch.level;
      if (batch.size == 0 && end_turn) {
        --turns_;
        *ended = true;
      } else if (options_.turns_max > 1 && wants_turn()) {
        ++turns_;
        queued_ = reschedule = true;
        level = lanes_.top_level();
      }
    }
    tell_waiting();
    wake = sleepers_.load(std::memory_order_relaxed) != 0;
  }
  if (wake) wake_waiters();
  if (reschedule) runner_.schedule(*this, level);
  return batch.size;
}

void Mailbox::yield_turn(Batch& batch) {
  bool schedule = false;
  int32_t level = 0;
  {
    std::lock_guard guard(lock_);
    settle(batch);
    --turns_;
    if (wants_turn()) {
      ++turns_;
      queued_ = schedule = true;
      level = lanes_.top_level();
    }
    tell_waiting();
  }
  if (sleepers_.load(std::memory_order_relaxed) != 0) wake_waiters();
  if (schedule) runner_.schedule(*this, level);
}

// ---- Control ------------------------------------------------------------------------------------------------------

void Mailbox::wake_waiters() {
  { std::lock_guard guard(wait_mutex_); }
  wait_condition_.notify_all();
}

bool Mailbox::wait_until(int64_t deadline_monotonic_ns, const std::function<bool()>& done_locked) {
  // Short slices on the system clock: the flag that asks the runner for a wake-up is read without a fence, so one may
  // be missed; and ThreadSanitizer of gcc 12 does not know waits on the steady clock.
  constexpr int64_t kSliceNs = 2'000'000;
  std::unique_lock waiting(wait_mutex_);
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  bool done = false;
  for (;;) {
    {
      std::lock_guard guard(lock_);
      done = done_locked();
    }
    if (done) break;
    const int64_t left = deadline_monotonic_ns - monotonic_now_ns();
    if (left <= 0) break;
    wait_condition_.wait_until(
        waiting, std::chrono::system_clock::now() + std::chrono::nanoseconds(std::min(left, kSliceNs)));
  }
  sleepers_.fetch_sub(1, std::memory_order_relaxed);
  return done;
}

bool Mailbox::pause(int64_t deadline_monotonic_ns) {
  {
    std::lock_guard guard(lock_);
    signal(kSignalPause);
  }
  return wait_until(deadline_monotonic_ns, [this] { return turns_ == 0; });
}

void Mailbox::resume() {
  bool schedule = false;
  int32_t level = 0;
  {
    std::lock_guard guard(lock_);
    unsignal(kSignalPause);
    if (wants_turn()) {
      ++turns_;
      queued_ = schedule = true;
      level = lanes_.top_level();
    }
  }
  if (schedule) runner_.schedule(*this, level);
}

bool Mailbox::drain(int64_t deadline_monotonic_ns) {
  return wait_until(deadline_monotonic_ns, [this] { return turns_ == 0 && lanes_.size() == 0 && reserved_ == 0; });
}

std::vector<Slot> Mailbox::close() {
  std::vector<Slot> left;
  {
    std::lock_guard guard(lock_);
    closed_ = true;
    left.resize(lanes_.size());
    uint32_t taken = 0;
    int32_t level = 0;
    while (taken < left.size()) taken += lanes_.take(left.data() + taken, lanes_.size(), &level);
    for (const Slot& slot : left)
      if (slot.target != nullptr) --slot.target->queued;
    removed_ += left.size();
    tell_waiting();
  }
  if (sleepers_.load(std::memory_order_relaxed) != 0) wake_waiters();
  // Ageing has mixed a few of the lower levels in between; FIFO inside a level is what counts.
  std::stable_sort(left.begin(), left.end(), [](const Slot& a, const Slot& b) { return level_of(a) > level_of(b); });
  return left;
}

void Mailbox::prepend(const std::vector<Slot>& slots) {
  std::lock_guard guard(lock_);
  for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot) {
    if (slot->target != nullptr) ++slot->target->queued;
    lanes_.give_back(level_of(*slot), &*slot, 1);
  }
  pushed_ += slots.size();
  tell_waiting();
}

// ---- Figures ------------------------------------------------------------------------------------------------------

uint64_t Mailbox::depth() const {
  std::lock_guard guard(lock_);
  return pushed_ + reserved_ - removed_ - started_.load(std::memory_order_relaxed);
}

bool Mailbox::is_closed() const {
  std::lock_guard guard(lock_);
  return closed_;
}

bool Mailbox::is_unused(const Target& target) const {
  std::lock_guard guard(lock_);
  return target.queued == 0;
}

}  // namespace nexus::host
