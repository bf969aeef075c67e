// An answer that comes later. A handler that returns a Later is finished when the Later is: the host keeps its stage,
// its key and its deadline, and no worker waits. Request and Wait make one by .then(); Promise makes one that the
// plugin finishes itself, from any thread.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nexus/abi/bus.h"
#include "nexus/core.hpp"
#include "nexus/failure.hpp"
#include "nexus/schema.hpp"

namespace nexus {

namespace detail {

// What a Later has come to; `error_type` is static or lives as long as the instance.
struct LaterResult {
  std::int32_t verdict = NEXUS_DONE;
  std::int64_t retry_after_ns = 0;
  std::int32_t code = NEXUS_OK;
  std::string sentence;
  nexus_string error_type{};
  std::string reply_type;
  cbor::Buffer reply;

  void write(nexus_outcome* outcome) const {
    outcome->retry_after_ns = retry_after_ns;
    if (code != NEXUS_OK) write_error(outcome->error, code, sentence);
    outcome->error_type = error_type;
    if (reply_type.empty()) return;
    outcome->reply_format = NEXUS_DATA_CBOR;
    outcome->reply_type = to_abi(reply_type);
    outcome->reply = reply.abi();
  }
};

// Shared by whoever waits for the result and whoever gives it. All methods [any-thread].
class LaterState {
 public:
  // The first result counts; it completes the delivery if one is attached already.
  void settle(LaterResult result) {
    std::shared_ptr<Core> core;
    std::uint64_t token = 0;
    std::shared_ptr<LaterState> outer;
    {
      const std::lock_guard lock(mutex_);
      if (done_) return;
      done_ = true;
      result_ = std::move(result);
      core = core_.lock();
      token = token_;
      outer = std::move(outer_);
    }
    if (outer != nullptr) outer->settle(result_);
    if (core == nullptr || core->closed() || token == 0) return;
    ErrorBuffer error;
    nexus_outcome outcome{};
    outcome.size = sizeof outcome;
    outcome.error = error.get();
    result_.write(&outcome);
    core->bus()->complete(core->bus()->ctx, token, result_.verdict, &outcome);
  }

  // To be called in a catch block.
  void settle_exception(Core& core) {
    ErrorBuffer error;
    nexus_outcome outcome{};
    outcome.size = sizeof outcome;
    outcome.error = error.get();
    LaterResult result;
    result.verdict = answer_exception(core, &outcome);
    result.retry_after_ns = outcome.retry_after_ns;
    result.code = error.get()->code;
    result.sentence = error.sentence(result.code);
    result.error_type = outcome.error_type;
    settle(std::move(result));
  }

  // Either the finished answer, with the reply in `buffer`, or NEXUS_LATER.
  std::int32_t attach(Core& core, std::uint64_t token, nexus_outcome* outcome, cbor::Buffer& buffer) {
    const std::lock_guard lock(mutex_);
    if (!done_) {
      core_ = core.weak_from_this();
      token_ = token;
      return NEXUS_LATER;
    }
    result_.write(outcome);
    if (!result_.reply_type.empty()) {
      buffer.clear();
      buffer.append(result_.reply.data(), result_.reply.size());
      outcome->reply = buffer.abi();
      outcome->reply_type = core.known_text(result_.reply_type);
    }
    return result_.verdict;
  }

  // `outer` gets the same result as this one.
  void forward_to(std::shared_ptr<LaterState> outer) {
    LaterResult result;
    {
      const std::lock_guard lock(mutex_);
      if (!done_) {
        outer_ = std::move(outer);
        return;
      }
      result = result_;
    }
    outer->settle(std::move(result));
  }

  bool done() const {
    const std::lock_guard lock(mutex_);
    return done_;
  }

  // The host's handle of the wait behind this, for cancel().
  void set_waiter(std::weak_ptr<Core> core, nexus_handle handle) {
    const std::lock_guard lock(mutex_);
    waiter_core_ = std::move(core);
    waiter_ = handle;
  }
  void cancel() {
    std::shared_ptr<Core> core;
    nexus_handle handle = 0;
    {
      const std::lock_guard lock(mutex_);
      core = waiter_core_.lock();
      handle = std::exchange(waiter_, 0);
    }
    if (core != nullptr && !core->closed() && handle != 0) core->bus()->cancel(core->bus()->ctx, handle);
  }

 private:
  mutable std::mutex mutex_;  // guards all below; result_ is constant once done_
  bool done_ = false;
  LaterResult result_;
  std::weak_ptr<Core> core_;
  std::uint64_t token_ = 0;
  std::shared_ptr<LaterState> outer_;
  std::weak_ptr<Core> waiter_core_;
  nexus_handle waiter_ = 0;
};

}  // namespace detail

// Dropping a Later changes nothing: what it waits for goes on.
class Later {
 public:
  explicit Later(std::shared_ptr<detail::LaterState> state) : state_(std::move(state)) {}

  // One that is finished already, for a handler that only sometimes has to wait.
  static Later ready() {
    auto state = std::make_shared<detail::LaterState>();
    state->settle({});
    return Later(std::move(state));
  }

  bool done() const { return state_->done(); }

  // Ends the wait behind it; the failure NEXUS_E_CANCELLED follows in the plugin's mailbox.
  void cancel() { state_->cancel(); }

  // For the trampolines: either the finished answer or NEXUS_LATER.
  std::int32_t attach(detail::Core& core, std::uint64_t token, nexus_outcome* outcome, cbor::Buffer& buffer) {
    return state_->attach(core, token, outcome, buffer);
  }
  const std::shared_ptr<detail::LaterState>& state() const { return state_; }

 private:
  std::shared_ptr<detail::LaterState> state_;
};

// The giving end of a Later, for work on the plugin's own threads:
//   Later on_upload(const Upload& u) { Promise p = promise(); queue_.push({u, p}); return p.later(); }
// Copies share one result; the first one given counts.
class Promise {
 public:
  explicit Promise(std::shared_ptr<detail::Core> core)
      : core_(std::move(core)), state_(std::make_shared<detail::LaterState>()) {}

  Later later() const { return Later(state_); }

  void done() const { state_->settle({}); }

  // Done, with an answer for whoever asked.
  template <class R>
  void reply(const R& answer) const {
    static_assert(EventType<R>, "Promise::reply() takes a type that was declared with NEXUS_EVENT");
    detail::LaterResult result;
    result.reply_type = EventTraits<R>::type;
    EventTraits<R>::encode(answer, result.reply);
    state_->settle(std::move(result));
  }

  // Fails as a handler would that throws this: Reject, RetryAfter, or anything else for a retry.
  template <class E>
  void fail(const E& error) const {
    try {
      throw error;
    } catch (...) {
      state_->settle_exception(*core_);
    }
  }

 private:
  std::shared_ptr<detail::Core> core_;
  std::shared_ptr<detail::LaterState> state_;
};

}  // namespace nexus
