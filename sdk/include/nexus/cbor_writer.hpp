// Writes CBOR (RFC 8949) into a Buffer, always in the shortest form of section 4.2.1: equal calls give equal bytes.
// The writer trusts its caller about structure (as many items as begin_array announced) and about text being UTF-8;
// check() tells whether the result is well-formed. Not thread-safe.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

#include "nexus/cbor_buffer.hpp"

namespace nexus::cbor {

// The unchecked halves of the writer: each writes at `at`, where the caller has made room, and returns the end.
namespace put {

inline constexpr std::size_t kHeadSizeMax = 9;

// `major` is the major type already shifted into the upper three bits: 0x60 for text. At most kHeadSizeMax bytes.
inline std::uint8_t* head(std::uint8_t* at, std::uint8_t major, std::uint64_t argument) noexcept {
  if (argument < 24) {
    *at = static_cast<std::uint8_t>(major | argument);
    return at + 1;
  }
  if (argument <= 0xffu) {
    at[0] = static_cast<std::uint8_t>(major | 24u);
    at[1] = static_cast<std::uint8_t>(argument);
    return at + 2;
  }
  if (argument <= 0xffffu) {
    *at = static_cast<std::uint8_t>(major | 25u);
    return detail::store(at + 1, static_cast<std::uint16_t>(argument));
  }
  if (argument <= 0xffffffffu) {
    *at = static_cast<std::uint8_t>(major | 26u);
    return detail::store(at + 1, static_cast<std::uint32_t>(argument));
  }
  *at = static_cast<std::uint8_t>(major | 27u);
  return detail::store(at + 1, argument);
}

inline std::uint8_t* integer(std::uint8_t* at, std::int64_t value) noexcept {
  if (value >= 0) return head(at, 0x00u, static_cast<std::uint64_t>(value));
  return head(at, 0x20u, ~static_cast<std::uint64_t>(value));  // -1 - value, without overflow
}

inline std::uint8_t* boolean(std::uint8_t* at, bool value) noexcept {
  *at = value ? 0xf5u : 0xf4u;
  return at + 1;
}

inline std::uint8_t* null(std::uint8_t* at) noexcept {
  *at = 0xf6u;
  return at + 1;
}

inline std::uint8_t* string(std::uint8_t* at, std::uint8_t major, const void* bytes, std::size_t size) noexcept {
  at = head(at, major, size);
  detail::copy(at, bytes, size);
  return at + size;
}

inline std::uint8_t* text(std::uint8_t* at, std::string_view value) noexcept {
  return string(at, 0x60u, value.data(), value.size());
}

inline std::uint8_t* bytes(std::uint8_t* at, std::span<const std::uint8_t> value) noexcept {
  return string(at, 0x40u, value.data(), value.size());
}

// The half-precision bits of `value`, or -1 if half precision cannot hold it exactly. Every NaN becomes 0x7e00.
inline std::int32_t exact_half(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::int32_t exponent = static_cast<std::int32_t>((bits >> 23) & 0xffu) - 127;
  const std::uint32_t fraction = bits & 0x7fffffu;
  if (exponent == 128) return static_cast<std::int32_t>(fraction == 0 ? (sign | 0x7c00u) : 0x7e00u);
  if (exponent == -127 && fraction == 0) return static_cast<std::int32_t>(sign);
  if (exponent > 15 || exponent < -24) return -1;
  if (exponent >= -14) {
    if ((fraction & 0x1fffu) != 0) return -1;
    return static_cast<std::int32_t>(sign | (static_cast<std::uint32_t>(exponent + 15) << 10) | (fraction >> 13));
  }
  const std::uint32_t shift = static_cast<std::uint32_t>(-1 - exponent);  // subnormal: 13 bits and more fall off
  const std::uint32_t full = fraction | 0x800000u;
  if ((full & ((1u << shift) - 1u)) != 0) return -1;
  return static_cast<std::int32_t>(sign | (full >> shift));
}

// The shortest of half, single and double precision that holds the value exactly.
inline std::uint8_t* floating(std::uint8_t* at, double value) noexcept {
  if (value != value) {
    *at = 0xf9u;
    return detail::store(at + 1, std::uint16_t{0x7e00u});
  }
  constexpr double kFloatMax = 3.4028234663852886e38;
  const bool in_range = (value <= kFloatMax && value >= -kFloatMax) || value - value != 0;  // or an infinity
  const float single = in_range ? static_cast<float>(value) : 0.0f;
  if (!in_range || static_cast<double>(single) != value) {
    *at = 0xfbu;
    return detail::store(at + 1, std::bit_cast<std::uint64_t>(value));
  }
  const std::int32_t half = exact_half(single);
  if (half >= 0) {
    *at = 0xf9u;
    return detail::store(at + 1, static_cast<std::uint16_t>(half));
  }
  *at = 0xfau;
  return detail::store(at + 1, std::bit_cast<std::uint32_t>(single));
}

}  // namespace put

class Writer {
 public:
  // Appends to `out`, which must outlive the writer. Every method may throw std::bad_alloc and nothing else.
  explicit Writer(Buffer& out) noexcept : out_(&out) {}

  Buffer& buffer() noexcept { return *out_; }

  void write_uint(std::uint64_t value) { head(0x00u, value); }
  void write_int(std::int64_t value) { out_->commit(put::integer(room(), value)); }
  // The number -1 - n: the way to write integers below the range of int64_t.
  void write_negint(std::uint64_t n) { head(0x20u, n); }
  void write_bool(bool value) { out_->push(value ? 0xf5u : 0xf4u); }
  void write_null() { out_->push(0xf6u); }
  void write_undefined() { out_->push(0xf7u); }
  // An unassigned simple value: 0 to 19, or 32 to 255. Others would not be well-formed, and are written as undefined.
  void write_simple(std::uint8_t value) {
    if (value >= 20 && value < 32) return write_undefined();
    head(0xe0u, value);
  }
  void write_double(double value) { out_->commit(put::floating(room(), value)); }
  // `value` must be UTF-8; is_utf8() tells.
  void write_text(std::string_view value) { string(0x60u, value.data(), value.size()); }
  void write_bytes(std::span<const std::uint8_t> value) { string(0x40u, value.data(), value.size()); }

  // `count` items must follow.
  void begin_array(std::uint64_t count) { head(0x80u, count); }
  // `count` pairs of key and value must follow.
  void begin_map(std::uint64_t count) { head(0xa0u, count); }
  // One item must follow: what the tag says something about.
  void tag(std::uint64_t number) { head(0xc0u, number); }
  // Appends an item that is CBOR already.
  void write_raw(std::span<const std::uint8_t> item) { out_->append(item.data(), item.size()); }

  // The forms of unknown length, each ended by end_indefinite(). Text and bytes take chunks of their own kind.
  // They are well-formed, but not the deterministic encoding.
  void begin_indefinite_bytes() { out_->push(0x5fu); }
  void begin_indefinite_text() { out_->push(0x7fu); }
  void begin_indefinite_array() { out_->push(0x9fu); }
  void begin_indefinite_map() { out_->push(0xbfu); }
  void end_indefinite() { out_->push(0xffu); }

 private:
  std::uint8_t* room() { return out_->reserve(put::kHeadSizeMax); }
  void head(std::uint8_t major, std::uint64_t argument) { out_->commit(put::head(room(), major, argument)); }
  void string(std::uint8_t major, const void* bytes, std::size_t size) {
    head(major, size);
    out_->append(bytes, size);
  }

  Buffer* out_;
};

}  // namespace nexus::cbor
