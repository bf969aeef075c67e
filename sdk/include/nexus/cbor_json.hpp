// CBOR as JSON text, the way RFC 8949 section 6.1 advises: bytes as base64url, tags passed over, what JSON lacks
// (undefined, infinities, simple values) as null, keys that are not text by their own JSON text. A list or a map as a
// key is refused. Pure functions; the text is at most ten times as long as the CBOR.
#pragma once

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "nexus/cbor_reader.hpp"

namespace nexus::cbor {

// Appends `text` in quotes, escaped as RFC 8259 section 7 wants it.
inline void append_json_text(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20u || byte == 0x7fu) {
          out += "\\u00";
          out += kHex[byte >> 4];
          out += kHex[byte & 15u];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

// Appends the number in the fewest digits that give it back, whole ones of up to 15 digits without an exponent; null
// for NaN and the infinities.
inline void append_json_number(std::string& out, double number) {
  if (number - number != 0) {
    out += "null";
    return;
  }
  char digits[32];
  const bool is_short_whole = number < 1e15 && number > -1e15 && std::trunc(number) == number;
  const auto [end, fault] = is_short_whole
                                ? std::to_chars(digits, digits + sizeof(digits), number, std::chars_format::fixed)
                                : std::to_chars(digits, digits + sizeof(digits), number);
  out.append(digits, end);
}

namespace detail {

inline void append_base64url(std::string& out, std::span<const std::uint8_t> bytes) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8 | byte) & 0xffffu;
    for (held += 8; held >= 6; held -= 6) out += kLetters[(bits >> (held - 6)) & 63u];
  }
  if (held != 0) out += kLetters[(bits << (6 - held)) & 63u];
}

inline bool append_json_integer(std::string& out, Reader& reader) {
  std::uint64_t value = 0;
  if (reader.peek() == Kind::uint) {
    if (!reader.read_uint(value)) return false;
    out += std::to_string(value);
    return true;
  }
  if (!reader.read_negint(value)) return false;
  out += '-';
  out += value == UINT64_MAX ? std::string("18446744073709551616") : std::to_string(value + 1);
  return true;
}

inline bool append_json_key(std::string& out, Reader& reader);

}  // namespace detail

// Appends the reader's next item. False if the reader has failed, with Fault::unsupported where a list or a map is a
// key; `out` then ends somewhere inside the item.
// Recursion is bounded by the reader's kDepthMax.
inline bool append_json(std::string& out, Reader& reader) {
  std::uint64_t tag = 0;
  while (reader.peek() == Kind::tag) {
    if (!reader.read_tag(tag)) return false;
  }
  Buffer scratch;
  switch (reader.peek()) {
    case Kind::uint:
    case Kind::negint:
      return detail::append_json_integer(out, reader);
    case Kind::floating: {
      double number = 0;
      if (!reader.read_double(number)) return false;
      append_json_number(out, number);
      return true;
    }
    case Kind::boolean: {
      bool value = false;
      if (!reader.read_bool(value)) return false;
      out += value ? "true" : "false";
      return true;
    }
    case Kind::text: {
      std::string_view text;
      if (!reader.read_text(text, scratch)) return false;
      append_json_text(out, text);
      return true;
    }
    case Kind::bytes: {
      std::span<const std::uint8_t> bytes;
      if (!reader.read_bytes(bytes, scratch)) return false;
      out += '"';
      detail::append_base64url(out, bytes);
      out += '"';
      return true;
    }
    case Kind::array: {
      Items walk;
      if (!reader.enter_array(walk)) return false;
      out += '[';
      for (bool first = true; reader.next(walk); first = false) {
        if (!first) out += ',';
        if (!append_json(out, reader)) return false;
      }
      out += ']';
      return !reader.failed();
    }
    case Kind::map: {
      Items walk;
      if (!reader.enter_map(walk)) return false;
      out += '{';
      for (bool first = true; reader.next(walk); first = false) {
        if (!first) out += ',';
        if (!detail::append_json_key(out, reader)) return false;
        out += ':';
        if (!append_json(out, reader)) return false;
      }
      out += '}';
      return !reader.failed();
    }
    default:
      out += "null";
      return reader.skip();
  }
}

namespace detail {

inline bool append_json_key(std::string& out, Reader& reader) {
  std::uint64_t tag = 0;
  while (reader.peek() == Kind::tag) {
    if (!reader.read_tag(tag)) return false;
  }
  switch (reader.peek()) {
    case Kind::text:
    case Kind::bytes:
      return append_json(out, reader);
    case Kind::array:
    case Kind::map:
      // Quoting a container that has quoted containers as keys itself would double its length at each level.
      return reader.fail(Fault::unsupported);
    default:
      break;
  }
  out += '"';  // a number or a word, in which nothing needs an escape
  if (!append_json(out, reader)) return false;
  out += '"';
  return true;
}

}  // namespace detail

// The JSON text of exactly one item, or "" if the bytes are not one well-formed item or JSON cannot say it.
inline std::string to_json(std::span<const std::uint8_t> item) {
  Reader reader(item);
  std::string out;
  if (!append_json(out, reader) || !reader.finish()) out.clear();
  return out;
}

}  // namespace nexus::cbor
