// Keeps events with the same key in the order they came where several priorities wait: as long as one waits or has not
// run, those after it stand in its lane, for ageing takes from lower lanes too. Keys are known by their hash: two that
// share one only share their order. Not thread-safe: the mailbox's lock guards it.
#pragma once

#include <cstdint>
#include <unordered_map>

namespace nexus::host {

class KeyLevels {
 public:
  // One with this key and priority comes to wait last; the level of the lane where it may.
  int32_t enter(uint64_t key, int32_t level) {
    Waiting& waiting = waiting_.try_emplace(key, Waiting{level, 0}).first->second;
    ++waiting.count;
    return waiting.level;
  }
  void leave(uint64_t key) {
    const auto at = waiting_.find(key);
    if (at != waiting_.end() && --at->second.count == 0) waiting_.erase(at);
  }

 private:
  struct Waiting {
    int32_t level;
    uint32_t count;
  };
  std::unordered_map<uint64_t, Waiting> waiting_;
};

}  // namespace nexus::host
