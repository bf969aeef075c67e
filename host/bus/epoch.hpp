// Safe reclamation of the routes that emits read without a lock. A reader marks itself inside by a plain store of the
// current epoch into its own slot; the one that retires something pays for the fences with membarrier(2), or, where
// that is missing, readers fence too. One domain for the process, since threads emit on every bus.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace nexus::host {

// One per thread, never freed, reused by later threads.
struct alignas(64) EpochSlot {
  std::atomic<uint64_t> inside{0};  // the epoch it entered in, 0 when outside
  std::atomic<bool> taken{true};
  EpochSlot* next = nullptr;
};

class Epochs {
 public:
  static Epochs& instance() { return domain_; }

  // The calling thread's slot; given back when the thread ends.
  EpochSlot* acquire_slot();
  void release_slot(EpochSlot* slot);

  void enter(EpochSlot& slot) {
    slot.inside.store(current_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    if (fence_in_reader_) [[unlikely]]
      std::atomic_thread_fence(std::memory_order_seq_cst);
    else
      std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  void leave(EpochSlot& slot) { slot.inside.store(0, std::memory_order_release); }

  // Call after something has been made unreachable; pass the result to is_quiet.
  uint64_t retire();
  // True once no reader that may still see what was retired before is inside.
  bool is_quiet(uint64_t retired_at);

 private:
  constexpr Epochs() = default;
  void find_barrier();

  // Trivially destroyed: threads may outlive static destructors.
  static Epochs domain_;

  std::atomic<uint64_t> current_{1};
  std::atomic<EpochSlot*> first_{nullptr};
  std::once_flag barrier_known_;
  bool fence_in_reader_ = true;  // settled before the first slot is given out
};

}  // namespace nexus::host
