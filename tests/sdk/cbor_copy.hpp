// Reads an item with every part of cbor::Reader's interface and writes it anew with cbor::Writer, which gives the
// preferred encoding of the same item. For tests only.
#pragma once

#include "nexus/cbor.hpp"

namespace nexus::testing {

inline bool copy_item(cbor::Reader& reader, cbor::Writer& writer);

inline bool copy_scalar(cbor::Reader& reader, cbor::Writer& writer, cbor::Kind kind) {
  std::uint64_t number = 0;
  bool boolean = false;
  double floating = 0;
  std::uint8_t simple = 0;
  switch (kind) {
    case cbor::Kind::uint:
      if (!reader.read_uint(number)) return false;
      writer.write_uint(number);
      return true;
    case cbor::Kind::negint:
      if (!reader.read_negint(number)) return false;
      writer.write_negint(number);
      return true;
    case cbor::Kind::boolean:
      if (!reader.read_bool(boolean)) return false;
      writer.write_bool(boolean);
      return true;
    case cbor::Kind::null:
      writer.write_null();
      return reader.read_null();
    case cbor::Kind::undefined:
      writer.write_undefined();
      return reader.read_undefined();
    case cbor::Kind::floating:
      if (!reader.read_double(floating)) return false;
      writer.write_double(floating);
      return true;
    default:
      if (!reader.read_simple(simple)) return false;
      writer.write_simple(simple);
      return true;
  }
}

inline bool copy_container(cbor::Reader& reader, cbor::Writer& writer, bool is_map) {
  cbor::Items items;
  if (!(is_map ? reader.enter_map(items) : reader.enter_array(items))) return false;
  cbor::Buffer content;
  cbor::Writer inner(content);
  std::uint64_t count = 0;
  for (; reader.next(items); ++count) {
    if (is_map && !copy_item(reader, inner)) return false;
    if (!copy_item(reader, inner)) return false;
  }
  if (reader.failed()) return false;
  is_map ? writer.begin_map(count) : writer.begin_array(count);
  writer.write_raw(content.bytes());
  return true;
}

inline bool copy_item(cbor::Reader& reader, cbor::Writer& writer) {
  cbor::Buffer scratch;
  std::string_view text;
  std::span<const std::uint8_t> bytes;
  std::uint64_t tag = 0;
  switch (const cbor::Kind kind = reader.peek()) {
    case cbor::Kind::text:
      if (!reader.read_text(text, scratch)) return false;
      writer.write_text(text);
      return true;
    case cbor::Kind::bytes:
      if (!reader.read_bytes(bytes, scratch)) return false;
      writer.write_bytes(bytes);
      return true;
    case cbor::Kind::array:
    case cbor::Kind::map:
      return copy_container(reader, writer, kind == cbor::Kind::map);
    case cbor::Kind::tag:
      if (!reader.read_tag(tag)) return false;
      writer.tag(tag);
      return copy_item(reader, writer);
    case cbor::Kind::end:
      return reader.skip();
    default:
      return copy_scalar(reader, writer, kind);
  }
}

}  // namespace nexus::testing
