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
  // The pool's, and of this block alone.
  union {
    uint64_t allocated;  // where it is of no class: bytes taken from the system for it, header included
    uint64_t stamp;      // where it is: whose header it was left with, see stamp_once; or 0
  };
  std::atomic<uint32_t> references;
  uint8_t size_class;
  // The event's: what is here and below is the same in two events until one of them changes it.
  uint32_t type_index;  // of the bus that made it
  uint32_t emitter;     // number of the participant that emitted it, 0 for the host
  uint16_t hops;        // length of the causation chain behind it
  uint8_t host_flags;   // kHost*
  // Where an event has handlers of several priorities in several plugins: the stages still to come. Owned by the bus.
  std::atomic<uint32_t> stage_left;
  uint32_t stage;
  const void* route;
  nexus_event event;

  static constexpr uint8_t kHostNoErrorReport = 1;  // a failure while handling it is not reported as an event again
  static constexpr uint8_t kHostAwaited = 2;        // a request: somebody waits for what it causes
  static constexpr uint8_t kHostAnswers = 4;        // what it was caused by may be a request
  static constexpr uint8_t kHostNamed = 8;          // its id is the emitter's own, see DedupWindow
  static constexpr uint8_t kHostExpires = 16;       // it has a time after which it is not delivered
  static constexpr uint8_t kHostKeyed = 32;         // it has a key
  // What a delivery has to mind.
  static constexpr uint8_t kHostMinds = kHostExpires | kHostKeyed;

  // For an emitter whose headers are all alike: true when the block still holds what this emitter wrote the last time,
  // so that only what differs has to be written. That spares the other cores most of the lines. Who changes a header in
  // another way calls forget().
  bool is_stamped(uint64_t by) const { return stamp == by; }
  void stamp_once(uint64_t by) {
    if (is_pooled()) stamp = by;
  }
  void forget() { stamp_once(0); }
  // The first of `count` stamps, a power of two, that no other has, for the life of the process. It is a multiple of
  // `count`. None is ever equal to `allocated`.
  static uint64_t new_stamps(uint32_t count);
  inline bool is_pooled() const;

  char* payload() { return reinterpret_cast<char*>(this + 1); }
  // Makes this the same event as another block's, but for what is behind the header.
  void copy_header(const EventBlock& from) {
    constexpr size_t kBegin = 16;
    static_assert(kBegin == offsetof(EventBlock, type_index));
    std::memcpy(reinterpret_cast<char*>(this) + kBegin, reinterpret_cast<const char*>(&from) + kBegin,
                sizeof(EventBlock) - kBegin);
  }
  void retain() { references.fetch_add(1, std::memory_order_relaxed); }
  void release();

  // The block around the event that a plugin was given.
  static EventBlock* of(const nexus_event* event) {
    return reinterpret_cast<EventBlock*>(reinterpret_cast<char*>(const_cast<nexus_event*>(event)) -
                                         offsetof(EventBlock, event));
  }
};

namespace detail {

// Sizes grow by about a quarter, so that a queued event wastes little; what is larger goes to malloc.
inline constexpr size_t kBlockSizes[] = {320, 384, 448, 512, 640, 768, 960, 1280, 1792, 2560, 4096};
inline constexpr uint8_t kBlockClasses = sizeof(kBlockSizes) / sizeof(kBlockSizes[0]);
inline constexpr size_t kPooledMax = kBlockSizes[kBlockClasses - 1];
// As it were the class of what is larger: one whose magazines are always full and always empty.
inline constexpr uint8_t kUnpooled = kBlockClasses;
inline constexpr uint32_t kMagazine = 64;  // blocks that move between a thread and the depot at once

// Full or empty ones move between threads; a thread's own free blocks lie in two of them per class, so that one that
// alternates at the edge does not run to the depot each time. Pointers, not a list through the blocks: whoever frees a
// block need not write to it, and whoever takes one knows the next, and can fetch it in time.
struct Magazine {
  Magazine* next;  // in the depot; lies before the blocks, where allocate_block may look one too far
  void* blocks[kMagazine];
};
// `next` is the place after the last free block of the active magazine, between `begin` and `end`; all null until the
// first use of the class. Trivial, so that touching it needs no guard; block.cpp gives the blocks back when the thread
// ends.
struct BlockCache {
  struct alignas(64) Class {
    void** next;
    void** begin;
    void** end;
    Magazine* active;
    Magazine* spare;  // full, empty or null
    bool spare_is_full;
  };
  Class classes[kBlockClasses + 1];
  bool registered;
};
extern constinit thread_local BlockCache block_cache;

// The class of each size in steps of 64 bytes, up to the largest class.
inline constexpr auto kClassBySteps = [] {
  struct Table {
    uint8_t of[kPooledMax / 64 + 1];
  } table{};
  for (size_t step = 0; step <= kPooledMax / 64; ++step) {
    uint8_t size_class = 0;
    while (kBlockSizes[size_class] < step * 64) ++size_class;
    table.of[step] = size_class;
  }
  return table;
}();

EventBlock* allocate_block_slow(size_t size, uint8_t size_class);
void destroy_block_slow(EventBlock* block);

}  // namespace detail

// A block with room for `payload_size` bytes after it, its fields unset but for references (1), size_class and stamp;
// from the calling thread's own list when it has one. Null when memory is out.
inline EventBlock* allocate_block(size_t payload_size) {
  const size_t size = sizeof(EventBlock) + payload_size;
#ifdef NEXUS_SANITIZED
  return detail::allocate_block_slow(size, detail::kUnpooled);  // a pool would hide a use after free from the sanitizer
#endif
  if (size > detail::kPooledMax) [[unlikely]]
    return detail::allocate_block_slow(size, detail::kUnpooled);
  const uint8_t size_class = detail::kClassBySteps.of[(size + 63) / 64];
  detail::BlockCache::Class& cache = detail::block_cache.classes[size_class];
  if (cache.next == cache.begin) [[unlikely]]
    return detail::allocate_block_slow(size, size_class);
  auto* block = static_cast<EventBlock*>(*--cache.next);
  if (block->references.load(std::memory_order_relaxed) != 1) block->references.store(1, std::memory_order_relaxed);
  return block;
}

inline bool EventBlock::is_pooled() const { return size_class != detail::kUnpooled; }

inline void EventBlock::release() {
  if (references.load(std::memory_order_acquire) != 1 && references.fetch_sub(1, std::memory_order_acq_rel) != 1)
    return;
  detail::BlockCache::Class& cache = detail::block_cache.classes[size_class];
  if (cache.next == cache.end) [[unlikely]]
    return detail::destroy_block_slow(this);
  *cache.next++ = this;
}

// Bytes that blocks of all threads take from the system at this moment, pooled ones included.
size_t block_bytes_in_use();

}  // namespace nexus::host
