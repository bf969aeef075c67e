// Sagas: a class that follows one piece of work through several events, step by step, until it is done or undone.
//
//   class OrderSaga final : public nexus::Saga<OrderState> {
//     NEXUS_SAGA_KEY(order_id)
//     NEXUS_START(OrderCreated, ask_payment, "payment")
//     NEXUS_STEP("payment", PaymentCompleted, reserve_stock, "inventory")
//     NEXUS_STEP("payment", PaymentFailed, cancel, nexus::done)
//     NEXUS_TIMEOUT("payment", 15min, cancel, nexus::done)
//     NEXUS_COMPENSATE("payment", refund)
//     NEXUS_STEP("inventory", StockReserved, confirm, nexus::done)
//     NEXUS_STEP("inventory", StockMissing, cancel, nexus::undo)
//     ...
//   NEXUS_PLUGIN(OrderSaga, "com.example.orders", "1.0.0")
//
// A saga is a plugin of its own and may have handlers (NEXUS_ON) beside its steps. Steps run one at a time, in the
// plugin's mailbox, and only compute: what they emit leaves, and what they change in state() is kept, when they return;
// when one throws nothing of it has happened, and the delivery is tried again like any other. A timeout is an event of
// the plugin to itself, "<plugin id>.saga.timeout", and so obeys the same rules.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "nexus/abi/draft/saga.h"
#include "nexus/instance.hpp"
#include "nexus/plugin.hpp"
#include "nexus/saga_instances.hpp"
#include "nexus/saga_store.hpp"
#include "nexus/saga_table.hpp"

namespace nexus {

namespace detail {

struct SagaSources;

// The type of a saga's own event, "<plugin id>.saga.timeout", as an array without an end mark.
template <class T>
constexpr auto saga_timeout_type() {
  constexpr std::string_view id = nexus_plugin_info(PluginTag<T>{}).id;
  constexpr std::string_view tail = ".saga.timeout";
  std::array<char, id.size() + tail.size()> text{};
  for (std::size_t i = 0; i < id.size(); ++i) text[i] = id[i];
  for (std::size_t i = 0; i < tail.size(); ++i) text[id.size() + i] = tail[i];
  return text;
}
template <class T>
inline constexpr auto kSagaTimeoutText = saga_timeout_type<T>();
template <class T>
inline constexpr std::string_view kSagaTimeoutType{kSagaTimeoutText<T>.data(), kSagaTimeoutText<T>.size()};

}  // namespace detail

template <class State>
class Saga : public Plugin {
  static_assert(schema::HasFields<State>,
                "nexus::Saga<State>: describe the state below its struct, in the same namespace: "
                "NEXUS_STATE(State, fields...)");
  static_assert(std::is_default_constructible_v<State>, "nexus::Saga<State>: the state must be default-constructible");

 public:
  using NexusSaga = Saga;

  // A class that overrides one of these three calls the saga's own as well.
  void save(cbor::Buffer& out) const override {
    if (instances_ != nullptr) instances_->save(out);
  }
  void restore(std::string_view, std::span<const std::uint8_t> state) override {
    instances().restore(state, [this](const std::string& key, const detail::SagaRecord& record) {
      const TimePoint due{std::chrono::nanoseconds(*record.due_unix_ns)};
      instances().set_timer(key,
                            arm(key, record.state, record.steps, std::max(due - now(), std::chrono::nanoseconds(0))));
    });
  }
  const void* provide(std::string_view interface_id) override {
    static constexpr nexus_saga kTable{sizeof(nexus_saga), 0, &list, &show};
    return interface_id == NEXUS_SAGA_ID ? &kTable : nullptr;
  }

  // Not for plugin authors: the subscriptions of the saga T, and what it must know of T.
  template <class T>
  static constexpr auto nexus_sources();
  template <class T>
  void nexus_bind() {
    timeout_type_ = detail::kSagaTimeoutType<T>;
  }

 protected:
  // --- in a step ---

  // What the instance keeps from step to step; a fresh one in the step that begins it.
  State& state() { return step().state; }
  const State& state() const { return step().state; }
  // Of the instance; its events have one correlation, that of the event which began it.
  std::string_view key() const { return step().key; }
  std::string_view correlation_id() const { return step().record.correlation_id; }

