#include "host/bus/waiters.hpp"

#include "host/bus/participant.hpp"

namespace nexus::host {

Result<nexus_handle> Waiters::add(const WaiterPointer& waiter) {
  std::lock_guard guard(mutex_);
  size_t& count = count_[waiter->participant.get()];
  if (count >= kMaxPerParticipant)
    return make_error(NEXUS_E_TOO_LARGE,
                      "more than 100000 requests and waits of " + waiter->participant->id() + " are unanswered",
                      "give them a timeout, or ask less at a time");
  ++count;
  waiter->handle = next_handle_++;
  by_handle_.emplace(waiter->handle, waiter);
  if (!is_nil(waiter->cause)) by_cause_.emplace(waiter->cause, waiter);
  return waiter->handle;
}

bool Waiters::set_timer(const WaiterPointer& waiter, nexus_handle timer) {
  std::lock_guard guard(mutex_);
  waiter->timer = timer;
  return by_handle_.contains(waiter->handle);
}

bool Waiters::set_subscription(const WaiterPointer& waiter, nexus_handle subscription) {
  std::lock_guard guard(mutex_);
  waiter->subscription = subscription;
  return by_handle_.contains(waiter->handle);
}

void Waiters::erase_locked(const Waiter& waiter) {
  by_handle_.erase(waiter.handle);
  // The cause may be another's: of two requests with one id the first is answered.
  if (const auto known = by_cause_.find(waiter.cause); known != by_cause_.end() && known->second.get() == &waiter)
    by_cause_.erase(known);
  const auto count = count_.find(waiter.participant.get());
  if (--count->second == 0) count_.erase(count);
}

bool Waiters::take(const WaiterPointer& waiter) {
  std::lock_guard guard(mutex_);
  if (!by_handle_.contains(waiter->handle)) return false;
  erase_locked(*waiter);
  return true;
}

WaiterPointer Waiters::take(nexus_handle handle, const Participant& participant) {
  std::lock_guard guard(mutex_);
  const auto known = by_handle_.find(handle);
  if (known == by_handle_.end() || known->second->participant.get() != &participant) return nullptr;
  WaiterPointer waiter = known->second;
  erase_locked(*waiter);
  return waiter;
}

WaiterPointer Waiters::take_caused_by(const Uuid& cause, std::string_view type) {
  std::lock_guard guard(mutex_);
  const auto known = by_cause_.find(cause);
  if (known == by_cause_.end()) return nullptr;
  WaiterPointer waiter = known->second;
  if (!type.empty() && waiter->pattern.has_value() && !waiter->pattern->matches(type)) return nullptr;
  erase_locked(*waiter);
  return waiter;
}

std::vector<WaiterPointer> Waiters::take_all(const Participant& participant) {
  std::lock_guard guard(mutex_);
  std::vector<WaiterPointer> all;
  for (const auto& [handle, waiter] : by_handle_)
    if (waiter->participant.get() == &participant) all.push_back(waiter);
  for (const WaiterPointer& waiter : all) erase_locked(*waiter);
  return all;
}

size_t Waiters::size() const {
  std::lock_guard guard(mutex_);
  return by_handle_.size();
}

}  // namespace nexus::host
