#include "host/bus/mailbox.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

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

uint64_t next_number() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

int64_t monotonic_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Mailbox::Mailbox(Participant& owner, MailboxRunner& runner, const MailboxOptions& options)
    : owner_(owner),
      runner_(runner),
      options_(options),
      number_(next_number()),
      batch_max_(batch_size(options)),
      hard_extra_(int64_t{options.size_max_hard} - int64_t{options.size_max}),
      bound_(options.size_max) {}

Mailbox::~Mailbox() = default;

// ---- Emitters -----------------------------------------------------------------------------------------------------

// Looks up how many have been started since the last look; emitters do so only when the mailbox seems full.
bool Mailbox::find_room_pushing(bool hard) {
  if (closed_) return false;
  if (has_room(hard)) return true;
  bound_ = int64_t{options_.size_max} + removed_ + started_.load(std::memory_order_relaxed) - int64_t{reserved_};
  return has_room(hard);
}

// The runner sees the signal no later than the slot that follows.
void Mailbox::mix_pushing(int32_t level) {
  inbox_level_ = level;
  if (!has_signal(kSignalMixed)) signal(kSignalMixed);
}

bool Mailbox::may_begin_turn_pushing() const {
  return !queued_ && turns_ < options_.turns_max && !has_signal(kSignalPause);
}

void Mailbox::begin_turn_pushing() {
  ++turns_;
  if (is_parallel())
    queued_ = true;
  else
    told_above_ = kNoPush;  // until the runner has taken something, and says of what level
}

void Mailbox::end_turn_pushing() {
  --turns_;
  if (!is_parallel()) told_above_ = has_signal(kSignalPause) ? kNoPush : kEveryPush;
}

void Mailbox::added_unusual_pushing(bool* schedule) {
  if (turns_ == 0 || is_parallel()) {
    if (!may_begin_turn_pushing()) return;
    begin_turn_pushing();
    *schedule = true;
  } else if (!has_signal(kSignalPreempt)) {
    signal(kSignalPreempt);
  }
}

bool Mailbox::begin_turn_if_waiting_both(int32_t* level) {
  if (is_empty_both() || !may_begin_turn_pushing()) return false;
  begin_turn_pushing();
  *level = lanes_.size() != 0 ? lanes_.top_level() : inbox_level_;
  return true;
}

// Makes room by taking out what has waited longest at the lowest level. A task is no event: it stays.
bool Mailbox::drop_oldest_both(Slot* dropped) {
  if (options_.overflow != Overflow::kDropOldest || dropped == nullptr) return false;
  ingest_running();
  Slot oldest;
  std::vector<Slot> tasks;
  while (lanes_.take_lowest(&oldest) && oldest.target == nullptr) tasks.push_back(std::exchange(oldest, {}));
  lanes_.give_back(0, tasks.data(), static_cast<uint32_t>(tasks.size()));
  if (oldest.item == nullptr) return false;
  *dropped = oldest;
  if (const uint64_t key = key_of(oldest); key != KeyTurns::kNoKey) key_levels_.leave(key);
  ++removed_;
  ++bound_;
  ++oldest.target->finished;
  return true;
}

Mailbox::Push Mailbox::push_slow(EventBlock* event, Target* target, bool hard, Slot* dropped) {
  bool schedule = false;
  const int32_t level = event->event.priority;
  {
    std::lock_guard running(run_lock_);
    std::lock_guard pushing(lock_);
    if (closed_) return Push::kClosed;
    if (!find_room_pushing(hard) && !drop_oldest_both(dropped)) return Push::kFull;
    add(level, Slot{event, target}, &schedule);
    ++target->pushed;
  }
  if (schedule) runner_.schedule(*this, level);
  return Push::kAccepted;
}

uint32_t Mailbox::push_run(const Slot* slots, uint32_t count) {
  bool schedule = false;
  uint32_t accepted = 0;
  const int32_t level = level_of(slots[0]);
  {
    std::lock_guard guard(lock_);
    for (; accepted < count && (has_room(false) || find_room_pushing(false)); ++accepted) {
      add(level, slots[accepted], &schedule);
      ++slots[accepted].target->pushed;
    }
  }
  if (schedule) runner_.schedule(*this, level);
  return accepted;
}

