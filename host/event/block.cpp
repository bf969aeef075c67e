#include "host/event/block.hpp"

#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include "host/base/spin_lock.hpp"

namespace nexus::host {
namespace {

using namespace detail;

static_assert(offsetof(EventBlock, event) == 40 && sizeof(EventBlock) == 248);

constexpr size_t kDepotMagazinesMax = 256;

std::atomic<size_t> bytes_in_use{0};

// Full magazines that threads exchange: a consumer that only frees feeds a producer that only allocates.
struct Depot {
  SpinLock lock;
  std::vector<FreeBlock*> full[kBlockClasses];
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

// Returns what a thread cached when it ends. Kept apart from the cache so that touching the cache needs no guard.
struct CacheReturner {
  ~CacheReturner() {
    for (uint8_t i = 0; i < kBlockClasses; ++i) {
      free_list(block_cache.active[i].first, kBlockSizes[i]);
      free_list(block_cache.spare[i].first, kBlockSizes[i]);
      block_cache.active[i] = block_cache.spare[i] = Magazine{};
    }
  }
};

void register_thread() {
  static thread_local CacheReturner returner;
  block_cache.registered = true;
  static_cast<void>(&returner);
}

[[gnu::noinline]] void* refill(uint8_t size_class) {
  if (!block_cache.registered) register_thread();
  Magazine& active = block_cache.active[size_class];
  if (block_cache.spare[size_class].count > 0) {
    std::swap(active, block_cache.spare[size_class]);
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
    void* memory = std::malloc(kBlockSizes[size_class]);
    if (memory != nullptr) bytes_in_use.fetch_add(kBlockSizes[size_class], std::memory_order_relaxed);
    return memory;
  }
  FreeBlock* block = active.first;
  active.first = block->next;
  --active.count;
  return block;
}

[[gnu::noinline]] void spill(uint8_t size_class) {
  if (!block_cache.registered) register_thread();
  Magazine& active = block_cache.active[size_class];
  Magazine& spare = block_cache.spare[size_class];
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
  free_list(surplus, kBlockSizes[size_class]);
  spare = active;
  active = Magazine{};
}

}  // namespace

namespace detail {

constinit thread_local BlockCache block_cache;

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
  block->allocated = size;
  return block;
}

void destroy_block_slow(EventBlock* block) {
  const uint8_t size_class = block->size_class;
  if (size_class == kUnpooled) {
    bytes_in_use.fetch_sub(block->allocated, std::memory_order_relaxed);
    std::free(block);
    return;
  }
  auto* free_block = reinterpret_cast<FreeBlock*>(block);
  Magazine& active = block_cache.active[size_class];
  free_block->next = active.first;
  active.first = free_block;
  if (++active.count == kMagazine) spill(size_class);
}

}  // namespace detail

size_t block_bytes_in_use() { return bytes_in_use.load(std::memory_order_relaxed); }

}  // namespace nexus::host
