// One run of the real bus under a seed: a virtual clock, one thread that picks which mailbox goes on, and plugins that
// throw, fail, put off, emit, unsubscribe, are paused, swapped and removed. A ledger that sees every emit's answer and
// every handler's run tells what must hold: see check() in simulation.cpp. The same seed gives the same run.
#pragma once

#include <cstdint>
#include <string>

namespace nexus::host::simulation {

// Empty when all held; else what did not.
std::string run(uint64_t seed);

// What happened, step by step, to compare runs.
std::string trace(uint64_t seed);

}  // namespace nexus::host::simulation
