// What the host asks of the processor: its cycle counter, and whether that counter can serve as a clock. All functions
// may be called from any thread. Where there is no such counter, cpu_ticks() is 0 and has_steady_ticks() is false.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace nexus::host::os {

// The time-stamp counter. Neither ordered against other instructions nor in any unit before calibration.
inline uint64_t cpu_ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return 0;
#endif
}

// True if the counter runs at one rate, in sleep states too, the same on all processors: the processor says so (CPUID
// 8000_0007h, EDX bit 8) and the kernel has not found otherwise (its clock source is not one that it falls back to).
bool has_steady_ticks();

}  // namespace nexus::host::os
