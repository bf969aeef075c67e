// The fake host's bus: one queue, one virtual clock, callbacks only inside run() on the test's thread. Its promises are
// those of the real bus as far as one plugin can see them: priorities of events and of handlers, order by key, emits
// that leave when their handler succeeds, retries, dead letters, requests, delayed and expiring events, duplicates.
// Calls from the plugin's own threads are allowed.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "nexus/abi/bus.h"
#include "nexus/abi/host.h"
#include "nexus/abi/module.h"
#include "nexus/errors.hpp"
#include "nexus/event.hpp"
#include "nexus/events.hpp"
#include "nexus/pattern.hpp"
#include "nexus/testing/records.hpp"

namespace nexus::testing::detail {

using nexus::detail::from_abi;
using nexus::detail::to_abi;
using nexus::detail::write_error;

class Engine;

// One plugin, as the engine sees it.
struct Member {
  std::string id;
  bool active = false;   // start() has returned
  bool revoked = false;  // nothing of it is called any more
};

struct Subscription {
  nexus_handle handle = 0;
  Member* member = nullptr;
  std::string pattern;
  std::string name;
  nexus_subscribe_options options{};
  nexus_handler_fn handler = nullptr;
  void* user = nullptr;
  bool ended = false;
};

// One event on its way to all of its handlers, one stage of handler priority after the other.
struct Flow {
  EventRef event;
  std::deque<std::vector<std::shared_ptr<Subscription>>> stages;
  std::size_t open = 0;  // first attempts of the current stage that have not ended
};

// An emit that leaves when its handler has succeeded.
struct HeldEmit {
  EventRef event;
  std::int64_t delay_ns = 0;
};

// An id that an emitter has chosen, as long as the dedup window remembers it.
struct SeenId {
  EventRef event;
  std::int64_t until_ns = 0;
};

struct Delivery {
  EventRef event;
  std::shared_ptr<Subscription> subscription;
  std::shared_ptr<Flow> flow;
  std::uint32_t attempt = 1;
  std::uint64_t sequence = 0;
  std::uint64_t token = 0;
  bool waiting = false;  // for a retry or for complete()
  std::vector<HeldEmit> collected;
};

struct TaskCall {
  Member* member;
  std::uint64_t sequence;
  std::function<void()> call;
};

struct Waiter {
  nexus_handle handle = 0;
  Member* member = nullptr;
  std::string pattern;  // empty: any
  std::optional<Id> cause;
  nexus_condition_fn condition = nullptr;
  void* condition_user = nullptr;
  nexus_waiter_fn call = nullptr;
  void* user = nullptr;
};

struct TimerEntry {
  nexus_handle handle;
  Member* member;  // null: the engine's own
  std::function<void()> call;
};

class Engine {
 public:
  explicit Engine(HostOptions options) : options_(options), now_ns_(options.now.time_since_epoch().count()) {}

  // --- what the ABI's functions do; [any-thread] ---
  std::int32_t intern(Member& member, std::string_view type, std::uint64_t& handle, nexus_error* error);
  std::int32_t emit(Member& member, std::uint64_t type, const nexus_emit_options* options, nexus_bytes data,
                    nexus_uuid* id, nexus_error* error);
  std::int32_t subscribe(Member& member, std::string_view pattern, const nexus_subscribe_options* options,
                         nexus_handler_fn handler, void* user, nexus_handle& handle, nexus_error* error);
  std::int32_t unsubscribe(Member& member, nexus_handle handle);
  std::int32_t complete(Member& member, std::uint64_t token, std::int32_t verdict, const nexus_outcome* outcome);
  std::int32_t add_waiter(Waiter waiter, std::int64_t timeout_ns, nexus_handle& handle, nexus_error* error);
  std::int32_t cancel_waiter(Member& member, nexus_handle handle);
  std::int32_t request(Member& member, std::uint64_t type, const nexus_emit_options* options, nexus_bytes data,
                       Waiter waiter, std::int64_t timeout_ns, nexus_handle& handle, nexus_error* error);
  const nexus_event* retain(const nexus_event* event);
  void release(const nexus_event* event);
  std::int32_t post(Member& member, std::function<void()> call);
  std::int32_t start_timer(Member& member, std::int64_t delay_ns, std::function<void()> call, nexus_handle& handle);
  std::int32_t cancel_timer(Member& member, nexus_handle handle);
  // NEXUS_THREAD_*: the test's thread is a worker inside a callback; outside it drives this host and must not wait.
  std::uint32_t thread_kind() const {
    const std::lock_guard lock(mutex_);
    if (std::this_thread::get_id() != test_thread_) return NEXUS_THREAD_OWN;
    return running_ ? NEXUS_THREAD_WORKER : NEXUS_THREAD_CONTROL;
  }
  std::int64_t now_ns() const {
    const std::lock_guard lock(mutex_);
    return now_ns_;
  }

