// Moments as text (RFC 3339), between ns since 1970 and "2026-08-01T12:00:00.5Z". Pure functions, any thread; no time
// zones but the offset in the text itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nexus::host {

// In UTC with a Z, the fraction cut to as few digits as hold it exactly. Every int64 has a form (years 1677 to 2262).
std::string format_rfc3339(int64_t unix_ns);
void append_rfc3339(std::string& out, int64_t unix_ns);

// Takes any offset and any number of fraction digits (beyond nine they are cut off), and T and Z in lower case; a leap
// second is taken as the first moment after it. Nothing for other text and for times that int64 ns cannot hold.
std::optional<int64_t> parse_rfc3339(std::string_view text);

}  // namespace nexus::host
