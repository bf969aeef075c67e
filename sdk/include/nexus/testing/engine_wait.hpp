// The engine's subscriptions, waiters, timers, tasks and kept events. Included by engine.hpp.
#pragma once

#include "nexus/testing/engine.hpp"

namespace nexus::testing::detail {

inline std::int32_t Engine::subscribe(Member& member, std::string_view pattern, const nexus_subscribe_options* options,
                                      nexus_handler_fn handler, void* user, nexus_handle& handle, nexus_error* error) {
  const std::lock_guard lock(mutex_);
  if (member.revoked) return write_error(error, NEXUS_E_HANDLE, "this instance is gone");
  if (handler == nullptr) return write_error(error, NEXUS_E_ARGUMENT, "a subscription needs a handler");
  if (const char* problem = pattern_problem(pattern)) {
    return write_error(error, NEXUS_E_PATTERN, std::string(pattern) + " is no pattern: " + problem);
  }
  auto subscription = std::make_shared<Subscription>();
  subscription->handle = handle = ++last_handle_;
  subscription->member = &member;
  subscription->pattern = pattern;
  if (options != nullptr) {
    subscription->options = *options;
    subscription->name = from_abi(options->name);
  }
  subscription->handler = handler;
  subscription->user = user;
  subscriptions_.push_back(std::move(subscription));
  return NEXUS_OK;
}

inline std::int32_t Engine::unsubscribe(Member& member, nexus_handle handle) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(subscriptions_.begin(), subscriptions_.end(), [&](const auto& subscription) {
    return subscription->handle == handle && subscription->member == &member;
  });
  if (found == subscriptions_.end()) return NEXUS_E_HANDLE;
  (*found)->ended = true;
  subscriptions_.erase(found);
  return NEXUS_OK;
}

inline std::int32_t Engine::add_waiter(Waiter waiter, std::int64_t timeout_ns, nexus_handle& handle,
                                       nexus_error* error) {
  const std::lock_guard lock(mutex_);
  if (waiter.member->revoked) return write_error(error, NEXUS_E_HANDLE, "this instance is gone");
  if (!waiter.pattern.empty() && !is_pattern(waiter.pattern)) {
    return write_error(error, NEXUS_E_PATTERN, waiter.pattern + " is no pattern: " + pattern_problem(waiter.pattern));
  }
  waiter.handle = handle = ++last_handle_;
  waiters_.emplace(handle, waiter);
  if (timeout_ns > 0) {
    at(now_ns_ + timeout_ns, {0, nullptr, [this, key = handle] {
                                const auto found = waiters_.find(key);
                                if (found == waiters_.end()) return;
                                const Waiter late = found->second;
                                waiters_.erase(found);
                                call_waiter(late, NEXUS_E_TIMEOUT, nullptr);
                              }});
  }
  return NEXUS_OK;
}

inline std::int32_t Engine::request(Member& member, std::uint64_t type, const nexus_emit_options* options,
                                    nexus_bytes data, Waiter waiter, std::int64_t timeout_ns, nexus_handle& handle,
                                    nexus_error* error) {
  const std::lock_guard lock(mutex_);
  nexus_emit_options with_id{};
  if (options != nullptr) with_id = *options;
  with_id.size = sizeof with_id;
  if ((with_id.flags & NEXUS_EMIT_HAS_ID) == 0) with_id.id = next_id().raw();
  with_id.flags |= NEXUS_EMIT_HAS_ID | NEXUS_EMIT_NOW;  // a question that waits for its asker would never be answered
  waiter.cause = Id(with_id.id);
  const std::int32_t added = add_waiter(std::move(waiter), timeout_ns, handle, error);
  if (added != NEXUS_OK) return added;
  const std::int32_t code = emit(member, type, &with_id, data, nullptr, error);
  if (code != NEXUS_OK && code != NEXUS_OK_DUPLICATE) waiters_.erase(handle);
  return code;
}

// Whether the event was one that somebody waited for without having asked.
inline bool Engine::wake_waiters(const EventRef& event) {
  bool heard = false;
  for (auto place = waiters_.begin(); place != waiters_.end();) {
    const Waiter& waiter = place->second;
    const bool wanted = (!waiter.cause || *waiter.cause == Id(event->raw.causation_id)) &&
                        (waiter.pattern.empty() || pattern_matches(waiter.pattern, event->type)) &&
                        (waiter.condition == nullptr || waiter.condition(waiter.condition_user, &event->raw) > 0);
    if (!wanted) {
      ++place;
      continue;
    }
    const Waiter found = waiter;
    place = waiters_.erase(place);
    heard = heard || !found.cause;
    call_waiter(found, NEXUS_OK, event);
  }
  return heard;
}