// Holds the locks of all the mailboxes at once. Nobody waits for a second mailbox's lock while holding one, but here,
// and here in the order of their numbers.
class Mailbox::TogetherLock {
 public:
  explicit TogetherLock(Target* const* targets) : held_(targets), next_(targets) {}
  ~TogetherLock() {
    while (held_ != next_) unlock_first();
  }
  TogetherLock(const TogetherLock&) = delete;
  TogetherLock& operator=(const TogetherLock&) = delete;
  void lock_next() { (*next_++)->mailbox->lock_.lock(); }
  void unlock_first() { (*held_++)->mailbox->lock_.unlock(); }

 private:
  Target* const* held_;
  Target* const* next_;
};

Mailbox::Push Mailbox::push_all(EventBlock* event, const std::vector<Target*>& targets, bool hard) {
  const auto count = static_cast<uint32_t>(targets.size());
  if (count == 0) [[unlikely]]
    return Push::kFull;
  Target* const* const first = targets.data();
  const int32_t level = event->event.priority;
  uint32_t to_schedule = 0;
  {
    TogetherLock lock(first);
    for (uint32_t i = 0; i < count; ++i) {
      lock.lock_next();
      Mailbox& mailbox = *first[i]->mailbox;
      if (!mailbox.has_room(hard) && !mailbox.find_room_pushing(hard)) [[unlikely]]
        return mailbox.closed_ ? Push::kClosed : Push::kFull;
      mailbox.inbox_.prepare();
    }
    event->references.fetch_add(count - 1, std::memory_order_relaxed);
    for (uint32_t i = 0; i < count; ++i) {
      bool schedule = false;
      first[i]->mailbox->add(level, Slot{event, first[i]}, &schedule);
      ++first[i]->pushed;
      lock.unlock_first();
      if (schedule) [[unlikely]]
        to_schedule |= 1u << i;
    }
  }
  for (uint32_t i = 0; to_schedule != 0; ++i, to_schedule >>= 1)
    if ((to_schedule & 1u) != 0) first[i]->mailbox->runner_.schedule(*first[i]->mailbox, level);
  return Push::kAccepted;
}

Mailbox::Push Mailbox::reserve(bool hard, Slot* dropped) {
  {
    std::lock_guard guard(lock_);
    if (closed_) return Push::kClosed;
    if (find_room_pushing(hard)) [[likely]] {
      ++reserved_;
      --bound_;
      return Push::kAccepted;
    }
  }
  std::lock_guard running(run_lock_);
  std::lock_guard pushing(lock_);
  if (closed_) return Push::kClosed;
  if (!find_room_pushing(hard) && !drop_oldest_both(dropped)) return Push::kFull;
  ++reserved_;
  --bound_;
  return Push::kAccepted;
}

void Mailbox::unreserve() {
  {
    std::lock_guard guard(lock_);
    --reserved_;
    ++bound_;
  }
  if (sleepers_.load(std::memory_order_relaxed) != 0) wake_waiters();
}

Mailbox::Push Mailbox::push_reserved(EventBlock* event, Target* target) {
  if ((event->host_flags & EventBlock::kHostKeyed) != 0) expect_keys();
  bool schedule = false;
  const int32_t level = event->event.priority;
  {
    std::lock_guard guard(lock_);
    --reserved_;
    ++bound_;
    if (closed_) [[unlikely]]
      return Push::kClosed;
    add(level, Slot{event, target}, &schedule);
    ++target->pushed;
  }
  if (schedule) runner_.schedule(*this, level);
  return Push::kAccepted;
}

void Mailbox::reserve_forced() {
  std::lock_guard guard(lock_);
  ++reserved_;
  --bound_;
}

Mailbox::Push Mailbox::push_forced(EventBlock* event, Target* target) {
  reserve_forced();
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
    if (closed_ || find_room_pushing(false)) return true;
    // Not at the first free slot: waking up costs as much as a hundred deliveries.
    const int64_t some = std::max<int64_t>(1, options_.size_max / 8);
    room_at_.store(started_.load(std::memory_order_relaxed) + some, std::memory_order_relaxed);
    signal(kSignalRoom);
    return false;
  });
}

// ---- Control ------------------------------------------------------------------------------------------------------

void Mailbox::wake_waiters() {
  { std::lock_guard guard(wait_mutex_); }
  wait_condition_.notify_all();
}

