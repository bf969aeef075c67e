#include "host/observe/shards.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>
#include <thread>
#include <vector>

using namespace nexus::host;

namespace {

// Starts all at once and waits for them.
template <class Work>
void in_threads(size_t count, Work work) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("cells start at zero and lie apart") {
  CellArena arena;
  Cell* one = arena.allocate(1);
  Cell* three = arena.allocate(3);
  REQUIRE(one != nullptr);
  REQUIRE(three != nullptr);
  CHECK(sum_cells(one) == 0);
  add_to_cell(one, uint64_t{5});
  for (size_t i = 0; i < 3; ++i) CHECK(sum_cells(three + i) == 0);
  CHECK(sum_cells(one) == 5);
  CHECK(arena.allocate(0) == nullptr);
}

TEST_CASE("cells that were given back are used again, at zero in every shard") {
  CellArena arena;
  Cell* first = arena.allocate(4);
  in_threads(8, [&](size_t) { add_to_cell(first + 2, uint64_t{7}); });
  CHECK(sum_cells(first + 2) == 56);
  arena.release(first, 4);
  Cell* other_size = arena.allocate(3);
  CHECK(other_size != first);
  Cell* again = arena.allocate(4);
  CHECK(again == first);
  for (size_t i = 0; i < 4; ++i) CHECK(sum_cells(again + i) == 0);
  arena.release(nullptr, 4);
}

TEST_CASE("an arena says when it is full, and has room again for what is given back") {
  CellArena arena;
  constexpr size_t kAll = kShardBytes / sizeof(Cell);
  CHECK(arena.allocate(kAll + 1) == nullptr);
  Cell* most = arena.allocate(kAll - 1);
  REQUIRE(most != nullptr);
  CHECK(arena.allocate(2) == nullptr);
  Cell* last = arena.allocate(1);
  REQUIRE(last != nullptr);
  CHECK(arena.allocate(1) == nullptr);
  add_to_cell(last, uint64_t{1});
  CHECK(sum_cells(last) == 1);
  arena.release(last, 1);
  CHECK(arena.allocate(1) == last);
}

TEST_CASE("more threads than shards lose no addition") {
  CellArena arena;
  Cell* whole = arena.allocate(2);
  constexpr uint64_t kEach = 20'000;
  constexpr size_t kThreads = kShardCount * 2;
  std::atomic<size_t> ready{0};
  in_threads(kThreads, [&](size_t) {
    add_to_cell(whole, uint64_t{0});  // takes a shard before any thread ends and gives one back
    ++ready;
    while (ready < kThreads) std::this_thread::yield();
    for (uint64_t i = 0; i < kEach; ++i) {
      add_to_cell(whole, uint64_t{1});
      add_to_cell(whole + 1, 0.5);
    }
  });
  CHECK(sum_cells(whole) == kEach * kThreads);
  CHECK(sum_cells_as_double(whole + 1) == static_cast<double>(kEach * kThreads) * 0.5);
}

TEST_CASE("threads that live at once have shards of their own, and give them back") {
  for (int round = 0; round < 3; ++round) {
    constexpr size_t kThreads = kShardCount - 4;
    std::vector<uint32_t> shards(kThreads);
    std::atomic<size_t> ready{0};
    in_threads(kThreads, [&](size_t i) {
      shards[i] = detail::current_shard();
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
    });
    const std::set<uint32_t> different(shards.begin(), shards.end());
    CHECK(different.size() == kThreads);
    CHECK_FALSE(different.contains(detail::kSharedShard));
  }
}

TEST_CASE("a thread that takes over a shard goes on from what the last one counted") {
  CellArena arena;
  Cell* cell = arena.allocate(1);
  for (int i = 0; i < 200; ++i) in_threads(2, [&](size_t) { add_to_cell(cell, uint64_t{1}); });
  CHECK(sum_cells(cell) == 400);
}
