// One handler's interest in a pattern, as it was registered. Shared by the targets of every route it is part of; only
// `active` changes after it was made, and may be read by any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "host/bus/backlog.hpp"
#include "host/bus/retry_policy.hpp"
#include "host/event/pattern.hpp"
#include "nexus/abi/bus.h"

namespace nexus::host {

class Mailbox;
class Participant;

// Where deliveries ended; `retried` counts on top how often one was tried again.
struct SubscriptionTotals {
  uint64_t handled = 0, failed = 0, filtered = 0, discarded = 0, retried = 0;
};

struct Subscription {
  nexus_handle id = 0;
  Participant* participant = nullptr;
  Mailbox* mailbox = nullptr;
  Pattern pattern;
  std::string name;         // empty for a dynamic one
  std::string filter_text;  // what the condition says, for people
  uint64_t order = 0;       // of registration
  int32_t priority = 0;
  uint32_t concurrency = NEXUS_CONCURRENCY_SERIAL;
  uint32_t flags = 0;
  int64_t deadline_ns = 0;
  RetryPolicy retry;
  nexus_handler_fn handler = nullptr;
  nexus_condition_fn condition = nullptr;
  void* user = nullptr;
  std::shared_ptr<const void> keeps;  // what `user` points to, where it is the host's own
  bool is_wait = false;               // of a waiter: for one event, of nobody's concern

  Backlog backlog;
  std::atomic<bool> active{true};
  // What was counted in targets that are gone; the live ones' counts come on top. Added to by the router only.
  std::atomic<uint64_t> handled_before{0}, failed_before{0}, filtered_before{0}, discarded_before{0}, retried_before{0};

  explicit Subscription(Pattern its_pattern) : pattern(std::move(its_pattern)) {}
};

}  // namespace nexus::host
