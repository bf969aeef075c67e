// When a failed delivery is tried again.
#include "host/bus/retry_policy.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

using namespace nexus::host;

TEST_CASE("a fixed delay is the same after every attempt, up to the cap") {
  FastRandom random(1);
  RetryPolicy policy{5, false, 1000, 0};
  for (uint32_t attempt = 1; attempt < 6; ++attempt) CHECK(policy.delay_after(attempt, random) == 1000);
  policy.delay_max_ns = 700;
  CHECK(policy.delay_after(1, random) == 700);
  policy.delay_ns = -5;
  CHECK(policy.delay_after(1, random) == 0);
}

TEST_CASE("an exponential delay is spread over a range that doubles, up to the cap") {
  FastRandom random(2);
  const RetryPolicy policy{60, true, 1000, 6000};
  for (uint32_t attempt = 1; attempt <= 60; ++attempt) {
    const int64_t range = attempt == 1 ? 1000 : attempt == 2 ? 2000 : attempt == 3 ? 4000 : 6000;
    int64_t least = range, most = 0;
    for (int i = 0; i < 2000; ++i) {
      const int64_t delay = policy.delay_after(attempt, random);
      least = std::min(least, delay);
      most = std::max(most, delay);
    }
    CHECK(least >= 0);
    CHECK(least < range / 10);
    CHECK(most > range - range / 10);
    CHECK(most <= range);
  }
}

TEST_CASE("no delay overflows, however long and often") {
  FastRandom random(3);
  const RetryPolicy policy{1000, true, INT64_MAX, 0};
  for (uint32_t attempt : {1u, 2u, 63u, 64u, 1000u, 0xffff'ffffu}) {
    const int64_t delay = policy.delay_after(attempt, random);
    CHECK(delay >= 0);
    CHECK(delay <= int64_t{366} * 24 * 3600 * 1'000'000'000);
  }
}
