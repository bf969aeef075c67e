// All lines of one saga together: the distinct events they take, and whether the states fit. A saga in which a state is
// misspelt, cannot be left or is never reached does not compile. Everything is known while compiling. Not for plugin
// authors.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "nexus/access.hpp"
#include "nexus/saga_parts.hpp"

namespace nexus::detail {

template <class... T>
struct TypeList {
  static constexpr std::size_t kSize = sizeof...(T);
};

// The list with T at its end, unless it is there or void.
template <class List, class T>
struct WithType;
template <class... Known, class T>
struct WithType<TypeList<Known...>, T> {
  using type = std::conditional_t<std::is_void_v<T> || (std::is_same_v<Known, T> || ...), TypeList<Known...>,
                                  TypeList<Known..., T>>;
};

template <class List, class... T>
struct DistinctTypes {
  using type = List;
};
template <class List, class First, class... Rest>
struct DistinctTypes<List, First, Rest...> : DistinctTypes<typename WithType<List, First>::type, Rest...> {};

// One line without its types, for checks that loop over all.
struct SagaLine {
  SagaPartKind kind;
  std::size_t trigger;  // number of the event, from 0
  std::string_view from;
  SagaNext next;
  SagaOptions options;
};

template <class Part>
constexpr SagaLine saga_line(const Part& part, std::size_t trigger) {
  if constexpr (Part::kKind == SagaPartKind::start) {
    return {Part::kKind, trigger, {}, part.next, part.options};
  } else if constexpr (Part::kKind == SagaPartKind::step) {
    return {Part::kKind, trigger, part.from, part.next, part.options};
  } else if constexpr (Part::kKind == SagaPartKind::timeout) {
    return {Part::kKind, trigger, part.from, part.next, {}};
  } else {
    return {Part::kKind, trigger, part.from, SagaEnd{false}, {}};
  }
}

template <class T>
class SagaTable {
  template <class... Source>
  static auto triggers_of(std::tuple<std::type_identity<Source>...>) ->
      typename DistinctTypes<TypeList<>, typename decltype(Source::get())::Trigger...>::type;

  template <class E, class... Known>
  static constexpr std::size_t index_in(TypeList<Known...>) {
    std::size_t at = 0;
    if constexpr (!std::is_void_v<E>) (void)((std::is_same_v<Known, E> ? true : (++at, false)) || ...);
    return at;
  }

  template <class... Source>
  static constexpr auto lines_of(std::tuple<std::type_identity<Source>...>) {
    return std::array<SagaLine, sizeof...(Source)>{
        saga_line(Source::get(), index_in<typename decltype(Source::get())::Trigger>(Triggers{}))...};
  }

  template <class Does, class... Source>
  static constexpr void visit(const Does& does, std::tuple<std::type_identity<Source>...>) {
    (does(std::type_identity<Source>{}), ...);
  }

 public:
  using Triggers = decltype(triggers_of(Access::saga_parts<T>()));

  static constexpr auto kLines = lines_of(Access::saga_parts<T>());

  // Calls `does` with a std::type_identity of each line's source, in the order of the lines.
  template <class Does>
  static constexpr void each(const Does& does) {
    visit(does, Access::saga_parts<T>());
  }

  // The options of an event: those of its first line.
  template <class E>
  static constexpr SagaOptions options_of() {
    for (const SagaLine& line : kLines) {
      if (is_of(line, index_in<E>(Triggers{}))) return line.options;
    }
    return {};
  }

  template <class E>
  static constexpr bool starts_with() {
    for (const SagaLine& line : kLines) {
      if (line.kind == SagaPartKind::start && line.trigger == index_in<E>(Triggers{})) return true;
    }
    return false;
  }

  // The state of the event's first step; empty where it has none.
  template <class E>
  static constexpr std::string_view first_state() {
    for (const SagaLine& line : kLines) {
      if (line.kind == SagaPartKind::step && line.trigger == index_in<E>(Triggers{})) return line.from;
    }
    return {};
  }

  static constexpr bool has(SagaPartKind kind) {
    for (const SagaLine& line : kLines) {
      if (line.kind == kind) return true;
    }
    return false;
  }

  static constexpr bool compensates(std::string_view state) {
    for (const SagaLine& line : kLines) {
      if (line.kind == SagaPartKind::compensate && line.from == state) return true;
    }
    return false;
  }

