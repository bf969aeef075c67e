// Finds the handlers of a plugin class while compiling: those under NEXUS_ON, by the line each stands on, and those in
// a table named handlers(). Access is the one friend that NEXUS_ON grants, so private handlers are found too. Not for
// plugin authors.
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
  static constexpr auto sources() {
    return []<std::size_t... I, std::size_t... J>(std::index_sequence<I...>, std::index_sequence<J...>) {
      return std::tuple<std::type_identity<Slot<T, kSlotLines<T>[I]>>..., std::type_identity<Row<T, J>>...>{};
    }(std::make_index_sequence<kSlotLines<T>.size()>{}, std::make_index_sequence<table_size<T>()>{});
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