  // As those of Plugin; in a step they stay in the instance's correlation.
  template <EventType T>
  Id emit(const T& payload) const {
    return detail::accepted(try_emit(payload));
  }
  template <EventType T>
  Id emit(const T& payload, const EmitOptions& options) const {
    return detail::accepted(try_emit(payload, options));
  }
  Id emit(std::string_view type, const cbor::Value& data, const EmitOptions& options = {}) const {
    return detail::accepted(try_emit(type, data, options));
  }
  template <class T>
    requires(!EventType<T> && !std::convertible_to<const T&, std::string_view>)
  Id emit(const T& payload, const EmitOptions& options = {}) const {
    return Plugin::emit(payload, options);
  }
  template <EventType T>
  Status try_emit(const T& payload) const {
    return is_foreign() ? Plugin::try_emit(payload, correlated({})) : Plugin::try_emit(payload);
  }
  template <EventType T>
  Status try_emit(const T& payload, const EmitOptions& options) const {
    return is_foreign() ? Plugin::try_emit(payload, correlated(options)) : Plugin::try_emit(payload, options);
  }
  Status try_emit(std::string_view type, const cbor::Value& data, const EmitOptions& options = {}) const {
    return Plugin::try_emit(type, data, correlated(options));
  }
  Status try_emit_bytes(std::string_view type, nexus_bytes data, std::uint32_t format = NEXUS_DATA_CBOR,
                        const EmitOptions& options = {}) const {
    return Plugin::try_emit_bytes(type, data, format, correlated(options));
  }
  template <EventType T>
  BatchStatus emit_batch(std::span<const T> payloads, const EmitOptions& options = {}) const {
    return Plugin::emit_batch(payloads, correlated(options));
  }
  template <EventType T>
  BatchStatus emit_batch(const std::vector<T>& payloads, const EmitOptions& options = {}) const {
    return Plugin::emit_batch(payloads, correlated(options));
  }

  // --- anywhere in the plugin's mailbox ---

  // A copy of what an instance keeps, or nothing.
  std::optional<State> find(std::string_view instance_key) {
    detail::SagaRecord record;
    if (!instances().load(instance_key, record)) return std::nullopt;
    std::optional<State> found(std::in_place);
    detail::read_saga_part(record.data, *found, instance_key);
    return found;
  }
  std::size_t active() { return instances().size(); }

  // How many may be active at once; kSagaInstancesMax unless this says otherwise. For the constructor or start().
  void set_instances_max(std::size_t count) { instances().instances_max = count; }

  // Where the instances are kept; asked once, at the first use.
  virtual std::unique_ptr<SagaStore> make_store() { return std::make_unique<MemorySagaStore>(); }

 private:
  friend struct detail::SagaSources;

  // One step that runs, on copies of what is kept.
  struct Step {
    std::string key;
    detail::SagaRecord record;
    State state{};
    bool fresh = false;    // it begins the instance
    bool foreign = false;  // the event being handled has another correlation than the instance
  };

  // The step that runs on this thread, and whose. Handlers that overlap with steps, and threads of the plugin's own,
  // have none.
  struct Current {
    const Saga* saga = nullptr;
    Step* step = nullptr;
  };
  static inline constinit thread_local Current current_{};

  // Makes a step the current one for the time of its methods.
  class Running {
   public:
    Running(const Saga& saga, Step& step) { current_ = {&saga, &step}; }
    ~Running() { current_ = {}; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
  };

  struct Meters {
    Counter started, completed, undone, timed_out, not_found, out_of_turn, duplicate, rejected;
    Gauge active;
  };

  Step* running() const { return current_.saga == this ? current_.step : nullptr; }
  Step& step() const {
    Step* const step = running();
    if (step == nullptr) throw Error(NEXUS_E_STATE, "state(), key() and correlation_id() belong to a saga's steps");
    return *step;
  }
  bool is_foreign() const { return running() != nullptr && running()->foreign; }
  EmitOptions correlated(EmitOptions options) const {
    if (is_foreign() && options.correlation.empty() && !options.root)
      options.correlation = running()->record.correlation_id;
    return options;
  }

