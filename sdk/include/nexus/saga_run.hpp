// How an event reaches a saga's step: finds the instance, chooses the line, calls the method on a copy of the state,
// and takes the result over when it has returned. Included by saga.hpp. Not for plugin authors.
#pragma once

#include "nexus/saga.hpp"

namespace nexus {

namespace detail {

template <class Key>
std::string saga_key_text(const Key& key) {
  constexpr bool is_text = std::is_convertible_v<const Key&, std::string_view>;
  constexpr bool is_number = std::is_integral_v<Key> && !std::is_same_v<Key, bool>;
  static_assert(is_text || is_number, "NEXUS_SAGA_KEY: a saga's key is a text or an integer");
  if constexpr (is_text) {
    return std::string(std::string_view(key));
  } else if constexpr (is_number) {
    return std::to_string(key);
  } else {
    return {};
  }
}

// The subscriptions of a saga, as Access wants them.
struct SagaSources {
  // One for all lines of an event; named after that, since its lines may call several methods.
  template <class T, class E>
  struct Trigger {
    static constexpr auto get() {
      constexpr SagaOptions options = SagaTable<T>::template options_of<E>();
      return Handler<&T::NexusSaga::template take<T, E>>{
          std::string_view(kName.data(), kName.size()),
          {.priority = options.priority, .retry = options.retry, .deadline = options.deadline}};
    }

   private:
    static constexpr auto make_name() {
      constexpr std::string_view head = "saga.", type = EventTraits<E>::type;
      std::array<char, head.size() + type.size()> text{};
      for (std::size_t i = 0; i < head.size(); ++i) text[i] = head[i];
      for (std::size_t i = 0; i < type.size(); ++i) text[head.size() + i] = type[i];
      return text;
    }
    static constexpr auto kName = make_name();
  };

  // For the saga's own event.
  template <class T>
  struct Timeout {
    static constexpr auto get() {
      return Handler<&T::NexusSaga::template time_out<T>>{"saga.timeout", {.topic = kSagaTimeoutType<T>}};
    }
  };

