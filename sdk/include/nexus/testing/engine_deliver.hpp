// The engine's way of a delivery from the ready queue through the handler to its end. Included by engine.hpp.
#pragma once

#include "nexus/testing/engine.hpp"

namespace nexus::testing::detail {

// Room for one outcome and its sentence.
struct OutcomeBuffer {
  OutcomeBuffer() {
    outcome.size = sizeof outcome;
    outcome.error = &error;
    error = {sizeof error, NEXUS_OK, sizeof text, 0, text};
  }
  std::string message() const { return std::string(text, error.len); }

  char text[512];
  nexus_error error;
  nexus_outcome outcome{};
};

// The next delivery that may run: the highest priority first, then the oldest, and never past its own key.
inline std::shared_ptr<Delivery> Engine::pick() {
  std::set<Key> blocked;
  std::shared_ptr<Delivery> best;
  for (const std::shared_ptr<Delivery>& delivery : ready_) {
    if (!delivery->event->key.empty() &&
        !blocked.emplace(delivery->subscription->handle, delivery->event->key).second) {
      continue;
    }
    if (delivery->waiting || !delivery->subscription->member->active) continue;
    if (best == nullptr || delivery->event->raw.priority > best->event->raw.priority) best = delivery;
  }
  return best;
}

inline bool Engine::step() {
  std::unique_lock lock(mutex_);
  const std::shared_ptr<Delivery> delivery = pick();
  // Tasks have the normal priority and keep their place among the events of that.
  const auto goes_first = [&](const TaskCall& task) {
    if (delivery == nullptr || delivery->event->raw.priority < 0) return true;
    return delivery->event->raw.priority == 0 && task.sequence < delivery->sequence;
  };
  if (!tasks_.empty() && goes_first(tasks_.front())) {
    const TaskCall task = std::move(tasks_.front());
    tasks_.pop_front();
    if (task.member->revoked) return true;
    running_ = true;
    lock.unlock();
    task.call();
    lock.lock();
    running_ = false;
    return true;
  }
  if (delivery == nullptr) return false;
  lock.unlock();
  deliver(delivery);
  return true;
}

inline std::size_t Engine::run() {
  std::size_t steps = 0;
  while (step()) {
    if (++steps > options_.steps_max) {
      throw std::runtime_error("nexus::testing: still busy after " + std::to_string(steps) +
                               " calls; do the plugins answer each other for ever?");
    }
  }
  return steps;
}

inline void Engine::advance(std::chrono::nanoseconds time) {
  const std::int64_t end = now_ns() + time.count();
  run();
  while (true) {
    std::unique_lock lock(mutex_);
    if (timers_.empty() || timers_.begin()->first > end) {
      now_ns_ = end;
      break;
    }
    now_ns_ = std::max(now_ns_, timers_.begin()->first);
    const TimerEntry entry = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    if (entry.member == nullptr) {
      entry.call();
    } else if (!entry.member->revoked) {
      add_task(*entry.member, entry.call);
    }
    lock.unlock();
    run();
  }
}

inline void Engine::deliver(const std::shared_ptr<Delivery>& delivery) {
  const std::shared_ptr<Subscription> subscription = delivery->subscription;
  const bool first = delivery->attempt == 1;
  {
    const std::lock_guard lock(mutex_);
    if (subscription->ended || subscription->member->revoked) return drop(delivery);
    const std::int64_t expires = delivery->event->raw.expires_unix_ns;
    if (expires != 0 && expires <= now_ns_) return drop(delivery);
    begin_callback(subscription->member, delivery->event, delivery.get());
    running_ = true;
    delivery->waiting = true;  // it runs
    delivery->token = ++last_handle_;
    delivery->collected.clear();
  }
  OutcomeBuffer buffer;
  std::int32_t verdict = NEXUS_DONE;
  bool taken = true;
  if (subscription->options.condition != nullptr) {
    const std::int32_t answer = subscription->options.condition(subscription->user, &delivery->event->raw);
    taken = answer > 0;
    if (answer == 0) verdict = NEXUS_SKIP;
    if (answer < 0) {
      verdict = NEXUS_RETRY;
      write_error(&buffer.error, NEXUS_E_PLUGIN, "the condition failed");
    }
  }
  if (taken) {
    nexus_delivery raw{};
    raw.size = sizeof raw;
    raw.flags = first ? 0U : NEXUS_DELIVERY_REDELIVERED;
    raw.event = &delivery->event->raw;
    raw.subscription = subscription->handle;
    raw.attempt = delivery->attempt;
    raw.token = delivery->token;
    verdict = subscription->handler(subscription->user, &raw, &buffer.outcome);
  }
  const std::lock_guard lock(mutex_);
  end_callback();
  running_ = false;
  if (verdict == NEXUS_LATER && delivery->token != 0)
    return;  // complete() goes on; it has already if the token is gone
  if (delivery->token == 0) return;
  delivery->token = 0;
  finish(delivery, verdict, buffer.outcome, buffer.message(), first);
}

// Ends one attempt. With the mutex held.
inline void Engine::finish(const std::shared_ptr<Delivery>& delivery, std::int32_t verdict,
                           const nexus_outcome& outcome, const std::string& message, bool first_attempt_ends) {
  const std::shared_ptr<Flow> flow = delivery->flow;
  if (verdict == NEXUS_DONE) {
    ++delivered_;
    for (const HeldEmit& held : std::exchange(delivery->collected, {})) send(held);
    if (outcome.reply_type.size != 0) {
      nexus_emit_options options{};
      options.size = sizeof options;
      options.data_format = outcome.reply_format;
      options.correlation_id = to_abi(delivery->event->correlation_id);
      options.causation_id = delivery->event->raw.id;
      Id ignored;
      emit_as(delivery->subscription->member->id, false, from_abi(outcome.reply_type), options, outcome.reply, ignored,
              nullptr);
    }
    std::erase(ready_, delivery);
  } else if (verdict == NEXUS_SKIP) {
    ++filtered_;
    std::erase(ready_, delivery);
  } else {
    fail(delivery, verdict, outcome, message);
  }
  if (first_attempt_ends) end_first_attempt(flow);
}

inline void Engine::fail(const std::shared_ptr<Delivery>& delivery, std::int32_t verdict, const nexus_outcome& outcome,
                         const std::string& message) {
  const Subscription& subscription = *delivery->subscription;
  const bool own = (subscription.options.flags & NEXUS_SUBSCRIBE_HAS_RETRY) != 0;
  const std::uint32_t attempts = own ? subscription.options.retry_attempts : options_.retry_attempts;
  const bool exponential = own ? subscription.options.retry_exponential != 0 : options_.retry_exponential;
  std::int64_t delay = own ? subscription.options.retry_delay_ns : options_.retry_delay.count();
  const std::int64_t delay_max = own ? subscription.options.retry_delay_ns_max : 0;
  for (std::uint32_t i = 1; exponential && i < delivery->attempt && delay < INT64_MAX / 2; ++i) delay *= 2;
  if (delay_max > 0) delay = std::min(delay, delay_max);
  if (outcome.retry_after_ns > 0) delay = outcome.retry_after_ns;

  Failure failure;
  failure.plugin = subscription.member->id;
  failure.handler = subscription.name.empty() ? subscription.pattern : subscription.name;
  failure.event_type = delivery->event->type;
  failure.attempt = delivery->attempt;
  failure.verdict = verdict;
  failure.code = outcome.error->code;
  failure.message = message;
  failure.error_type = from_abi(outcome.error_type);
  failure.dead_lettered = verdict != NEXUS_RETRY || delivery->attempt > attempts;
  if (!failure.dead_lettered) failure.retry_after = std::chrono::nanoseconds(delay);
  failures_.push_back(failure);
  delivery->collected.clear();
  if (failure.dead_lettered) {
    std::erase(ready_, delivery);
    bury(*delivery, failure);
    return;
  }
  ++delivery->attempt;
  delivery->waiting = true;
  at(now_ns_ + delay, {0, nullptr, [delivery] { delivery->waiting = false; }});
}

// The last attempt has failed: tells the bus, unless the event itself told of a failure.
inline void Engine::bury(const Delivery& delivery, const Failure& failure) {
  if (delivery.event->type == "plugin.error" || delivery.event->type == "event.dead_lettered") return;
  emit_from_host("event.dead_lettered",
                 {{"event_id", delivery.event->event().id().str()},
                  {"event_type", delivery.event->type},
                  {"plugin_id", failure.plugin},
                  {"subscription", delivery.subscription->name},
                  {"reason", failure.verdict == NEXUS_RETRY ? "attempts" : "rejected"},
                  {"attempts", failure.attempt},
                  {"error_type", failure.error_type},
                  {"error_message", failure.message}},
                 delivery.event.get());
  emit_from_host(
      "plugin.error",
      {{"plugin_id", failure.plugin}, {"error_type", failure.error_type}, {"error_message", failure.message}},
      delivery.event.get());
}

// Ends a delivery that will not reach its handler any more. With the mutex held.
inline void Engine::drop(const std::shared_ptr<Delivery>& delivery) {
  std::erase(ready_, delivery);
  delivery->token = 0;
  if (delivery->attempt == 1) end_first_attempt(delivery->flow);
}

inline std::int32_t Engine::complete(Member& member, std::uint64_t token, std::int32_t verdict,
                                     const nexus_outcome* outcome) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(ready_.begin(), ready_.end(), [&](const std::shared_ptr<Delivery>& delivery) {
    return token != 0 && delivery->token == token && delivery->subscription->member == &member;
  });
  if (found == ready_.end() || member.revoked) return NEXUS_E_HANDLE;
  const std::shared_ptr<Delivery> delivery = *found;
  delivery->token = 0;
  OutcomeBuffer empty;
  std::string message;
  if (outcome != nullptr && outcome->error != nullptr) message.assign(outcome->error->text, outcome->error->len);
  finish(delivery, verdict, outcome != nullptr && outcome->error != nullptr ? *outcome : empty.outcome, message,
         delivery->attempt == 1);
  return NEXUS_OK;
}

}  // namespace nexus::testing::detail
