#include "host/event/base64.hpp"

#include <array>

namespace nexus::host {
namespace {

constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kUrlLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void append(std::string& out, std::span<const uint8_t> bytes, const char* letters, bool pad) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const uint32_t word = (uint32_t{bytes[i]} << 16) | (uint32_t{bytes[i + 1]} << 8) | bytes[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) out += letters[(word >> shift) & 63u];
  }
  const size_t left = bytes.size() - i;
  if (left == 0) return;
  uint32_t word = uint32_t{bytes[i]} << 16;
  if (left == 2) word |= uint32_t{bytes[i + 1]} << 8;
  out += letters[(word >> 18) & 63u];
  out += letters[(word >> 12) & 63u];
  if (left == 2) out += letters[(word >> 6) & 63u];
  if (pad) out.append(3 - left, '=');
}

constexpr auto kValues = [] {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (int8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(kLetters[i])] = i;
  return values;
}();

}  // namespace

void append_base64(std::string& out, std::span<const uint8_t> bytes) { append(out, bytes, kLetters, true); }
void append_base64url(std::string& out, std::span<const uint8_t> bytes) { append(out, bytes, kUrlLetters, false); }

void append_base16(std::string& out, std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0x0Fu];
  }
}

std::optional<std::vector<uint8_t>> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::vector<uint8_t> bytes;
  bytes.reserve(text.size() / 4 * 3);
  uint32_t word = 0;
  unsigned bits = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const int8_t value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    word = (word << 6) | static_cast<uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<uint8_t>((word >> bits) & 0xFFu));
    }
  }
  // The last letter may have bits that no byte takes up; they must be zero, else two texts would be the same bytes.
  if ((word & ((1u << bits) - 1u)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace nexus::host
