// The ids that emitters chose themselves, for as long as the window says: the same id again is a duplicate, or a
// conflict where the content differs. Ids that the bus makes are never the same twice and are not kept. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "host/base/uuid.hpp"
#include "nexus/abi/event.h"

namespace nexus::host {

class DedupWindow {
 public:
  // Beyond so many the oldest are forgotten before their time: 48 bytes each.
  static constexpr size_t kIdsMax = 1'000'000;
  enum class Seen : uint8_t { kNew, kDuplicate, kConflict };

  // `window_ns` of 0 remembers nothing. Times are of the monotonic clock.
  explicit DedupWindow(int64_t window_ns) : window_ns_(window_ns) {}

  // Remembers the id of a new one.
  Seen look(const Uuid& id, uint64_t content, int64_t now_ns);
  // It was not accepted after all.
  void forget(const Uuid& id);
  size_t size() const;

  // A hash of what must be the same in a duplicate: type, key, subject and data.
  static uint64_t content_of(const nexus_event& event);

 private:
  struct Remembered {
    uint64_t content;
    int64_t until_ns;
  };
  void forget_old(int64_t now_ns);

  const int64_t window_ns_;
  mutable std::mutex mutex_;  // guards all below
  std::unordered_map<Uuid, Remembered, UuidHash, UuidEqual> known_;
  std::deque<Uuid> oldest_first_;
};

}  // namespace nexus::host
