// J4: what routing and calling cost by themselves, without a queue: on the calling thread, the route of the event's
// type is read as an emit reads it, and each handler is called through the C ABI as a worker calls it.
#pragma once

#include <cstdint>

#include "tests/bench/bus/rig.hpp"
#include "tests/bench/job.hpp"

namespace nexus::bench {

// Nanoseconds an event. Nothing else may run in the receivers' mailboxes meanwhile.
double run_synchronously(Rig& rig, const Job& job, uint64_t events);

}  // namespace nexus::bench
