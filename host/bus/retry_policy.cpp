#include "host/bus/retry_policy.hpp"

#include <algorithm>

namespace nexus::host {

int64_t RetryPolicy::delay_after(uint32_t attempt, FastRandom& random) const {
  constexpr int64_t kLongest = int64_t{366} * 24 * 3600 * 1'000'000'000;
  const int64_t cap = delay_max_ns > 0 ? std::min(delay_max_ns, kLongest) : kLongest;
  int64_t delay = std::clamp<int64_t>(delay_ns, 0, cap);
  if (!exponential || delay == 0) return delay;
  for (uint32_t i = 1; i < attempt && delay < cap; ++i) delay = delay > cap / 2 ? cap : delay * 2;
  return static_cast<int64_t>(random.next() % (static_cast<uint64_t>(delay) + 1));
}

}  // namespace nexus::host
