// What a handler is: the options that it may have, and what its signature says about the events it takes. Everything is
// decided while compiling; each misuse stops the compiler with a sentence that begins with NEXUS_ON.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "nexus/abi/bus.h"
#include "nexus/event.hpp"
#include "nexus/filter.hpp"
#include "nexus/retry.hpp"
#include "nexus/schema.hpp"

namespace nexus {

class Later;

// Whether calls of one handler, or of one plugin, may overlap.
enum class Concurrency : std::uint32_t {
  serial = NEXUS_CONCURRENCY_SERIAL,      // nothing of the plugin runs beside it
  parallel = NEXUS_CONCURRENCY_PARALLEL,  // several at once; the handler guards what it shares
  keyed = NEXUS_CONCURRENCY_KEYED,        // one event key serial, different keys at once
};

// Where a durable subscription begins when the host sees its name for the first time.
enum class From : std::uint8_t { now, beginning };

// With a broker: does each event reach this plugin once in the fleet, or once on every host?
enum class Scope : std::uint8_t { group, every_host };

// Strict: a dead letter holds the later events of its key back until it is redriven or discarded.
enum class Order : std::uint8_t { normal, strict };

inline namespace words {
inline constexpr Concurrency serial = Concurrency::serial;
inline constexpr Concurrency parallel = Concurrency::parallel;
inline constexpr Concurrency keyed = Concurrency::keyed;
inline constexpr From now = From::now;
inline constexpr From beginning = From::beginning;
inline constexpr Scope group = Scope::group;
inline constexpr Scope every_host = Scope::every_host;
inline constexpr Order strict = Order::strict;
}  // namespace words

// Under which name the host keeps the handler's place on a durable bus: true (the default) is the method's own name, a
// text is that name, false is never durable.
class Durable {
 public:
  constexpr Durable() = default;
  constexpr Durable(bool durable) : enabled_(durable) {}
  constexpr Durable(const char* name) : name_(name) {}
  constexpr bool enabled() const { return enabled_; }
  constexpr std::string_view name() const { return name_; }

 private:
  std::string_view name_;
  bool enabled_ = true;
};

namespace detail {

template <class F>
concept Stateless = std::is_empty_v<F> && std::is_default_constructible_v<F>;

}  // namespace detail

// A condition on the payload, or on the event: a lambda without captures, or the address of a function.
template <class T>
class When {
 public:
  constexpr When() = default;

  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, When>)
  constexpr When(const F& function) {
    constexpr bool kOnPayload = std::is_invocable_r_v<bool, const F&, const T&>;
    constexpr bool kOnEvent = takes_event<F, kOnPayload>();
    static_assert(
        kOnPayload || kOnEvent,
        "NEXUS_ON: .when takes a function of the handler's const T&, or of const nexus::Event&, that returns bool");
    if constexpr (kOnPayload) {
      if constexpr (std::is_convertible_v<const F&, bool (*)(const T&)>) {
        payload_ = function;
      } else {
        static_assert(detail::Stateless<F>,
                      "NEXUS_ON: .when takes a lambda without captures; for one with captures use .filter = "
                      "nexus::where() in subscribe()");
        payload_ = [](const T& payload) -> bool { return F{}(payload); };
      }
    } else if constexpr (kOnEvent) {
      if constexpr (std::is_convertible_v<const F&, bool (*)(const Event&)>) {
        event_ = function;
      } else {
        static_assert(detail::Stateless<F>,
                      "NEXUS_ON: .when takes a lambda without captures; for one with captures use .filter = "
                      "nexus::where() in subscribe()");
        event_ = [](const Event& event) -> bool { return F{}(event); };
      }
    }
  }

  constexpr bool empty() const { return payload_ == nullptr && event_ == nullptr; }
  constexpr auto on_payload() const { return payload_; }
  constexpr auto on_event() const { return event_; }

 private:
  // Not asked of a function that takes the payload: a generic lambda might not compile for an Event.
  template <class F, bool on_payload>
  static constexpr bool takes_event() {
    if constexpr (on_payload) {
      return false;
    } else {
      return std::is_invocable_r_v<bool, const F&, const Event&>;
    }
  }

  bool (*payload_)(const T&) = nullptr;
  bool (*event_)(const Event&) = nullptr;
};

// The options of NEXUS_ON and of on<>(), in the order in which they must be given.
template <class T>
struct HandlerOptions {
  std::int32_t priority = 0;  // for one event, higher handlers finish their first attempt before lower ones start
  std::string_view topic{};   // a pattern instead of the payload's own type
  When<T> when{};
  Filter filter{};
  Retry retry{};                         // without: the config's
  std::chrono::nanoseconds deadline{0};  // a handler that runs longer is reported; 0: the config's
  Concurrency concurrency = Concurrency::serial;
  Durable durable{};
  From from = From::now;
  Scope scope = Scope::group;
  Order order = Order::normal;
  bool no_self = false;  // not what this plugin itself emitted
};

