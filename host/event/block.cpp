#include "host/event/block.hpp"

#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

#include "host/base/spin_lock.hpp"

namespace nexus::host {
namespace {

using namespace detail;

static_assert(offsetof(EventBlock, event) == 48 && sizeof(EventBlock) == 256);

std::atomic<size_t> bytes_in_use{0};

// Full magazines that threads exchange: a consumer that only frees feeds a producer that only allocates. The empty ones
// go the other way.
class Depot {
 public:
  // A full magazine, or null.
  Magazine* get_full(uint8_t size_class) {
    std::lock_guard guard(lock_);
    return pop(full_[size_class]);
  }
  // False when there are enough: the magazine stays the caller's.
  bool put_full(uint8_t size_class, Magazine* magazine) {
    std::lock_guard guard(lock_);
    return push(full_[size_class], magazine);
  }
  // An empty one; null when memory is out.
  Magazine* get_empty() {
    {
      std::lock_guard guard(lock_);
      if (Magazine* magazine = pop(empty_)) return magazine;
    }
    return static_cast<Magazine*>(std::malloc(sizeof(Magazine)));
  }
  void put_empty(Magazine* magazine) {
    {
      std::lock_guard guard(lock_);
      if (push(empty_, magazine)) return;
    }
    std::free(magazine);
  }

 private:
  static constexpr uint32_t kMax = 256;
  struct List {
    Magazine* first = nullptr;
    uint32_t count = 0;
  };
  static Magazine* pop(List& list) {
    Magazine* magazine = list.first;
    if (magazine != nullptr) {
      list.first = magazine->next;
      --list.count;
    }
    return magazine;
  }
  static bool push(List& list, Magazine* magazine) {
    if (list.count == kMax) return false;
    magazine->next = list.first;
    list.first = magazine;
    ++list.count;
    return true;
  }

  SpinLock lock_;
  List full_[kBlockClasses];  // guarded by lock_
  List empty_;                // guarded by lock_
};

Depot& depot() {
  static Depot* instance = new Depot;  // never destroyed: threads may end after static destructors have run
  return *instance;
}

void free_blocks(void** begin, void** end, size_t size) {
  for (void** block = begin; block != end; ++block) std::free(*block);
  bytes_in_use.fetch_sub(static_cast<size_t>(end - begin) * size, std::memory_order_relaxed);
}

// Returns what a thread cached when it ends. Kept apart from the cache so that touching the cache needs no guard.
struct CacheReturner {
  ~CacheReturner() {
    for (uint8_t i = 0; i < kBlockClasses; ++i) {
      BlockCache::Class& cache = block_cache.classes[i];
      if (cache.begin == nullptr) continue;
      free_blocks(cache.begin, cache.next, kBlockSizes[i]);
      std::free(cache.active);
      if (cache.spare != nullptr) {
        if (cache.spare_is_full) free_blocks(cache.spare->blocks, cache.spare->blocks + kMagazine, kBlockSizes[i]);
        std::free(cache.spare);
      }
      cache = BlockCache::Class{};
    }
  }
};

void register_thread() {
  static thread_local CacheReturner returner;
  block_cache.registered = true;
  static_cast<void>(&returner);
}

void activate(BlockCache::Class& cache, Magazine* magazine, bool is_full) {
  cache.active = magazine;
  cache.begin = magazine->blocks;
  cache.end = magazine->blocks + kMagazine;
  cache.next = is_full ? cache.end : cache.begin;
}

// The first use of the class on this thread. False when memory is out.
bool start_class(BlockCache::Class& cache) {
  if (!block_cache.registered) register_thread();
  Magazine* magazine = depot().get_empty();
  if (magazine == nullptr) return false;
  activate(cache, magazine, false);
  return true;
}

// The active magazine is empty: a block from the spare one, the depot, or the system.
[[gnu::noinline]] void* refill(uint8_t size_class) {
  BlockCache::Class& cache = block_cache.classes[size_class];
  if (cache.begin == nullptr) static_cast<void>(start_class(cache));
  Magazine* full = nullptr;
  if (cache.spare != nullptr && cache.spare_is_full)
    full = std::exchange(cache.spare, nullptr);
  else
    full = depot().get_full(size_class);
  if (full == nullptr || cache.begin == nullptr) {
    if (full != nullptr) depot().put_full(size_class, full);
    void* memory = std::malloc(kBlockSizes[size_class]);
    if (memory != nullptr) bytes_in_use.fetch_add(kBlockSizes[size_class], std::memory_order_relaxed);
    return memory;
  }
  auto* empty = cache.active;
  if (cache.spare == nullptr) {
    cache.spare = empty;
    cache.spare_is_full = false;
  } else {
    depot().put_empty(empty);
  }
  activate(cache, full, true);
  return *--cache.next;
}

// The active magazine is full: makes the spare one, or an empty one, the active one. False when memory is out.
[[gnu::noinline]] bool spill(uint8_t size_class) {
  BlockCache::Class& cache = block_cache.classes[size_class];
  if (cache.begin == nullptr) return start_class(cache);
  auto* full = cache.active;
  Magazine* empty = nullptr;
  if (cache.spare != nullptr && !cache.spare_is_full) {
    empty = cache.spare;
  } else {
    empty = depot().get_empty();
    if (empty == nullptr) return false;
    if (cache.spare != nullptr && !depot().put_full(size_class, cache.spare)) {
      free_blocks(cache.spare->blocks, cache.spare->blocks + kMagazine, kBlockSizes[size_class]);
      depot().put_empty(cache.spare);
    }
  }
  cache.spare = full;
  cache.spare_is_full = true;
  activate(cache, empty, false);
  return true;
}

}  // namespace

namespace detail {

constinit thread_local BlockCache block_cache{};

EventBlock* allocate_block_slow(size_t size, uint8_t size_class) {
  void* memory;
  if (size_class == kUnpooled) {
    memory = std::malloc(size);
    if (memory != nullptr) bytes_in_use.fetch_add(size, std::memory_order_relaxed);
  } else {
    memory = refill(size_class);
  }
  if (memory == nullptr) return nullptr;
  auto* block = new (memory) EventBlock;
  block->references.store(1, std::memory_order_relaxed);
  block->size_class = size_class;
  if (size_class == kUnpooled)
    block->allocated = size;
  else
    block->stamp = 0;
  return block;
}

void destroy_block_slow(EventBlock* block) {
  const uint8_t size_class = block->size_class;
  if (size_class == kUnpooled) {
    bytes_in_use.fetch_sub(block->allocated, std::memory_order_relaxed);
    std::free(block);
    return;
  }
  if (!spill(size_class)) {
    bytes_in_use.fetch_sub(kBlockSizes[size_class], std::memory_order_relaxed);
    std::free(block);
    return;
  }
  *block_cache.classes[size_class].next++ = block;
}

}  // namespace detail

uint64_t EventBlock::new_stamps(uint32_t count) {
  static std::atomic<uint64_t> next{uint64_t{1} << 63};
  uint64_t first = next.load(std::memory_order_relaxed);
  uint64_t aligned = 0;
  do {
    aligned = (first + count - 1) & ~uint64_t{count - 1};
  } while (!next.compare_exchange_weak(first, aligned + count, std::memory_order_relaxed));
  return aligned;
}

size_t block_bytes_in_use() { return bytes_in_use.load(std::memory_order_relaxed); }

}  // namespace nexus::host
