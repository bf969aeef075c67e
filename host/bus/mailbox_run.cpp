// The runner's side of a mailbox: taking batches in the order of levels, and ending turns. See mailbox.hpp.
#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "host/bus/mailbox.hpp"
#include "host/bus/target.hpp"
#include "host/event/block.hpp"

namespace nexus::host {

bool Mailbox::keep_going() {
  if (has_signal(kSignalRoom) &&
      started_.load(std::memory_order_relaxed) + 1 >= room_at_.load(std::memory_order_relaxed)) {
    unsignal(kSignalRoom);
    wake_waiters();
  }
  if (has_signal(kSignalSorting) && higher_has_come()) return false;
  return !has_signal(kSignalPreempt | kSignalPause);
}

// While sorting_: nobody tells, so the runner looks.
bool Mailbox::higher_has_come() {
  std::lock_guard running(run_lock_);
  if (inbox_.empty()) return false;
  ingest_running();
  return lanes_.top_level() > level_now_;
}

bool Mailbox::has_work_hint() {
  if (!run_lock_.try_lock()) return true;
  const bool has_work = !inbox_.empty();
  run_lock_.unlock();
  return has_work;
}

// The finished slots no longer hold their targets, the unstarted ones go back to the front.
void Mailbox::settle_running(Batch& batch) {
  Target* target = nullptr;
  uint64_t run = 0;
  for (uint32_t i = 0; i < batch.next; ++i) {
    if (batch.slots[i].target != target) {
      if (target != nullptr) target->finished += run;
      target = batch.slots[i].target;
      run = 0;
    }
    ++run;
  }
  if (target != nullptr) target->finished += run;
  if (batch.key != KeyTurns::kNoKey) {
    if (batch.next < batch.size)
      key_turns_.give_back(batch.key, batch.slots[batch.next++]);
    else
      key_turns_.leave(batch.key);
    batch.key = KeyTurns::kNoKey;
  }
  if (expects_keys_.load(std::memory_order_relaxed)) {
    for (uint32_t i = 0; i < batch.size; ++i) {
      const uint64_t counted = std::exchange(batch.keys[i], KeyTurns::kNoKey);
      if (i < batch.next) {
        key_levels_.leave(counted);
      } else if (counted == KeyTurns::kNoKey) {
        if (const uint64_t key = key_of(batch.slots[i]); key != KeyTurns::kNoKey) key_levels_.enter(key, batch.level);
      }
    }
  }
  if (batch.next < batch.size) lanes_.give_back(batch.level, batch.slots + batch.next, batch.size - batch.next);
  batch.size = batch.next = 0;
}

// A number for the key of a slot's event, or kNoKey.
uint64_t Mailbox::key_of(const Slot& slot) {
  if (slot.target == nullptr) return KeyTurns::kNoKey;
  const auto* event = static_cast<const EventBlock*>(slot.item);
  if ((event->host_flags & EventBlock::kHostKeyed) == 0) return KeyTurns::kNoKey;
  return std::hash<std::string_view>()(to_view(event->event.key)) | 1;
}

void Mailbox::to_lanes_running(const Slot& slot) {
  int32_t level = level_of(slot);
  if (expects_keys_.load(std::memory_order_relaxed))
    if (const uint64_t key = key_of(slot); key != KeyTurns::kNoKey) level = key_levels_.enter(key, level);
  lanes_.push(level, slot);
}

// Keys go on counting until their slots have run; without `keys` they end here.
uint32_t Mailbox::from_lanes_running(Slot* out, uint32_t max, int32_t* level, uint64_t* keys) {
  const uint32_t taken = lanes_.take(out, max, level);
  if (!expects_keys_.load(std::memory_order_relaxed)) return taken;
  for (uint32_t i = 0; i < taken; ++i) {
    const uint64_t key = key_of(out[i]);
    if (keys != nullptr)
      keys[i] = key;
    else
      key_levels_.leave(key);
  }
  return taken;
}

// Of a parallel mailbox: one that waited for its key's turn.
bool Mailbox::take_ready_running(Batch& batch) {
  if (!key_turns_.has_ready()) return false;
  batch.key = key_turns_.take_ready(&batch.slots[0]);
  batch.level = level_of(batch.slots[0]);
  batch.size = 1;
  return true;
}

// Whether the slot that was taken may run now; else it waits for its key's turn.
bool Mailbox::keep_turn_running(Batch& batch) {
  if (batch.slots[0].target == nullptr || !batch.slots[0].target->is_keyed) return true;
  const uint64_t key = key_of(batch.slots[0]);
  if (key == KeyTurns::kNoKey) return true;
  // From here on the turns keep its key in order.
  key_levels_.leave(std::exchange(batch.keys[0], KeyTurns::kNoKey));
  if (!key_turns_.enter(key, batch.slots[0])) return false;
  batch.key = key;
  return true;
}

// Moves all there is in the inbox to the lanes.
void Mailbox::ingest_running() {
  Slot slots[Batch::kMax];
  while (const uint32_t count = inbox_.take(slots, Batch::kMax)) {
    for (uint32_t i = 0; i < count; ++i)
      if (slots[i].target != nullptr)
        __builtin_prefetch(&static_cast<const EventBlock*>(slots[i].item)->event.priority);
    for (uint32_t i = 0; i < count; ++i) to_lanes_running(slots[i]);
  }
}

// What has to come to stop this batch. Where ageing chose a lower level, more than that: else it would never have its
// turn.
int64_t Mailbox::level_to_beat_running(const Batch& batch) const {
  return lanes_.size() == 0 ? batch.level : std::max(batch.level, lanes_.top_level());
}

// While several levels arrive: few at a time, and before each the inbox is looked through, so that nobody has to be
// told of a higher one. This meets the emitters in the inbox only, as the other way does.
uint32_t Mailbox::take_sorted_running(Batch& batch) {
  constexpr uint32_t kFew = 8;
  constexpr uint32_t kInOrderMax = 256;
  ingest_running();
  const uint32_t taken = from_lanes_running(batch.slots, std::min(batch_max_, kFew), &batch.level, batch.keys);
  if (taken == 0) return 0;
  const int64_t level = level_to_beat_running(batch);
  const bool in_order = level == level_now_ && (lanes_.size() == 0 || lanes_.lane_in_use() == batch.level);
  in_order_ = in_order ? in_order_ + 1 : 0;
  level_now_ = level;
  if (in_order_ > kInOrderMax) [[unlikely]] {
    std::lock_guard pushing(lock_);
    end_sorting_both();
  }
  return taken;
}

void Mailbox::end_sorting_both() {
  ingest_running();
  unsignal(kSignalMixed | kSignalSorting);
  sorting_ = false;
  level_now_ = kNoLevel;  // the next take says above what to be told
}

// What is left in the lanes, in its order, and so that from here on a push above the level that runs is told.
uint32_t Mailbox::take_lanes_both(Batch& batch) {
  // What is all of the inbox's level came first, and can go first without looking at what came later.
  const bool mixed = has_signal(kSignalMixed);
  if (mixed || lanes_.lane_in_use() != inbox_level_) ingest_running();
  if (mixed) unsignal(kSignalMixed);
  if (has_signal(kSignalPreempt)) unsignal(kSignalPreempt);
  uint32_t taken = from_lanes_running(batch.slots, batch_max_, &batch.level, batch.keys);
  if (taken != 0 && lanes_.size() == 0 && batch.level == inbox_level_)
    taken += inbox_.take(batch.slots + taken, batch_max_ - taken);
  if (taken != 0 && !is_parallel()) level_now_ = told_above_ = level_to_beat_running(batch);
  return taken;
}

uint32_t Mailbox::take_running(Batch& batch) {
  if (sorting_) return take_sorted_running(batch);
  uint32_t taken = 0;
  if (!has_signal(kSignalMixed)) [[likely]] {
    if (lanes_.size() != 0 || has_signal(kSignalPreempt)) [[unlikely]] {
      std::lock_guard pushing(lock_);
      return take_lanes_both(batch);
    }
    taken = inbox_.take(batch.slots, batch_max_);
    if (taken == 0) return 0;
    batch.level = level_of(batch.slots[0]);
    if (batch.level == level_now_ && !has_signal(kSignalMixed)) [[likely]]
      return taken;
  }
  {
    std::lock_guard pushing(lock_);
    if (!has_signal(kSignalMixed)) {
      level_now_ = told_above_ = batch.level;
      return taken;
    }
    if (has_signal(kSignalPreempt)) unsignal(kSignalPreempt);
    told_above_ = kNoPush;
  }
  signal(kSignalSorting);
  sorting_ = true;
  in_order_ = 0;
  for (uint32_t i = 0; i < taken; ++i) to_lanes_running(batch.slots[i]);
  return take_sorted_running(batch);
}

uint32_t Mailbox::take_serial(Batch& batch, bool end_turn, bool* ended) {
  std::lock_guard running(run_lock_);
  settle_running(batch);
  if (!has_signal(kSignalPause)) [[likely]] {
    batch.size = take_running(batch);
    if (batch.size != 0 || !end_turn) [[likely]]
      return batch.size;
  }
  std::lock_guard pushing(lock_);
  if (has_signal(kSignalPause) || is_empty_both()) {
    if (sorting_) end_sorting_both();
    level_now_ = kNoLevel;
    end_turn_pushing();
    *ended = true;
  }
  return 0;
}

uint32_t Mailbox::take_parallel(Batch& batch, bool end_turn, bool* ended) {
  bool reschedule = false;
  int32_t level = 0;
  {
    std::lock_guard running(run_lock_);
    std::lock_guard pushing(lock_);
    settle_running(batch);
    // Only the worker that took it from the runner's queue knows that it is no longer there: another one may run it at
    // the same time, and queueing it twice would lose a turn.
    if (batch.begins_turn) queued_ = batch.begins_turn = false;
    while (batch.size == 0 && !has_signal(kSignalPause)) {
      if (take_ready_running(batch)) break;
      batch.size = take_lanes_both(batch);
      if (batch.size == 0 || keep_turn_running(batch)) break;
      batch.size = 0;
    }
    if (batch.size == 0 && (end_turn || has_signal(kSignalPause))) {
      end_turn_pushing();
      *ended = true;
    } else {
      reschedule = begin_turn_if_waiting_both(&level);
    }
  }
  if (reschedule) runner_.schedule(*this, level);
  return batch.size;
}

uint32_t Mailbox::take(Batch& batch, bool end_turn, bool* ended) {
  *ended = false;
  const uint32_t taken = is_parallel() ? take_parallel(batch, end_turn, ended) : take_serial(batch, end_turn, ended);
  if (*ended && sleepers_.load(std::memory_order_relaxed) != 0) wake_waiters();
  return taken;
}

void Mailbox::yield_turn(Batch& batch) {
  bool schedule = false;
  int32_t level = 0;
  {
    std::lock_guard running(run_lock_);
    std::lock_guard pushing(lock_);
    settle_running(batch);
    if (sorting_) end_sorting_both();
    level_now_ = kNoLevel;
    end_turn_pushing();
    schedule = begin_turn_if_waiting_both(&level);
  }
  if (sleepers_.load(std::memory_order_relaxed) != 0) wake_waiters();
  if (schedule) runner_.schedule(*this, level);
}

}  // namespace nexus::host
