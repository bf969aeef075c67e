// Whether a text is one JSON value in valid UTF-8, by a few strict lines of our own: the log is below the host's JSON.
#pragma once

#include <string_view>

#include "host/base/printable.hpp"

namespace nexus::host::log {

class JsonCheck {
 public:
  explicit JsonCheck(std::string_view text) : rest_(text) {}
  bool run() { return value(0) && rest_.empty(); }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool word(std::string_view expected) {
    if (rest_.substr(0, expected.size()) != expected) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  bool string() {
    if (!take('"')) return false;
    while (!rest_.empty() && rest_.front() != '"') {
      if (take('\\')) {
        if (take('u')) {
          if (rest_.size() < 4 || rest_.substr(0, 4).find_first_not_of("0123456789abcdef") != std::string_view::npos)
            return false;
          rest_.remove_prefix(4);
          continue;
        }
        if (rest_.empty() || std::string_view("\"\\/bfnrt").find(rest_.front()) == std::string_view::npos) return false;
        rest_.remove_prefix(1);
        continue;
      }
      char32_t c = 0;
      const unsigned length = utf8_front(rest_, c);
      if (length == 0 || c < 0x20) return false;
      rest_.remove_prefix(length);
    }
    return take('"');
  }
  bool number() {
    const auto end = rest_.find_first_not_of("+-.eE0123456789");
    const std::string_view digits = rest_.substr(0, end);
    rest_.remove_prefix(digits.size());
    return digits.find_first_of("0123456789") != std::string_view::npos;
  }
  bool object(int depth) {
    if (take('}')) return true;
    do {
      if (!string() || !take(':') || !value(depth + 1)) return false;
    } while (take(','));
    return take('}');
  }
  bool value(int depth) {
    if (depth > 8 || rest_.empty()) return false;
    if (take('{')) return object(depth);
    if (rest_.front() == '"') return string();
    if (rest_.front() == 't') return word("true");
    if (rest_.front() == 'f') return word("false");
    return number();
  }

  std::string_view rest_;
};

inline bool is_json(std::string_view text) { return JsonCheck(text).run(); }

}  // namespace nexus::host::log
