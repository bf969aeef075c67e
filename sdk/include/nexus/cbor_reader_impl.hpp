// The bodies of cbor::Reader; include cbor_reader.hpp (or cbor.hpp), never this.
#pragma once

#include "nexus/cbor_reader.hpp"

namespace nexus::cbor {

namespace detail {

// A head's argument of 2 to the power of `info - 24` bytes.
inline std::uint64_t argument_at(const std::uint8_t* at, std::uint8_t info) noexcept {
  switch (info) {
    case 24:
      return *at;
    case 25:
      return load<std::uint16_t>(at);
    case 26:
      return load<std::uint32_t>(at);
    default:
      return load<std::uint64_t>(at);
  }
}

// RFC 8949 appendix D, by moving bits instead of by arithmetic, so that NaN and infinities need no special case.
inline double from_half(std::uint64_t half) noexcept {
  const std::uint64_t sign = (half & 0x8000u) << 48;
  const std::uint64_t exponent = (half >> 10) & 0x1fu;
  const std::uint64_t fraction = half & 0x3ffu;
  if (exponent == 0) {
    const double value = static_cast<double>(fraction) * 0x1p-24;
    return sign == 0 ? value : -value;
  }
  const std::uint64_t wide = exponent == 31 ? 2047 : exponent + 1008;  // from bias 15 to bias 1023
  return std::bit_cast<double>(sign | wide << 52 | fraction << 42);
}

}  // namespace detail

inline bool Reader::head(const std::uint8_t*& at, std::uint64_t& argument) noexcept {
  const std::uint8_t info = *at & 0x1fu;
  ++at;
  if (info < 24) {
    argument = info;
    return true;
  }
  if (info < 28) {
    const unsigned size = 1u << (info - 24u);
    if (static_cast<std::size_t>(end_ - at) < size) return fail(Fault::truncated);
    argument = detail::argument_at(at, info);
    at += size;
    return true;
  }
  argument = 0;
  const std::uint8_t major = at[-1] >> 5;
  if (info == 31 && major >= 2 && major <= 5) return true;
  return fail(Fault::malformed);
}

inline bool Reader::read_uint(std::uint64_t& value) noexcept {
  if (peek() == Kind::negint) return fail(Fault::range);
  if (peek() != Kind::uint) return wrong_kind();
  const std::uint8_t* at = at_;
  if (!head(at, value)) return false;
  at_ = at;
  return true;
}

inline bool Reader::read_negint(std::uint64_t& n) noexcept {
  if (peek() == Kind::uint) return fail(Fault::range);
  if (peek() != Kind::negint) return wrong_kind();
  const std::uint8_t* at = at_;
  if (!head(at, n)) return false;
  at_ = at;
  return true;
}

inline bool Reader::read_int(std::int64_t& value) noexcept {
  const Kind kind = peek();
  if (kind != Kind::uint && kind != Kind::negint) return wrong_kind();
  const std::uint8_t* at = at_;
  std::uint64_t argument = 0;
  if (!head(at, argument)) return false;
  if (argument > 0x7fffffffffffffffu) return fail(Fault::range);
  value = kind == Kind::uint ? static_cast<std::int64_t>(argument) : static_cast<std::int64_t>(~argument);
  at_ = at;
  return true;
}

inline bool Reader::float_bits(const std::uint8_t*& at, double& value) noexcept {
  const std::uint8_t initial = *at;
  std::uint64_t bits = 0;
  if (!head(at, bits)) return false;
  if (initial == 0xf9u) value = detail::from_half(bits);
  if (initial == 0xfau) value = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  if (initial == 0xfbu) value = std::bit_cast<double>(bits);
  return true;
}

inline bool Reader::read_double(double& value) noexcept {
  const Kind kind = peek();
  const std::uint8_t* at = at_;
  if (kind == Kind::floating) {
    if (!float_bits(at, value)) return false;
  } else if (kind == Kind::uint || kind == Kind::negint) {
    std::uint64_t argument = 0;
    if (!head(at, argument)) return false;
    value = kind == Kind::uint ? static_cast<double>(argument) : -1.0 - static_cast<double>(argument);
  } else {
    return wrong_kind();
  }
  at_ = at;
  return true;
}

inline bool Reader::read_bool(bool& value) noexcept {
  if (peek() != Kind::boolean) return wrong_kind();
  value = *at_ == 0xf5u;
  ++at_;
  return true;
}

inline bool Reader::read_simple(std::uint8_t& value) noexcept {
  if (peek() != Kind::simple) return wrong_kind();
  const std::uint8_t* at = at_;
  std::uint64_t argument = 0;
  if (!head(at, argument)) return false;
  if (at - at_ == 2 && argument < 32) return fail(Fault::malformed);  // RFC 8949 section 3.3
  value = static_cast<std::uint8_t>(argument);
  at_ = at;
  return true;
}

inline bool Reader::read_tag(std::uint64_t& number) noexcept {
  if (peek() != Kind::tag) return wrong_kind();
  const std::uint8_t* at = at_;
  if (!head(at, number)) return false;
  at_ = at;
  return true;
}

// One definite string at `at`; the caller has looked at the major type. Moves `at` only on success.
inline bool Reader::chunk(const std::uint8_t*& at, std::uint8_t major, std::span<const std::uint8_t>& value) noexcept {
  const std::uint8_t* next = at;
  std::uint64_t size = 0;
  if (!head(next, size)) return false;
  if (size > static_cast<std::uint64_t>(end_ - next)) return fail(Fault::truncated);
  const auto count = static_cast<std::size_t>(size);
  if (major == 0x60u && !is_utf8(next, count)) return fail_at(Fault::utf8, at);
  value = {next, count};
  at = next + count;
  return true;
}

// The chunks of an indefinite string, RFC 8949 section 3.2.3: all definite and of the same major type, each chunk of
// text valid by itself. Without a scratch buffer at most one chunk with content is taken.
inline bool Reader::chunks(std::uint8_t major, std::span<const std::uint8_t>& value, Buffer* scratch) {
  const std::uint8_t* at = at_ + 1;
  std::span<const std::uint8_t> joined(at, 0);
  bool in_scratch = false;
  for (;;) {
    if (at == end_) return fail(Fault::truncated);
    if (*at == 0xffu) break;
    if ((*at & 0xe0u) != major || (*at & 0x1fu) == 31) return fail_at(Fault::chunk, at);
    std::span<const std::uint8_t> part;
    if (!chunk(at, major, part)) return false;
    if (part.empty()) continue;
    if (joined.empty()) {
      joined = part;
      continue;
    }
    if (scratch == nullptr) return fail(Fault::chunked);
    if (!in_scratch) {
      scratch->clear();
      scratch->append(joined.data(), joined.size());
      in_scratch = true;
    }
    scratch->append(part.data(), part.size());
    joined = scratch->bytes();
  }
  value = joined;
  at_ = at + 1;
  return true;
}

inline bool Reader::string(std::uint8_t major, Kind kind, std::span<const std::uint8_t>& value, Buffer* scratch) {
  if (peek() != kind) return wrong_kind();
  if ((*at_ & 0x1fu) == 31) return chunks(major, value, scratch);
  const std::uint8_t* at = at_;
  if (!chunk(at, major, value)) return false;
  at_ = at;
  return true;
}

inline bool Reader::read_text(std::string_view& value) noexcept {
  std::span<const std::uint8_t> bytes;
  if (!string(0x60u, Kind::text, bytes, nullptr)) return false;
  value = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  return true;
}

inline bool Reader::read_text(std::string_view& value, Buffer& scratch) {
  std::span<const std::uint8_t> bytes;
  if (!string(0x60u, Kind::text, bytes, &scratch)) return false;
  value = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  return true;
}

inline bool Reader::read_bytes(std::span<const std::uint8_t>& value) noexcept {
  return string(0x40u, Kind::bytes, value, nullptr);
}

inline bool Reader::read_bytes(std::span<const std::uint8_t>& value, Buffer& scratch) {
  return string(0x40u, Kind::bytes, value, &scratch);
}

inline bool Reader::enter(std::uint8_t major, Kind kind, Items& items) noexcept {
  if (at_ != end_ && (*at_ & 0xf0u) == major && depth_ < kDepthMax && remaining() > 32) [[likely]] {
    items = Items{*at_ & 0x0fu, false};  // up to 15 items, which surely fit
    ++at_;
    ++depth_;
    return true;
  }
  return enter_any(major, kind, items);
}

inline bool Reader::enter_any(std::uint8_t major, Kind kind, Items& items) noexcept {
  if (peek() != kind) return wrong_kind();
  if (depth_ == kDepthMax) return fail(Fault::depth);
  const bool indefinite = (*at_ & 0x1fu) == 31;
  const std::uint8_t* at = at_;
  std::uint64_t count = 0;
  if (!head(at, count)) return false;
  const std::uint64_t room = static_cast<std::uint64_t>(end_ - at) / (major == 0xa0u ? 2u : 1u);
  if (count > room) return fail(Fault::truncated);  // each item takes a byte at least
  items = Items{count, indefinite};
  at_ = at;
  ++depth_;
  return true;
}

inline bool Reader::next(Items& items) noexcept {
  if (failed()) return false;
  if (items.indefinite) {
    if (at_ == end_) return fail(Fault::truncated);
    if (*at_ != 0xffu) return true;
    ++at_;
    --depth_;
    return false;
  }
  if (items.left == 0) {
    --depth_;
    return false;
  }
  --items.left;
  return true;
}

// Everything but arrays, maps, tags and breaks.
inline bool Reader::skip_scalar(std::uint8_t initial) noexcept {
  std::span<const std::uint8_t> ignored_bytes;
  std::uint64_t ignored = 0;
  const std::uint8_t major = initial & 0xe0u;
  if (major == 0x40u || major == 0x60u) {
    if ((initial & 0x1fu) != 31) return string(major, kind_of(initial), ignored_bytes, nullptr);
    const std::uint8_t* at = at_ + 1;
    for (;;) {  // as chunks() does, without joining
      if (at == end_) return fail(Fault::truncated);
      if (*at == 0xffu) break;
      if ((*at & 0xe0u) != major || (*at & 0x1fu) == 31) return fail_at(Fault::chunk, at);
      if (!chunk(at, major, ignored_bytes)) return false;
    }
    at_ = at + 1;
    return true;
  }
  const std::uint8_t* at = at_;
  if (!head(at, ignored)) return false;
  if (initial == 0xf8u && ignored < 32) return fail(Fault::malformed);
  at_ = at;
  return true;
}

// Walks with a stack of counters instead of calls, so that depth costs no call stack. A counter holds the items that a
// container still waits for, or one of the marks for an indefinite one.
inline bool Reader::skip() noexcept {
  constexpr std::uint64_t kListOpen = ~std::uint64_t{0};
  constexpr std::uint64_t kKeyOpen = kListOpen - 1;
  constexpr std::uint64_t kValueOpen = kListOpen - 2;
  std::uint64_t waiting[kDepthMax];
  std::uint32_t level = 0;
  do {
    if (at_ == end_) return fail(Fault::truncated);
    const std::uint8_t initial = *at_;
    const Kind kind = kind_of(initial);
    if (kind == Kind::end) {
      if (level == 0 || (waiting[level - 1] != kListOpen && waiting[level - 1] != kKeyOpen)) {
        return fail(Fault::stray_break);
      }
      ++at_;
      --level;
    } else if (kind == Kind::array || kind == Kind::map || kind == Kind::tag) {
      const std::uint8_t* at = at_;
      std::uint64_t count = 0;
      if (level + depth_ >= kDepthMax) return fail(Fault::depth);
      if (!head(at, count)) return false;
      if (kind == Kind::tag) count = 1;
      if (count > static_cast<std::uint64_t>(end_ - at) / (kind == Kind::map ? 2u : 1u)) return fail(Fault::truncated);
      if (kind == Kind::map) count *= 2;
      if ((initial & 0x1fu) == 31) count = kind == Kind::array ? kListOpen : kKeyOpen;
      at_ = at;
      waiting[level++] = count;
      if (count != 0) continue;
      --level;
    } else if (!skip_scalar(initial)) {
      return false;
    }
    while (level != 0) {  // an item is complete: count it in its container, which may complete that one
      std::uint64_t& top = waiting[level - 1];
      if (top == kListOpen) break;
      if (top == kKeyOpen || top == kValueOpen) {
        top = top == kKeyOpen ? kValueOpen : kKeyOpen;
        break;
      }
      if (--top != 0) break;
      --level;
    }
  } while (level != 0);
  return true;
}

inline bool Reader::read_raw(std::span<const std::uint8_t>& item) noexcept {
  const std::uint8_t* from = at_;
  if (!skip()) return false;
  item = {from, static_cast<std::size_t>(at_ - from)};
  return true;
}

}  // namespace nexus::cbor
