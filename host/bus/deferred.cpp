#include "host/bus/deferred.hpp"

#include <utility>

#include "host/bus/mailbox.hpp"
#include "host/bus/participant.hpp"

namespace nexus::host {

bool DeferredDeliveries::keep(uint64_t token, DeferredPointer& delivery, Completion* completion) {
  std::lock_guard guard(mutex_);
  if (const auto early = early_.find(token); early != early_.end()) {
    const bool is_owners = early->second.participant == &delivery->target->mailbox->owner();
    if (is_owners) *completion = std::move(early->second.completion);
    early_.erase(early);
    if (is_owners) return false;
  }
  waiting_.emplace(token, std::move(delivery));
  return true;
}

DeferredDeliveries::Found DeferredDeliveries::take(uint64_t token, const Participant& participant,
                                                   Completion& completion,
                                                   const std::function<bool(uint64_t)>& is_running,
                                                   DeferredPointer* delivery) {
  std::lock_guard guard(mutex_);
  if (const auto known = waiting_.find(token); known != waiting_.end()) {
    if (&known->second->target->mailbox->owner() != &participant) return Found::kStale;
    *delivery = std::move(known->second);
    waiting_.erase(known);
    return Found::kTaken;
  }
  if (!is_running(token)) return Found::kStale;
  // One that has been completed before, in the same call of the handler: the first counts.
  if (early_.contains(token)) return Found::kStale;
  if (early_.size() >= kEarlyMany) std::erase_if(early_, [&](const auto& one) { return !is_running(one.first); });
  early_.emplace(token, Early{&participant, std::move(completion)});
  return Found::kEarly;
}

std::vector<DeferredPointer> DeferredDeliveries::take_all(const Participant& participant) {
  std::lock_guard guard(mutex_);
  std::vector<DeferredPointer> all;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (&at->second->target->mailbox->owner() != &participant) {
      ++at;
      continue;
    }
    all.push_back(std::move(at->second));
    at = waiting_.erase(at);
  }
  return all;
}

void DeferredDeliveries::each_overdue(int64_t now_monotonic_ns,
                                      const std::function<void(const DeferredDelivery&)>& visit) {
  std::lock_guard guard(mutex_);
  for (const auto& [token, delivery] : waiting_) {
    if (delivery->reported || delivery->deadline_ns > now_monotonic_ns) continue;
    delivery->reported = true;
    visit(*delivery);
  }
}

size_t DeferredDeliveries::size() const {
  std::lock_guard guard(mutex_);
  return waiting_.size();
}

}  // namespace nexus::host
