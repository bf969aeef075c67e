#include "host/app/config/toml_scan.hpp"

#include <algorithm>

namespace nexus::host::config {
namespace {

bool is_bare_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<Statement> run() {
    while (skip_blank()) {
      Statement statement;
      statement.first_line = line_;
      statement.header = peek() == '[';
      parts_ = 1;
      if (statement.header) {
        header(statement);
      } else {
        assignment(statement);
      }
      statement.last_line = std::max(statement.first_line, at_line_start_ ? line_ - 1 : line_);
      statements_.push_back(statement);
    }
    return std::move(statements_);
  }

 private:
  bool done() const { return at_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void advance() {
    at_line_start_ = text_[at_] == '\n';
    if (at_line_start_) ++line_;
    ++at_;
    if (at_line_start_) line_begin_ = at_;
  }

  // To the next statement; false at the end.
  bool skip_blank() {
    while (!done()) {
      const char c = peek();
      if (c == '#') {
        skip_line();
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n' ||
                 (at_ < 3 && static_cast<unsigned char>(c) >= 0x80)) {
        advance();
      } else {
        return true;
      }
    }
    return false;
  }

  void skip_line() {
    while (!done() && peek() != '\n') advance();
  }

  void count_dot(Statement& statement) {
    if (++parts_ <= kKeyPartsMax || statement.deep_column != 0) return;
    statement.deep_line = line_;
    statement.deep_column = static_cast<uint32_t>(at_ - line_begin_ + 1);
  }

  void header(Statement& statement) {
    while (!done() && peek() != '\n') {
      const char c = peek();
      if (c == '"' || c == '\'') {
        string(statement);
        continue;
      }
      if (c == '#') return skip_line();
      if (c == '.') count_dot(statement);
      advance();
    }
  }

  void assignment(Statement& statement) {
    uint32_t depth = 0;
    while (!done()) {
      const char c = peek();
      if (c == '\n') {
        if (depth == 0) return;
        advance();
        if (begins_statement()) {
          statement.terminated = false;
          return;
        }
        continue;
      }
      if (c == '"' || c == '\'') {
        string(statement);
        continue;
      }
      if (c == '#') {
        skip_line();
        continue;
      }
      if (c == '[' || c == '{') ++depth;
      if ((c == ']' || c == '}') && depth > 0) --depth;
      if (c == '=' || c == ',' || c == '{' || c == '[') parts_ = 1;
      if (c == '.') count_dot(statement);
      advance();
    }
    if (depth > 0) statement.terminated = false;
  }

  // Inside a bracket: does this line look like the next statement?
  bool begins_statement() const {
    const auto rest = text_.substr(at_);
    const auto line = trimmed(rest.substr(0, rest.find('\n')));
    if (line.empty()) return false;
    if (line.front() == '[') {
      const auto inner = line.find_first_not_of('[');
      if (inner == std::string_view::npos || !is_bare_key(line[inner])) return false;
      const auto close = line.find(']');
      if (close == std::string_view::npos) return false;
      const auto name = line.substr(inner, close - inner);
      const bool word = std::all_of(name.begin(), name.end(), [](char c) { return is_bare_key(c) || c == '.'; });
      const bool letter = name.front() >= 'A' && name != "true" && name != "false" && name != "inf" && name != "nan";
      return word && letter &&
             trimmed(line.substr(line.find_first_not_of(']', close) == std::string_view::npos
                                     ? line.size()
                                     : line.find_first_not_of(']', close)))
                     .substr(0, 1)
                     .find_first_not_of('#') == std::string_view::npos;
    }
    const auto word = std::find_if_not(line.begin(), line.end(), [](char c) { return is_bare_key(c) || c == '.'; });
    if (word == line.begin()) return false;
    return trimmed(line.substr(static_cast<std::size_t>(word - line.begin()))).substr(0, 1) == "=";
  }

  void string(Statement& statement) {
    const char quote = peek();
    if (peek(1) == quote && peek(2) == quote) {
      for (int i = 0; i < 3; ++i) advance();
      multi_line(statement, quote);
      return;
    }
    advance();
    while (!done() && peek() != '\n') {
      if (peek() == quote) return advance();
      if (quote == '"' && peek() == '\\' && peek(1) != '\n' && at_ + 1 < text_.size()) advance();
      advance();
    }
  }

  void multi_line(Statement& statement, char quote) {
    while (!done()) {
      if (peek() == quote && peek(1) == quote && peek(2) == quote) {
        // Up to two more quotes belong to the string itself.
        for (int i = 0; i < 5 && peek() == quote; ++i) advance();
        return;
      }
      if (quote == '"' && peek() == '\\' && at_ + 1 < text_.size()) advance();
      advance();
    }
    statement.terminated = false;
    statement.open_string = true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
  uint32_t line_ = 1;
  uint32_t parts_ = 1;
  bool at_line_start_ = true;
  std::vector<Statement> statements_;
};

}  // namespace

std::vector<Statement> scan_toml(std::string_view text) { return Scanner(text).run(); }

}  // namespace nexus::host::config
