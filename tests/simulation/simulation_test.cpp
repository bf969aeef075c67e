// Many seeds through the simulation. NEXUS_SIMULATION_SEEDS says how many (10,000), NEXUS_SIMULATION_SEED replays one.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <string>

#include "tests/simulation/simulation.hpp"

using namespace nexus::host;

TEST_CASE("whatever plugins do, no event is lost or handled twice, and all sums add up") {
  if (const char* one = std::getenv("NEXUS_SIMULATION_SEED")) {
    INFO("seed " << one << "\n" << simulation::trace(std::strtoull(one, nullptr, 10)));
    CHECK(simulation::run(std::strtoull(one, nullptr, 10)) == "");
    return;
  }
#ifdef NEXUS_SANITIZED
  uint64_t seeds = 500;
#else
  uint64_t seeds = 10'000;
#endif
  if (const char* count = std::getenv("NEXUS_SIMULATION_SEEDS")) seeds = std::strtoull(count, nullptr, 10);
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const std::string wrong = simulation::run(seed);
    INFO("seed " << seed << ": " << wrong << "\nagain: NEXUS_SIMULATION_SEED=" << seed << " bin/simulation_test");
    REQUIRE(wrong.empty());
  }
}

TEST_CASE("a seed gives the same run again") {
  CHECK(simulation::run(4711) == simulation::run(4711));
  CHECK(simulation::trace(4711) == simulation::trace(4711));
  CHECK(simulation::trace(4711) != simulation::trace(4712));
}
