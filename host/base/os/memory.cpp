#include "host/base/os/memory.hpp"

#include <sys/mman.h>

namespace nexus::host::os {

void* reserve_memory(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
#if defined(MADV_NOHUGEPAGE)
  // With huge pages the first byte written would take 2 MB.
  madvise(memory, bytes, MADV_NOHUGEPAGE);
#endif
  return memory;
}

void release_memory(void* memory, size_t bytes) {
  if (memory != nullptr) munmap(memory, bytes);
}

}  // namespace nexus::host::os
