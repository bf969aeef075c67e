// How one line of the log is written, as text or as JSON. Apart from log.cpp, so that it is tested without a clock, a
// thread or a file. Pure functions but for the registry of secrets; any thread.
#pragma once

#include <string>

#include "host/base/log.hpp"

namespace nexus::host::log {

struct Line {
  Level level = Level::info;
  int64_t unix_ns = 0;
  std::string_view message;
  Fields fields;
  const Context* context = nullptr;  // may be null
};

struct Style {
  bool json = false;
  bool color = false;
};

// Texts longer than this are cut, and the cut says how much is missing.
inline constexpr std::size_t kTextSizeMax = 16 * 1024;

// Appends the line without its newline. JSON lines have the members time (RFC 3339, UTC, microseconds), level, message,
// then plugin, event_id, event_type, correlation_id, trace_id, span_id where known, then the fields; a field named like
// one of these gets "field_" before its name, and one that repeats an earlier name gets "_2" behind it.
void append_line(std::string& out, const Line& line, Style style);

}  // namespace nexus::host::log
