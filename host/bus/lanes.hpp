// The waiting deliveries of one mailbox, by priority: FIFO inside a level, higher levels first, and ageing, so that a
// flood at the top leaves the lowest level at least one delivery in a hundred. Not thread-safe: the mailbox's lock
// guards it. Chunks are kept for reuse, so that a queue in its steady state allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/bus/slot.hpp"

namespace nexus::host {

// Chunks that a FIFO has emptied and another may fill.
class SlotChunks {
 public:
  static constexpr uint32_t kSlots = 255;
  struct Chunk {
    Chunk* next;
    Slot slots[kSlots];
  };
  SlotChunks() = default;
  SlotChunks(const SlotChunks&) = delete;
  SlotChunks& operator=(const SlotChunks&) = delete;
  ~SlotChunks();
  Chunk* get();
  void put(Chunk* chunk);

 private:
  static constexpr uint32_t kKeptMax = 8;
  Chunk* first_ = nullptr;
  uint32_t count_ = 0;
};

// A FIFO of slots that can also take slots back at its front.
class SlotFifo {
 public:
  uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void push_back(Slot slot, SlotChunks& chunks) {
    if (tail_ == nullptr || tail_index_ == SlotChunks::kSlots) grow_back(chunks);
    tail_->slots[tail_index_++] = slot;
    ++size_;
  }
  void push_front(Slot slot, SlotChunks& chunks) {
    if (head_ == nullptr || head_index_ == 0) grow_front(chunks);
    head_->slots[--head_index_] = slot;
    ++size_;
  }
  // Moves up to `max` slots to `out`; returns how many.
  uint32_t pop(Slot* out, uint32_t max, SlotChunks& chunks);
  void clear(SlotChunks& chunks);

 private:
  void grow_back(SlotChunks& chunks);
  void grow_front(SlotChunks& chunks);

  SlotChunks::Chunk* head_ = nullptr;
  SlotChunks::Chunk* tail_ = nullptr;
  uint32_t head_index_ = 0;
  uint32_t tail_index_ = 0;
  uint32_t size_ = 0;
};

class Lanes {
 public:
  Lanes() { lanes_.push_back(Lane{0, {}}); }
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // Of every kAgeing deliveries that pass a waiting lower level, one goes to a lower level; every other one of those
  // to the lowest, which so gets at least 1 in 100.
  static constexpr uint32_t kAgeing = 50;
  // Empty lanes beyond this are forgotten: priorities are any i32, and a program may use thousands.
  static constexpr size_t kEmptyLanesMax = 16;

  uint32_t size() const { return size_; }
  size_t lane_count() const { return lanes_.size(); }
  // The only level with something waiting; kNoLevel when there is none, or several.
  static constexpr int64_t kNoLevel = INT64_MIN;
  int64_t lane_in_use() const { return busy_ == 1 ? top_level() : kNoLevel; }
  // The highest level with something waiting; meaningless when empty.
  int32_t top_level() const { return lanes_[top_].level; }

  void push(int32_t level, Slot slot) {
    if (lanes_[last_].level != level) find(level);
    add(last_, slot);
  }
  // Gives slots back that were taken but not started, so that they come first again, in the order given.
  void give_back(int32_t level, const Slot* slots, uint32_t count);
  // Takes up to `max` slots, all of one level, which is stored at `level`.
  uint32_t take(Slot* out, uint32_t max, int32_t* level);
  // Takes the oldest slot of the lowest level, for `drop_oldest`. False when empty.
  bool take_lowest(Slot* out);

 private:
  struct Lane {
    int32_t level;
    SlotFifo fifo;
  };

  void add(size_t lane, Slot slot) {
    if (lanes_[lane].fifo.empty()) {
      ++busy_;
      if (size_ == 0 || lane < top_) top_ = lane;
    }
    lanes_[lane].fifo.push_back(slot, chunks_);
    ++size_;
  }
  void find(int32_t level);
  void emptied(size_t lane);
  uint32_t take_from(size_t lane, Slot* out, uint32_t max, int32_t* level);

  SlotChunks chunks_;
  std::vector<Lane> lanes_;  // by level, highest first; never without at least one
  size_t top_ = 0;           // the first lane with something in it
  size_t last_ = 0;          // where the last push went
  uint32_t busy_ = 0;        // lanes with something in them
  uint32_t size_ = 0;
  uint32_t since_aged_ = 0;
  uint32_t aged_ = 0;
};

}  // namespace nexus::host