  template <class T, class... E>
  static constexpr auto triggers(TypeList<E...>) {
    return std::tuple<std::type_identity<Trigger<T, E>>...>{};
  }
};

// Calls the method with as much of the event as it takes.
template <auto Method, class T, class E>
void call_saga_method(T& saga, const E& payload, const Event& event) {
  constexpr std::size_t arity = MethodSignature<decltype(Method)>::kArity;
  if constexpr (arity == 0) {
    Access::call<Method>(saga);
  } else if constexpr (arity == 1) {
    Access::call<Method>(saga, payload);
  } else {
    Access::call<Method>(saga, payload, event);
  }
}

}  // namespace detail

template <class State>
template <class T>
constexpr auto Saga<State>::nexus_sources() {
  using Table = detail::SagaTable<T>;
  static_assert(Table::check());
  constexpr auto triggers = detail::SagaSources::triggers<T>(typename Table::Triggers{});
  if constexpr (Table::has(detail::SagaPartKind::timeout)) {
    return std::tuple_cat(triggers, std::tuple<std::type_identity<detail::SagaSources::Timeout<T>>>{});
  } else {
    return triggers;
  }
}

// An event that some line names.
template <class State>
template <class T, class E>
void Saga<State>::take(const E& payload, const Event& event) {
  using Table = detail::SagaTable<T>;
  Step step;
  step.key = detail::saga_key_text(Access::saga_key<T>(payload, event));
  if (step.key.empty()) reject(std::string(event.type()) + " does not say which instance it is for", "saga_key");
  if (step.key.size() > kSagaKeyBytesMax)
    reject(std::string(event.type()) + ": the key of an instance has at most 255 bytes", "saga_key");
  step.fresh = !instances().load(step.key, step.record);
  if (step.fresh) begin<T, E>(step, event);
  step.foreign = event.correlation_id() != step.record.correlation_id;
  bool taken = false;
  Table::each([&](auto source) {
    using Source = typename decltype(source)::type;
    using Part = decltype(Source::get());
    if constexpr (std::is_same_v<typename Part::Trigger, E>) {
      constexpr Part part = Source::get();
      std::string_view from;  // where an instance stands before its first step
      if constexpr (Part::kKind == detail::SagaPartKind::step) from = part.from;
      if (taken || step.record.state != from) return;
      taken = true;
      run<T>(step, part, [&](T& self) { detail::call_saga_method<Part::kMethod>(self, payload, event); });
    }
  });
  if (!taken) pass_over(Table::template starts_with<E>() ? meters().duplicate : meters().out_of_turn);
}

// Makes the step the first of a new instance, or follows the event's policy.
template <class State>
template <class T, class E>
void Saga<State>::begin(Step& step, const Event& event) {
  using Table = detail::SagaTable<T>;
  constexpr NotFound policy = Table::template options_of<E>().not_found;
  if constexpr (!Table::template starts_with<E>()) {
    if constexpr (policy == NotFound::ignore) pass_over(meters().not_found);
    if constexpr (policy == NotFound::dead_letter)
      reject(std::string(event.type()) + " finds no instance with the key '" + step.key + "'", "saga_not_found");
    step.record.state = Table::template first_state<E>();
  }
  if (instances().full()) {
    reject("the saga has " + std::to_string(active()) + " active instances, which is its limit; '" + step.key +
               "' cannot begin",
           "saga_full");
  }
  step.record.correlation_id = event.correlation_id();
  step.record.started_unix_ns = now().time_since_epoch().count();
}

// The saga's own event: a state's time is over.
template <class State>
template <class T>
void Saga<State>::time_out(const Event& event) {
  detail::SagaDue due;
  detail::read_saga_part(cbor::view(event.data()), due, event.type());
  Step step;
  step.key = due.key;
  // An event that was faster has led the instance on: nothing is over.
  if (!instances().load(step.key, step.record) || step.record.steps != due.steps) throw Skip{};
  step.foreign = event.correlation_id() != step.record.correlation_id;
  bool taken = false;
  detail::SagaTable<T>::each([&](auto source) {
    using Source = typename decltype(source)::type;
    using Part = decltype(Source::get());
    if constexpr (Part::kKind == detail::SagaPartKind::timeout) {
      constexpr Part part = Source::get();
      if (taken || step.record.state != part.from) return;
      taken = true;
      run<T>(step, part, [](T& self) { Access::call<Part::kMethod>(self); });
    }
  });
  if (!taken) throw Skip{};
  ++instances().totals.timed_out;
  meters().timed_out.add();
}

// Calls the method of one line and takes over what came of it.
template <class State>
template <class T, class Part, class Call>
void Saga<State>::run(Step& step, const Part& part, const Call& call) {
  if (!step.fresh) detail::read_saga_part(step.record.data, step.state, step.key);
  {
    const Running scope(*this, step);
    call(static_cast<T&>(*this));
    if (part.next.undo) undo_completed<T>(step);
  }
  if (part.next.ends()) {
    end(step, part.next.undo);
  } else {
    move<T>(step, Part::kKind == detail::SagaPartKind::step, part.next.state);
  }
  if (step.fresh) {
    ++instances().totals.started;
    meters().started.add();
  }
  meters().active.set(static_cast<double>(instances().size()));
}

template <class State>
template <class T>
void Saga<State>::undo_completed(Step& step) {
  while (!step.record.completed.empty()) {
    const std::string state = std::move(step.record.completed.back());
    step.record.completed.pop_back();
    detail::SagaTable<T>::each([&](auto source) {
      using Part = decltype(decltype(source)::type::get());
      if constexpr (Part::kKind == detail::SagaPartKind::compensate) {
        if (decltype(source)::type::get().from == state) Access::call<Part::kMethod>(static_cast<T&>(*this));
      }
    });
  }
}

// Into the next state, with its timeout; nothing has changed if this throws.
template <class State>
template <class T>
void Saga<State>::move(Step& step, bool completes, std::string_view next) {
  using Table = detail::SagaTable<T>;
  detail::SagaRecord& record = step.record;
  if (completes && record.state != next && Table::compensates(record.state)) {
    if (record.completed.size() >= kSagaCompletedMax)
      reject("'" + step.key + "' goes round in circles: " + std::to_string(kSagaCompletedMax) +
                 " completed states wait to be compensated",
             "saga_circle");
    record.completed.push_back(record.state);
  }
  const TimePoint changed = now();
  record.state = next;
  record.changed_unix_ns = changed.time_since_epoch().count();
  record.due_unix_ns.reset();
  ++record.steps;
  cbor::Buffer data;
  detail::write_saga_part(step.state, data, step.key);
  if (data.size() > kSagaStateBytesMax)
    reject("the state of '" + step.key + "' has " + std::to_string(data.size()) + " bytes, of at most " +
               std::to_string(kSagaStateBytesMax),
           "saga_state_size");
  record.data.assign(data.bytes().begin(), data.bytes().end());
  Timer timer;
  Table::each([&](auto source) {
    using Part = decltype(decltype(source)::type::get());
    if constexpr (Part::kKind == detail::SagaPartKind::timeout) {
      constexpr Part part = decltype(source)::type::get();
      if (part.from != next) return;
      const auto delay =
          std::max(detail::saga_delay(static_cast<const T&>(*this), part.delay), std::chrono::nanoseconds(0));
      record.due_unix_ns = (changed + delay).time_since_epoch().count();
      timer = arm(step.key, record.state, record.steps, delay);
    }
  });
  instances().keep(step.key, record, std::move(timer));
}

template <class State>
void Saga<State>::end(const Step& step, bool undone) {
  instances().end(step.key);
  ++(undone ? instances().totals.undone : instances().totals.completed);
  (undone ? meters().undone : meters().completed).add();
}

template <class State>
void Saga<State>::reject(const std::string& why, const char* type) {
  ++instances().totals.rejected;
  meters().rejected.add();
  throw Reject(why, type);
}

template <class State>
void Saga<State>::pass_over(const Counter& why) {
  ++instances().totals.ignored;
  why.add();
  throw Skip{};
}

}  // namespace nexus
