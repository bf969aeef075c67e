// A mailbox and those of its handlers that one event type reaches in one stage. Immutable but for the counts, which are
// written by whoever runs the mailbox and may be read by any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/bus/subscription.hpp"
#include "nexus/abi/bus.h"

namespace nexus::host {

class Mailbox;
struct DeadLetter;

// What lies behind a delivery that is no first attempt.
struct DeliveryPast {
  int64_t first_failed_unix_ns = 0;
  std::shared_ptr<const DeadLetter> letter;  // what it was made of, when somebody has sent a dead letter again
  std::string note;                          // that person's
};

// Counts that one thread at a time writes and any thread may read.
class OwnedCount {
 public:
  void add(uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void add_shared(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// One handler within a target. The function pointers are copied here so that a delivery touches one place.
struct alignas(64) Entry {
  // What a delivery has to mind beside calling the handler; 0 for nearly all.
  static constexpr uint32_t kCondition = 1, kNoSelf = 2, kInactive = 4, kRetry = 8;
  // The subscription is paused, or holds back what has the same key; this delivery holds its key; this one was released
  // by the end of a pause, and the next one follows it.
  static constexpr uint32_t kBacklog = 16, kHoldsKey = 32, kReleased = 64;
  std::atomic<uint32_t> minds{0};
  nexus_handle id = 0;
  nexus_handler_fn handler = nullptr;
  void* user = nullptr;
  OwnedCount handled;
  nexus_condition_fn condition = nullptr;
  std::shared_ptr<Subscription> subscription;
  OwnedCount failed, filtered, retried;
  uint32_t attempt = 1;
  std::atomic<uint64_t> discarded{0};  // by whoever drops it, any thread
};

struct Target : std::enable_shared_from_this<Target> {
  Mailbox* mailbox = nullptr;
  uint32_t type_index = 0;
  uint32_t size = 0;
  bool is_retry = false;  // of one handler that has failed; the event has passed this stage
  bool is_keyed = false;  // one at a time of each key, where several workers run the mailbox
  std::unique_ptr<Entry[]> entries;
  std::shared_ptr<const DeliveryPast> past;  // with is_retry
  std::vector<uint32_t> orphans;             // of the target that this one succeeds: entries that nobody has inherited
  // Slots that named this target: pushed ones, guarded by the lock of the mailbox's emitters, and finished or dropped
  // ones, guarded by that of its runner. On lines of their own: emitters read the line above for every event.
  alignas(64) uint64_t pushed = 0;
  alignas(64) uint64_t finished = 0;
};

}  // namespace nexus::host
