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

constexpr uint64_t byte_swap(uint64_t value) {
#if defined(__GNUC__)
  return __builtin_bswap64(value);
#else
  uint64_t swapped = 0;
  for (int i = 0; i < 8; ++i) swapped |= ((value >> (8 * i)) & 0xFFu) << (56 - 8 * i);
  return swapped;
#endif
}

inline void store_big_endian(uint8_t* out, uint64_t value) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  value = byte_swap(value);
#endif
  std::memcpy(out, &value, sizeof value);
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
    const uint64_t ns = unix_ns > 0 ? static_cast<uint64_t>(unix_ns) : 0;
    const uint64_t ms = ns / 1'000'000u;
    // 2^32 * 4096 / 1e6, rounded down: the largest remainder still gives 4095.
    const uint64_t fraction = ((ns - ms * 1'000'000u) * 17'592'186u) >> 32;
    const uint64_t tick = (ms << 12) | fraction;
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
    Uuid id;
    detail::store_big_endian(id.bytes, ((tick_ >> 12) << 16) | 0x7000u | (tick_ & 0xFFFu));
    detail::store_big_endian(id.bytes + 8, (uint64_t{1} << 63) | tail_);
    return id;
  }

 private:
  FastRandom random_;
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

// Writes the 36 characters of the canonical lower-case form; no terminating NUL.
void format_uuid(const Uuid& id, char out[36]);

// The same as a string.
std::string uuid_text(const Uuid& id);

// Reads the canonical form, in either case; nothing for any other text.
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace nexus::host
