// Deliveries that wait behind others of their subscription: see backlog.hpp for what, here is when and how they go on.
#include <utility>

#include "host/bus/bus.hpp"
#include "host/event/block.hpp"

namespace nexus::host {

bool Bus::hold_back(EventBlock* event, Target& target, Entry& entry) {
  const uint32_t minds = entry.minds.load(std::memory_order_relaxed);
  const bool is_keyed = (event->host_flags & EventBlock::kHostKeyed) != 0;
  // The one that holds the key does not wait for itself.
  const std::string_view key =
      is_keyed && (minds & Entry::kHoldsKey) == 0 ? to_view(event->event.key) : std::string_view();
  // Most that have a key have another one than those that are blocked.
  const bool released = (minds & Entry::kReleased) != 0;
  if (!entry.subscription->backlog.must_wait(key, released)) return false;
  // All that is counted must be so before another thread can let it go on.
  event->retain();
  const bool holds_stage = !target.is_retry && event->route != nullptr;
  if (holds_stage) event->stage_left.fetch_add(1, std::memory_order_relaxed);
  target.mailbox->reserve_forced();
  HeldBack held{event, target.shared_from_this(), static_cast<uint32_t>(&entry - target.entries.get())};
  if (entry.subscription->backlog.hold(std::move(held), key, released)) {
    // Where it was unsubscribed meanwhile, nobody will come for what is held.
    if (!entry.subscription->active.load(std::memory_order_acquire)) discard_backlog(*entry.subscription);
    return true;
  }
  target.mailbox->unreserve();
  if (holds_stage) event->stage_left.fetch_sub(1, std::memory_order_relaxed);
  event->release();
  return false;
}

// Sends one on its way. It has a place in its mailbox; where that is closed, its successor's.
void Bus::release(std::optional<HeldBack> held, uint32_t minds) {
  if (!held.has_value()) return;
  const std::shared_ptr<Target> target = router_.make_released(*held, minds);
  deliver_or_redirect(held->event, target.get(), target->mailbox->push_reserved(held->event, target.get()));
}

void Bus::follow(EventBlock* event, Entry& entry, uint32_t minds, bool ended) {
  Backlog& backlog = entry.subscription->backlog;
  if ((minds & Entry::kHoldsKey) != 0 && ended) release(backlog.next_of(to_view(event->event.key)), Entry::kHoldsKey);
  if ((minds & Entry::kReleased) != 0) release_next(*entry.subscription, backlog.next_released());
}

// Of what a pause had held back. With the last of it the handlers need not ask any more.
void Bus::release_next(Subscription& subscription, std::optional<HeldBack> held) {
  if (held.has_value()) return release(std::move(held), Entry::kReleased);
  if (subscription.backlog.holds_all()) return;
  router_.mark_backlog(subscription, false);
  if (subscription.backlog.holds_all()) router_.mark_backlog(subscription, true);
}

Result<void> Bus::pause_subscription(nexus_handle subscription) {
  const std::shared_ptr<Subscription> known = router_.find(subscription);
  if (known == nullptr) return make_error(NEXUS_E_HANDLE, "no such subscription");
  known->backlog.pause();
  router_.mark_backlog(*known, true);
  return {};
}

Result<void> Bus::resume_subscription(nexus_handle subscription) {
  const std::shared_ptr<Subscription> known = router_.find(subscription);
  if (known == nullptr) return make_error(NEXUS_E_HANDLE, "no such subscription");
  release_next(*known, known->backlog.resume());
  return {};
}

void Bus::discard_backlog(Subscription& subscription) {
  for (const HeldBack& held : subscription.backlog.take_all()) {
    held.target->mailbox->unreserve();
    Entry& entry = held.target->entries[held.entry];
    entry.discarded.fetch_add(1, std::memory_order_relaxed);
    if (held.target->is_retry)
      retry_discarded(*held.target);
    else if (held.event->route != nullptr)
      first_attempt_done(held.event);
    held.event->release();
  }
}

// The old instance's mailboxes are closed: what is released goes to the successor's handler, whose own backlog holds
// the keys from now on.
void Bus::hand_over_backlogs(const std::vector<std::shared_ptr<Subscription>>& holding, Participant& new_one) {
  for (const auto& old_subscription : holding) {
    const std::shared_ptr<Subscription> heir = router_.heir_of(*old_subscription, new_one);
    if (heir == nullptr) {
      discard_backlog(*old_subscription);
      continue;
    }
    heir->backlog.adopt(old_subscription->backlog);
    if (heir->backlog.holds_all()) router_.mark_backlog(*heir, true);
  }
}

}  // namespace nexus::host
