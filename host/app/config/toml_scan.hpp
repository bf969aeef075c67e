// Finds where the statements of a TOML text begin and end without understanding them: so much lexing as it takes to
// know strings, comments and brackets apart. With it a syntax error costs its statement only and the rest of the file
// is still checked, and no key is so deep that reading it would exhaust the stack. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nexus::host::config {

// Parts of one dotted key.
inline constexpr uint32_t kKeyPartsMax = 16;

struct Statement {
  uint32_t first_line = 0;  // from 1
  uint32_t last_line = 0;
  bool header = false;       // [table] or [[table]]
  bool terminated = true;    // false: a bracket or a multi-line string was still open at its end
  bool open_string = false;  // the latter
  uint32_t deep_column = 0;  // where a key with too many parts goes over the limit, on `deep_line`; else 0
  uint32_t deep_line = 0;
};

// The statements of the text in their order; lines with nothing but space and comments belong to none. A statement
// whose bracket is never closed ends before the next line that looks like a header or an assignment.
std::vector<Statement> scan_toml(std::string_view text);

}  // namespace nexus::host::config
