#include "host/app/config/document.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "host/base/printable.hpp"
#include "host/base/secret.hpp"

namespace nexus::host::config {
namespace {

constexpr std::size_t kShownTextMax = 60;
constexpr std::size_t kLineSizeMax = 2000;  // a longer line is not shown: nobody could read it

bool is_bare(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// A secret's key somewhere in the path makes the whole line one that is not shown.
bool path_is_secret(std::string_view path) {
  while (!path.empty()) {
    const auto dot = path.find('.');
    if (is_secret_name(path.substr(0, dot))) return true;
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  return false;
}

}  // namespace

Source::Source(OriginKind kind, std::string name, std::string text)
    : kind_(kind), name_(std::move(name)), text_(std::move(text)) {
  line_begins_.push_back(text_.compare(0, 3, "\xef\xbb\xbf") == 0 ? 3 : 0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') line_begins_.push_back(i + 1);
  }
}

std::string_view Source::line(uint32_t number) const {
  if (number == 0 || number > line_begins_.size()) return {};
  const std::string_view rest = std::string_view(text_).substr(line_begins_[number - 1]);
  const std::string_view line = rest.substr(0, rest.find('\n'));
  return !line.empty() && line.back() == '\r' ? line.substr(0, line.size() - 1) : line;
}

const Member* Node::find(std::string_view name) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.name == name; });
  return found == members.end() ? nullptr : &*found;
}

Member* Node::find(std::string_view name) { return const_cast<Member*>(std::as_const(*this).find(name)); }

std::string Origin::text() const {
  switch (kind) {
    case OriginKind::file:
      return name + ':' + std::to_string(line);
    case OriginKind::environment:
      return "environment " + name;
    case OriginKind::command_line:
      return "command line " + name;
    case OriginKind::default_value:
      break;
  }
  return "default";
}

Origin Document::origin(const Place& place) const {
  if (place.source >= sources.size()) return {};
  const Source& source = sources[place.source];
  return {source.kind(), source.name(), place.line, place.column};
}

const Node* Document::at(std::string_view path) const {
  const Node* node = &root;
  while (node && !path.empty()) {
    const auto dot = path.find('.');
    const Member* const member = node->find(path.substr(0, dot));
    node = member ? &member->node : nullptr;
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return node;
}

Diagnostic diagnose(const std::vector<Source>& sources, const Place& place, std::string key, std::string message,
                    std::string help) {
  Diagnostic out;
  out.message = std::move(message);
  out.help = std::move(help);
  if (place.source < sources.size() && sources[place.source].kind() != OriginKind::default_value) {
    const Source& source = sources[place.source];
    if (source.kind() == OriginKind::environment) out.file = "environment variable ";
    if (source.kind() == OriginKind::command_line) out.file = "command line ";
    out.file += source.name();
    if (source.kind() == OriginKind::file) {
      out.line = place.line;
      out.column = place.column;
      if (place.end_column > place.column) out.length = place.end_column - place.column;
      const std::string_view line = source.line(place.line);
      // A continuation line of a secret names no key that would give it away.
      const bool hidden = path_is_secret(key) && line.find('=') == std::string_view::npos;
      if (line.size() <= kLineSizeMax && !hidden) out.source_line = cut_secrets(line);
    }
  }
  out.key = std::move(key);
  return out;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::table:
      return "a table";
    case Node::Kind::array:
      return "an array";
    case Node::Kind::boolean:
      return node.boolean ? "true" : "false";
    case Node::Kind::integer:
      return "the integer " + std::to_string(node.integer);
    case Node::Kind::date_time:
      return "the date-time " + node.text;
    case Node::Kind::number: {
      std::array<char, 32> digits{};
      const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), node.number);
      return "the number " + std::string(digits.data(), result.ptr);
    }
    case Node::Kind::string:
      break;
  }
  return node.secret ? "a string" : "the string " + shown_text(node.text);
}

std::string shown_text(std::string_view text) {
  std::string shown(text);
  if (const auto password = password_of_url(text); !password.empty()) {
    shown.replace(static_cast<std::size_t>(password.data() - text.data()), password.size(), kSecretMark);
  }
  shown = redact(shown);
  if (shown.size() <= kShownTextMax) return quote(shown);
  std::size_t end = kShownTextMax;
  while (end > 0 && (static_cast<unsigned char>(shown[end]) & 0xc0U) == 0x80U) --end;
  return quote(shown.substr(0, end) + "...");
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    char32_t c = 0;
    const unsigned bytes = utf8_front(text, c);
    if (bytes == 0) {
      out += "\\uFFFD";  // TOML has no way to write a byte that is not UTF-8
      text.remove_prefix(1);
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (printable(text.substr(0, bytes)) != text.substr(0, bytes)) {
      constexpr char kHex[] = "0123456789ABCDEF";
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(c >> shift) & 15U];
    } else {
      out += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  out += '"';
  return out;
}

std::string path_segment(std::string_view name) { return is_bare(name) ? std::string(name) : quote(name); }

std::string join_path(std::string_view scope, std::string_view name) {
  return scope.empty() ? path_segment(name) : std::string(scope) + '.' + path_segment(name);
}

}  // namespace nexus::host::config
