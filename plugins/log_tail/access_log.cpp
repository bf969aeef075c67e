#include "access_log.hpp"

#include <charconv>

namespace log_tail {
namespace {

class Cursor {
 public:
  explicit Cursor(std::string_view line) : rest_(line) {}

  bool at_end() const { return rest_.empty(); }
  bool skip(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Up to the next blank, at least one character.
  bool word(std::string_view& out) {
    const std::size_t end = rest_.find(' ');
    out = rest_.substr(0, end);
    rest_.remove_prefix(out.size());
    return !out.empty();
  }
  bool bracketed(std::string_view& out) {
    const std::size_t end = rest_.find(']');
    if (end == std::string_view::npos || !skip('[')) return false;
    out = rest_.substr(0, end - 1);
    rest_.remove_prefix(end);
    return true;
  }
  // Servers write a quote or a backslash inside as \" and \\, other bytes as \xhh, which are left as they stand.
  bool quoted(std::string& out) {
    if (!skip('"')) return false;
    out.clear();
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\' && !rest_.empty() && (rest_.front() == '"' || rest_.front() == '\\')) {
        out += rest_.front();
        rest_.remove_prefix(1);
        continue;
      }
      out += c;
    }
    return false;
  }

 private:
  std::string_view rest_;
};

template <class Number>
bool to_number(std::string_view text, Number& out) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), out);
  return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

void forget_dash(std::string& text) {
  if (text == "-") text.clear();
}

}  // namespace

std::optional<AccessLine> parse_access_line(std::string_view line) {
  Cursor cursor(line);
  AccessLine result;
  std::string_view client, ident, user, time, status, size;
  std::string request;
  if (!cursor.word(client) || !cursor.skip(' ') || !cursor.word(ident) || !cursor.skip(' ') || !cursor.word(user) ||
      !cursor.skip(' ') || !cursor.bracketed(time) || !cursor.skip(' ') || !cursor.quoted(request) ||
      !cursor.skip(' ') || !cursor.word(status) || !cursor.skip(' ') || !cursor.word(size))
    return std::nullopt;
  if (status.size() != 3 || !to_number(status, result.status) || result.status < 100) return std::nullopt;
  if (size != "-" && !to_number(size, result.size)) return std::nullopt;
  if (!cursor.at_end()) {
    if (!cursor.skip(' ') || !cursor.quoted(result.referer) || !cursor.skip(' ') || !cursor.quoted(result.user_agent))
      return std::nullopt;
    // Some servers append fields of their own; they are not looked at.
    if (!cursor.at_end() && !cursor.skip(' ')) return std::nullopt;
  }
  result.client = client;
  const std::size_t first = request.find(' ');
  if (first != std::string::npos && first > 0) {
    const std::size_t second = request.rfind(' ');
    result.method = request.substr(0, first);
    result.path = second > first ? request.substr(first + 1, second - first - 1) : request.substr(first + 1);
  }
  forget_dash(result.referer);
  forget_dash(result.user_agent);
  return result;
}

}  // namespace log_tail
