// A pattern of event types, as subscriptions, rules and grants use it. Parsed once and immutable: any thread may match.
// Matching takes time bounded by (segments of the pattern) x (segments of the type), both at most 128, and no memory.
//
//   order.created   that type
//   *  or  **       every type
//   user.*          a trailing (or leading, as in *.error) '*' stands for one or more segments
//   a.*.c           a '*' in the middle stands for exactly one
//   a.**.c          '**' stands for any number of segments, none included
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"

namespace nexus::host {

class Pattern {
 public:
  // Reads a pattern of 1 to 255 bytes; NEXUS_E_PATTERN with a sentence that names the place otherwise.
  static Result<Pattern> parse(std::string_view text);

  // Whether an event of this type, which must be a valid one (name.hpp), is meant.
  bool matches(std::string_view type) const;

  const std::string& text() const { return text_; }

  // What it means, in words: "exactly order.created", "user, then one or more segments".
  std::string explain() const;

  // True when it has no wildcard: it matches the type of the same text and nothing else.
  bool is_exact() const { return exact_; }

  // True when it matches every type.
  bool is_all() const { return all_; }

  friend bool operator==(const Pattern& a, const Pattern& b) { return a.text_ == b.text_; }

 private:
  enum class Kind : uint8_t { kLiteral, kOne, kOneOrMore, kAnyNumber };
  // A segment; a literal one is text_[begin, begin + size).
  struct Segment {
    Kind kind;
    uint8_t begin;
    uint8_t size;
  };

  Pattern() = default;
  std::string_view literal(const Segment& segment) const {
    return std::string_view(text_).substr(segment.begin, segment.size);
  }

  std::string text_;
  std::vector<Segment> segments_;  // as written, for explain()
  std::vector<Segment> program_;   // for matching: "one or more" is split into kOne and kAnyNumber
  bool exact_ = false;
  bool all_ = false;
};

}  // namespace nexus::host
