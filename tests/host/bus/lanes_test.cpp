// Lanes against an obvious model: FIFO inside a level, higher levels first, and the share of the lowest.
#include <rapidcheck.h>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <map>

#include "host/bus/lanes.hpp"

using namespace nexus::host;

namespace {

Slot slot_of(uint64_t number) { return Slot{reinterpret_cast<void*>(number), nullptr}; }
uint64_t number_of(const Slot& slot) { return reinterpret_cast<uint64_t>(slot.item); }

}  // namespace

TEST_CASE("lanes keep every slot, in order inside a level, whatever is done to them") {
  const bool holds = rc::check([] {
    Lanes lanes;
    std::map<int32_t, std::deque<uint64_t>, std::greater<>> model;
    uint64_t next = 1;
    size_t size = 0;
    const auto steps = *rc::gen::inRange(0, 3000);
    for (int step = 0; step < steps; ++step) {
      const int what = *rc::gen::inRange(0, 10);
      if (what < 6) {
        const auto level = *rc::gen::element<int32_t>(0, 0, 0, 1, 2, -1, 100, INT32_MAX, INT32_MIN);
        lanes.push(level, slot_of(next));
        model[level].push_back(next++);
        ++size;
      } else if (what < 9) {
        Slot out[16];
        int32_t level = 0;
        const uint32_t taken = lanes.take(out, static_cast<uint32_t>(*rc::gen::inRange(1, 17)), &level);
        RC_ASSERT((taken == 0) == (size == 0));
        for (uint32_t i = 0; i < taken; ++i) {
          RC_ASSERT(model[level].front() == number_of(out[i]));
          model[level].pop_front();
        }
        size -= taken;
        if (taken > 1 && *rc::gen::inRange(0, 2) == 0) {
          lanes.give_back(level, out + 1, taken - 1);
          for (uint32_t i = taken - 1; i > 0; --i) model[level].push_front(number_of(out[i]));
          size += taken - 1;
        }
      } else {
        Slot out;
        if (lanes.take_lowest(&out)) {
          auto lowest = model.end();
          for (auto at = model.begin(); at != model.end(); ++at)
            if (!at->second.empty()) lowest = at;
          RC_ASSERT(lowest != model.end());
          RC_ASSERT(lowest->second.front() == number_of(out));
          lowest->second.pop_front();
          --size;
        } else {
          RC_ASSERT(size == 0u);
        }
      }
      RC_ASSERT(lanes.size() == size);
    }
  });
  CHECK(holds);
}

TEST_CASE("a flood at the top leaves the lowest level at least one delivery in a hundred, and starves no level") {
  for (const uint32_t batch : {1u, 7u, 64u}) {
    Lanes lanes;
    for (int i = 0; i < 1000; ++i)
      for (const int32_t level : {-1, 3, 7}) lanes.push(level, slot_of(1));
    std::map<int32_t, int> got;
    int total = 0;
    while (total < 20000) {
      while (lanes.size() < 3500) lanes.push(100, slot_of(1));
      Slot out[64];
      int32_t level = 0;
      const uint32_t taken = lanes.take(out, batch, &level);
      got[level] += static_cast<int>(taken);
      total += static_cast<int>(taken);
    }
    CHECK(got[-1] * 100 >= total);
    CHECK(got[3] > 0);
    CHECK(got[7] > 0);
    CHECK(got[100] * 100 >= 97 * total);
  }
}

TEST_CASE("thousands of priorities do not leave thousands of empty lanes behind") {
  Lanes lanes;
  for (int32_t level = 0; level < 5000; ++level) {
    lanes.push(level, slot_of(static_cast<uint64_t>(level) + 1));
    Slot out;
    int32_t got = -1;
    REQUIRE(lanes.take(&out, 1, &got) == 1);
    REQUIRE(got == level);
  }
  CHECK(lanes.lane_count() <= 32);
}

TEST_CASE("the higher of two levels comes first, whatever the order of pushing") {
  Lanes lanes;
  lanes.push(0, slot_of(1));
  lanes.push(5, slot_of(2));
  lanes.push(-5, slot_of(3));
  lanes.push(5, slot_of(4));
  std::vector<uint64_t> order;
  Slot out[8];
  int32_t level = 0;
  while (const uint32_t taken = lanes.take(out, 8, &level))
    for (uint32_t i = 0; i < taken; ++i) order.push_back(number_of(out[i]));
  CHECK(order == std::vector<uint64_t>{2, 4, 1, 3});
}
