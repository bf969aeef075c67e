// The recent past of the bus, for `nexus explain` and `nexus trace`: one record for each attempt at a delivery, and one
// for each event that went nowhere. Bounded: new records take the place of the oldest. Each worker writes a shard of
// its own without a lock; all others share one. Any thread reads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/base/uuid.hpp"

namespace nexus::host {

enum class TraceKind : uint8_t {
  handled,
  filtered,
  failed,    // for good
  retried,   // failed, and will be tried again
  deferred,  // answered LATER
  held,      // waits behind its key or a pause
  expired,
  discarded,
  unrouted,  // nobody listened
  rejected,  // not accepted
};

struct TraceRecord {
  Uuid event{}, causation{}, trace{};  // the trace of a root event is its own id
  int64_t emitted_unix_ns = 0;
  int64_t ended_unix_ns = 0;  // of the attempt
  uint64_t subscription = 0;  // 0 where there is none
  int64_t duration_ns = 0;
  uint32_t type_index = 0;
  uint32_t emitter = 0;
  int32_t priority = 0;
  int32_t code = 0;  // of a rejection
  uint32_t attempt = 0;
  TraceKind kind = TraceKind::handled;
};

class TraceShard {
 public:
  static constexpr size_t kRecords = 4096;

  // By one thread at a time.
  void write(const TraceRecord& record) {
    Slot& slot = slots_[next_++ % kRecords];
    uint64_t words[kWords] = {};
    std::memcpy(words, &record, sizeof record);
    slot.version.store(slot.version.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    for (size_t i = 0; i < kWords; ++i) slot.words[i].store(words[i], std::memory_order_relaxed);
    slot.version.store(slot.version.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  // The worker that has it ends.
  void give_back() { taken_.store(false, std::memory_order_release); }

  // Of those that are not being written right now.
  void each(const std::function<void(const TraceRecord&)>& visit) const;

 private:
  friend class TraceRing;
  static constexpr size_t kWords = (sizeof(TraceRecord) + 7) / 8;
  // The version is odd while the words change, and 0 before they were first written.
  struct alignas(64) Slot {
    std::atomic<uint64_t> version{0};
    std::atomic<uint64_t> words[kWords];
  };
  std::array<Slot, kRecords> slots_;
  uint64_t next_ = 0;
  std::atomic<bool> taken_{true};
};

// Why an attempt failed.
struct TraceError {
  Uuid event{};
  uint64_t subscription = 0;
  uint32_t attempt = 0;
  int64_t retry_in_ns = -1;  // -1: it is not tried again
  std::string type, message;
};

class TraceRing {
 public:
  static constexpr size_t kErrorsMax = 2000;

  // A shard for a worker; it is the ring's, and another worker's after its give_back. Never null.
  TraceShard* take_shard();
  // For threads that have no shard.
  void write_shared(const TraceRecord& record) {
    std::lock_guard guard(shared_mutex_);
    shared_.write(record);
  }
  void note_error(TraceError error);
  std::vector<TraceError> errors_of(const Uuid& event) const;

  // The records for which it is true, oldest first.
  std::vector<TraceRecord> find(const std::function<bool(const TraceRecord&)>& wanted) const;

 private:
  mutable std::mutex mutex_;  // guards shards_
  std::vector<std::unique_ptr<TraceShard>> shards_;
  std::deque<TraceError> errors_;  // guarded by mutex_
  std::mutex shared_mutex_;        // guards writing to shared_
  TraceShard shared_;
};

}  // namespace nexus::host
