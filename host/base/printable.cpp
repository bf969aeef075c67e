#include "host/base/printable.hpp"

#include <cstdint>

namespace nexus::host {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void append_hex(std::string& out, char32_t value, int digits) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out += kHex[(value >> shift) & 15U];
}

// Characters that move the cursor, start a line, or make text read in another order than it is stored.
bool is_unprintable(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

// Most text is plain ASCII; its length is found first and copied at once.
std::size_t plain_prefix(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size()) {
    const auto c = static_cast<unsigned char>(text[n]);
    if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') break;
    ++n;
  }
  return n;
}

}  // namespace

unsigned utf8_front(std::string_view text, char32_t& code_point) {
  if (text.empty()) return 0;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) {
    code_point = first;
    return 1;
  }
  const unsigned length = first >= 0xf0 ? 4U : first >= 0xe0 ? 3U : 2U;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  char32_t value = first & (0xffU >> (length + 1));
  for (unsigned i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0U) != 0x80U) return 0;
    value = (value << 6U) | (next & 0x3fU);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return 0;
  code_point = value;
  return length;
}

void append_printable(std::string& out, std::string_view text) {
  while (!text.empty()) {
    if (const std::size_t plain = plain_prefix(text); plain != 0) {
      out += text.substr(0, plain);
      text.remove_prefix(plain);
      continue;
    }
    char32_t c = 0;
    const unsigned length = utf8_front(text, c);
    if (length == 0) {
      out += "\\x";
      append_hex(out, static_cast<unsigned char>(text[0]), 2);
    } else if (!is_unprintable(c)) {
      out += text.substr(0, length);
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (c < 0x80) {
      out += "\\x";
      append_hex(out, c, 2);
    } else {
      out += "\\u";
      append_hex(out, c, 4);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_printable(out, text);
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    if (const std::size_t plain = plain_prefix(text); plain != 0) {
      out += text.substr(0, plain);
      text.remove_prefix(plain);
      continue;
    }
    char32_t c = 0;
    const unsigned length = utf8_front(text, c);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (is_unprintable(c)) {
      out += "\\u";
      append_hex(out, c, 4);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

}  // namespace nexus::host
