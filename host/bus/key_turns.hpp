// One at a time for each key, in a mailbox that several workers run. Keys are known by their hash: two that share one
// only wait for each other. Not thread-safe: the mailbox's lock guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "host/bus/slot.hpp"

namespace nexus::host {

class KeyTurns {
 public:
  static constexpr uint64_t kNoKey = 0;

  // True when the slot may run now; else it waits until the one that runs leaves.
  bool enter(uint64_t key, Slot slot) {
    const auto [running, is_first] = waiting_.try_emplace(key);
    if (!is_first) running->second.push_back(slot);
    return is_first;
  }
  // The one with this key has run. The next with it, if there is one, is ready.
  void leave(uint64_t key) {
    const auto running = waiting_.find(key);
    if (running == waiting_.end()) return;
    if (running->second.empty()) {
      waiting_.erase(running);
      return;
    }
    ready_.push_back({key, running->second.front()});
    running->second.pop_front();
  }
  // It was handed out and has not run: it is the next again.
  void give_back(uint64_t key, Slot slot) { ready_.push_front({key, slot}); }

  // All that wait, when none runs: in their order for each key.
  std::vector<Slot> take_all() {
    std::vector<Slot> all;
    for (const Ready& first : ready_) {
      all.push_back(first.slot);
      std::deque<Slot>& behind = waiting_[first.key];
      all.insert(all.end(), behind.begin(), behind.end());
    }
    ready_.clear();
    waiting_.clear();
    return all;
  }

  bool has_ready() const { return !ready_.empty(); }
  uint64_t take_ready(Slot* slot) {
    const Ready first = ready_.front();
    ready_.pop_front();
    *slot = first.slot;
    return first.key;
  }

 private:
  struct Ready {
    uint64_t key;
    Slot slot;
  };
  std::unordered_map<uint64_t, std::deque<Slot>> waiting_;  // of each key that runs or is ready
  std::deque<Ready> ready_;
};

}  // namespace nexus::host
