// Whether bytes are UTF-8, as Table 3-7 of the Unicode standard has it: no overlong forms, no surrogates, nothing above
// U+10FFFF. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nexus::cbor {

namespace detail {

inline bool is_continuation(std::uint8_t byte) noexcept { return (byte & 0xc0u) == 0x80u; }

// The length of the well-formed sequence that begins at `at`, which is not ASCII; 0 if there is none.
inline std::size_t utf8_sequence(const std::uint8_t* at, std::size_t left) noexcept {
  const std::uint8_t lead = at[0];
  if (lead < 0xc2u || lead > 0xf4u || left < 2) return 0;
  std::uint8_t low = 0x80u;
  std::uint8_t high = 0xbfu;
  if (lead == 0xe0u) low = 0xa0u;
  if (lead == 0xedu) high = 0x9fu;
  if (lead == 0xf0u) low = 0x90u;
  if (lead == 0xf4u) high = 0x8fu;
  if (at[1] < low || at[1] > high) return 0;
  const std::size_t size = lead < 0xe0u ? 2u : lead < 0xf0u ? 3u : 4u;
  if (left < size) return 0;
  if (size > 2 && !is_continuation(at[2])) return 0;
  if (size > 3 && !is_continuation(at[3])) return 0;
  return size;
}

inline bool utf8_slow(const std::uint8_t* at, std::size_t left) noexcept {
  while (left != 0) {
    if (*at < 0x80u) {
      ++at;
      --left;
      continue;
    }
    const std::size_t size = utf8_sequence(at, left);
    if (size == 0) return false;
    at += size;
    left -= size;
  }
  return true;
}

}  // namespace detail

// Looks at eight bytes at a time while they are ASCII, which most text on an event bus is.
inline bool is_utf8(const void* bytes, std::size_t size) noexcept {
  const auto* at = static_cast<const std::uint8_t*>(bytes);
  constexpr std::uint64_t kHighBits = 0x8080808080808080u;
  std::uint64_t word = 0;
  while (size >= 8) {
    std::memcpy(&word, at, 8);
    if ((word & kHighBits) != 0) return detail::utf8_slow(at, size);
    at += 8;
    size -= 8;
  }
  if (size >= 4) {  // two words that overlap
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, at, 4);
    std::memcpy(&last, at + size - 4, 4);
    return ((first | last) & static_cast<std::uint32_t>(kHighBits)) == 0 || detail::utf8_slow(at, size);
  }
  if (size == 0) return true;
  const unsigned high = static_cast<unsigned>(at[0]) | at[size / 2] | at[size - 1];
  return high < 0x80u || detail::utf8_slow(at, size);
}

inline bool is_utf8(std::string_view text) noexcept { return is_utf8(text.data(), text.size()); }

}  // namespace nexus::cbor
