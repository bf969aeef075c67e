// No allocation per event in the steady state: emit, routing, delivery and release are counted together.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <new>

#include "tests/host/bus/bus_rig.hpp"

namespace {
std::atomic<long> allocations{0};
}

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

int32_t count_up(void* user, const nexus_delivery*, nexus_outcome*) {
  static_cast<std::atomic<long>*>(user)->fetch_add(1, std::memory_order_relaxed);
  return NEXUS_DONE;
}

}  // namespace

TEST_CASE("a million events pass without an allocation") {
  BusOptions options;
  options.max_queue_size = 2000;
  Rig rig(options);
  auto shop = rig.add("com.example.shop"), mail = rig.add("com.example.mail");
  std::atomic<long> handled{0};
  nexus_subscribe_options none{};
  none.size = sizeof none;
  REQUIRE(rig.bus->subscribe(*mail, "order.created", none, count_up, &handled));
  REQUIRE(rig.bus->subscribe(*shop, "order.*", none, count_up, &handled));
  const uint64_t port = rig.bus->intern(*shop, "order.created").value();
  const uint8_t data[128] = {};
  const auto emit = [&](long count) {
    for (long i = 0; i < count; ++i)
      if (rig.bus->emit(*shop, port, nullptr, {data, sizeof data}, nullptr, nullptr) != NEXUS_OK) std::abort();
    return rig.settle();
  };
  // The depths that a run reaches differ; once the queues and pools have been as deep as they get, nothing is asked
  // for.
  REQUIRE(rig.bus->pause(*mail, in_seconds(10)));
  REQUIRE(rig.bus->pause(*shop, in_seconds(10)));
  for (int i = 0; i < 2000; ++i)
    REQUIRE(rig.bus->emit(*shop, port, nullptr, {data, sizeof data}, nullptr, nullptr) == NEXUS_OK);
  rig.bus->resume(*mail);
  rig.bus->resume(*shop);
  REQUIRE(emit(100'000));
  const long before = allocations.load();
  const size_t blocks_before = block_bytes_in_use();
  REQUIRE(emit(1'000'000));
  const long made = allocations.load() - before;
  CHECK(made < 1000);  // a thousandth per event at the very most: queue chunks beyond what a mailbox keeps
  CHECK(block_bytes_in_use() <= blocks_before + (2u << 20));
  CHECK(handled == 2 * 1'102'000L);
}
