// What the asker of J5 waits for: a count that one thread raises and one waits for. It spins for a moment and then
// sleeps, as std::atomic does by itself; the bus and its peers are waited for in the same way.
#pragma once

#include <atomic>
#include <cstdint>

namespace nexus::bench {

class Bell {
 public:
  void ring() {
    rung_.fetch_add(1, std::memory_order_release);
    rung_.notify_one();
  }
  void wait_for(uint64_t count) const {
    for (;;) {
      const uint64_t now = rung_.load(std::memory_order_acquire);
      if (now >= count) return;
      rung_.wait(now, std::memory_order_acquire);
    }
  }

 private:
  std::atomic<uint64_t> rung_{0};
};

}  // namespace nexus::bench
