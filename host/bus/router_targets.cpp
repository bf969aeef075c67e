// Targets that are part of no route: for another attempt, for what a backlog releases, and for what a hot swap hands
// over. See router.hpp.
#include <algorithm>

#include "host/bus/mailbox.hpp"
#include "host/bus/participant.hpp"
#include "host/bus/router.hpp"

namespace nexus::host {

std::shared_ptr<Subscription> Router::heir_locked(const Subscription& old_one, const Participant& participant) const {
  if (old_one.is_wait) return nullptr;
  for (const auto& [id, candidate] : subscriptions_) {
    if (candidate->participant != &participant || candidate->is_wait ||
        !candidate->active.load(std::memory_order_relaxed))
      continue;
    if (old_one.name.empty() ? candidate->pattern.text() == old_one.pattern.text() : candidate->name == old_one.name)
      return candidate;
  }
  return nullptr;
}

std::shared_ptr<Subscription> Router::heir_of(const Subscription& old_one, const Participant& participant) const {
  std::lock_guard guard(mutex_);
  return heir_locked(old_one, participant);
}

Target* Router::successor_of(const Target& old_target, const Participant& participant) {
  std::lock_guard guard(mutex_);
  for (const auto& [old_one, successor] : successors_)
    if (old_one == &old_target) return successor.get();
  std::vector<std::shared_ptr<Subscription>> heirs;
  std::vector<uint32_t> orphans;
  for (uint32_t i = 0; i < old_target.size; ++i) {
    const std::shared_ptr<Subscription> heir = heir_locked(*old_target.entries[i].subscription, participant);
    if (heir == nullptr || !heir->pattern.matches(types_[old_target.type_index]->name)) {
      orphans.push_back(i);
      continue;
    }
    if (std::find(heirs.begin(), heirs.end(), heir) == heirs.end()) heirs.push_back(heir);
  }
  std::shared_ptr<Target> successor;
  if (!heirs.empty()) {
    const uint32_t minds =
        old_target.entries[0].minds.load(std::memory_order_relaxed) & (Entry::kHoldsKey | Entry::kReleased);
    if (old_target.is_retry) {
      successor = make_retry_target(heirs[0]->mailbox, old_target.type_index, heirs[0], old_target.entries[0].attempt,
                                    old_target.past, minds);
    } else {
      successor = make_target(heirs[0]->mailbox, old_target.type_index, heirs);
      if (minds != 0) successor->entries[0].minds.fetch_or(minds, std::memory_order_relaxed);
    }
    successor->orphans = std::move(orphans);
    retired_targets_.push_back(successor);  // part of no route: it goes when its slots are gone
  }
  successors_.emplace_back(&old_target, successor);
  return successor.get();
}

std::shared_ptr<Target> Router::make_retry(const Target& failed, const Entry& entry,
                                           std::shared_ptr<const DeliveryPast> past, uint32_t minds) {
  return keep_unrouted(make_retry_target(failed.mailbox, failed.type_index, entry.subscription, entry.attempt + 1,
                                         std::move(past), minds));
}

std::shared_ptr<Target> Router::make_released(const HeldBack& held, uint32_t minds) {
  return keep_unrouted(make_released_target(*held.target, held.entry, minds));
}

std::shared_ptr<Subscription> Router::find_live(std::string_view plugin, std::string_view name,
                                                std::string_view pattern, const TypeEntry& type) const {
  for (const auto& [id, candidate] : subscriptions_) {
    if (candidate->is_wait || !is_active(*candidate) || candidate->participant->id() != plugin) continue;
    const bool same = candidate->name == name && (!name.empty() || candidate->pattern.text() == pattern);
    if (same && candidate->pattern.matches(type.name)) return candidate;
  }
  return nullptr;
}

std::shared_ptr<Target> Router::make_redrive(std::string_view plugin, std::string_view name, std::string_view pattern,
                                             const TypeEntry& type, std::shared_ptr<const DeliveryPast> past,
                                             uint32_t minds) {
  std::lock_guard guard(mutex_);
  const std::shared_ptr<Subscription> subscription = find_live(plugin, name, pattern, type);
  if (subscription == nullptr) return nullptr;
  return keep_unrouted_locked(
      make_retry_target(subscription->mailbox, type.index, subscription, 1, std::move(past), minds));
}

std::shared_ptr<Subscription> Router::find_handler(std::string_view plugin, std::string_view name,
                                                   std::string_view pattern, const TypeEntry& type) const {
  std::lock_guard guard(mutex_);
  return find_live(plugin, name, pattern, type);
}

// A target that is part of no route: it goes when nobody holds it and its slots are gone.
std::shared_ptr<Target> Router::keep_unrouted(std::shared_ptr<Target> target) {
  std::lock_guard guard(mutex_);
  return keep_unrouted_locked(std::move(target));
}

std::shared_ptr<Target> Router::keep_unrouted_locked(std::shared_ptr<Target> target) {
  const Subscription& subscription = *target->entries[0].subscription;
  // Made before the lock was taken: it may have been unsubscribed or paused since.
  if (!subscription.active.load(std::memory_order_relaxed))
    target->entries[0].minds.fetch_or(Entry::kInactive, std::memory_order_relaxed);
  if (subscription.backlog.is_paused()) target->entries[0].minds.fetch_or(Entry::kBacklog, std::memory_order_relaxed);
  retired_targets_.push_back(target);
  return target;
}

}  // namespace nexus::host
