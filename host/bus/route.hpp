// Where events of one type go: immutable snapshots that emits read without a lock (see epoch.hpp). A route is a list of
// stages by handler priority; a stage is a list of targets; a target is a mailbox and those handlers in it that run
// for this stage. Made and retired by the router; counters in a target are written by whoever runs its mailbox.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "host/bus/target.hpp"

namespace nexus::host {

struct Stage {
  std::vector<Target*> targets;
};

struct Route {
  mutable std::atomic<uint32_t> references{1};  // the router's own, and events that hold it between stages
  Target* single = nullptr;                     // the only target of the only stage, the common case
  std::vector<Target*> together;                // of the only stage, where Mailbox::push_all can take them
  std::vector<Stage> stages;
  std::vector<std::shared_ptr<Target>> owned;
  uint32_t delivery_count = 0;  // handlers over all stages

  void retain() const { references.fetch_add(1, std::memory_order_relaxed); }
  void release() const {
    if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
};

// The target of one mailbox for events of a type: these handlers in it, in this order.
std::shared_ptr<Target> make_target(Mailbox* mailbox, uint32_t type_index,
                                    const std::vector<std::shared_ptr<Subscription>>& subscriptions);

// The target for another attempt of one handler. Nobody asks its condition again.
std::shared_ptr<Target> make_retry_target(Mailbox* mailbox, uint32_t type_index,
                                          const std::shared_ptr<Subscription>& subscription, uint32_t attempt,
                                          std::shared_ptr<const DeliveryPast> past, uint32_t minds = 0);

// The target for a delivery to one handler of another target, that its backlog has released.
std::shared_ptr<Target> make_released_target(const Target& held, uint32_t entry, uint32_t minds);

// The route of a type to all the subscriptions that match it, of which there is at least one. The caller's to release.
Route* make_route(uint32_t type_index, const std::vector<std::shared_ptr<Subscription>>& matching);

}  // namespace nexus::host