  // --- the test's side; the test's thread only ---
  // An event of the host's or of the test's own: any type, any source.
  std::int32_t emit_as(const std::string& source, bool by_test, std::string_view type,
                       const nexus_emit_options& options, nexus_bytes data, Id& id, nexus_error* error);
  void activate(Member& member) { member.active = true; }
  // Cancels the waiters and drops everything else that would still call the plugin.
  void cancel_all(Member& member);
  void revoke_callbacks(Member& member);
  void revoke(Member& member);
  // Calls everything that is due; returns how many calls.
  std::size_t run();
  void advance(std::chrono::nanoseconds time);

  const std::vector<EventRef>& events() const { return events_; }
  const std::vector<Failure>& failures() const { return failures_; }
  std::size_t delivered() const { return delivered_; }
  std::size_t filtered() const { return filtered_; }
  void clear() {
    events_.clear();
    failures_.clear();
    delivered_ = filtered_ = 0;
  }
  std::mutex& log_mutex() { return log_mutex_; }

 private:
  using Key = std::pair<nexus_handle, std::string>;

  std::shared_ptr<StoredEvent> build(Member* member, std::string_view type, const nexus_emit_options& options,
                                     nexus_bytes data, std::int32_t& code, nexus_error* error);
  std::int32_t accept(Member* member, std::shared_ptr<StoredEvent> event, const nexus_emit_options& options,
                      nexus_error* error);
  std::int32_t check_id(const StoredEvent& event, nexus_error* error);
  void send(const HeldEmit& held);
  void publish(const EventRef& event);
  bool wake_waiters(const EventRef& event);
  void answer_unheard(const EventRef& event);
  void next_stage(const std::shared_ptr<Flow>& flow);
  void end_first_attempt(const std::shared_ptr<Flow>& flow);
  bool step();
  std::shared_ptr<Delivery> pick();
  void deliver(const std::shared_ptr<Delivery>& delivery);
  void finish(const std::shared_ptr<Delivery>& delivery, std::int32_t verdict, const nexus_outcome& outcome,
              const std::string& message, bool first_attempt_ends);
  void fail(const std::shared_ptr<Delivery>& delivery, std::int32_t verdict, const nexus_outcome& outcome,
            const std::string& message);
  void bury(const Delivery& delivery, const Failure& failure);
  void drop(const std::shared_ptr<Delivery>& delivery);
  void emit_from_host(std::string_view type, const cbor::Value& data, const StoredEvent* cause);
  void call_waiter(const Waiter& waiter, std::int32_t code, const EventRef& event);
  void at(std::int64_t due_ns, TimerEntry entry) { timers_.emplace(due_ns, std::move(entry)); }
  void add_task(Member& member, std::function<void()> call) {
    tasks_.push_back({&member, ++last_sequence_, std::move(call)});
  }
  // Is this call made by a callback of that member, on the thread that runs it?
  bool inside(const Member* member) const {
    return member != nullptr && current_member_ == member && current_thread_ == std::this_thread::get_id();
  }
  void begin_callback(Member* member, const EventRef& event, Delivery* delivery) {
    current_event_ = event;
    current_member_ = member;
    current_delivery_ = delivery;
    current_thread_ = std::this_thread::get_id();
  }
  void end_callback() { begin_callback(nullptr, nullptr, nullptr); }
  Id next_id();

  // Recursive, since a filter or a handler may call back while a call of the test's is in progress.
  mutable std::recursive_mutex mutex_;  // guards everything below
  std::mutex log_mutex_;
  HostOptions options_;
  std::int64_t now_ns_;
  std::uint64_t last_id_ = 0;
  std::uint64_t last_handle_ = 0;
  std::uint64_t last_sequence_ = 0;

  std::vector<std::string> types_;  // by handle - 1
  std::vector<std::shared_ptr<Subscription>> subscriptions_;
  std::vector<std::shared_ptr<Delivery>> ready_;  // and waiting ones, so that keys keep their order
  std::deque<TaskCall> tasks_;
  std::map<nexus_handle, Waiter> waiters_;
  std::multimap<std::int64_t, TimerEntry> timers_;
  std::map<std::string, SeenId> seen_ids_;
  std::map<const nexus_event*, std::pair<EventRef, std::size_t>> kept_;

  // What is being handled right now, for correlation and for emits that wait for success.
  EventRef current_event_;
  Member* current_member_ = nullptr;
  Delivery* current_delivery_ = nullptr;
  std::thread::id current_thread_;
  const std::thread::id test_thread_ = std::this_thread::get_id();
  bool running_ = false;  // a callback, on the test's thread

  std::vector<EventRef> events_;
  std::vector<Failure> failures_;
  std::size_t delivered_ = 0;
  std::size_t filtered_ = 0;
};

}  // namespace nexus::testing::detail

#include "nexus/testing/engine_deliver.hpp"
#include "nexus/testing/engine_emit.hpp"
#include "nexus/testing/engine_wait.hpp"
