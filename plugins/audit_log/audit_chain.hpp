// The file format of the audit log: JSON lines that are chained by SHA-256. README.md beside this file describes it. One
// thread at a time; nothing here knows of plugins.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace audit {

inline constexpr std::size_t kHashSize = 64;  // hex digits

struct Link {
  std::uint64_t seq = 0;  // of the last line; 0: none yet
  std::string hash = std::string(kHashSize, '0');
};

// Appends the line for `event_json` that follows `link` to `out`, and moves `link` on.
void append_line(std::string& out, Link& link, std::string_view event_json);

// Reads one line, without its line feed, that must follow `link`; moves `link` on. Empty when it does, else what is
// wrong with it.
std::string check_line(std::string_view line, Link& link);

// Takes number and hash of a line on trust, to go on after it. False when it has not the form of a line.
bool read_line(std::string_view line, Link& link, std::string_view* event_json = nullptr,
               std::string* previous = nullptr);

}  // namespace audit
