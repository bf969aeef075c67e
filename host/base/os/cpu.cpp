#include "host/base/os/cpu.hpp"

#include <fstream>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace nexus::host::os {
namespace {

// Linux changes to hpet, acpi_pm or jiffies when it has caught the time-stamp counter at fault. A kernel that does not
// tell its clock source is taken at the processor's word.
bool kernel_trusts_ticks() {
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string name;
  if (!(file >> name)) return true;
  return name != "hpet" && name != "acpi_pm" && name != "jiffies" && name != "refined-jiffies";
}

}  // namespace

bool has_steady_ticks() {
#if defined(__x86_64__)
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  constexpr unsigned kInvariantTsc = 1u << 8;
  if (__get_cpuid(0x80000007u, &eax, &ebx, &ecx, &edx) == 0 || (edx & kInvariantTsc) == 0) return false;
  return kernel_trusts_ticks();
#else
  return false;
#endif
}

}  // namespace nexus::host::os
