// The id of an event: a UUID (RFC 9562), 16 bytes in network order, UUIDv7 where the host made it. A plain value, free
// of threads; all zero means "none".
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "nexus/abi/base.h"

namespace nexus {

class Id {
 public:
  constexpr Id() = default;
  explicit Id(const nexus_uuid& raw) { std::memcpy(bytes_.data(), raw.bytes, bytes_.size()); }

  // Reads the form 01890a5d-ac96-774b-bcce-b302099a8057, upper or lower case; nothing else is taken.
  static constexpr std::optional<Id> parse(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    Id id;
    std::size_t nibble = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (i == 8 || i == 13 || i == 18 || i == 23) {
        if (text[i] != '-') return std::nullopt;
        continue;
      }
      const int digit = hex_value(text[i]);
      if (digit < 0) return std::nullopt;
      std::uint8_t& byte = id.bytes_[nibble / 2];
      byte = static_cast<std::uint8_t>((byte << 4) | digit);
      ++nibble;
    }
    return id;
  }

  // Lower case, with dashes; 36 characters.
  std::string str() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
      text.push_back(kDigits[bytes_[i] >> 4]);
      text.push_back(kDigits[bytes_[i] & 15]);
    }
    return text;
  }

  nexus_uuid raw() const {
    nexus_uuid out;
    std::memcpy(out.bytes, bytes_.data(), bytes_.size());
    return out;
  }

  // False for "none".
  constexpr explicit operator bool() const {
    const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(bytes_);
    return (halves[0] | halves[1]) != 0;
  }

  friend constexpr auto operator<=>(const Id&, const Id&) = default;

 private:
  static constexpr int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  }

  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace nexus

template <>
struct std::hash<nexus::Id> {
  std::size_t operator()(const nexus::Id& id) const noexcept {
    const nexus_uuid raw = id.raw();
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(raw.bytes), sizeof raw.bytes});
  }
};
