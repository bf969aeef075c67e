#include "host/base/os/barrier.hpp"

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace nexus::host::os {

// ThreadSanitizer does not see this barrier and would report what it protects.
#if defined(__linux__) && !defined(__SANITIZE_THREAD__)
bool process_barrier_available() {
  static const bool available = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  return available;
}
void process_barrier() { syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0); }
#else
bool process_barrier_available() { return false; }
void process_barrier() {}
#endif

}  // namespace nexus::host::os
