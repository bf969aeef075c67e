// The way of one delivery from the ABI into a handler: read the payload, ask the conditions, call, turn the result or
// the exception into an answer. One indirect call (the host's), no allocation but what the payload itself needs. Not
// for plugin authors.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "nexus/abi/bus.h"
#include "nexus/core.hpp"
#include "nexus/event.hpp"
#include "nexus/failure.hpp"
#include "nexus/handler.hpp"
#include "nexus/later.hpp"
#include "nexus/schema.hpp"

namespace nexus::detail {

// Puts a reply into the outcome; `buffer` holds it until the host has copied it, after the callback has returned.
template <class R>
void answer_reply(const R& reply, cbor::Buffer& buffer, nexus_outcome* outcome) {
  buffer.clear();
  EventTraits<R>::encode(reply, buffer);
  (void)known_type<R>.index;
  outcome->reply_format = NEXUS_DATA_CBOR;
  outcome->reply_type = to_abi(EventTraits<R>::type);
  outcome->reply = buffer.abi();
}

// Calls `call` and answers with its result: nothing, a reply, or a Later.
template <class Call>
std::int32_t answer_call(Core& core, const nexus_delivery* delivery, nexus_outcome* outcome, cbor::Buffer* buffer,
                         Call&& call) {
  using Result = std::remove_cvref_t<decltype(call())>;
  if constexpr (std::is_void_v<Result>) {
    call();
    return NEXUS_DONE;
  } else if constexpr (kIsLater<Result>) {
    return call().attach(core, delivery->token, outcome, buffer != nullptr ? *buffer : core.thread_buffer());
  } else {
    answer_reply(call(), buffer != nullptr ? *buffer : core.thread_buffer(), outcome);
    return NEXUS_DONE;
  }
}

// `when` is a When<Payload>; `function` takes what the handler's signature says. May throw.
template <class Payload, class When, class Function>
std::int32_t handle_delivery(Core& core, const nexus_delivery* delivery, nexus_outcome* outcome, cbor::Buffer* buffer,
                             const When& when, Function&& function) {
  const Event event(*delivery->event);
  if (when.on_event() != nullptr && !when.on_event()(event)) return NEXUS_SKIP;
  if constexpr (std::is_same_v<Payload, Event>) {
    if (when.on_payload() != nullptr && !when.on_payload()(event)) return NEXUS_SKIP;
    return answer_call(core, delivery, outcome, buffer, [&]() -> decltype(auto) { return function(event); });
  } else {
    Payload payload{};
    EventTraits<Payload>::decode(delivery->event->data, payload);
    if (when.on_payload() != nullptr && !when.on_payload()(payload)) return NEXUS_SKIP;
    if constexpr (std::is_invocable_v<Function, Payload&&, const Event&>) {
      return answer_call(core, delivery, outcome, buffer,
                         [&]() -> decltype(auto) { return function(std::move(payload), event); });
    } else {
      return answer_call(core, delivery, outcome, buffer,
                         [&]() -> decltype(auto) { return function(std::move(payload)); });
    }
  }
}

// The ABI's condition callback for anything that holds a `filter` and a `core`. A throwing filter is a failure.
template <class Holder>
std::int32_t ask_filter(void* user, const nexus_event* event) noexcept {
  auto& holder = *static_cast<Holder*>(user);
  try {
    return holder.filter(Event(*event)) ? 1 : 0;
  } catch (...) {
    log_exception(*holder.core, "a filter failed: ");
    return -1;
  }
}

// The ABI's form of handler options. `text` holds the filter's words for the call.
template <class T>
nexus_subscribe_options to_abi(const HandlerOptions<T>& options, std::string_view name, std::string& text) {
  nexus_subscribe_options raw{};
  raw.size = sizeof raw;
  raw.priority = options.priority;
  raw.concurrency = static_cast<std::uint32_t>(options.concurrency);
  raw.name = to_abi(name);
  raw.deadline_ns = options.deadline.count();
  if (options.from == From::beginning) raw.flags |= NEXUS_SUBSCRIBE_FROM_BEGINNING;
  if (options.scope == Scope::every_host) raw.flags |= NEXUS_SUBSCRIBE_EVERY_HOST;
  if (options.order == Order::strict) raw.flags |= NEXUS_SUBSCRIBE_STRICT_ORDER;
  if (!options.durable.enabled()) raw.flags |= NEXUS_SUBSCRIBE_VOLATILE;
  if (options.no_self) raw.flags |= NEXUS_SUBSCRIBE_NO_SELF;
  if (options.retry.set) {
    raw.flags |= NEXUS_SUBSCRIBE_HAS_RETRY;
    raw.retry_attempts = options.retry.attempts;
    raw.retry_exponential = options.retry.exponential ? 1 : 0;
    raw.retry_delay_ns = options.retry.delay.count();
    raw.retry_delay_ns_max = options.retry.delay_max.count();
  }
  text = options.filter.text();
  if (!options.when.empty()) text += text.empty() ? "a function" : " and a function";
  raw.filter_text = to_abi(text);
  return raw;
}

}  // namespace nexus::detail