// Nobody listens to what may be a request: its asker need not wait for the timeout.
inline void Engine::answer_unheard(const EventRef& event) {
  const auto asked = std::find_if(waiters_.begin(), waiters_.end(),
                                  [&](const auto& entry) { return entry.second.cause == Id(event->raw.id); });
  if (asked == waiters_.end()) return;
  const Waiter waiter = asked->second;
  waiters_.erase(asked);
  call_waiter(waiter, NEXUS_E_UNKNOWN, nullptr);
}

// Queues the call; the event is what its emits are correlated with.
inline void Engine::call_waiter(const Waiter& waiter, std::int32_t code, const EventRef& event) {
  add_task(*waiter.member, [this, waiter, code, event] {
    if (event != nullptr) {
      const std::lock_guard lock(mutex_);
      begin_callback(waiter.member, event, nullptr);
    }
    waiter.call(waiter.user, code, event == nullptr ? nullptr : &event->raw);
    const std::lock_guard lock(mutex_);
    end_callback();
  });
}

inline std::int32_t Engine::cancel_waiter(Member& member, nexus_handle handle) {
  const std::lock_guard lock(mutex_);
  const auto found = waiters_.find(handle);
  if (found == waiters_.end() || found->second.member != &member) return NEXUS_E_HANDLE;
  const Waiter waiter = found->second;
  waiters_.erase(found);
  call_waiter(waiter, NEXUS_E_CANCELLED, nullptr);
  return NEXUS_OK;
}

inline const nexus_event* Engine::retain(const nexus_event* event) {
  const std::lock_guard lock(mutex_);
  auto& [owner, count] = kept_[event];
  if (owner == nullptr) {
    for (const EventRef& known : events_) {
      if (&known->raw == event) owner = known;
    }
    if (current_event_ != nullptr && &current_event_->raw == event) owner = current_event_;
  }
  ++count;
  return event;
}

inline void Engine::release(const nexus_event* event) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(event);
  if (found != kept_.end() && --found->second.second == 0) kept_.erase(found);
}

inline std::int32_t Engine::post(Member& member, std::function<void()> call) {
  const std::lock_guard lock(mutex_);
  if (member.revoked) return NEXUS_E_HANDLE;
  add_task(member, std::move(call));
  return NEXUS_OK;
}

inline std::int32_t Engine::start_timer(Member& member, std::int64_t delay_ns, std::function<void()> call,
                                        nexus_handle& handle) {
  const std::lock_guard lock(mutex_);
  if (member.revoked) return NEXUS_E_HANDLE;
  handle = ++last_handle_;
  at(now_ns_ + std::max<std::int64_t>(delay_ns, 0), {handle, &member, std::move(call)});
  return NEXUS_OK;
}

inline std::int32_t Engine::cancel_timer(Member& member, nexus_handle handle) {
  const std::lock_guard lock(mutex_);
  for (auto place = timers_.begin(); place != timers_.end(); ++place) {
    if (place->second.handle == handle && place->second.member == &member) {
      timers_.erase(place);
      return NEXUS_OK;
    }
  }
  return NEXUS_E_HANDLE;
}

inline void Engine::cancel_all(Member& member) {
  std::vector<nexus_handle> handles;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [handle, waiter] : waiters_) {
      if (waiter.member == &member) handles.push_back(handle);
    }
  }
  for (const nexus_handle handle : handles) cancel_waiter(member, handle);
}

// After quiesce: no callback of the member runs any more, but it may still call.
inline void Engine::revoke_callbacks(Member& member) {
  const std::lock_guard lock(mutex_);
  member.active = false;
  std::erase_if(subscriptions_, [&](const auto& subscription) {
    if (subscription->member != &member) return false;
    subscription->ended = true;
    return true;
  });
  const std::vector<std::shared_ptr<Delivery>> waiting = ready_;
  for (const std::shared_ptr<Delivery>& delivery : waiting) {
    if (delivery->subscription->member == &member) drop(delivery);
  }
  std::erase_if(tasks_, [&](const TaskCall& task) { return task.member == &member; });
  std::erase_if(timers_, [&](const auto& timer) { return timer.second.member == &member; });
  std::erase_if(waiters_, [&](const auto& waiter) { return waiter.second.member == &member; });
}

// After destroy: calls of the member are refused as well.
inline void Engine::revoke(Member& member) {
  const std::lock_guard lock(mutex_);
  revoke_callbacks(member);
  member.revoked = true;
}

}  // namespace nexus::testing::detail
