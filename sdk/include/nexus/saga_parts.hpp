// What the lines of a saga say: which event leads from which state to which, by which method. Each is a constant that
// one macro (NEXUS_START, NEXUS_STEP, NEXUS_TIMEOUT, NEXUS_COMPENSATE) puts into the class; each misuse of a method
// stops the compiler with a sentence that begins with the macro's name. Plain values, everything is known while
// compiling.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "nexus/handler.hpp"

namespace nexus {

// What becomes of an event that finds no instance.
enum class NotFound : std::uint8_t {
  ignore,       // counted, and passed over
  start,        // begins an instance, as if it had waited for this event already
  dead_letter,  // rejected: a person should know
};

namespace detail {

struct SagaEnd {
  bool undo;
};

}  // namespace detail

inline namespace words {
inline constexpr NotFound ignore = NotFound::ignore;
inline constexpr NotFound start = NotFound::start;
inline constexpr NotFound dead_letter = NotFound::dead_letter;
// The instance has ended well.
inline constexpr detail::SagaEnd done{false};
// The completed states are compensated, the last one first, and the instance has ended.
inline constexpr detail::SagaEnd undo{true};
}  // namespace words

// The options of NEXUS_START and NEXUS_STEP, in this order. One subscription serves all lines of one event, so they
// stand on the event's first line.
struct SagaOptions {
  NotFound not_found = NotFound::ignore;  // of a step
  std::int32_t priority = 0;              // as in HandlerOptions
  Retry retry{};
  std::chrono::nanoseconds deadline{0};

  constexpr bool is_default() const {
    return not_found == NotFound::ignore && priority == 0 && !retry.set && deadline.count() == 0;
  }
};

namespace detail {

// The longest name of a state.
inline constexpr std::size_t kSagaStateNameMax = 64;

constexpr bool is_saga_state(std::string_view name) {
  if (name.empty() || name.size() > kSagaStateNameMax) return false;
  for (const char c : name) {
    if (!is_segment_character(c)) return false;
  }
  return true;
}

// Where a line leads: to a state, or to an end.
struct SagaNext {
  constexpr SagaNext(const char* name) : state(name) {}
  constexpr SagaNext(SagaEnd end) : undo(end.undo) {}

  constexpr bool ends() const { return state.empty(); }
  constexpr bool valid() const { return state.data() == nullptr || is_saga_state(state); }

