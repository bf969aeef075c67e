#include "host/bus/lanes.hpp"

#include <algorithm>

namespace nexus::host {

SlotChunks::~SlotChunks() {
  while (first_ != nullptr) {
    Chunk* next = first_->next;
    delete first_;
    first_ = next;
  }
}

SlotChunks::Chunk* SlotChunks::get() {
  if (first_ == nullptr) return new Chunk;
  Chunk* chunk = first_;
  first_ = chunk->next;
  --count_;
  return chunk;
}

void SlotChunks::put(Chunk* chunk) {
  if (count_ == kKeptMax) {
    delete chunk;
    return;
  }
  chunk->next = first_;
  first_ = chunk;
  ++count_;
}

void SlotFifo::grow_back(SlotChunks& chunks) {
  SlotChunks::Chunk* chunk = chunks.get();
  chunk->next = nullptr;
  if (tail_ == nullptr) {
    head_ = chunk;
    head_index_ = 0;
  } else {
    tail_->next = chunk;
  }
  tail_ = chunk;
  tail_index_ = 0;
}

void SlotFifo::grow_front(SlotChunks& chunks) {
  SlotChunks::Chunk* chunk = chunks.get();
  chunk->next = head_;
  if (head_ == nullptr) {
    tail_ = chunk;
    tail_index_ = SlotChunks::kSlots;
  }
  head_ = chunk;
  head_index_ = SlotChunks::kSlots;
}

uint32_t SlotFifo::pop(Slot* out, uint32_t max, SlotChunks& chunks) {
  uint32_t taken = 0;
  while (taken < max && size_ > 0) {
    const uint32_t end = head_ == tail_ ? tail_index_ : SlotChunks::kSlots;
    const uint32_t run = std::min(max - taken, end - head_index_);
    std::copy_n(head_->slots + head_index_, run, out + taken);
    taken += run;
    size_ -= run;
    head_index_ += run;
    if (head_index_ == SlotChunks::kSlots && head_ != tail_) {
      SlotChunks::Chunk* next = head_->next;
      chunks.put(head_);
      head_ = next;
      head_index_ = 0;
    }
  }
  if (size_ == 0) head_index_ = tail_index_ = 0;  // starts over in the same chunk, which is warm
  return taken;
}

void SlotFifo::clear(SlotChunks& chunks) {
  while (head_ != nullptr) {
    SlotChunks::Chunk* next = head_ == tail_ ? nullptr : head_->next;
    chunks.put(head_);
    head_ = next;
  }
  *this = SlotFifo{};
}

Lanes::~Lanes() {
  for (Lane& lane : lanes_) lane.fifo.clear(chunks_);
}

void Lanes::find(int32_t level) {
  const auto at = std::lower_bound(lanes_.begin(), lanes_.end(), level,
                                   [](const Lane& lane, int32_t wanted) { return lane.level > wanted; });
  last_ = static_cast<size_t>(at - lanes_.begin());
  if (at != lanes_.end() && at->level == level) return;
  lanes_.insert(at, Lane{level, {}});
  if (size_ > 0 && last_ <= top_) ++top_;
  if (lanes_.size() <= kEmptyLanesMax + busy_ + 1) return;
  // Too many empty lanes: forget all of them but the new one.
  std::vector<Lane> kept;
  for (Lane& lane : lanes_) {
    if (lane.fifo.empty() && lane.level != level) {
      lane.fifo.clear(chunks_);
      continue;
    }
    kept.push_back(lane);
  }
  lanes_ = std::move(kept);
  top_ = last_ = 0;
  while (lanes_[last_].level != level) ++last_;
  while (size_ > 0 && lanes_[top_].fifo.empty()) ++top_;
}

void Lanes::emptied(size_t lane) {
  --busy_;
  if (size_ == 0) {
    top_ = 0;
    return;
  }
  if (lane == top_)
    while (lanes_[top_].fifo.empty()) ++top_;
}

uint32_t Lanes::take_from(size_t lane, Slot* out, uint32_t max, int32_t* level) {
  *level = lanes_[lane].level;
  const uint32_t taken = lanes_[lane].fifo.pop(out, max, chunks_);
  size_ -= taken;
  if (lanes_[lane].fifo.empty()) emptied(lane);
  return taken;
}

uint32_t Lanes::take(Slot* out, uint32_t max, int32_t* level) {
  if (size_ == 0 || max == 0) return 0;
  if (busy_ == 1) {
    since_aged_ = 0;
    return take_from(top_, out, max, level);
  }
  if (since_aged_ + 1 < kAgeing) {
    const uint32_t taken = take_from(top_, out, std::min(max, kAgeing - 1 - since_aged_), level);
    since_aged_ += taken;
    return taken;
  }
  since_aged_ = 0;
  // The turn of those below: the lowest, and in between each of the others in turn.
  const uint32_t below = busy_ - 1;
  const uint32_t turn = aged_++;
  uint32_t skip = turn % 2 == 0 ? below - 1 : (turn / 2) % below;
  size_t lane = top_ + 1;
  for (;; ++lane) {
    if (lanes_[lane].fifo.empty()) continue;
    if (skip == 0) break;
    --skip;
  }
  return take_from(lane, out, 1, level);
}

void Lanes::give_back(int32_t level, const Slot* slots, uint32_t count) {
  if (count == 0) return;
  find(level);
  Lane& lane = lanes_[last_];
  if (lane.fifo.empty()) {
    ++busy_;
    if (size_ == 0 || last_ < top_) top_ = last_;
  }
  for (uint32_t i = count; i > 0; --i) lane.fifo.push_front(slots[i - 1], chunks_);
  size_ += count;
}

bool Lanes::take_lowest(Slot* out) {
  if (size_ == 0) return false;
  size_t lane = lanes_.size() - 1;
  while (lanes_[lane].fifo.empty()) --lane;
  int32_t level = 0;
  return take_from(lane, out, 1, &level) == 1;
}

}  // namespace nexus::host
