// Base64 and base64url (RFC 4648). Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nexus::host {

// With padding.
void append_base64(std::string& out, std::span<const uint8_t> bytes);

// With the letters that are safe in URLs, without padding.
void append_base64url(std::string& out, std::span<const uint8_t> bytes);

// Lower-case hexadecimal digits.
void append_base16(std::string& out, std::span<const uint8_t> bytes);

// Base64 with padding; nothing for anything else, spaces and bits left over included.
std::optional<std::vector<uint8_t>> decode_base64(std::string_view text);

}  // namespace nexus::host
