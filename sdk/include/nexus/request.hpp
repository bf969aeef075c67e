// Asking and waiting without blocking: request(query, 5s).then([this](const UserVerdict& v) {...}) and
// wait_for<PaymentCompleted>(5s).then(...). Nothing happens before then(), which registers the waiter first and emits
// the query second, so a fast reply is never lost. The function runs in the plugin's mailbox. A thread of the plugin's
// own may block instead: UserVerdict v = request(query, 5s).wait<UserVerdict>().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "nexus/blocking_wait.hpp"
#include "nexus/core.hpp"
#include "nexus/dispatch.hpp"
#include "nexus/emit.hpp"
#include "nexus/later.hpp"

namespace nexus {

namespace detail {

template <class F>
concept PlainFunction = requires { &F::operator(); };

// What .then(f) waits for, by f's parameter: a payload, or Event for any.
template <class F>
constexpr auto reply_payload() {
  static_assert(PlainFunction<F>, "then(f) takes a function object whose parameter type is written out, not auto");
  if constexpr (PlainFunction<F>) {
    using Signature = MethodSignature<decltype(&F::operator())>;
    static_assert(
        Signature::kArguments && Signature::kResult,
        "then(f) takes a function of const T& with a T declared by NEXUS_EVENT, or of const nexus::Event&, that "
        "returns nothing, a reply or a nexus::Later");
    return std::type_identity<typename Signature::Payload>{};
  } else {
    return std::type_identity<Event>{};
  }
}

template <class F>
using ReplyOf = typename decltype(reply_payload<F>())::type;

struct NoErrorHandler {};

template <class F, class G>
struct WaiterCall final : CallNode {
  WaiterCall(F reply_function, G error_function, Filter condition)
      : on_reply(std::move(reply_function)), on_error(std::move(error_function)), filter(std::move(condition)) {}

  static void run(void* user, std::int32_t code, const nexus_event* event) noexcept {
    auto* node = static_cast<WaiterCall*>(user);
    Core& core = *node->core;
    const std::shared_ptr<LaterState> state = node->state;
    try {
      if (event != nullptr) {
        node->reply(core, *event);
      } else {
        node->failed(code);
      }
    } catch (...) {
      try {
        state->settle_exception(core);
      } catch (...) {
        core.log(NEXUS_LOG_ERROR, "a continuation failed, and so did telling why");
      }
    }
    core.discard(node);
  }

  void reply(Core& core, const nexus_event& event) {
    // A delivery by hand: the same dispatch as for a handler, with the answer going to the Later.
    nexus_delivery delivery{};
    delivery.size = sizeof delivery;
    delivery.event = &event;
    ErrorBuffer error;
    nexus_outcome outcome{};
    outcome.size = sizeof outcome;
    outcome.error = error.get();
    using Payload = ReplyOf<F>;
    using Result = typename MethodSignature<decltype(&F::operator())>::Result;
    LaterResult result;
    if constexpr (kIsLater<Result>) {
      const auto chain = [&]<class... Arguments>(Arguments && ... arguments)
        requires std::is_invocable_v<F&, Arguments...>
      {
        on_reply(std::forward<Arguments>(arguments)...).state()->forward_to(state);
      };
      handle_delivery<Payload>(core, &delivery, &outcome, &result.reply, When<Payload>{}, chain);
    } else {
      handle_delivery<Payload>(core, &delivery, &outcome, &result.reply, When<Payload>{}, on_reply);
      result.reply_type = from_abi(outcome.reply_type);
      state->settle(std::move(result));
    }
  }

  void failed(std::int32_t code) {
    const Error error(code, wait_failure(code));
    if constexpr (std::is_same_v<G, NoErrorHandler>) {
      throw error;
    } else {
      on_error(error);
      state->settle({});
    }
  }

  F on_reply;
  G on_error;
  Filter filter;
  std::shared_ptr<LaterState> state = std::make_shared<LaterState>();
};

// What an event that was waited for says. A payload with views borrows from the event, and so cannot outlive it here.
template <EventType R>
R payload_of(const KeptEvent& event) {
  R payload{};
  EventTraits<R>::decode((*event).raw().data, payload);
  return payload;
}

// Registers by `register_with(node, handle, error)`, which calls the ABI.
template <class F, class G, class Register>
Later start_waiter(Core& core, F on_reply, G on_error, Filter filter, Register register_with) {
  using Node = WaiterCall<F, G>;
  Node* node = core.adopt(std::make_unique<Node>(std::move(on_reply), std::move(on_error), std::move(filter)));
  const std::shared_ptr<LaterState> state = node->state;
  nexus_handle handle = 0;
  ErrorBuffer error;
  const std::int32_t code = register_with(*node, &handle, error.get());
  if (code != NEXUS_OK && code != NEXUS_OK_DUPLICATE) {
    core.discard(node);
    throw Rejected(code, error.sentence(code));
  }
  state->set_waiter(core.weak_from_this(), handle);
  return Later(state);
}

}  // namespace detail

// A question that is ready to be asked. Use it in the same statement: its options borrow their texts.
class [[nodiscard]] Request {
 public:
  Request(detail::Core& core, std::uint64_t type, std::uint32_t schema_version, cbor::Buffer data,
          const EmitOptions& options, std::chrono::nanoseconds timeout)
      : core_(&core),
        type_(type),
        version_(schema_version),
        data_(std::move(data)),
        options_(options),
        timeout_(timeout) {}

