// The event as the host keeps it: one contiguous, reference-counted, pooled block that holds the nexus_event which
// plugins see and every byte it points to, save the type and source names, which are interned for the life of the
// process. Immutable once it has been handed to the bus; any thread may retain and release it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "nexus/abi/bus.h"
#include "nexus/abi/event.h"

namespace nexus::host {

inline nexus_string to_abi(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view to_view(nexus_string text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, static_cast<size_t>(text.size));
}

struct EventBlock {
  std::atomic<uint32_t> references;
  uint32_t type_index;   // of the bus that made it
  uint32_t emitter;      // number of the participant that emitted it, 0 for the host
  uint16_t hops;         // length of the causation chain behind it
  uint8_t size_class;    // of the pool
  uint8_t host_flags;    // kHost*
  // Where an event has handlers of several priorities in several plugins: the stages still to come. Owned by the bus.
  std::atomic<uint32_t> stage_left;
  uint32_t stage;
  const void* route;
  uint64_t allocated;  // bytes taken for it, header included
  nexus_event event;

  static constexpr uint8_t kHostNoErrorReport = 1;  // a failure while handling it is not reported as an event again

  char* payload() { return reinterpret_cast<char*>(this + 1); }
  void retain() { references.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    if (references.load(std::memory_order_acquire) == 1 || references.fetch_sub(1, std::memory_order_acq_rel) == 1)
      destroy(this);
  }
  static void destroy(EventBlock* block);

  // The block around the event that a plugin was given.
  static EventBlock* of(const nexus_event* event) {
    return reinterpret_cast<EventBlock*>(reinterpret_cast<char*>(const_cast<nexus_event*>(event)) -
                                         offsetof(EventBlock, event));
  }
};

// A block with room for `payload_size` bytes after it, its fields unset but for references (1) and size_class; from
// the calling thread's own list when it has one. Null when memory is out.
EventBlock* allocate_block(size_t payload_size);

// Bytes that blocks of all threads take from the system at this moment, pooled ones included.
size_t block_bytes_in_use();

}  // namespace nexus::host