namespace detail {

template <class T>
inline constexpr bool kIsLater = std::is_same_v<std::remove_cvref_t<T>, Later>;

// The payload of a handler that has none: it takes the event itself.
template <class Argument>
inline constexpr bool kIsEnvelope = std::is_same_v<Argument, const Event&> || std::is_same_v<Argument, Event>;

// A payload may be taken by const reference or by value, never by a reference that could change it.
template <class Argument>
inline constexpr bool kTakesPayload =
    EventType<std::remove_cvref_t<Argument>> &&
    (!std::is_reference_v<Argument> || std::is_const_v<std::remove_reference_t<Argument>>);

// An event taken by a reference that could change it.
template <class Argument>
inline constexpr bool kChangesEvent =
    std::is_reference_v<Argument> && !std::is_const_v<std::remove_reference_t<Argument>> &&
    (EventType<std::remove_cvref_t<Argument>> || std::is_same_v<std::remove_cvref_t<Argument>, Event>);

template <class Result, class... Arguments>
struct HandlerShape {
  static constexpr bool kArguments = false;
  static constexpr bool kChanges = (kChangesEvent<Arguments> || ...);
  using Payload = void;
};

template <class Result, class First>
struct HandlerShape<Result, First> {
  static constexpr bool kArguments = kIsEnvelope<First> || kTakesPayload<First>;
  static constexpr bool kChanges = kChangesEvent<First>;
  using Payload = std::conditional_t<kIsEnvelope<First>, Event, std::remove_cvref_t<First>>;
};

template <class Result, class First, class Second>
struct HandlerShape<Result, First, Second> {
  static constexpr bool kArguments = kTakesPayload<First> && kIsEnvelope<Second>;
  static constexpr bool kChanges = kChangesEvent<First> || kChangesEvent<Second>;
  using Payload = std::remove_cvref_t<First>;
};

template <class R, class... A>
struct HandlerSignature : HandlerShape<R, A...> {
  using Result = R;
  static constexpr std::size_t kArity = sizeof...(A);
  static constexpr bool kResult = std::is_void_v<R> || kIsLater<R> || EventType<std::remove_cvref_t<R>>;
};

template <class M>
struct MethodSignature {
  static constexpr bool kMethod = false;
};
template <class R, class C, class... A>
struct MethodSignature<R (C::*)(A...)> : HandlerSignature<R, A...> {
  static constexpr bool kMethod = true;
};
template <class R, class C, class... A>
struct MethodSignature<R (C::*)(A...) const> : MethodSignature<R (C::*)(A...)> {};
template <class R, class C, class... A>
struct MethodSignature<R (C::*)(A...) noexcept> : MethodSignature<R (C::*)(A...)> {};
template <class R, class C, class... A>
struct MethodSignature<R (C::*)(A...) const noexcept> : MethodSignature<R (C::*)(A...)> {};

// Gives the payload's type, or stops the compiler with the first sentence that applies.
template <class M>
constexpr auto checked_payload() {
  using Signature = MethodSignature<M>;
  static_assert(Signature::kMethod,
                "NEXUS_ON names a member function of the plugin, one that is neither static nor a template");
  if constexpr (Signature::kMethod) {
    static_assert(!Signature::kChanges,
                  "NEXUS_ON: a handler takes an event by const reference or by value: events never change");
    static_assert(
        Signature::kArguments || Signature::kChanges,
        "NEXUS_ON: a handler takes const T& with a T declared by NEXUS_EVENT, or const nexus::Event&, or both "
        "in that order");
    static_assert(Signature::kResult,
                  "NEXUS_ON: a handler returns void, a reply whose type is declared by NEXUS_EVENT, or nexus::Later");
    if constexpr (Signature::kArguments && Signature::kResult) {
      return std::type_identity<typename Signature::Payload>{};
    } else {
      return std::type_identity<Event>{};
    }
  } else {
    return std::type_identity<Event>{};
  }
}

template <auto Method>
using PayloadOf = typename decltype(checked_payload<decltype(Method)>())::type;

// "record" out of the compiler's own spelling of &Orders::record.
template <auto Method>
constexpr std::string_view method_name() {
#if defined(_MSC_VER) && !defined(__clang__)
  std::string_view text = __FUNCSIG__;
  text = text.substr(0, text.rfind('>'));
#else
  std::string_view text = __PRETTY_FUNCTION__;
  const std::size_t end = text.find_first_of(";]", text.find("Method = "));
  text = text.substr(0, end);
  if (!text.empty() && text.back() == ')') text.remove_suffix(1);
#endif
  return text.substr(text.rfind(':') + 1);
}

constexpr bool is_handler_name(std::string_view name) {
  if (name.empty() || name.size() > 128) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '_' && c != '.' && c != '-') return false;
  }
  return true;
}

}  // namespace detail

// One handler of a plugin, as NEXUS_ON or on<>() declares it.
template <auto Method>
struct Handler {
  using Payload = detail::PayloadOf<Method>;
  static constexpr auto kMethod = Method;

  std::string_view method;
  HandlerOptions<Payload> options;

  constexpr std::string_view name() const { return options.durable.name().empty() ? method : options.durable.name(); }
  constexpr std::string_view pattern() const {
    if constexpr (std::is_same_v<Payload, Event>) {
      return options.topic;
    } else {
      return options.topic.empty() ? std::string_view(EventTraits<Payload>::type) : options.topic;
    }
  }
};

// A row of the table form of NEXUS_ON, inside the class:
//   static constexpr auto handlers() { return std::tuple{nexus::on<&Orders::record>({.priority = 10})}; }
template <auto Method>
constexpr Handler<Method> on(HandlerOptions<detail::PayloadOf<Method>> options = {}) {
  return {detail::method_name<Method>(), std::move(options)};
}

}  // namespace nexus
