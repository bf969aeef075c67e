// How often and when a failed delivery is tried again. Values; pure functions.
#pragma once

#include <cstdint>

#include "host/base/uuid.hpp"

namespace nexus::host {

struct RetryPolicy {
  uint32_t attempts = 0;    // after the first one
  bool exponential = true;  // the delay doubles each time
  int64_t delay_ns = 1'000'000'000;
  int64_t delay_max_ns = 0;  // 0: no cap

  // The wait after attempt number `attempt`, which is 1 for the first. An exponential one is spread evenly between
  // nothing and its full length, so that what failed together does not come again together ("full jitter").
  int64_t delay_after(uint32_t attempt, FastRandom& random) const;
};

}  // namespace nexus::host
