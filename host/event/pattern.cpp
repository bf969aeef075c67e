#include "host/event/pattern.hpp"

#include <algorithm>

#include "host/event/name.hpp"

namespace nexus::host {
namespace {

constexpr const char* kHelp =
    "a pattern is a type in which whole segments may be wildcards: user.*, *.error, a.*.c, a.**.c, or * for all";

Error complain(std::string_view text, std::string_view what, size_t offset) {
  std::string message = "pattern \"";
  for (const char c : text.substr(0, 64)) message += c >= 0x20 && c < 0x7F ? c : '?';
  message += text.size() > 64 ? "...\": " : "\": ";
  message += what;
  message += " (byte " + std::to_string(offset + 1) + ')';
  return make_error(NEXUS_E_PATTERN, std::move(message), kHelp);
}

// Walks over the segments of a type from left to right; a position can be kept and gone back to.
class Segments {
 public:
  explicit Segments(std::string_view type) : type_(type) {}

  bool at_end(size_t position) const { return position > type_.size(); }
  std::string_view at(size_t position) const { return type_.substr(position, end_of(position) - position); }
  size_t after(size_t position) const { return end_of(position) + 1; }

 private:
  size_t end_of(size_t position) const { return std::min(type_.find('.', position), type_.size()); }

  std::string_view type_;
};

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text) {
  if (text.empty()) return make_error(NEXUS_E_PATTERN, "the pattern is empty", kHelp);
  if (text.size() > kTypeBytesMax) {
    return make_error(
        NEXUS_E_PATTERN,
        "the pattern has " + std::to_string(text.size()) + " bytes, the limit is " + std::to_string(kTypeBytesMax),
        kHelp);
  }
  Pattern pattern;
  pattern.text_ = std::string(text);
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find('.', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    const bool at_edge = begin == 0 || end == text.size();
    if (part.empty()) return complain(text, "an empty segment", std::min(begin, text.size() - 1));
    Kind kind = Kind::kLiteral;
    if (part == "**") {
      kind = Kind::kAnyNumber;
    } else if (part == "*") {
      kind = at_edge ? Kind::kOneOrMore : Kind::kOne;
    } else if (const size_t star = part.find('*'); star != std::string_view::npos) {
      return complain(text, "a '*' must be a whole segment", begin + star);
    } else if (!is_valid_type(part)) {
      const auto* bad = std::find_if(part.begin(), part.end(), [](char c) { return !is_valid_type({&c, 1}); });
      return complain(text, "a character out of [a-z0-9_-]", begin + static_cast<size_t>(bad - part.begin()));
    }
    const Segment segment{kind, static_cast<uint8_t>(begin), static_cast<uint8_t>(part.size())};
    pattern.segments_.push_back(segment);
    if (kind == Kind::kOneOrMore) pattern.program_.push_back({Kind::kOne, 0, 0});
    if (kind == Kind::kOneOrMore || kind == Kind::kAnyNumber) {
      const bool again = !pattern.program_.empty() && pattern.program_.back().kind == Kind::kAnyNumber;
      if (!again) pattern.program_.push_back({Kind::kAnyNumber, 0, 0});
    } else {
      pattern.program_.push_back(segment);
    }
    begin = end + 1;
  }
  const auto& written = pattern.segments_;
  pattern.exact_ =
      std::all_of(written.begin(), written.end(), [](const Segment& s) { return s.kind == Kind::kLiteral; });
  // At least one segment is in every type, so one "one or more" and any number of "any number" take all.
  const auto is_kind = [](Kind kind) { return [kind](const Segment& s) { return s.kind == kind; }; };
  const auto& program = pattern.program_;
  const auto ones = std::count_if(program.begin(), program.end(), is_kind(Kind::kOne));
  const auto literals = std::count_if(program.begin(), program.end(), is_kind(Kind::kLiteral));
  const bool open = std::any_of(program.begin(), program.end(), is_kind(Kind::kAnyNumber));
  pattern.all_ = literals == 0 && ones <= 1 && open;
  return pattern;
}

// A wildcard of any number first takes nothing; when what follows fails, the last such wildcard takes one segment more
// and matching goes on from there. Going back to the last one only is enough, hence no exponential blow-up.
bool Pattern::matches(std::string_view type) const {
  if (exact_) return type == text_;
  if (all_) return true;
  const Segments segments(type);
  constexpr size_t kNone = static_cast<size_t>(-1);
  size_t position = 0;
  size_t step = 0;
  size_t retry_step = kNone;
  size_t retry_position = 0;
  while (!segments.at_end(position)) {
    if (step < program_.size() && program_[step].kind == Kind::kAnyNumber) {
      retry_step = ++step;
      retry_position = position;
      if (step == program_.size()) return true;
    } else if (step < program_.size() &&
               (program_[step].kind == Kind::kOne || literal(program_[step]) == segments.at(position))) {
      ++step;
      position = segments.after(position);
    } else if (retry_step != kNone) {
      retry_position = segments.after(retry_position);
      position = retry_position;
      step = retry_step;
    } else {
      return false;
    }
  }
  while (step < program_.size() && program_[step].kind == Kind::kAnyNumber) ++step;
  return step == program_.size();
}

std::string Pattern::explain() const {
  if (exact_) return "exactly " + text_;
  if (all_) return "every event";
  std::string words;
  for (size_t i = 0; i < segments_.size(); ++i) {
    if (i > 0)
      words += segments_[i].kind == Kind::kLiteral && segments_[i - 1].kind == Kind::kLiteral ? "." : ", then ";
    switch (segments_[i].kind) {
      case Kind::kLiteral:
        words += literal(segments_[i]);
        break;
      case Kind::kOne:
        words += "exactly one segment";
        break;
      case Kind::kOneOrMore:
        words += "one or more segments";
        break;
      case Kind::kAnyNumber:
        words += "any number of segments";
        break;
    }
  }
  return words;
}

}  // namespace nexus::host
