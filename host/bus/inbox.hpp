// What emitters have pushed into a mailbox and its runner has not looked at yet, in the order of arrival. Emitters push
// one at a time, under a lock of the owner's; one consumer at a time reads, under another one or none, and touches no
// memory that emitters write but the slots themselves. So a consumer that keeps up costs emitters one cache line in
// four events, and one that lags costs them nothing. Chunks go round: a queue in its steady state allocates nothing.
#pragma once

#include <atomic>
#include <cstdint>

#include "host/bus/slot.hpp"

namespace nexus::host {

class Inbox {
 public:
  Inbox() = default;
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // ---- Emitters ---------------------------------------------------------------------------------------------------
  // `slot.item` must not be null: that is what says that a slot is filled.
  void push(Slot slot) {
    if (tail_index_ == kSlots) [[unlikely]]
      grow();
    Cell& cell = tail_->cells[tail_index_++];
    cell.target = slot.target;
    cell.item.store(slot.item, std::memory_order_release);
  }

  // The next push will not allocate.
  void prepare() {
    if (tail_index_ == kSlots) [[unlikely]]
      grow();
  }

  // ---- The consumer -----------------------------------------------------------------------------------------------
  bool empty() {
    if (head_index_ == kSlots && !advance()) return true;
    return head_->cells[head_index_].item.load(std::memory_order_acquire) == nullptr;
  }
  // Moves up to `max` slots to `out`; returns how many.
  uint32_t take(Slot* out, uint32_t max);

 private:
  struct Cell {
    std::atomic<void*> item{nullptr};
    Target* target = nullptr;
  };
  static constexpr uint32_t kSlots = 252;  // with the header, a chunk is 4 KiB
  struct alignas(64) Chunk {
    std::atomic<Chunk*> next{nullptr};
    alignas(64) Cell cells[kSlots];
  };
  static constexpr uint32_t kKeptMax = 8;

  void grow();
  bool advance();
  void give_back(Chunk* chunk);
  static void delete_list(Chunk* chunk);

  // Emitters'.
  Chunk* tail_ = nullptr;
  uint32_t tail_index_ = kSlots;
  Chunk* free_ = nullptr;
  // Both sides', a few times in a chunk.
  std::atomic<Chunk*> first_{nullptr};
  std::atomic<Chunk*> returned_{nullptr};  // emptied ones, on their way back
  std::atomic<uint32_t> kept_{0};          // how many are in returned_ or free_
  // The consumer's.
  alignas(64) Chunk* head_ = nullptr;
  uint32_t head_index_ = kSlots;
};

}  // namespace nexus::host
