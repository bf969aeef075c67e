// A memory barrier on every running thread of this process, paid for by the one caller (membarrier(2) on Linux), which
// lets frequent readers do without fences. Callable from any thread.
#pragma once

namespace nexus::host::os {

// Whether process_barrier works here; the first call registers the process.
bool process_barrier_available();

// Every thread of this process has executed a full barrier when this returns. Only if available.
void process_barrier();

}  // namespace nexus::host::os
