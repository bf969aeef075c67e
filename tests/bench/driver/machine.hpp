// What the machine itself costs at this moment, without which nanoseconds cannot be read: on a virtual machine the way
// from core to core may take five times as long an hour later, and figures of two threads follow it.
#pragma once

#include <string>

namespace nexus::bench {

struct Machine {
  double hand_off_ns = 0;  // a cache line's way to another core, one way
  double clock_ns = 0;     // a reading of the system's clock
  double malloc_ns = 0;    // malloc and free of 256 bytes
};

Machine measure_machine();
std::string to_text(const Machine& machine);

}  // namespace nexus::bench
