// Counting without contention: every thread that counts owns a shard, a stretch of memory in which each counter has one
// 8-byte cell at the same offset. Adding is then a load and a store at `cell + offset of my shard`, with no lock
// prefix, and counters that one thread updates together lie side by side. Any thread may count; reading sums over the
// shards and sees every addition that happened before it. Threads beyond the owned shards share the last one, with
// atomic adds.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace nexus::host {

inline constexpr uint32_t kShardCount = 16;
// Address space of one shard, most of it never touched: room for half a million cells.
inline constexpr size_t kShardBytes = size_t{4} << 20;

namespace detail {

// Bytes from a cell in the first shard to this thread's own; kUnassigned before the thread's first addition.
inline constexpr uint32_t kUnassigned = 0xFFFF'FFFFu;
inline constexpr uint32_t kSharedShard = kShardCount - 1;
inline constinit thread_local uint32_t this_thread_shard = kUnassigned;

// Gives the calling thread a shard until it ends; the shared one when all are taken.
uint32_t assign_shard();

inline uint32_t current_shard() {
  const uint32_t shard = this_thread_shard;
  return shard != kUnassigned ? shard : assign_shard();
}

}  // namespace detail

using Cell = std::atomic<uint64_t>;
static_assert(sizeof(Cell) == 8);

// The calling thread's shard of a cell.
inline Cell& own_cell(Cell* first, uint32_t shard) {
  return *reinterpret_cast<Cell*>(reinterpret_cast<char*>(first) + size_t{shard} * kShardBytes);
}

inline void add_to_cell(Cell* first, uint64_t n) noexcept {
  const uint32_t shard = detail::current_shard();
  Cell& cell = own_cell(first, shard);
  if (shard != detail::kSharedShard) {
    cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  } else {
    cell.fetch_add(n, std::memory_order_relaxed);
  }
}

// The cell holds the bits of a double.
inline void add_to_cell(Cell* first, double x) noexcept {
  const uint32_t shard = detail::current_shard();
  Cell& cell = own_cell(first, shard);
  uint64_t bits = cell.load(std::memory_order_relaxed);
  const auto sum = [&] { return std::bit_cast<uint64_t>(std::bit_cast<double>(bits) + x); };
  if (shard != detail::kSharedShard) {
    cell.store(sum(), std::memory_order_relaxed);
  } else {
    while (!cell.compare_exchange_weak(bits, sum(), std::memory_order_relaxed)) {
    }
  }
}

uint64_t sum_cells(const Cell* first);
double sum_cells_as_double(const Cell* first);

// Hands out cells. Not thread-safe. Cells stay where they are until the arena goes.
class CellArena {
 public:
  CellArena() = default;
  ~CellArena();
  CellArena(const CellArena&) = delete;
  CellArena& operator=(const CellArena&) = delete;

  // `count` neighbouring cells, all zero, as they lie in the first shard; null when the arena is full or the system
  // gives no address space.
  Cell* allocate(size_t count);

  // Takes cells back for later use. Nobody may add to them any more.
  void release(Cell* first, size_t count);

 private:
  char* base_ = nullptr;
  size_t used_bytes_ = 0;
  std::map<size_t, std::vector<Cell*>> free_;  // by count
};

}  // namespace nexus::host