  std::string_view state;
  bool undo = false;
};

// The arguments that a saga's method may take.
template <class M, class E>
inline constexpr bool kTakesSagaEvent = false;
template <class C, class R, class E>
inline constexpr bool kTakesSagaEvent<R (C::*)(), E> = true;
template <class C, class R, class A, class E>
inline constexpr bool kTakesSagaEvent<R (C::*)(A), E> = kTakesPayload<A> && std::is_same_v<std::remove_cvref_t<A>, E>;
template <class C, class R, class A, class B, class E>
inline constexpr bool kTakesSagaEvent<R (C::*)(A, B), E> =
    kTakesPayload<A> && std::is_same_v<std::remove_cvref_t<A>, E> && kIsEnvelope<B>;
template <class C, class R, class... A, class E>
inline constexpr bool kTakesSagaEvent<R (C::*)(A...) const, E> = kTakesSagaEvent<R (C::*)(A...), E>;
template <class C, class R, class... A, class E>
inline constexpr bool kTakesSagaEvent<R (C::*)(A...) noexcept, E> = kTakesSagaEvent<R (C::*)(A...), E>;
template <class C, class R, class... A, class E>
inline constexpr bool kTakesSagaEvent<R (C::*)(A...) const noexcept, E> = kTakesSagaEvent<R (C::*)(A...), E>;

template <class M>
struct SagaMethod : MethodSignature<M> {};
template <class M>
  requires(MethodSignature<M>::kMethod)
struct SagaMethod<M> : MethodSignature<M> {
  static constexpr bool kVoid = std::is_void_v<typename MethodSignature<M>::Result>;
};

template <class E, auto Method>
constexpr bool check_saga_method() {
  using Signature = SagaMethod<decltype(Method)>;
  static_assert(EventType<E>, "NEXUS_START and NEXUS_STEP take an event that is declared by NEXUS_EVENT");
  static_assert(Signature::kMethod,
                "NEXUS_START and NEXUS_STEP name a member function of the saga, one that is neither static nor a "
                "template");
  if constexpr (EventType<E> && Signature::kMethod) {
    static_assert(kTakesSagaEvent<decltype(Method), E>,
                  "NEXUS_START and NEXUS_STEP: the method takes nothing, or the named event by const reference, or "
                  "that and const nexus::Event&");
    static_assert(Signature::kVoid, "NEXUS_START and NEXUS_STEP: the method returns void; what it has to say it emits");
  }
  return true;
}

// Of NEXUS_TIMEOUT and NEXUS_COMPENSATE, which have no event.
template <auto Method>
constexpr bool check_saga_action() {
  using Signature = SagaMethod<decltype(Method)>;
  static_assert(Signature::kMethod,
                "NEXUS_TIMEOUT and NEXUS_COMPENSATE name a member function of the saga, one that is neither static "
                "nor a template");
  if constexpr (Signature::kMethod) {
    static_assert(Signature::kArity == 0 && Signature::kVoid,
                  "NEXUS_TIMEOUT and NEXUS_COMPENSATE: the method takes nothing and returns void; what it needs is in "
                  "state()");
  }
  return true;
}

enum class SagaPartKind : std::uint8_t { start, step, timeout, compensate };

template <class E, auto Method>
struct SagaStart {
  using SagaPart = void;
  using Trigger = E;
  static constexpr SagaPartKind kKind = SagaPartKind::start;
  static constexpr auto kMethod = Method;
  static_assert(check_saga_method<E, Method>());

  SagaNext next;
  SagaOptions options;
};

template <class E, auto Method>
struct SagaStep {
  using SagaPart = void;
  using Trigger = E;
  static constexpr SagaPartKind kKind = SagaPartKind::step;
  static constexpr auto kMethod = Method;
  static_assert(check_saga_method<E, Method>());

  std::string_view from;
  SagaNext next;
  SagaOptions options;
};

// `Delay` is a duration, or points to a member of the saga that is or returns one.
template <auto Method, class Delay>
struct SagaTimeout {
  using SagaPart = void;
  using Trigger = void;
  static constexpr SagaPartKind kKind = SagaPartKind::timeout;
  static constexpr auto kMethod = Method;
  static_assert(check_saga_action<Method>());

  std::string_view from;
  Delay delay;
  SagaNext next;
};

template <auto Method>
struct SagaCompensate {
  using SagaPart = void;
  using Trigger = void;
  static constexpr SagaPartKind kKind = SagaPartKind::compensate;
  static constexpr auto kMethod = Method;
  static_assert(check_saga_action<Method>());

  std::string_view from;
};

template <class Delay>
inline constexpr bool kIsDuration = false;
template <class Rep, class Period>
inline constexpr bool kIsDuration<std::chrono::duration<Rep, Period>> = true;

template <auto Method, class Delay>
constexpr auto saga_timeout(std::string_view from, Delay delay, SagaNext next) {
  static_assert(kIsDuration<Delay> || std::is_member_pointer_v<Delay>,
                "NEXUS_TIMEOUT takes a duration such as 15min, or points to a member of the saga that is or returns "
                "one, such as &OrderSaga::patience");
  return SagaTimeout<Method, Delay>{from, delay, next};
}

// The delay in this saga, never below zero.
template <class T, class Delay>
std::chrono::nanoseconds saga_delay(const T& saga, const Delay& delay) {
  if constexpr (kIsDuration<Delay>) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(delay);
  } else if constexpr (std::is_member_function_pointer_v<Delay>) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>((saga.*delay)());
  } else {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(saga.*delay);
  }
}

}  // namespace detail
}  // namespace nexus
