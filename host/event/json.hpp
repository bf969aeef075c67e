// CBOR as JSON text and back, where events cross the edge of the process. Pure functions, any thread.
//
// To JSON: byte strings become base64url text (RFC 8949 section 6.1) or, under the tags 22 and 23, base64 and base16;
// big numbers (tags 2 and 3) decimal digits; other tags are passed over; NaN, infinities, undefined and unassigned
// simple values null; keys that are numbers, bytes and so on their own JSON text, while a list or a map as a key is
// refused. A double without a fraction is written as 1.0, so that it comes back as a double. To CBOR: integers stay
// exact, beyond 64 bits as big numbers; numbers with a fraction or an exponent become doubles in their shortest form.
// Refused, with line and column: text that is not UTF-8, nesting beyond 128, a key that stands twice in one object
// (readers differ in which of the two they see), a number out of a double's range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"

namespace nexus::host {

inline constexpr size_t kJsonBytesMax = size_t{64} << 20;
inline constexpr size_t kJsonDepthMax = 128;
inline constexpr size_t kJsonIntegerDigitsMax = 1'000;

// Exactly one item. NEXUS_E_CBOR, with the byte offset, when it is not well-formed.
Result<std::string> cbor_to_json(std::span<const uint8_t> cbor);

// The same, appended; on failure `out` is as it was.
Result<void> append_cbor_as_json(std::string& out, std::span<const uint8_t> cbor);

// Exactly one JSON value, white space around it allowed. NEXUS_E_JSON, or NEXUS_E_TOO_LARGE above `bytes_max`.
Result<std::vector<uint8_t>> json_to_cbor(std::string_view json, size_t bytes_max = kJsonBytesMax);

// Whether json_to_cbor would take it.
Result<void> check_json(std::string_view json, size_t bytes_max = kJsonBytesMax);

// Appends `text`, which must be UTF-8, in quotes and escaped as RFC 8259 wants.
void append_json_text(std::string& out, std::string_view text);

}  // namespace nexus::host
