#include "host/bus/epoch.hpp"

#include "host/base/os/barrier.hpp"

namespace nexus::host {

constinit Epochs Epochs::domain_;

void Epochs::find_barrier() {
  std::call_once(barrier_known_, [this] { fence_in_reader_ = !os::process_barrier_available(); });
}

EpochSlot* Epochs::acquire_slot() {
  find_barrier();
  for (EpochSlot* slot = first_.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) {
    bool taken = false;
    if (slot->taken.compare_exchange_strong(taken, true, std::memory_order_acq_rel)) return slot;
  }
  auto* slot = new EpochSlot;
  slot->next = first_.load(std::memory_order_relaxed);
  while (!first_.compare_exchange_weak(slot->next, slot, std::memory_order_release, std::memory_order_relaxed)) {
  }
  return slot;
}

void Epochs::release_slot(EpochSlot* slot) {
  slot->inside.store(0, std::memory_order_release);
  slot->taken.store(false, std::memory_order_release);
}

uint64_t Epochs::retire() { return current_.fetch_add(1, std::memory_order_seq_cst); }

bool Epochs::is_quiet(uint64_t retired_at) {
  find_barrier();
  if (!fence_in_reader_) os::process_barrier();
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (EpochSlot* slot = first_.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) {
    const uint64_t inside = slot->inside.load(std::memory_order_acquire);
    if (inside != 0 && inside <= retired_at) return false;
  }
  return true;
}

}  // namespace nexus::host
