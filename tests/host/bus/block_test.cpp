#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <thread>
#include <vector>

#include "host/event/block.hpp"

using namespace nexus::host;

TEST_CASE("a block has room for its payload at every size around the classes") {
  for (size_t size : {0u, 1u, 71u, 72u, 73u, 200u, 264u, 265u, 3848u, 3849u, 100'000u}) {
    EventBlock* block = allocate_block(size);
    REQUIRE(block != nullptr);
    std::memset(block->payload(), 0x5a, size);
    CHECK(EventBlock::of(&block->event) == block);
    block->retain();
    block->release();
    block->release();
  }
}

TEST_CASE("blocks that one thread makes and another frees are used again") {
  const size_t before = block_bytes_in_use();
  for (int round = 0; round < 200; ++round) {
    std::vector<EventBlock*> blocks;
    for (int i = 0; i < 1000; ++i) blocks.push_back(allocate_block(100));
    std::thread other([&] {
      for (EventBlock* block : blocks) block->release();
    });
    other.join();
  }
  // 200,000 blocks of 384 bytes would be 77 MB; what stays is what was in use at once, and the depot.
  CHECK(block_bytes_in_use() - before < 16u << 20);
}
