#include "host/event/block.hpp"

#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include "host/base/spin_lock.hpp"

namespace nexus::host {
namespace {

static_assert(offsetof(EventBlock, event) == 40 && sizeof(EventBlock) == 248);

// Sizes grow by about a quarter, so that a queued event wastes little; what is larger goes to malloc.
constexpr size_t kClassSizes[] = {320, 384, 448, 512, 640, 768, 960, 1280, 1792, 2560, 4096};
constexpr uint8_t kClassCount = sizeof(kClassSizes) / sizeof(kClassSizes[0]);
constexpr uint8_t kUnpooled = 0xff;
constexpr uint32_t kMagazine = 64;  // blocks that move between a thread and the depot at once
constexpr size_t kDepotMagazinesMax = 256;

std::atomic<size_t> bytes_in_use{0};

struct FreeBlock {
  FreeBlock* next;
};

struct Magazine {
  FreeBlock* first = nullptr;
  uint32_t count = 0;
};

// Full magazines that threads exchange: a consumer that only frees feeds a producer that only allocates.
struct Depot {
  SpinLock lock;
  std::vector<FreeBlock*> full[kClassCount];
};

Depot& depot() {
  static Depot* instance = new Depot;  // never destroyed: threads may end after static destructors have run
  return *instance;
}

void free_list(FreeBlock* block, size_t size) {
  while (block != nullptr) {
    FreeBlock* next = block->next;
    std::free(block);
    bytes_in_use.fetch_sub(size, std::memory_order_relaxed);
    block = next;
  }
}

// Two magazines per class keep a thread that alternates at the edge from running to the depot each time.
struct ThreadCache {
  Magazine active[kClassCount];
  Magazine spare[kClassCount];
  bool registered = false;
};

constinit thread_local ThreadCache cache;

// Returns what a thread cached when it ends. Kept apart from the cache so that touching the cache needs no guard.
struct CacheReturner {
  ~CacheReturner() {
    for (uint8_t i = 0; i < kClassCount; ++i) {
      free_list(cache.active[i].first, kClassSizes[i]);
      free_list(cache.spare[i].first, kClassSizes[i]);
      cache.active[i] = cache.spare[i] = Magazine{};
    }
  }
};

void register_thread() {
  static thread_local CacheReturner returner;
  cache.registered = true;
  static_cast<void>(&returner);
}

[[gnu::noinline]] void* refill(uint8_t size_class) {
  if (!cache.registered) register_thread();
  Magazine& active = cache.active[size_class];
  if (cache.spare[size_class].count > 0) {
    std::swap(active, cache.spare[size_class]);
  } else {
    Depot& shared = depot();
    std::lock_guard guard(shared.lock);
    auto& full = shared.full[size_class];
    if (!full.empty()) {
      active = {full.back(), kMagazine};
      full.pop_back();
    }
  }
  if (active.first == nullptr) {
    void* memory = std::malloc(kClassSizes[size_class]);
    if (memory != nullptr) bytes_in_use.fetch_add(kClassSizes[size_class], std::memory_order_relaxed);
    return memory;
  }
  FreeBlock* block = active.first;
  active.first = block->next;
  --active.count;
  return block;
}

[[gnu::noinline]] void spill(uint8_t size_class) {
  if (!cache.registered) register_thread();
  Magazine& active = cache.active[size_class];
  Magazine& spare = cache.spare[size_class];
  if (spare.count == 0) {
    std::swap(active, spare);
    return;
  }
  Depot& shared = depot();
  FreeBlock* surplus = nullptr;
  {
    std::lock_guard guard(shared.lock);
    auto& full = shared.full[size_class];
    if (full.capacity() == 0) full.reserve(kDepotMagazinesMax);
    if (full.size() < kDepotMagazinesMax)
      full.push_back(spare.first);
    else
      surplus = spare.first;
  }
  free_list(surplus, kClassSizes[size_class]);
  spare = active;
  active = Magazine{};
}

uint8_t class_of(size_t size) {
  for (uint8_t i = 0; i < kClassCount; ++i)
    if (size <= kClassSizes[i]) return i;
  return kUnpooled;
}

}  // namespace

EventBlock* allocate_block(size_t payload_size) {
  const size_t size = sizeof(EventBlock) + payload_size;
  uint8_t size_class = class_of(size);
#ifdef NEXUS_SANITIZED
  size_class = kUnpooled;  // a pool would hide a use after free from the sanitizer
#endif
  void* memory;
  if (size_class == kUnpooled) [[unlikely]] {
    memory = std::malloc(size);
    if (memory != nullptr) bytes_in_use.fetch_add(size, std::memory_order_relaxed);
  } else if (FreeBlock* block = cache.active[size_class].first; block != nullptr) [[likely]] {
    cache.active[size_class].first = block->next;
    --cache.active[size_class].count;
    memory = block;
  } else {
    memory = refill(size_class);
  }
  if (memory == nullptr) return nullptr;
  auto* block = new (memory) EventBlock;
  block->references.store(1, std::memory_order_relaxed);
  block->size_class = size_class;
  block->allocated = size;
  return block;
}

void EventBlock::destroy(EventBlock* block) {
  const uint8_t size_class = block->size_class;
  if (size_class == kUnpooled) [[unlikely]] {
    bytes_in_use.fetch_sub(block->allocated, std::memory_order_relaxed);
    std::free(block);
    return;
  }
  auto* free_block = reinterpret_cast<FreeBlock*>(block);
  Magazine& active = cache.active[size_class];
  free_block->next = active.first;
  active.first = free_block;
  if (++active.count == kMagazine) [[unlikely]] spill(size_class);
}

size_t block_bytes_in_use() { return bytes_in_use.load(std::memory_order_relaxed); }

}  // namespace nexus::host
