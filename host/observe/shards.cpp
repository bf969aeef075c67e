#include "host/observe/shards.hpp"

#include <mutex>

#include "host/base/os/memory.hpp"

namespace nexus::host {
namespace {

// Which shards have an owner. The mutex also orders the last addition of the old owner before the first of the new one,
// so that plain loads and stores go on adding up.
class ShardPool {
 public:
  uint32_t take() {
    const std::lock_guard lock(mutex_);
    for (uint32_t shard = 0; shard < detail::kSharedShard; ++shard) {
      if (!taken_[shard]) {
        taken_[shard] = true;
        return shard;
      }
    }
    return detail::kSharedShard;
  }
  void give_back(uint32_t shard) {
    const std::lock_guard lock(mutex_);
    if (shard != detail::kSharedShard) taken_[shard] = false;
  }

 private:
  std::mutex mutex_;
  bool taken_[kShardCount] = {};
};

// Never destroyed: threads may still end after main has.
ShardPool& pool() {
  static auto* shards = new ShardPool;
  return *shards;
}

struct ShardOwner {
  uint32_t shard = pool().take();
  ~ShardOwner() {
    // What still counts in later destructors of this thread goes to the shared shard.
    detail::this_thread_shard = detail::kSharedShard;
    pool().give_back(shard);
  }
};

}  // namespace

uint32_t detail::assign_shard() {
  thread_local ShardOwner owner;
  this_thread_shard = owner.shard;
  return owner.shard;
}

uint64_t sum_cells(const Cell* first) {
  uint64_t sum = 0;
  for (uint32_t shard = 0; shard < kShardCount; ++shard) {
    sum += own_cell(const_cast<Cell*>(first), shard).load(std::memory_order_relaxed);
  }
  return sum;
}

double sum_cells_as_double(const Cell* first) {
  double sum = 0;
  for (uint32_t shard = 0; shard < kShardCount; ++shard) {
    sum += std::bit_cast<double>(own_cell(const_cast<Cell*>(first), shard).load(std::memory_order_relaxed));
  }
  return sum;
}

CellArena::~CellArena() { os::release_memory(base_, kShardBytes * kShardCount); }

Cell* CellArena::allocate(size_t count) {
  if (count == 0) return nullptr;
  if (const auto reusable = free_.find(count); reusable != free_.end() && !reusable->second.empty()) {
    Cell* first = reusable->second.back();
    reusable->second.pop_back();
    for (size_t i = 0; i < count; ++i) {
      for (uint32_t shard = 0; shard < kShardCount; ++shard)
        own_cell(first + i, shard).store(0, std::memory_order_relaxed);
    }
    return first;
  }
  if (base_ == nullptr) {
    void* got = os::reserve_memory(kShardBytes * kShardCount);
    if (got == nullptr) return nullptr;
    base_ = static_cast<char*>(got);
  }
  const size_t bytes = count * sizeof(Cell);
  if (used_bytes_ + bytes > kShardBytes) return nullptr;
  // Fresh pages are zero, and a zeroed atomic is an atomic of zero on every machine that the host runs on.
  auto* first = reinterpret_cast<Cell*>(base_ + used_bytes_);
  used_bytes_ += bytes;
  return first;
}

void CellArena::release(Cell* first, size_t count) {
  if (first != nullptr && count > 0) free_[count].push_back(first);
}

}  // namespace nexus::host
