#include "host/app/config/diagnostic.hpp"

#include <algorithm>

#include "host/base/printable.hpp"
#include "host/base/secret.hpp"

namespace nexus::host::config {
namespace {

constexpr std::size_t kSourceLineMax = 160;  // characters of a line that are shown

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// The name that ends before `end`, without quotes: the last part of a dotted key.
std::string_view name_before(std::string_view line, std::size_t end) {
  while (end > 0 && !is_name_character(line[end - 1])) {
    if (line[end - 1] != ' ' && line[end - 1] != '\t' && line[end - 1] != '"' && line[end - 1] != '\'') return {};
    --end;
  }
  std::size_t begin = end;
  while (begin > 0 && is_name_character(line[begin - 1])) --begin;
  return line.substr(begin, end - begin);
}

bool is_reference(std::string_view value) {
  const auto first = value.find_first_not_of(" \t\"'");
  if (first == std::string_view::npos) return true;
  value.remove_prefix(first);
  if (value.substr(0, 6) == "file:/") return true;
  return value.substr(0, 2) == "${" && value.find(":-") == std::string_view::npos;
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

struct Shown {
  std::string text;       // printable
  std::size_t caret = 0;  // where the marked part begins in `text`
  std::size_t marked = 1;
};

// The part of the line around the column, printable, with the columns moved accordingly.
Shown show_line(std::string_view line, uint32_t column, uint32_t length) {
  Shown shown;
  std::size_t index = 0;  // of the character, from 0
  // A secret that was cut off may have had the column in it.
  const std::size_t first = std::min<std::size_t>(column > 0 ? column - 1 : 0, width(line));
  const std::size_t skip = first > kSourceLineMax / 2 ? first - kSourceLineMax / 2 : 0;
  std::size_t end = std::string::npos;
  bool caret_set = false;
  if (skip > 0) shown.text = "...";
  while (!line.empty()) {
    if (index == first) {
      shown.caret = shown.text.size();
      caret_set = true;
    }
    if (index == first + length) end = shown.text.size();
    char32_t c = 0;
    const unsigned bytes = std::max(1U, utf8_front(line, c));
    // What is not ASCII is counted as one column: the width is the number of characters, not of bytes.
    if (index >= skip) {
      if (line[0] == '\t') {
        shown.text += ' ';
      } else {
        append_printable(shown.text, line.substr(0, bytes));
      }
    }
    line.remove_prefix(bytes);
    if (++index >= skip + kSourceLineMax && !line.empty()) {
      shown.text += "...";
      break;
    }
  }
  if (!caret_set) shown.caret = shown.text.size();
  if (end == std::string::npos) end = shown.text.size();
  shown.marked = end > shown.caret ? end - shown.caret : 1;
  return shown;
}

struct Colors {
  std::string_view bold, error, warning, reset;
};

void append_source(std::string& out, const Diagnostic& diagnostic, const Colors& colors, std::size_t margin) {
  const Shown shown = show_line(diagnostic.source_line, diagnostic.column, std::max(1U, diagnostic.length));
  const std::string number = std::to_string(diagnostic.line);
  out.append(margin - number.size(), ' ');
  out += number;
  out += " | ";
  out += shown.text;
  out += '\n';
  out.append(margin, ' ');
  out += " | ";
  const std::string_view text = shown.text;
  out.append(width(text.substr(0, shown.caret)), ' ');
  out += diagnostic.severity == Severity::error ? colors.error : colors.warning;
  out += '^';
  const std::size_t marked = width(text.substr(std::min(shown.caret, text.size()), shown.marked));
  if (marked > 1) out.append(marked - 1, '~');
  out += colors.reset;
  out += '\n';
}

}  // namespace

std::size_t error_count(const std::vector<Diagnostic>& diagnostics) {
  return static_cast<std::size_t>(std::count_if(diagnostics.begin(), diagnostics.end(),
                                                [](const auto& d) { return d.severity == Severity::error; }));
}

std::string render(const Diagnostic& diagnostic, bool color) {
  static constexpr Colors kPlain{};
  static constexpr Colors kAnsi{"\x1b[1m", "\x1b[1;31m", "\x1b[1;35m", "\x1b[0m"};
  const Colors& colors = color ? kAnsi : kPlain;
  std::string out;
  out += colors.bold;
  append_printable(out, diagnostic.file);
  if (diagnostic.line != 0) {
    out += ':' + std::to_string(diagnostic.line) + ':' + std::to_string(diagnostic.column);
  }
  if (!diagnostic.file.empty()) out += ": ";
  out += colors.reset;
  out += diagnostic.severity == Severity::error ? colors.error : colors.warning;
  out += diagnostic.severity == Severity::error ? "error: " : "warning: ";
  out += colors.reset;
  out += colors.bold;
  append_printable(out, diagnostic.message);
  out += colors.reset;
  out += '\n';
  const std::size_t margin = std::max<std::size_t>(5, std::to_string(diagnostic.line).size() + 1);
  if (!diagnostic.source_line.empty()) append_source(out, diagnostic, colors, margin);
  if (!diagnostic.help.empty()) {
    out.append(margin, ' ');
    out += " = help: ";
    append_printable(out, diagnostic.help);
    out += '\n';
  }
  return out;
}

std::string render(const std::vector<Diagnostic>& diagnostics, bool color) {
  std::string out;
  for (const auto& diagnostic : diagnostics) out += render(diagnostic, color);
  return out;
}

std::string cut_secrets(std::string_view line) {
  for (auto at = line.find('='); at != std::string_view::npos; at = line.find('=', at + 1)) {
    if (is_secret_name(name_before(line, at)) && !is_reference(line.substr(at + 1))) {
      return std::string(line.substr(0, at + 1)) + " " + std::string(kSecretMark);
    }
  }
  std::string out(line);
  if (const auto password = password_of_url(line); !password.empty()) {
    out.replace(static_cast<std::size_t>(password.data() - line.data()), password.size(), kSecretMark);
  }
  return redact(out);
}

}  // namespace nexus::host::config
