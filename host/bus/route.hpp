// Where events of one type go: immutable snapshots that emits read without a lock (see epoch.hpp). A route is a list of
// stages by handler priority; a stage is a list of targets; a target is a mailbox and those handlers in it that run
// for this stage. Made and retired by the router; counters in a target are written by whoever runs its mailbox.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "host/bus/subscription.hpp"
#include "nexus/abi/bus.h"

namespace nexus::host {

class Mailbox;

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
struct Entry {
  nexus_handler_fn handler = nullptr;
  nexus_condition_fn condition = nullptr;
  void* user = nullptr;
  nexus_handle id = 0;
  uint32_t flags = 0;
  std::shared_ptr<Subscription> subscription;
  OwnedCount handled, failed, filtered;
  std::atomic<uint64_t> discarded{0};  // by whoever drops it, any thread
};

struct Target {
  Mailbox* mailbox = nullptr;
  uint32_t type_index = 0;
  uint32_t size = 0;
  uint64_t queued = 0;  // slots that name this target, guarded by the mailbox's lock
  std::unique_ptr<Entry[]> entries;
};

struct Stage {
  std::vector<Target*> targets;
};

struct Route {
  mutable std::atomic<uint32_t> references{1};  // the router's own, and events that hold it between stages
  Target* single = nullptr;                     // the only target of the only stage, the common case
  std::vector<Stage> stages;
  std::vector<std::shared_ptr<Target>> owned;
  uint32_t delivery_count = 0;                  // handlers over all stages

  void retain() const { references.fetch_add(1, std::memory_order_relaxed); }
  void release() const {
    if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
};

}  // namespace nexus::host
