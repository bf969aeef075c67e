// Finds the handlers of a plugin class while compiling: those under NEXUS_ON, by the line each stands on, those in a
// table named handlers(), and what a saga (nexus/saga.hpp) makes of its own lines. Access is the one friend that these
// macros grant, so private handlers are found too. Not for plugin authors.
#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "nexus/handler.hpp"
#include "nexus/later.hpp"

namespace nexus {

namespace detail {

// NEXUS_ON marks its line in the class with a function that takes a pointer to this.
template <int Line>
struct NEXUS_ON_stands_on_a_line_of_its_own;

// The lines that are searched. The search costs about 0.3 s of compile time for this many.
inline constexpr int kLineMax = 4096;

template <int Line>
constexpr bool check_line() {
  static_assert(
      Line < kLineMax,
      "NEXUS_ON must stand within the first 4095 lines of its file; use the table form, handlers(), or a smaller "
      "file");
  return true;
}

// A line of a saga, which is no handler by itself.
template <class Source>
inline constexpr bool kIsSagaPart = requires { typename decltype(Source::get())::SagaPart; };

template <bool saga_parts, class... Source>
constexpr auto sources_that_are(std::tuple<std::type_identity<Source>...>) {
  return std::tuple_cat(
      std::conditional_t<kIsSagaPart<Source> == saga_parts, std::tuple<std::type_identity<Source>>, std::tuple<>>{}...);
}

}  // namespace detail

struct Access {
  template <class T, int Line>
  static constexpr bool has_slot() {
    return requires(detail::NEXUS_ON_stands_on_a_line_of_its_own<Line>* line) { T::nexus_line(line); };
  }

  template <class T>
  static constexpr auto slot_lines() {
    constexpr auto found = []<std::size_t... Lines>(std::index_sequence<Lines...>) {
      return std::array<bool, sizeof...(Lines)>{has_slot<T, static_cast<int>(Lines)>()...};
    }(std::make_index_sequence<detail::kLineMax>{});
    constexpr std::size_t count = [&found] {
      std::size_t sum = 0;
      for (const bool here : found) sum += here ? 1 : 0;
      return sum;
    }();
    std::array<int, count> lines{};
    std::size_t at = 0;
    for (std::size_t line = 0; line < found.size(); ++line) {
      if (found[line]) lines[at++] = static_cast<int>(line);
    }
    return lines;
  }

  template <class T>
  static constexpr auto kSlotLines = slot_lines<T>();

  // Plugin has an empty table, so a private one of T's is an error here, and not passed over in silence.
  template <class T>
  static constexpr std::size_t table_size() {
    return std::tuple_size_v<decltype(T::handlers())>;
  }

  // The handler under NEXUS_ON on that line.
  template <class T, int Line>
  struct Slot {
    static constexpr auto get() {
      return T::template nexus_slot<T>(static_cast<detail::NEXUS_ON_stands_on_a_line_of_its_own<Line>*>(nullptr));
    }
  };

  // The handler at that place of the table.
  template <class T, std::size_t Index>
  struct Row {
    static constexpr auto get() { return std::get<Index>(T::handlers()); }
  };

  // A tuple of std::type_identity<Slot or Row>, in the order of declaration, the table last.
  template <class T>
  static constexpr auto declared() {
    return []<std::size_t... I, std::size_t... J>(std::index_sequence<I...>, std::index_sequence<J...>) {
      return std::tuple<std::type_identity<Slot<T, kSlotLines<T>[I]>>..., std::type_identity<Row<T, J>>...>{};
    }(std::make_index_sequence<kSlotLines<T>.size()>{}, std::make_index_sequence<table_size<T>()>{});
  }

  // Those that are handlers, and the ones that a saga adds.
  template <class T>
  static constexpr auto sources() {
    constexpr auto handlers = detail::sources_that_are<false>(declared<T>());
    constexpr bool is_saga = requires { typename T::NexusSaga; };
    static_assert(is_saga || std::tuple_size_v<decltype(saga_parts<T>())> == 0,
                  "NEXUS_START, NEXUS_STEP, NEXUS_TIMEOUT and NEXUS_COMPENSATE stand in a class that derives from "
                  "nexus::Saga<State>");
    if constexpr (is_saga) {
      return std::tuple_cat(handlers, T::NexusSaga::template nexus_sources<T>());
    } else {
      return handlers;
    }
  }

  template <class T>
  static constexpr auto saga_parts() {
    return detail::sources_that_are<true>(declared<T>());
  }

  // Which instance of the saga an event is for: by the class's own saga_key, by NEXUS_SAGA_KEY, or by correlation.
  template <class T, class E>
  static auto saga_key(const E& payload, const Event& event) {
    if constexpr (requires { T::saga_key(payload); }) {
      return T::saga_key(payload);
    } else if constexpr (requires { T::template nexus_saga_key<E>(payload); }) {
      return T::template nexus_saga_key<E>(payload);
    } else {
      return event.correlation_id();
    }
  }

  template <auto Method, class T, class... Arguments>
  static decltype(auto) call(T& plugin, Arguments&&... arguments) {
    return (plugin.*Method)(std::forward<Arguments>(arguments)...);
  }
};

namespace detail {

// What tools are told about one handler; everything here is known while compiling.
struct HandlerText {
  std::string_view name;
  std::string_view pattern;
  std::int32_t priority;
};

template <class Source>
constexpr HandlerText handler_text() {
  const auto handler = Source::get();
  return {handler.name(), handler.pattern(), handler.options.priority};
}

// Stops the compiler with a sentence where a handler's options make no sense.
template <class Source>
constexpr bool check_handler() {
  using Declared = decltype(Source::get());
  constexpr HandlerText text = handler_text<Source>();
  static_assert(!std::is_same_v<typename Declared::Payload, Event> || !text.pattern.empty(),
                "NEXUS_ON: a handler that takes const nexus::Event& needs .topic, for example .topic = \"user.*\"");
  static_assert(
      text.pattern.empty() || is_pattern(text.pattern),
      "NEXUS_ON: .topic is no pattern; write lower-case segments joined by dots, where a whole segment may be * "
      "or **, for example \"user.*\"");
  static_assert(is_handler_name(text.name),
                "NEXUS_ON: .durable must name the handler with a-z, A-Z, 0-9, _, . and -, at most 128 characters");
  constexpr bool times_in_range = [] {
    const auto handler = Source::get();
    return handler.options.deadline.count() >= 0 && handler.options.retry.delay.count() >= 0 &&
           handler.options.retry.delay_max.count() >= 0;
  }();
  static_assert(times_in_range, "NEXUS_ON: .deadline and the delays of .retry cannot be negative");
  return true;
}

template <class... Sources>
constexpr bool check_handlers(std::tuple<std::type_identity<Sources>...>) {
  constexpr bool each = (check_handler<Sources>() && ... && true);
  constexpr std::array<HandlerText, sizeof...(Sources)> texts{handler_text<Sources>()...};
  constexpr bool distinct = [&] {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      for (std::size_t j = i + 1; j < texts.size(); ++j) {
        if (texts[i].name == texts[j].name) return false;
      }
    }
    return true;
  }();
  static_assert(
      distinct,
      "NEXUS_ON: two handlers have one name, under which the host keeps their place; give one of them another by "
      ".durable = \"name\"");
  return each && distinct;
}

}  // namespace detail
}  // namespace nexus
