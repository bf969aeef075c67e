// The order in which emitters choose among types: irregular, so that no cache or prefetcher profits, and the same in
// every run, so that the harness can tell beforehand who will get how many events.
#pragma once

#include <cstdint>

namespace nexus::bench {

class TypeOrder {
 public:
  TypeOrder(uint32_t first, uint32_t count) : first_(first), count_(count) {}
  uint32_t next() {
    if (count_ == 1) return first_;
    state_ = state_ * 1664525u + 1013904223u;
    return first_ + static_cast<uint32_t>((static_cast<uint64_t>(state_) * count_) >> 32);
  }

 private:
  uint32_t first_, count_, state_ = 1;
};

}  // namespace nexus::bench
