#include "host/bus/route.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "host/bus/mailbox.hpp"

namespace nexus::host {

std::shared_ptr<Target> make_target(Mailbox* mailbox, uint32_t type_index,
                                    const std::vector<std::shared_ptr<Subscription>>& subscriptions) {
  auto target = std::make_shared<Target>();
  target->mailbox = mailbox;
  target->type_index = type_index;
  target->size = static_cast<uint32_t>(subscriptions.size());
  target->entries = std::make_unique<Entry[]>(subscriptions.size());
  for (size_t i = 0; i < subscriptions.size(); ++i) {
    Entry& entry = target->entries[i];
    entry.handler = subscriptions[i]->handler;
    entry.condition = subscriptions[i]->condition;
    entry.user = subscriptions[i]->user;
    entry.id = subscriptions[i]->id;
    entry.subscription = subscriptions[i];
    uint32_t minds = 0;
    if (entry.condition != nullptr) minds |= Entry::kCondition;
    if ((subscriptions[i]->flags & NEXUS_SUBSCRIBE_NO_SELF) != 0) minds |= Entry::kNoSelf;
    if (!subscriptions[i]->active.load(std::memory_order_relaxed)) minds |= Entry::kInactive;
    if (subscriptions[i]->backlog.is_paused()) minds |= Entry::kBacklog;
    if (subscriptions[i]->concurrency == NEXUS_CONCURRENCY_KEYED) target->is_keyed = true;
    entry.minds.store(minds, std::memory_order_relaxed);
  }
  return target;
}

std::shared_ptr<Target> make_retry_target(Mailbox* mailbox, uint32_t type_index,
                                          const std::shared_ptr<Subscription>& subscription, uint32_t attempt,
                                          std::shared_ptr<const DeliveryPast> past, uint32_t minds) {
  std::shared_ptr<Target> target = make_target(mailbox, type_index, {subscription});
  target->is_retry = true;
  target->past = std::move(past);
  Entry& entry = target->entries[0];
  entry.attempt = attempt;
  const uint32_t kept = entry.minds.load(std::memory_order_relaxed) & (Entry::kInactive | Entry::kBacklog);
  entry.minds.store(kept | Entry::kRetry | minds, std::memory_order_relaxed);
  return target;
}

std::shared_ptr<Target> make_released_target(const Target& held, uint32_t index, uint32_t minds) {
  const Entry& from = held.entries[index];
  // It may hold its key, and have been held back by a pause.
  minds |= from.minds.load(std::memory_order_relaxed) & Entry::kHoldsKey;
  if (held.is_retry)
    return make_retry_target(held.mailbox, held.type_index, from.subscription, from.attempt, held.past, minds);
  std::shared_ptr<Target> target = make_target(held.mailbox, held.type_index, {from.subscription});
  target->entries[0].minds.fetch_or(minds, std::memory_order_relaxed);
  return target;
}

namespace {

// Handlers that run together: one stage, by mailbox, each mailbox's handlers in the order of registration.
struct StagePlan {
  std::vector<std::pair<Mailbox*, std::vector<std::shared_ptr<Subscription>>>> mailboxes;

  void add(const std::shared_ptr<Subscription>& subscription) {
    for (auto& [mailbox, list] : mailboxes)
      if (mailbox == subscription->mailbox) return list.push_back(subscription);
    mailboxes.push_back({subscription->mailbox, {subscription}});
  }
};

std::vector<StagePlan> plan_stages(std::vector<std::shared_ptr<Subscription>> matching) {
  std::sort(matching.begin(), matching.end(), [](const auto& a, const auto& b) {
    return a->priority != b->priority ? a->priority > b->priority : a->order < b->order;
  });
  std::vector<StagePlan> stages;
  for (size_t i = 0; i < matching.size();) {
    StagePlan stage;
    size_t end = i;
    while (end < matching.size() && matching[end]->priority == matching[i]->priority) stage.add(matching[end++]);
    i = end;
    // Two stages in a row that both run in one and the same mailbox are in order anyway.
    if (!stages.empty() && stages.back().mailboxes.size() == 1 && stage.mailboxes.size() == 1 &&
        stages.back().mailboxes[0].first == stage.mailboxes[0].first) {
      auto& list = stages.back().mailboxes[0].second;
      list.insert(list.end(), stage.mailboxes[0].second.begin(), stage.mailboxes[0].second.end());
      continue;
    }
    stages.push_back(std::move(stage));
  }
  return stages;
}

}  // namespace

Route* make_route(uint32_t type_index, const std::vector<std::shared_ptr<Subscription>>& matching) {
  auto* route = new Route;
  route->delivery_count = static_cast<uint32_t>(matching.size());
  for (const StagePlan& plan : plan_stages(matching)) {
    Stage stage;
    for (const auto& [mailbox, subscriptions] : plan.mailboxes) {
      auto target = make_target(mailbox, type_index, subscriptions);
      stage.targets.push_back(target.get());
      route->owned.push_back(std::move(target));
    }
    // The order in which Mailbox::push_all takes their locks.
    std::sort(stage.targets.begin(), stage.targets.end(),
              [](const Target* a, const Target* b) { return a->mailbox->number() < b->mailbox->number(); });
    route->stages.push_back(std::move(stage));
  }
  if (route->stages.size() == 1) {
    const std::vector<Target*>& targets = route->stages[0].targets;
    if (targets.size() == 1) route->single = targets[0];
    if (targets.size() <= Mailbox::kTogetherMax) route->together = targets;
  }
  return route;
}

}  // namespace nexus::host
