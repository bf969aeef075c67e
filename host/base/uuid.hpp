// Event ids: UUIDv7 (RFC 9562) from a generator of one's own, UUIDv5 for foreign ids, and their text. A generator is
// used by one thread at a time and its ids rise strictly, whatever the clock does; all else is free of state.
// The random bits make ids unique, not secret: they must never serve as a credential.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "nexus/abi/base.h"

namespace nexus::host {

using Uuid = nexus_uuid;

inline bool operator==(const Uuid& a, const Uuid& b) { return std::memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0; }

// True for the all-zero id, which stands for "none".
inline bool is_nil(const Uuid& id) {
  uint64_t halves[2];
  std::memcpy(halves, id.bytes, sizeof halves);
  return (halves[0] | halves[1]) == 0;
}

// For hash maps: std::unordered_map<Uuid, T, UuidHash, UuidEqual>. Any version of UUID spreads well.
struct UuidHash {
  size_t operator()(const Uuid& id) const noexcept {
    uint64_t halves[2];
    std::memcpy(halves, id.bytes, sizeof halves);
    return static_cast<size_t>((halves[0] * 0x9E3779B97F4A7C15u) ^ halves[1]);
  }
};
struct UuidEqual {
  bool operator()(const Uuid& a, const Uuid& b) const noexcept { return a == b; }
};

namespace detail {

__extension__ using Uint128 = unsigned __int128;

constexpr bool is_hyphen_place(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

constexpr uint64_t byte_swap(uint64_t value) {
#if defined(__GNUC__)
  return __builtin_bswap64(value);
#else
  uint64_t swapped = 0;
  for (int i = 0; i < 8; ++i) swapped |= ((value >> (8 * i)) & 0xFFu) << (56 - 8 * i);
  return swapped;
#endif
}

constexpr uint64_t big_endian(uint64_t value) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  return byte_swap(value);
#else
  return value;
#endif
}

inline Uuid from_halves(uint64_t first, uint64_t second) {
  Uuid id;
#if defined(__SSE2__)
  // In one store: whoever reads all of it at once right away would have to wait for two.
  _mm_storeu_si128(reinterpret_cast<__m128i*>(id.bytes),
                   _mm_set_epi64x(static_cast<int64_t>(big_endian(second)), static_cast<int64_t>(big_endian(first))));
#else
  const uint64_t halves[2] = {big_endian(first), big_endian(second)};
  std::memcpy(id.bytes, halves, sizeof halves);
#endif
  return id;
}

}  // namespace detail

// A small fast generator of pseudo-random numbers (a Weyl sequence folded by a 128-bit product). Not for secrets.
class FastRandom {
 public:
  explicit FastRandom(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15u;
    const auto product = static_cast<detail::Uint128>(state_) * (state_ ^ 0xD1B54A32D192ED03u);
    return static_cast<uint64_t>(product >> 64) ^ static_cast<uint64_t>(product);
  }

 private:
  uint64_t state_;
};

// Eight bytes from the operating system's generator, for seeds. Any thread; does not fail after boot (it mixes the
// clock and the address space if the system has none to give).
uint64_t system_random();

// Makes UUIDv7: 48 bits of unix milliseconds, 12 bits of the fraction of the millisecond, and 62 random bits that count
// upwards by random steps while the clock stands still or goes back (RFC 9562 section 6.2, methods 2 and 3 together).
// Not thread-safe: one per thread. Ids of one generator rise strictly in byte order.
class UuidGenerator {
 public:
  UuidGenerator() : UuidGenerator(system_random()) {}
  explicit UuidGenerator(uint64_t seed) : random_(seed) {}