bool Mailbox::wait_until(int64_t deadline_monotonic_ns, const std::function<bool()>& done_both) {
  // Short slices on the system clock: the flag that asks the runner for a wake-up is read without a fence, so one may
  // be missed; and ThreadSanitizer of gcc 12 does not know waits on the steady clock.
  constexpr int64_t kSliceNs = 2'000'000;
  std::unique_lock waiting(wait_mutex_);
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  bool done = false;
  for (;;) {
    {
      std::lock_guard running(run_lock_);
      std::lock_guard pushing(lock_);
      done = done_both();
    }
    if (done) break;
    const int64_t left = deadline_monotonic_ns - monotonic_now_ns();
    if (left <= 0) break;
    wait_condition_.wait_until(waiting,
                               std::chrono::system_clock::now() + std::chrono::nanoseconds(std::min(left, kSliceNs)));
  }
  sleepers_.fetch_sub(1, std::memory_order_relaxed);
  return done;
}

bool Mailbox::pause(int64_t deadline_monotonic_ns) {
  {
    std::lock_guard guard(lock_);
    signal(kSignalPause);
    if (turns_ == 0 && !is_parallel()) told_above_ = kNoPush;
  }
  return wait_until(deadline_monotonic_ns, [this] { return turns_ == 0; });
}

void Mailbox::resume() {
  bool schedule = false;
  int32_t level = 0;
  {
    std::lock_guard running(run_lock_);
    std::lock_guard pushing(lock_);
    unsignal(kSignalPause);
    if (turns_ == 0) told_above_ = kEveryPush;
    schedule = begin_turn_if_waiting_both(&level);
  }
  if (schedule) runner_.schedule(*this, level);
}

bool Mailbox::drain(int64_t deadline_monotonic_ns) {
  return wait_until(deadline_monotonic_ns, [this] { return turns_ == 0 && is_empty_both() && reserved_ == 0; });
}

std::vector<Slot> Mailbox::close() {
  std::vector<Slot> left;
  std::vector<int32_t> levels;
  {
    std::lock_guard running(run_lock_);
    std::lock_guard pushing(lock_);
    closed_ = true;
    bound_ = INT64_MIN / 2;  // no push finds room
    ingest_running();
    left = key_turns_.take_all();
    for (const Slot& slot : left) levels.push_back(level_of(slot));
    size_t taken = left.size();
    left.resize(taken + lanes_.size());
    while (taken < left.size()) {
      int32_t level = 0;
      taken += from_lanes_running(left.data() + taken, lanes_.size(), &level, nullptr);
      levels.resize(taken, level);
    }
    for (const Slot& slot : left)
      if (slot.target != nullptr) ++slot.target->finished;
    removed_ += static_cast<int64_t>(left.size());
  }
  if (sleepers_.load(std::memory_order_relaxed) != 0) wake_waiters();
  // Ageing has mixed a few of the lower levels in between; FIFO inside a level is what counts.
  std::vector<size_t> order(left.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return levels[a] > levels[b]; });
  std::vector<Slot> sorted;
  sorted.reserve(left.size());
  for (const size_t i : order) sorted.push_back(left[i]);
  return sorted;
}

void Mailbox::prepend(const std::vector<Slot>& slots) {
  std::lock_guard running(run_lock_);
  std::lock_guard pushing(lock_);
  // What is here already is younger, but can be of a key that comes back: it goes behind.
  std::vector<Slot> younger;
  ingest_running();
  int32_t level = 0;
  while (lanes_.size() != 0) {
    const size_t at = younger.size();
    younger.resize(at + lanes_.size());
    younger.resize(at + from_lanes_running(younger.data() + at, lanes_.size(), &level, nullptr));
  }
  for (const Slot& slot : slots) {
    if (slot.target != nullptr) ++slot.target->pushed;
    if (key_of(slot) != KeyTurns::kNoKey) expect_keys();
    to_lanes_running(slot);
  }
  for (const Slot& slot : younger) to_lanes_running(slot);
  pushed_ += static_cast<int64_t>(slots.size());
}

// ---- Figures ------------------------------------------------------------------------------------------------------

uint64_t Mailbox::depth() const {
  std::lock_guard guard(lock_);
  return static_cast<uint64_t>(pushed_ + int64_t{reserved_} - removed_ - started_.load(std::memory_order_relaxed));
}

bool Mailbox::is_closed() const {
  std::lock_guard guard(lock_);
  return closed_;
}

bool Mailbox::is_unused(const Target& target) const {
  std::lock_guard running(run_lock_);
  std::lock_guard pushing(lock_);
  return target.pushed == target.finished;
}

}  // namespace nexus::host
