#include "tests/bench/driver/machine.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace nexus::bench {
namespace {

constexpr int kRepeats = 9;

// The best of several: whatever else runs can only make it worse.
template <class Work>
double best_ns(int count, Work work) {
  std::vector<double> results;
  for (int i = 0; i < kRepeats; ++i) {
    const auto began = std::chrono::steady_clock::now();
    work(count);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
    results.push_back(took.count() / count);
  }
  return *std::min_element(results.begin(), results.end());
}

void ping_pong(int count) {
  std::atomic<int> turn{0};
  std::thread other([&] {
    for (int i = 1; i < count; i += 2) {
      while (turn.load(std::memory_order_acquire) != i) {
      }
      turn.store(i + 1, std::memory_order_release);
    }
  });
  for (int i = 0; i < count; i += 2) {
    while (turn.load(std::memory_order_acquire) != i) {
    }
    turn.store(i + 1, std::memory_order_release);
  }
  other.join();
}

}  // namespace

Machine measure_machine() {
  Machine machine;
  if (std::thread::hardware_concurrency() > 1) machine.hand_off_ns = best_ns(2000, ping_pong);
  machine.clock_ns = best_ns(10000, [](int count) {
    for (int i = 0; i < count; ++i) static_cast<void>(std::chrono::system_clock::now());
  });
  machine.malloc_ns = best_ns(10000, [](int count) {
    for (int i = 0; i < count; ++i) {
      void* volatile memory = std::malloc(256);
      std::free(memory);
    }
  });
  return machine;
}

std::string to_text(const Machine& machine) {
  char text[160];
  std::snprintf(text, sizeof text, "machine: hand-off between cores %.0f ns, clock %.0f ns, malloc and free %.0f ns\n",
                machine.hand_off_ns, machine.clock_ns, machine.malloc_ns);
  return text;
}

}  // namespace nexus::bench
