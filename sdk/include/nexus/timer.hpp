// Timers and posted tasks: functions that the host runs in the plugin's mailbox, serially with its handlers. A Timer is
// a scope: dropping it cancels, from any thread and from inside its own function.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "nexus/abi/timer.h"
#include "nexus/core.hpp"
#include "nexus/failure.hpp"

namespace nexus {

namespace detail {

// Shared by the scope and by the callback that the host holds: whichever goes last frees the function.
struct TimerState {
  virtual ~TimerState() = default;
  virtual void call() = 0;

  std::mutex mutex;  // guards handle and cancelled
  nexus_handle handle = 0;
  bool cancelled = false;
  std::int64_t period_ns = 0;  // 0: once
};

template <class F>
struct TimerFunction final : TimerState {
  explicit TimerFunction(F call_function) : function(std::move(call_function)) {}
  void call() override { function(); }
  F function;
};

struct TimerNode final : CallNode {
  explicit TimerNode(std::shared_ptr<TimerState> timer_state) : state(std::move(timer_state)) {}

  static void run(void* user) noexcept {
    auto* node = static_cast<TimerNode*>(user);
    Core& core = *node->core;
    const std::shared_ptr<TimerState> state = node->state;
    bool again = false;
    {
      const std::lock_guard lock(state->mutex);
      if (!state->cancelled && state->period_ns > 0) again = node->arm(core, state->period_ns) == NEXUS_OK;
      if (!again) state->handle = 0;
      if (state->cancelled) {
        core.discard(node);
        return;
      }
    }
    try {
      state->call();
    } catch (...) {
      log_exception(core, "a timer failed: ");
    }
    if (!again) core.discard(node);
  }

  // With the state's mutex held, or before anyone else knows the state.
  std::int32_t arm(Core& core, std::int64_t delay_ns) {
    return core.timer()->after(core.timer()->ctx, delay_ns, &TimerNode::run, this, &state->handle);
  }

  std::shared_ptr<TimerState> state;
};

template <class F>
struct PostNode final : CallNode {
  explicit PostNode(F call_function) : function(std::move(call_function)) {}

  static void run(void* user) noexcept {
    auto* node = static_cast<PostNode*>(user);
    Core& core = *node->core;
    try {
      node->function();
    } catch (...) {
      log_exception(core, "a posted task failed: ");
    }
    core.discard(node);
  }

  F function;
};

}  // namespace detail

class [[nodiscard]] Timer {
 public:
  Timer() = default;
  Timer(std::weak_ptr<detail::Core> core, detail::TimerNode* node, std::shared_ptr<detail::TimerState> state)
      : core_(std::move(core)), node_(node), state_(std::move(state)) {}
  Timer(Timer&& other) noexcept
      : core_(std::move(other.core_)), node_(std::exchange(other.node_, nullptr)), state_(std::move(other.state_)) {}
  Timer& operator=(Timer&& other) noexcept {
    if (this != &other) {
      cancel();
      core_ = std::move(other.core_);
      node_ = std::exchange(other.node_, nullptr);
      state_ = std::move(other.state_);
    }
    return *this;
  }
  ~Timer() { cancel(); }

  // Will it still run?
  explicit operator bool() const {
    if (state_ == nullptr) return false;
    const std::lock_guard lock(state_->mutex);
    return state_->handle != 0 && !state_->cancelled;
  }

  // It will not begin to run after this; on another thread it may be running.
  void cancel() {
    const std::shared_ptr<detail::TimerState> state = std::move(state_);
    detail::TimerNode* node = std::exchange(node_, nullptr);
    if (state == nullptr) return;
    const std::shared_ptr<detail::Core> core = core_.lock();
    const std::lock_guard lock(state->mutex);
    state->cancelled = true;
    const nexus_handle handle = std::exchange(state->handle, 0);
    if (handle == 0 || core == nullptr || core->closed()) return;
    // OK means that the host will not call the node, so it can go; else its own run frees it.
    if (core->timer()->cancel(core->timer()->ctx, handle) == NEXUS_OK) core->discard(node);
  }

  // Lets it run without a scope.
  void detach() {
    state_.reset();
    node_ = nullptr;
  }

 private:
  std::weak_ptr<detail::Core> core_;
  detail::TimerNode* node_ = nullptr;
  std::shared_ptr<detail::TimerState> state_;
};

namespace detail {

template <class F>
Timer start_timer(Core& core, std::chrono::nanoseconds delay, std::chrono::nanoseconds period, F function) {
  if (core.timer() == nullptr) throw Error(NEXUS_E_UNKNOWN, "this host has no timers (nexus.timer/1)");
  auto state = std::make_shared<TimerFunction<F>>(std::move(function));
  state->period_ns = period.count();
  TimerNode* node = core.adopt(std::make_unique<TimerNode>(state));
  std::int32_t code = NEXUS_OK;
  {
    const std::lock_guard lock(state->mutex);
    code = node->arm(core, delay.count());
  }
  if (code != NEXUS_OK) {
    core.discard(node);
    throw Error(code, "the host refused a timer with code " + std::to_string(code));
  }
  return Timer(core.weak_from_this(), node, std::move(state));  // the node itself may have run and gone by now
}

template <class F>
void post(Core& core, F function) {
  PostNode<F>* node = core.adopt(std::make_unique<PostNode<F>>(std::move(function)));
  const std::int32_t code = core.bus()->post(core.bus()->ctx, &PostNode<F>::run, node);
  if (code != NEXUS_OK) {
    core.discard(node);
    throw Error(code, "the host refused a task with code " + std::to_string(code));
  }
}

}  // namespace detail
}  // namespace nexus
