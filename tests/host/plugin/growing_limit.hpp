// For what must begin and then run out of time: a limit that is short on a fast machine is over on a slow one before
// the thing has begun.
#pragma once

#include <chrono>

#include <catch2/catch_test_macros.hpp>

namespace nexus::host::test {

// Calls `attempt` with twice the limit each time until it returns true: the time has sufficed to begin.
template <class Attempt>
void with_growing_limit(std::chrono::milliseconds limit, Attempt&& attempt) {
  while (!attempt(limit)) {
    REQUIRE(limit < std::chrono::minutes(1));
    limit *= 2;
  }
}

}  // namespace nexus::host::test