  // Asks, and calls `on_reply` with the first reply of its parameter's type. Without `on_error` a timeout makes the
  // Later fail, so that a handler that returned it is tried again. Throws Rejected when the query is not accepted.
  template <class F>
  Later then(F on_reply) && {
    return std::move(*this).then(std::move(on_reply), detail::NoErrorHandler{});
  }
  template <class F, class G>
  Later then(F on_reply, G on_error) && {
    using Payload = detail::ReplyOf<F>;
    std::string_view pattern;
    if constexpr (!std::is_same_v<Payload, Event>) pattern = EventTraits<Payload>::type;
    return detail::start_waiter(
        *core_, std::move(on_reply), std::move(on_error), Filter(),
        [&](auto& node, nexus_handle* handle, nexus_error* error) { return ask(pattern, node, handle, error); });
  }

  // Asks, and blocks until the first reply of R's type is there. R owns its texts; for one with views, or for a reply
  // of any type, wait() keeps the event itself. For threads of the plugin's own: Error(NEXUS_E_THREAD) where the host's
  // would be held up. Throws Rejected when the query is not accepted, else Error: NEXUS_E_TIMEOUT, NEXUS_E_UNKNOWN when
  // nobody listens, NEXUS_E_CANCELLED when the plugin is being stopped; SchemaError for a reply that is no R.
  template <EventType R>
  R wait() && {
    return detail::payload_of<R>(block(EventTraits<R>::type));
  }
  KeptEvent wait() && { return block({}); }

 private:
  template <class Node>
  std::int32_t ask(std::string_view pattern, Node& node, nexus_handle* handle, nexus_error* error) const {
    const nexus_bus* bus = core_->bus();
    cbor::Buffer metadata;
    const nexus_emit_options raw = detail::to_abi(options_, version_, NEXUS_DATA_CBOR, core_->now_unix_ns(), metadata);
    return bus->request(bus->ctx, type_, &raw, data_.abi(), detail::to_abi(pattern), timeout_.count(), &Node::run,
                        &node, handle, error);
  }
  KeptEvent block(std::string_view pattern) const {
    return detail::block(*core_, Filter(), [&](auto& node, nexus_handle* handle, nexus_error* error) {
      return ask(pattern, node, handle, error);
    });
  }

  detail::Core* core_;
  std::uint64_t type_;
  std::uint32_t version_;
  cbor::Buffer data_;
  EmitOptions options_;
  std::chrono::nanoseconds timeout_;
};

// A wait for the next matching event, which begins with then().
class [[nodiscard]] Wait {
 public:
  Wait(detail::Core& core, std::string_view pattern, std::chrono::nanoseconds timeout, Filter filter)
      : core_(&core), pattern_(pattern), timeout_(timeout), filter_(std::move(filter)) {}

  template <class F>
  Later then(F on_event) && {
    return std::move(*this).then(std::move(on_event), detail::NoErrorHandler{});
  }
  template <class F, class G>
  Later then(F on_event, G on_error) && {
    static_assert(!std::is_void_v<detail::ReplyOf<F>>);
    const bool filtered = !filter_.empty();
    return detail::start_waiter(
        *core_, std::move(on_event), std::move(on_error), std::move(filter_),
        [&](auto& node, nexus_handle* handle, nexus_error* error) { return begin(filtered, node, handle, error); });
  }

  // Blocks until the event is there, as Request::wait does.
  template <EventType R>
  R wait() && {
    return detail::payload_of<R>(std::move(*this).wait());
  }
  KeptEvent wait() && {
    const bool filtered = !filter_.empty();
    return detail::block(*core_, std::move(filter_), [&](auto& node, nexus_handle* handle, nexus_error* error) {
      return begin(filtered, node, handle, error);
    });
  }

 private:
  template <class Node>
  std::int32_t begin(bool filtered, Node& node, nexus_handle* handle, nexus_error* error) const {
    const nexus_bus* bus = core_->bus();
    return bus->wait_for(bus->ctx, detail::to_abi(std::string_view(pattern_)),
                         filtered ? &detail::ask_filter<Node> : nullptr, &node, timeout_.count(), &Node::run, &node,
                         handle, error);
  }

  detail::Core* core_;
  std::string pattern_;
  std::chrono::nanoseconds timeout_;
  Filter filter_;
};

}  // namespace nexus
