// What the operating system says about this process. Any thread.
#pragma once

#include <cstdint>

namespace nexus::host {

struct ProcessStats {
  uint64_t resident_bytes = 0;
  double cpu_seconds = 0;  // user and system
  uint64_t open_descriptors = 0;
};

// Fields that the system does not tell are zero.
ProcessStats read_process_stats();

}  // namespace nexus::host
