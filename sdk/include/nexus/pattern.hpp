// Names of event types and the patterns that subscriptions match them with. Everything here is constexpr, keeps nothing
// and allocates nothing, so that a macro can check a name while it compiles and the host can check the same name again.
//
//   type     = segment *("." segment)              segment = 1*( a-z / 0-9 / "_" / "-" )       1 to 255 bytes
//   pattern  = "*" / part *("." part)              part    = segment / "*" / "**"
//
// A pattern "*" matches all. A "*" at the start or at the end stands for one or more segments, one in the middle for
// exactly one; "**" stands for zero or more, anywhere.
#pragma once

#include <cstddef>
#include <string_view>

namespace nexus {

inline constexpr std::size_t kTypeNameBytesMax = 255;

namespace detail {

constexpr bool is_segment_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// Cuts the first segment off `rest`. By hand: with -fsanitize=undefined gcc 12 cannot evaluate string_view::find on a
// constexpr array.
constexpr std::string_view take_segment(std::string_view& rest) {
  std::size_t dot = 0;
  while (dot < rest.size() && rest[dot] != '.') ++dot;
  const std::string_view segment = rest.substr(0, dot);
  rest = dot == rest.size() ? std::string_view{} : rest.substr(dot + 1);
  return segment;
}

constexpr const char* segments_problem(std::string_view text, bool wildcards) {
  if (text.empty()) return "it is empty";
  if (text.size() > kTypeNameBytesMax) return "it is longer than 255 bytes";
  if (text.back() == '.') return "it ends with a dot";
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view segment = take_segment(rest);
    if (segment.empty()) return "it has an empty segment between two dots or at its start";
    if (wildcards && (segment == "*" || segment == "**")) continue;
    for (const char c : segment) {
      if (is_segment_character(c)) continue;
      if (c == '*') {
        return wildcards ? "a * must be a whole segment, as in user.* or *.error" : "an event type has no wildcards";
      }
      if (c >= 'A' && c <= 'Z') return "it has a capital letter; use a-z, 0-9, _ and -";
      return "it has a character other than a-z, 0-9, _, - and the dot";
    }
  }
  return nullptr;
}

}  // namespace detail

// Null when the text is the name of an event type, else the end of a sentence that says what is wrong: "it is empty".
constexpr const char* type_name_problem(std::string_view type) { return detail::segments_problem(type, false); }

// Null when the text is a pattern, else the end of a sentence.
constexpr const char* pattern_problem(std::string_view pattern) { return detail::segments_problem(pattern, true); }

constexpr bool is_type_name(std::string_view type) { return type_name_problem(type) == nullptr; }
constexpr bool is_pattern(std::string_view pattern) { return pattern_problem(pattern) == nullptr; }

// Does a (well-formed) pattern match a (well-formed) type? Time is at most the product of their segment counts.
constexpr bool pattern_matches(std::string_view pattern, std::string_view type) {
  if (pattern == "*" || pattern == "**") return true;
  // Where to go on after a wildcard that may take more: the pattern behind it, and the type behind what it took.
  std::string_view retry_pattern;
  std::string_view retry_type;
  bool can_retry = false;
  bool first = true;
  while (true) {
    if (!pattern.empty()) {
      std::string_view pattern_rest = pattern;
      const std::string_view part = detail::take_segment(pattern_rest);
      const bool at_edge = first || pattern_rest.empty();
      if (part == "**" || (part == "*" && at_edge)) {
        std::string_view type_rest = type;
        if (part == "*") {
          if (type.empty()) return false;  // an earlier wildcard taking more leaves even less
          detail::take_segment(type_rest);
        }
        can_retry = true;
        retry_pattern = pattern_rest;
        retry_type = type_rest;
        pattern = pattern_rest;
        type = type_rest;
        first = false;
        continue;
      }
      if (!type.empty()) {
        std::string_view type_rest = type;
        const std::string_view segment = detail::take_segment(type_rest);
        if (part == "*" || part == segment) {
          pattern = pattern_rest;
          type = type_rest;
          first = false;
          continue;
        }
      }
    } else if (type.empty()) {
      return true;
    }
    if (!can_retry || retry_type.empty()) return false;
    detail::take_segment(retry_type);
    pattern = retry_pattern;
    type = retry_type;
  }
}

}  // namespace nexus