  // `unix_ns` is the time of the event in ns since 1970; what is before 1970 counts as 1970. Never fails.
  Uuid next(int64_t unix_ns) {
    uint64_t into_ms = static_cast<uint64_t>(unix_ns) - ms_began_ns_;
    if (into_ms >= kNsPerMs) [[unlikely]]
      into_ms = enter_ms(unix_ns);
    // 2^32 * 4096 / 1e6, rounded down: the largest remainder still gives 4095.
    const uint64_t tick = ms_tick_ | ((into_ms * 17'592'186u) >> 32);
    const uint64_t random = random_.next();
    if (tick > tick_) {
      tick_ = tick;
      tail_ = random >> 3;  // 61 bits: the top one is room to count
    } else {
      tail_ += 1 + (random >> 32);
      if (tail_ >> 62) {  // only after half a billion ids with a clock that stood still
        ++tick_;
        tail_ = random >> 3;
      }
    }
    return detail::from_halves(((tick_ >> 12) << 16) | 0x7000u | (tick_ & 0xFFFu), (uint64_t{1} << 63) | tail_);
  }

 private:
  static constexpr uint64_t kNsPerMs = 1'000'000;

  // Another millisecond than the last one's; returns how far into it the time is.
  uint64_t enter_ms(int64_t unix_ns) {
    const uint64_t ns = unix_ns > 0 ? static_cast<uint64_t>(unix_ns) : 0;
    const uint64_t ms = ns / kNsPerMs;
    ms_began_ns_ = ms * kNsPerMs;
    ms_tick_ = ms << 12;
    return ns - ms_began_ns_;
  }

  FastRandom random_;
  uint64_t ms_began_ns_ = 0;  // the millisecond of the last id's time
  uint64_t ms_tick_ = 0;
  uint64_t tick_ = 0;
  uint64_t tail_ = 0;
};

// UUIDv5 (RFC 9562 section 5.5): the same name in the same namespace gives the same id everywhere. Any thread.
Uuid uuid_v5(const Uuid& name_space, std::string_view name);

// The same for a namespace given as text: a UUID stands for itself, anything else (a CloudEvents source, which is a URI
// reference) for its UUIDv5 in the RFC's namespace for URLs.
Uuid uuid_v5(std::string_view source, std::string_view name);

// Milliseconds since 1970 that a UUIDv7 carries; nothing for another version.
std::optional<int64_t> uuid_v7_unix_ms(const Uuid& id);

inline constexpr size_t kUuidTextSize = 36;

// Writes the 36 characters of the canonical lower-case form; no terminating NUL. Without hyphens
// their places are left as they are, for one who writes to the same place again.
template <bool kWithHyphens = true>
inline void format_uuid(const Uuid& id, char out[36]) {
#if defined(__SSE2__)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(id.bytes));
  const __m128i nibble = _mm_set1_epi8(0x0F);
  const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble);
  const __m128i low = _mm_and_si128(bytes, nibble);
  const auto to_text = [](__m128i digits) {
    const __m128i letters = _mm_and_si128(_mm_cmpgt_epi8(digits, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '0' - 10));
    return _mm_add_epi8(_mm_add_epi8(digits, _mm_set1_epi8('0')), letters);
  };
  const __m128i first = to_text(_mm_unpacklo_epi8(high, low));
  const __m128i second = to_text(_mm_unpackhi_epi8(high, low));
  const auto store4 = [](char* to, __m128i from) {
    const int value = _mm_cvtsi128_si32(from);
    std::memcpy(to, &value, 4);
  };
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out), first);
  store4(out + 9, _mm_srli_si128(first, 8));
  store4(out + 14, _mm_srli_si128(first, 12));
  store4(out + 19, second);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 24), _mm_srli_si128(second, 4));
  store4(out + 32, _mm_srli_si128(second, 12));
  if constexpr (kWithHyphens) out[8] = out[13] = out[18] = out[23] = '-';
#else
  constexpr char kDigits[] = "0123456789abcdef";
  size_t at = 0;
  for (const uint8_t byte : id.bytes) {
    if (detail::is_hyphen_place(at)) out[at++] = '-';
    out[at++] = kDigits[byte >> 4];
    out[at++] = kDigits[byte & 0x0F];
  }
#endif
}

// The same as a string.
std::string uuid_text(const Uuid& id);

// Reads the canonical form, in either case; nothing for any other text.
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace nexus::host