  static constexpr bool check() {
    static_assert(has(SagaPartKind::start), "a saga needs a NEXUS_START: the event that begins an instance");
    static_assert(names_are_valid(),
                  "the states of a saga have names of a-z, 0-9, _ and -, at most 64 characters; its ends are "
                  "nexus::done and nexus::undo");
    static_assert(goals_can_be_left(),
                  "NEXUS_START or NEXUS_STEP leads to a state that no NEXUS_STEP or NEXUS_TIMEOUT leaves; is it "
                  "misspelt? The ends are nexus::done and nexus::undo");
    static_assert(states_are_reached(),
                  "NEXUS_STEP, NEXUS_TIMEOUT or NEXUS_COMPENSATE stands in a state that nothing leads to; is it "
                  "misspelt?");
    static_assert(are_distinct(SagaPartKind::start), "two NEXUS_START take the same event");
    static_assert(are_distinct(SagaPartKind::step), "two NEXUS_STEP take the same event in the same state");
    static_assert(are_distinct(SagaPartKind::timeout), "a state has two NEXUS_TIMEOUT");
    static_assert(are_distinct(SagaPartKind::compensate), "a state has two NEXUS_COMPENSATE");
    static_assert(compensations_can_run(),
                  "NEXUS_COMPENSATE would never run: no NEXUS_STEP leads from its state to another one, or nothing "
                  "leads to nexus::undo");
    static_assert(options_stand_first(),
                  "NEXUS_STEP: the options of an event stand on its first line, since one subscription serves them "
                  "all");
    static_assert(not_found_makes_sense(),
                  "NEXUS_START: .not_found is for steps; an event that begins an instance always finds its place");
    return true;
  }

 private:
  static constexpr bool is_of(const SagaLine& line, std::size_t trigger) {
    return (line.kind == SagaPartKind::start || line.kind == SagaPartKind::step) && line.trigger == trigger;
  }
  static constexpr bool moves(const SagaLine& line) { return line.kind != SagaPartKind::compensate; }

  static constexpr bool names_are_valid() {
    for (const SagaLine& line : kLines) {
      if (!line.next.valid() || (line.kind != SagaPartKind::start && !is_saga_state(line.from))) return false;
    }
    return true;
  }
  static constexpr bool is_left(std::string_view state) {
    for (const SagaLine& line : kLines) {
      if (moves(line) && line.kind != SagaPartKind::start && line.from == state) return true;
    }
    return false;
  }
  static constexpr bool is_reached(std::string_view state) {
    for (const SagaLine& line : kLines) {
      if (moves(line) && !line.next.ends() && line.next.state == state) return true;
      if (line.kind == SagaPartKind::step && line.options.not_found == NotFound::start && line.from == state)
        return true;
    }
    return false;
  }
  static constexpr bool goals_can_be_left() {
    for (const SagaLine& line : kLines) {
      if (!line.next.ends() && !is_left(line.next.state)) return false;
    }
    return true;
  }
  static constexpr bool states_are_reached() {
    for (const SagaLine& line : kLines) {
      if (line.kind != SagaPartKind::start && !is_reached(line.from)) return false;
    }
    return true;
  }
  static constexpr bool are_distinct(SagaPartKind kind) {
    for (std::size_t i = 0; i < kLines.size(); ++i) {
      for (std::size_t j = i + 1; j < kLines.size(); ++j) {
        const SagaLine &a = kLines[i], &b = kLines[j];
        if (a.kind == kind && b.kind == kind && a.trigger == b.trigger && a.from == b.from) return false;
      }
    }
    return true;
  }
  static constexpr bool compensations_can_run() {
    bool undoes = false;
    for (const SagaLine& line : kLines) undoes = undoes || (moves(line) && line.next.undo);
    for (const SagaLine& compensation : kLines) {
      if (compensation.kind != SagaPartKind::compensate) continue;
      bool completes = false;
      for (const SagaLine& line : kLines) {
        completes = completes || (line.kind == SagaPartKind::step && line.from == compensation.from &&
                                  !line.next.ends() && line.next.state != line.from);
      }
      if (!completes || !undoes) return false;
    }
    return true;
  }
  static constexpr bool options_stand_first() {
    for (std::size_t i = 0; i < kLines.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (is_of(kLines[j], kLines[i].trigger) && !kLines[i].options.is_default()) return false;
      }
    }
    return true;
  }
  static constexpr bool not_found_makes_sense() {
    for (const SagaLine& line : kLines) {
      if (line.options.not_found == NotFound::ignore) continue;
      for (const SagaLine& other : kLines) {
        if (other.kind == SagaPartKind::start && other.trigger == line.trigger) return false;
      }
    }
    return true;
  }
};

}  // namespace nexus::detail
