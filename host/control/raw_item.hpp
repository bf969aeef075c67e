// One CBOR item that is passed on as it stands: an event's data inside a call's parameters or results. As a field of a
// described struct it borrows the bytes of what was read, and must live no longer. Pure value.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "nexus/schema.hpp"

namespace nexus::host {

struct RawItem {
  std::span<const uint8_t> bytes;
};

}  // namespace nexus::host

namespace nexus::schema {

template <>
struct Codec<host::RawItem> {
  static constexpr bool kHidesDefault = true;
  static std::size_t bound(const host::RawItem& value) noexcept { return value.bytes.size() + 1; }
  static std::uint8_t* put(std::uint8_t* at, const host::RawItem& value, Encoding&) noexcept {
    if (value.bytes.empty()) return cbor::put::null(at);
    std::memcpy(at, value.bytes.data(), value.bytes.size());
    return at + value.bytes.size();
  }
  static bool take(Decoder& decoder, host::RawItem& out) {
    return decoder.reader.read_raw(out.bytes) || decoder.broken();
  }
  static void schema(SchemaText&, const host::RawItem*) {}
};

}  // namespace nexus::schema
