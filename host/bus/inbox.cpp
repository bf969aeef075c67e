#include "host/bus/inbox.hpp"

#include <algorithm>

namespace nexus::host {

Inbox::~Inbox() {
  delete_list(head_ != nullptr ? head_ : first_.load(std::memory_order_relaxed));
  delete_list(returned_.load(std::memory_order_relaxed));
  delete_list(free_);
}

void Inbox::delete_list(Chunk* chunk) {
  while (chunk != nullptr) {
    Chunk* next = chunk->next.load(std::memory_order_relaxed);
    delete chunk;
    chunk = next;
  }
}

// Another chunk at the end, an emptied one if there is any.
[[gnu::noinline]] void Inbox::grow() {
  if (free_ == nullptr) free_ = returned_.exchange(nullptr, std::memory_order_acquire);
  Chunk* chunk = free_;
  if (chunk != nullptr) {
    free_ = chunk->next.load(std::memory_order_relaxed);
    kept_.fetch_sub(1, std::memory_order_relaxed);
    // Emptied here and not by the consumer: these lines are about to be written by this thread anyway.
    for (Cell& cell : chunk->cells) cell.item.store(nullptr, std::memory_order_relaxed);
    chunk->next.store(nullptr, std::memory_order_relaxed);
  } else {
    chunk = new Chunk;
  }
  std::atomic<Chunk*>& link = tail_ != nullptr ? tail_->next : first_;
  tail_ = chunk;
  tail_index_ = 0;
  link.store(chunk, std::memory_order_release);
}

// To the next chunk; false while there is none.
[[gnu::noinline]] bool Inbox::advance() {
  Chunk* next = (head_ != nullptr ? head_->next : first_).load(std::memory_order_acquire);
  if (next == nullptr) return false;
  if (head_ != nullptr) give_back(head_);
  head_ = next;
  head_index_ = 0;
  return true;
}

void Inbox::give_back(Chunk* chunk) {
  if (kept_.load(std::memory_order_relaxed) >= kKeptMax) {
    delete chunk;
    return;
  }
  kept_.fetch_add(1, std::memory_order_relaxed);
  Chunk* first = returned_.load(std::memory_order_relaxed);
  do {
    chunk->next.store(first, std::memory_order_relaxed);
  } while (!returned_.compare_exchange_weak(first, chunk, std::memory_order_release, std::memory_order_relaxed));
}

uint32_t Inbox::take(Slot* out, uint32_t max) {
  uint32_t taken = 0;
  while (taken < max) {
    if (head_index_ == kSlots && !advance()) break;
    const Cell* const begin = head_->cells + head_index_;
    const Cell* const end = begin + std::min(max - taken, kSlots - head_index_);
    const Cell* cell = begin;
    for (Slot* to = out + taken; cell != end; ++cell, ++to) {
      void* item = cell->item.load(std::memory_order_acquire);
      if (item == nullptr) break;
      *to = {item, cell->target};
    }
    taken += static_cast<uint32_t>(cell - begin);
    head_index_ += static_cast<uint32_t>(cell - begin);
    if (cell != end) break;
  }
  return taken;
}

}  // namespace nexus::host
