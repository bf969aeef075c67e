#include "host/bus/router.hpp"

#include <algorithm>
#include <deque>

#include "host/bus/epoch.hpp"
#include "host/bus/mailbox.hpp"
#include "host/bus/participant.hpp"
#include "host/event/name.hpp"

namespace nexus::host {

Router::Router() : types_(new TypeEntry*[kTypesMax]) {}

Router::~Router() {
  for (const Retired& retired : retired_routes_) retired.route->release();
  for (const auto& type : owned_types_)
    if (const Route* route = type->route.load(std::memory_order_relaxed)) route->release();
}

// ---- Types --------------------------------------------------------------------------------------------------------

Result<TypeEntry*> Router::intern(std::string_view name) {
  std::lock_guard guard(mutex_);
  if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second;
  if (auto valid = check_type(name); !valid) return valid.error();
  if (owned_types_.size() == kTypesMax)
    return make_error(NEXUS_E_TOO_LARGE, "more than 65536 event types",
                      "put what varies (ids, names) into the event's data or key, not into its type");
  TypeEntry* type = intern_locked(name);
  return type;
}

TypeEntry* Router::intern_locked(std::string_view name) {
  auto entry = std::make_unique<TypeEntry>();
  entry->name = name;
  entry->index = static_cast<uint32_t>(owned_types_.size());
  entry->reserved = is_reserved_type(name);
  entry->reports_failure = name == "plugin.error" || name == "event.dead_lettered";
  for (const TypeRule& rule : rules_) {
    if (!rule.match.matches(name)) continue;
    entry->expires_ns = rule.expires_ns;
    break;
  }
  TypeEntry* type = entry.get();
  types_[type->index] = type;
  owned_types_.push_back(std::move(entry));
  by_name_.emplace(type->name, type);
  type_count_.store(static_cast<uint32_t>(owned_types_.size()), std::memory_order_release);
  for (const auto& [id, subscription] : subscriptions_)
    if (is_active(*subscription) && subscription->pattern.matches(type->name)) type->matching.push_back(subscription);
  if (!type->matching.empty()) rebuild(*type);
  return type;
}

// ---- Subscriptions ------------------------------------------------------------------------------------------------

bool Router::is_active(const Subscription& subscription) const {
  return subscription.active.load(std::memory_order_relaxed) &&
         std::find(active_.begin(), active_.end(), subscription.participant) != active_.end();
}

void Router::attach(const std::shared_ptr<Subscription>& subscription, std::vector<TypeEntry*>* touched) {
  active_subscriptions_.fetch_add(1, std::memory_order_relaxed);
  for (const auto& type : owned_types_) {
    if (!subscription->pattern.matches(type->name)) continue;
    type->matching.push_back(subscription);
    touched->push_back(type.get());
  }
}

void Router::detach(const std::shared_ptr<Subscription>& subscription, std::vector<TypeEntry*>* touched) {
  bool was_active = std::find(active_.begin(), active_.end(), subscription->participant) != active_.end();
  if (was_active) active_subscriptions_.fetch_sub(1, std::memory_order_relaxed);
  for (const auto& type : owned_types_) {
    const auto at = std::find(type->matching.begin(), type->matching.end(), subscription);
    if (at == type->matching.end()) continue;
    type->matching.erase(at);
    touched->push_back(type.get());
  }
}

// The live entries of a subscription; `types` are those whose present routes name it.
template <class Change>
void Router::each_entry_of(const Subscription& subscription, const std::vector<TypeEntry*>& types, Change change) {
  const auto visit = [&](const std::vector<std::shared_ptr<Target>>& targets) {
    for (const auto& target : targets)
      for (uint32_t i = 0; i < target->size; ++i)
        if (target->entries[i].subscription.get() == &subscription) change(target->entries[i].minds);
  };
  for (const TypeEntry* type : types)
    if (const Route* route = type->route.load(std::memory_order_relaxed)) visit(route->owned);
  visit(retired_targets_);
}

// What already waits for its handler is passed over from now on.
void Router::deactivate(Subscription& subscription, const std::vector<TypeEntry*>& types) {
  subscription.active.store(false, std::memory_order_release);
  each_entry_of(subscription, types, [](auto& minds) { minds.fetch_or(Entry::kInactive, std::memory_order_relaxed); });
}

void Router::mark_backlog(const Subscription& subscription, bool on) {
  std::lock_guard guard(mutex_);
  std::vector<TypeEntry*> types;
  for (const auto& type : owned_types_) types.push_back(type.get());
  each_entry_of(subscription, types, [on](auto& minds) {
    if (on)
      minds.fetch_or(Entry::kBacklog, std::memory_order_relaxed);
    else
      minds.fetch_and(~Entry::kBacklog, std::memory_order_relaxed);
  });
}

std::vector<std::shared_ptr<Subscription>> Router::with_backlog(const Participant& participant) const {
  std::lock_guard guard(mutex_);
  std::vector<std::shared_ptr<Subscription>> found;
  for (const auto& [id, subscription] : subscriptions_)
    if (subscription->participant == &participant && !subscription->backlog.is_idle()) found.push_back(subscription);
  return found;
}

void Router::add(const std::shared_ptr<Subscription>& subscription) {
  std::lock_guard guard(mutex_);
  subscription->id = next_id_++;
  subscription->order = next_order_++;
  subscriptions_.emplace(subscription->id, subscription);
  if (!is_active(*subscription)) return;
  std::vector<TypeEntry*> touched;
  attach(subscription, &touched);
  rebuild_all(touched);
}

Result<void> Router::remove(nexus_handle id, const Participant& participant) {
  std::lock_guard guard(mutex_);
  const auto at = subscriptions_.find(id);
  if (at == subscriptions_.end() || at->second->participant != &participant)
    return make_error(NEXUS_E_HANDLE, "no such subscription of this plugin");
  const std::shared_ptr<Subscription> subscription = at->second;
  std::vector<TypeEntry*> touched;
  detach(subscription, &touched);
  deactivate(*subscription, touched);
  subscriptions_.erase(at);
  rebuild_all(touched);
  return {};
}

void Router::activate(const Participant& participant) {
  std::lock_guard guard(mutex_);
  if (std::find(active_.begin(), active_.end(), &participant) != active_.end()) return;
  active_.push_back(&participant);
  std::vector<TypeEntry*> touched;
  for (const auto& [id, subscription] : subscriptions_)
    if (subscription->participant == &participant) attach(subscription, &touched);
  rebuild_all(touched);
}

void Router::detach_all(const Participant& participant) {
  std::lock_guard guard(mutex_);
  std::vector<TypeEntry*> touched;
  for (const auto& [id, subscription] : subscriptions_)
    if (subscription->participant == &participant) detach(subscription, &touched);
  std::erase(active_, &participant);
  rebuild_all(touched);
}

void Router::remove_all(const Participant& participant) {
  std::lock_guard guard(mutex_);
  std::vector<TypeEntry*> touched;
  for (auto at = subscriptions_.begin(); at != subscriptions_.end();) {
    if (at->second->participant != &participant) {
      ++at;
      continue;
    }
    detach(at->second, &touched);
    deactivate(*at->second, touched);
    at = subscriptions_.erase(at);
  }
  std::erase(active_, &participant);
  rebuild_all(touched);
}

void Router::replace(const Participant& old_one, const Participant& new_one) {
  std::lock_guard guard(mutex_);
  std::vector<TypeEntry*> touched;
  if (std::find(active_.begin(), active_.end(), &new_one) == active_.end()) active_.push_back(&new_one);
  for (const auto& [id, subscription] : subscriptions_)
    if (subscription->participant == &new_one) attach(subscription, &touched);
  for (auto at = subscriptions_.begin(); at != subscriptions_.end();) {
    if (at->second->participant != &old_one) {
      ++at;
      continue;
    }
    // Left `active`: what the old instance has queued is not discarded but handed over.
    detach(at->second, &touched);
    at = subscriptions_.erase(at);
  }
  std::erase(active_, &old_one);
  rebuild_all(touched);
}

std::shared_ptr<Subscription> Router::find(nexus_handle id) const {
  std::lock_guard guard(mutex_);
  const auto at = subscriptions_.find(id);
  return at == subscriptions_.end() ? nullptr : at->second;
}

// ---- Routes -------------------------------------------------------------------------------------------------------

void Router::rebuild(TypeEntry& type) {
  const Route* old_route = type.route.load(std::memory_order_relaxed);
  Route* route = nullptr;
  if (!type.matching.empty()) route = make_route(type.index, type.matching);
  type.route.store(route, std::memory_order_release);
  if (type.expires_ns == 0) type.plain_route.store(route, std::memory_order_release);
  if (old_route == nullptr) return;
  retired_targets_.insert(retired_targets_.end(), old_route->owned.begin(), old_route->owned.end());
  retired_routes_.push_back({old_route, Epochs::instance().retire()});
}

void Router::rebuild_all(std::vector<TypeEntry*>& touched) {
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (TypeEntry* type : touched) rebuild(*type);
}

// ---- Reclamation and figures --------------------------------------------------------------------------------------

void Router::fold(Target& target) {
  for (uint32_t i = 0; i < target.size; ++i) {
    Entry& entry = target.entries[i];
    Subscription& subscription = *entry.subscription;
    types_[target.type_index]->handled_before.fetch_add(entry.handled.get(), std::memory_order_relaxed);
    subscription.handled_before.fetch_add(entry.handled.get(), std::memory_order_relaxed);
    subscription.failed_before.fetch_add(entry.failed.get(), std::memory_order_relaxed);
    subscription.filtered_before.fetch_add(entry.filtered.get(), std::memory_order_relaxed);
    subscription.retried_before.fetch_add(entry.retried.get(), std::memory_order_relaxed);
    subscription.discarded_before.fetch_add(entry.discarded.load(std::memory_order_relaxed), std::memory_order_relaxed);
    totals_before_.handled += entry.handled.get();
    totals_before_.failed += entry.failed.get();
    totals_before_.filtered += entry.filtered.get();
    totals_before_.retried += entry.retried.get();
    totals_before_.discarded += entry.discarded.load(std::memory_order_relaxed);
  }
}

size_t Router::reclaim() {
  std::lock_guard guard(mutex_);
  if (!retired_routes_.empty()) {
    uint64_t newest = 0;
    for (const Retired& retired : retired_routes_) newest = std::max(newest, retired.epoch);
    // One barrier covers all of them; what is younger waits for the next call.
    if (Epochs::instance().is_quiet(newest)) {
      for (const Retired& retired : retired_routes_) retired.route->release();
      retired_routes_.clear();
    }
  }
  if (retired_routes_.empty()) {
    std::erase_if(successors_, [](const auto& pair) { return pair.second == nullptr || pair.second.use_count() == 1; });
    std::erase_if(retired_targets_, [this](const std::shared_ptr<Target>& target) {
      const bool has_successor = std::any_of(successors_.begin(), successors_.end(),
                                             [&](const auto& pair) { return pair.first == target.get(); });
      if (has_successor || target.use_count() > 1 || !target->mailbox->is_unused(*target)) return false;
      fold(*target);
      return true;
    });
  }
  return retired_routes_.size() + retired_targets_.size();
}

template <class Visit>
void Router::each_target(Visit visit) const {
  for (const auto& type : owned_types_) {
    const Route* route = type->route.load(std::memory_order_relaxed);
    if (route == nullptr) continue;
    for (const auto& target : route->owned) visit(*target);
  }
  for (const auto& target : retired_targets_) visit(*target);
}

bool Router::is_referenced(const Participant& participant) {
  std::lock_guard guard(mutex_);
  bool found = false;
  each_target([&](const Target& target) { found = found || &target.mailbox->owner() == &participant; });
  return found || !retired_routes_.empty();
}

std::vector<SubscriptionStatus> Router::subscriptions(const Participant* only) const {
  std::lock_guard guard(mutex_);
  std::vector<SubscriptionStatus> list;
  std::unordered_map<const Subscription*, SubscriptionTotals> live;
  each_target([&](const Target& target) {
    for (uint32_t i = 0; i < target.size; ++i) {
      const Entry& entry = target.entries[i];
      SubscriptionTotals& sum = live[entry.subscription.get()];
      sum.handled += entry.handled.get();
      sum.failed += entry.failed.get();
      sum.filtered += entry.filtered.get();
      sum.retried += entry.retried.get();
      sum.discarded += entry.discarded.load(std::memory_order_relaxed);
    }
  });
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription->is_wait || (only != nullptr && subscription->participant != only)) continue;
    SubscriptionTotals sum = live[subscription.get()];
    sum.handled += subscription->handled_before.load(std::memory_order_relaxed);
    sum.failed += subscription->failed_before.load(std::memory_order_relaxed);
    sum.filtered += subscription->filtered_before.load(std::memory_order_relaxed);
    sum.retried += subscription->retried_before.load(std::memory_order_relaxed);
    sum.discarded += subscription->discarded_before.load(std::memory_order_relaxed);
    list.push_back({id, subscription->participant->id(), subscription->name, subscription->pattern.text(),
                    subscription->pattern.explain(), subscription->filter_text, subscription->priority, sum});
  }
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return list;
}

SubscriptionTotals Router::totals() const {
  std::lock_guard guard(mutex_);
  SubscriptionTotals sum = totals_before_;
  each_target([&](const Target& target) {
    for (uint32_t i = 0; i < target.size; ++i) {
      sum.handled += target.entries[i].handled.get();
      sum.failed += target.entries[i].failed.get();
      sum.filtered += target.entries[i].filtered.get();
      sum.retried += target.entries[i].retried.get();
      sum.discarded += target.entries[i].discarded.load(std::memory_order_relaxed);
    }
  });
  return sum;
}

uint64_t Router::handled(const TypeEntry& type) const {
  std::lock_guard guard(mutex_);
  uint64_t sum = type.handled_before.load(std::memory_order_relaxed);
  each_target([&](const Target& target) {
    if (target.type_index != type.index) return;
    for (uint32_t i = 0; i < target.size; ++i) sum += target.entries[i].handled.get();
  });
  return sum;
}

}  // namespace nexus::host
