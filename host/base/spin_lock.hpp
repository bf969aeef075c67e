// A lock for critical sections of a few dozen instructions, held by threads that never call out while they hold it.
// Waiters spin with plain nops (PAUSE traps in some virtual machines) and then yield, so that a preempted holder gets
// its core back. Unlocking is a plain store. Fulfils Lockable; not recursive, not fair.
#pragma once

#include <atomic>
#include <thread>

namespace nexus::host {

// A few cycles of nothing that neither the compiler nor a hypervisor turns into something longer.
inline void relax() {
#if defined(__GNUC__)
  asm volatile("nop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop" ::: "memory");
#endif
}

class SpinLock {
 public:
  void lock() {
    if (!held_.exchange(true, std::memory_order_acquire)) [[likely]] return;
    lock_contended();
  }
  bool try_lock() { return !held_.exchange(true, std::memory_order_acquire); }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  [[gnu::noinline]] void lock_contended() {
    for (;;) {
      for (int i = 0; i < 200 && held_.load(std::memory_order_relaxed); ++i) relax();
      if (held_.load(std::memory_order_relaxed)) std::this_thread::yield();
      if (!held_.exchange(true, std::memory_order_acquire)) return;
    }
  }

  std::atomic<bool> held_{false};
};

}  // namespace nexus::host
