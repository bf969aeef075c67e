// Address space from the operating system, for structures that need a fixed layout but touch little of it. Any thread.
#pragma once

#include <cstddef>

namespace nexus::host::os {

// `bytes` of readable and writable memory, zero, of which only pages that are written to take up any; page-aligned,
// never backed by huge pages. Null when the system gives none.
void* reserve_memory(size_t bytes);

// Gives back what reserve_memory gave, in whole. Null is allowed.
void release_memory(void* memory, size_t bytes);

}  // namespace nexus::host::os
