// Subscriptions made while running. A Subscription is a scope: dropping it unsubscribes, from any thread and from
// inside its own handler. One that outlives its plugin does nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "nexus/core.hpp"
#include "nexus/dispatch.hpp"
#include "nexus/handler.hpp"

namespace nexus {

namespace detail {

struct SubscriptionNode : CallNode {
  nexus_handle handle = 0;
  bool overlapping = false;  // calls of it may run on several threads at once
};

template <class T, class F>
struct SubscriptionCall final : SubscriptionNode {
  SubscriptionCall(F call, HandlerOptions<T> options)
      : function(std::move(call)), when(options.when), filter(std::move(options.filter)) {}

  static std::int32_t run(void* user, const nexus_delivery* delivery, nexus_outcome* outcome) noexcept {
    auto& self = *static_cast<SubscriptionCall*>(user);
    Core& core = *self.core;
    try {
      return handle_delivery<T>(core, delivery, outcome, self.overlapping ? nullptr : &self.reply, self.when,
                                self.function);
    } catch (...) {
      return answer_exception(core, outcome);
    }
  }

  F function;
  When<T> when;
  Filter filter;
  cbor::Buffer reply;
};

}  // namespace detail

class [[nodiscard]] Subscription {
 public:
  Subscription() = default;
  Subscription(std::weak_ptr<detail::Core> core, detail::SubscriptionNode* node)
      : core_(std::move(core)), node_(node) {}
  Subscription(Subscription&& other) noexcept
      : core_(std::move(other.core_)), node_(std::exchange(other.node_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      drop();
      core_ = std::move(other.core_);
      node_ = std::exchange(other.node_, nullptr);
    }
    return *this;
  }
  ~Subscription() { drop(); }

  explicit operator bool() const { return node_ != nullptr; }

  // Unsubscribes now. When called in the plugin's mailbox, no call begins afterwards; from another thread, one that has
  // begun may still be running. What the function captured is freed once no call can be using it.
  void drop() {
    detail::SubscriptionNode* node = std::exchange(node_, nullptr);
    if (node == nullptr) return;
    const std::shared_ptr<detail::Core> core = core_.lock();
    if (core == nullptr || core->closed()) return;
    core->bus()->unsubscribe(core->bus()->ctx, node->handle);
    core->retire(node, node->overlapping);
  }

  // Lets the subscription live as long as the plugin.
  void detach() { node_ = nullptr; }

 private:
  std::weak_ptr<detail::Core> core_;
  detail::SubscriptionNode* node_ = nullptr;
};

namespace detail {

template <class T, class F>
Subscription subscribe(Core& core, std::string_view pattern, HandlerOptions<T> options, F function) {
  std::string text;
  // A dynamic subscription is durable only under a name of its own.
  nexus_subscribe_options raw = to_abi(options, options.durable.name(), text);
  auto call = std::make_unique<SubscriptionCall<T, F>>(std::move(function), std::move(options));
  if (!call->filter.empty()) raw.condition = &ask_filter<SubscriptionCall<T, F>>;
  call->overlapping = raw.concurrency != NEXUS_CONCURRENCY_SERIAL;
  SubscriptionCall<T, F>* node = core.adopt(std::move(call));
  ErrorBuffer error;
  nexus_handle handle = 0;
  const std::int32_t code = core.bus()->subscribe(core.bus()->ctx, to_abi(pattern), &raw, &SubscriptionCall<T, F>::run,
                                                  node, &handle, error.get());
  if (code != NEXUS_OK) {
    core.discard(node);
    throw Error(code, error.sentence(code));
  }
  node->handle = handle;
  return Subscription(core.weak_from_this(), node);
}

}  // namespace detail
}  // namespace nexus
