#include "host/event/big_number.hpp"

#include <algorithm>

namespace nexus::host {
namespace {

constexpr uint32_t kBillion = 1'000'000'000;
constexpr size_t kBillionDigits = 9;

}  // namespace

std::vector<uint8_t> digits_to_bytes(std::string_view digits) {
  std::vector<uint32_t> words;  // little-endian, base 2^32
  while (!digits.empty()) {
    // The first piece takes what does not fill nine digits, so that all others do.
    const size_t length = digits.size() % kBillionDigits == 0 ? kBillionDigits : digits.size() % kBillionDigits;
    uint64_t carry = 0;
    for (const char c : digits.substr(0, length)) carry = carry * 10 + static_cast<uint64_t>(c - '0');
    digits.remove_prefix(length);
    for (uint32_t& word : words) {
      const uint64_t product = uint64_t{word} * kBillion + carry;
      word = static_cast<uint32_t>(product);
      carry = product >> 32;
    }
    if (carry != 0) words.push_back(static_cast<uint32_t>(carry));
  }
  std::vector<uint8_t> bytes;
  for (size_t i = words.size(); i-- > 0;) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      const auto byte = static_cast<uint8_t>(words[i] >> shift);
      if (byte != 0 || !bytes.empty()) bytes.push_back(byte);
    }
  }
  return bytes;
}

std::string bytes_to_digits(std::span<const uint8_t> big_endian) {
  std::vector<uint32_t> pieces;  // little-endian, base 10^9
  for (const uint8_t byte : big_endian) {
    uint64_t carry = byte;
    for (uint32_t& piece : pieces) {
      const uint64_t product = uint64_t{piece} * 256 + carry;
      piece = static_cast<uint32_t>(product % kBillion);
      carry = product / kBillion;
    }
    if (carry != 0) pieces.push_back(static_cast<uint32_t>(carry));
  }
  if (pieces.empty()) return "0";
  std::string digits = std::to_string(pieces.back());
  for (size_t i = pieces.size() - 1; i-- > 0;) {
    const std::string piece = std::to_string(pieces[i]);
    digits.append(kBillionDigits - piece.size(), '0');
    digits += piece;
  }
  return digits;
}

void decrement(std::vector<uint8_t>& big_endian) {
  for (size_t i = big_endian.size(); i-- > 0;) {
    if (big_endian[i]-- != 0) break;
  }
  if (!big_endian.empty() && big_endian.front() == 0) big_endian.erase(big_endian.begin());
}

void increment(std::vector<uint8_t>& big_endian) {
  for (size_t i = big_endian.size(); i-- > 0;) {
    if (++big_endian[i] != 0) return;
  }
  big_endian.insert(big_endian.begin(), 1);
}

}  // namespace nexus::host
