// How often and how soon a failed delivery is tried again. Plain constants; the waiting is the host's work.
#pragma once

#include <chrono>
#include <cstdint>

namespace nexus {

// What `.retry` of a handler takes. Use one of the makers below; without any the config's retry settings count.
struct Retry {
  std::uint32_t attempts = 0;  // further tries after the first; 0: the first failure is final
  std::chrono::nanoseconds delay{0};
  std::chrono::nanoseconds delay_max{0};  // 0: no cap
  bool exponential = false;
  bool set = false;
};

// The same delay before each of `attempts` further tries.
constexpr Retry fixed(std::uint32_t attempts, std::chrono::nanoseconds delay) {
  return {.attempts = attempts, .delay = delay, .set = true};
}

// A delay that doubles each time, up to `delay_max` (0: no cap).
constexpr Retry exponential(std::uint32_t attempts, std::chrono::nanoseconds delay,
                            std::chrono::nanoseconds delay_max = std::chrono::nanoseconds{0}) {
  return {.attempts = attempts, .delay = delay, .delay_max = delay_max, .exponential = true, .set = true};
}

// The first failure is final.
constexpr Retry no_retry() { return {.set = true}; }

}  // namespace nexus