  detail::SagaInstances& instances() {
    if (instances_ == nullptr) instances_ = std::make_unique<detail::SagaInstances>(make_store());
    return *instances_;
  }

  const Meters& meters();
  [[noreturn]] void reject(const std::string& why, const char* type);
  [[noreturn]] void pass_over(const Counter& why);

  // --- saga_run.hpp ---
  template <class T, class E>
  void take(const E& payload, const Event& event);
  template <class T>
  void time_out(const Event& event);
  template <class T, class E>
  void begin(Step& step, const Event& event);
  template <class T, class Part, class Call>
  void run(Step& step, const Part& part, const Call& call);
  template <class T>
  void undo_completed(Step& step);
  template <class T>
  void move(Step& step, bool completes, std::string_view next);
  void end(const Step& step, bool undone);

  // Has the plugin emit its own event when the time is over: what a timeout does is then held, tried again and recorded
  // like every other handler's work.
  Timer arm(const std::string& key, const std::string& state, std::uint64_t steps, std::chrono::nanoseconds delay) {
    return after(delay, [this, due = detail::SagaDue{key, state, steps}] { announce_timeout(due); });
  }
  void announce_timeout(const detail::SagaDue& due);

  static Saga& of(void* instance) { return static_cast<Saga&>(plugin_cast<Plugin>(instance)); }
  static std::int32_t list(void* instance, nexus_string state, nexus_string after, std::uint64_t limit,
                           nexus_write_fn write, void* user, nexus_error* error) noexcept;
  static std::int32_t show(void* instance, nexus_string key, nexus_write_fn write, void* user,
                           nexus_error* error) noexcept;

