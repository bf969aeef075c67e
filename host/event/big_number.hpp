// Whole numbers beyond 64 bits: from decimal digits to the big-endian bytes of a CBOR big number (RFC 8949 section
// 3.4.3) and back. Pure functions; their time grows with the square of the length, so callers bound it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nexus::host {

// `digits` are 0-9 alone. No leading zero bytes; zero is no byte at all.
std::vector<uint8_t> digits_to_bytes(std::string_view digits);

// No leading zeros; no bytes, or zero bytes, are "0".
std::string bytes_to_digits(std::span<const uint8_t> big_endian);

// One less, or one more: CBOR keeps a negative number as n of -1 - n. decrement needs a number above zero.
void decrement(std::vector<uint8_t>& big_endian);
void increment(std::vector<uint8_t>& big_endian);

}  // namespace nexus::host