  std::unique_ptr<detail::SagaInstances> instances_;
  std::optional<Meters> meters_;
  std::string_view timeout_type_;  // static
};

template <class State>
auto Saga<State>::meters() -> const Meters& {
  if (meters_) return *meters_;
  const auto ended = [this](std::string_view how) {
    return counter("saga_ended", "Saga instances that have ended, by how.", {{"outcome", how}});
  };
  const auto ignored = [this](std::string_view why) {
    return counter("saga_ignored", "Events that no step took, by why.", {{"reason", why}});
  };
  meters_.emplace(Meters{counter("saga_started", "Saga instances that have begun."), ended("done"), ended("undone"),
                         counter("saga_timed_out", "Timeouts of saga states that were acted on."), ignored("not_found"),
                         ignored("out_of_turn"), ignored("duplicate_start"),
                         counter("saga_rejected", "Events that a saga has rejected."),
                         gauge("saga_active", "Saga instances that are active.")});
  return *meters_;
}

template <class State>
void Saga<State>::announce_timeout(const detail::SagaDue& due) {
  cbor::Buffer data;
  detail::write_saga_part(due, data, due.key);
  detail::SagaRecord record;
  if (!instances().load(due.key, record) || record.steps != due.steps) return;
  const Status status = try_emit_bytes(timeout_type_, data.abi(), NEXUS_DATA_CBOR,
                                       {.key = due.key, .correlation = record.correlation_id});
  if (status.ok()) return;
  log().warn("a saga's timeout could not be emitted, and is tried again", {{"key", due.key}, {"why", status.message}});
  instances().set_timer(due.key, arm(due.key, due.state, due.steps, std::chrono::seconds(1)));
}

template <class State>
std::int32_t Saga<State>::list(void* instance, nexus_string state, nexus_string after, std::uint64_t limit,
                               nexus_write_fn write, void* user, nexus_error* error) noexcept {
  try {
    cbor::Buffer out;
    of(instance).instances().write_list(detail::from_abi(state), detail::from_abi(after), limit, out);
    write(user, out.data(), out.size());
    return NEXUS_OK;
  } catch (...) {
    return detail::error_from_exception(error, NEXUS_E_PLUGIN);
  }
}

template <class State>
std::int32_t Saga<State>::show(void* instance, nexus_string key, nexus_write_fn write, void* user,
                               nexus_error* error) noexcept {
  try {
    cbor::Buffer out;
    if (!of(instance).instances().write_instance(detail::from_abi(key), out))
      return detail::write_error(error, NEXUS_E_UNKNOWN, "there is no instance of that key");
    write(user, out.data(), out.size());
    return NEXUS_OK;
  } catch (...) {
    return detail::error_from_exception(error, NEXUS_E_PLUGIN);
  }
}

}  // namespace nexus

#include "nexus/saga_run.hpp"

// NEXUS_STATE(OrderState, order_id, amount) below the struct makes it a saga's state. Its fields are those that an
// event may have, but must own what they hold.
#define NEXUS_STATE(Type, ...) NEXUS_PP_DESCRIBE_FIELDS(Type __VA_OPT__(, ) __VA_ARGS__)

// NEXUS_SAGA_KEY(order_id): instances are told apart by this field, which all events of the saga have. Without it they
// are told apart by correlation id. An event that calls the field otherwise gets a function of its own:
//   static std::string saga_key(const PaymentCompleted& payment) { return payment.order; }
#define NEXUS_SAGA_KEY(field)                                                                       \
  friend struct ::nexus::Access;                                                                    \
  template <class NexusEvent>                                                                       \
  static auto nexus_saga_key(const NexusEvent& event) {                                             \
    constexpr bool has_field = requires { event.field; };                                           \
    static_assert(has_field, "NEXUS_SAGA_KEY(" #field                                               \
                             "): an event of this saga has no such field; give the class a static " \
                             "std::string saga_key(const ThatEvent&)");                             \
    if constexpr (has_field) {                                                                      \
      return event.field;                                                                           \
    } else {                                                                                        \
      return ::std::string();                                                                       \
    }                                                                                               \
  }

// NEXUS_START(Event, method, "state", .priority = 5, ...): the event begins an instance. The options are those of
// nexus::SagaOptions, in their order.
#define NEXUS_START(EventType_, method, next_state, ...) \
  NEXUS_SAGA_SLOT_(NEXUS_START, method,                  \
                   (::nexus::detail::SagaStart<EventType_, &Self::method>{next_state, {__VA_ARGS__}}))
// NEXUS_STEP("state", Event, method, "next" | nexus::done | nexus::undo, .not_found = nexus::dead_letter, ...): in that
// state the event leads on.
#define NEXUS_STEP(state_name, EventType_, method, next_state, ...) \
  NEXUS_SAGA_SLOT_(NEXUS_STEP, method,                              \
                   (::nexus::detail::SagaStep<EventType_, &Self::method>{state_name, next_state, {__VA_ARGS__}}))
// NEXUS_TIMEOUT("state", 15min, method, "next" | nexus::done | nexus::undo): an instance that stays in that state for
// so long is led on without an event. Instead of a duration: &OrderSaga::patience, a member that is or returns one.
#define NEXUS_TIMEOUT(state_name, delay, method, next_state) \
  NEXUS_SAGA_SLOT_(NEXUS_TIMEOUT, method, (::nexus::detail::saga_timeout<&Self::method>(state_name, delay, next_state)))
// NEXUS_COMPENSATE("state", method): undoes what that state has brought about, when a NEXUS_STEP had led from it to
// another state and the saga ends with nexus::undo.
#define NEXUS_COMPENSATE(state_name, method) \
  NEXUS_SAGA_SLOT_(NEXUS_COMPENSATE, method, (::nexus::detail::SagaCompensate<&Self::method>{state_name}))

#define NEXUS_SAGA_SLOT_(macro, method, part)                                                          \
  friend struct ::nexus::Access;                                                                       \
  static_assert(::nexus::detail::check_line<__LINE__>());                                              \
  static void nexus_line(::nexus::detail::NEXUS_ON_stands_on_a_line_of_its_own<__LINE__>*);            \
  template <class Self>                                                                                \
  static constexpr auto nexus_slot(::nexus::detail::NEXUS_ON_stands_on_a_line_of_its_own<__LINE__>*) { \
    using namespace ::std::chrono_literals;                                                            \
    using namespace ::nexus::words;                                                                    \
    static_assert(                                                                                     \
        requires { &Self::method; }, #macro ": the class has no method " #method                       \
                                            ", or more than one; name an ordinary method that is not " \
                                            "overloaded");                                             \
    return part;                                                                                       \
  }
