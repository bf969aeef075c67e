// Text from outside made safe to print: valid UTF-8 without control characters. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

namespace nexus::host {

// Appends `text` with every control character (C0, DEL, C1), every character that reorders a line (bidi overrides and
// isolates, line and paragraph separators) and every byte that is not UTF-8 written as \n, \t, \x1b or \u202e.
void append_printable(std::string& out, std::string_view text);
std::string printable(std::string_view text);

// Appends `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD; control characters, the C1
// ones and DEL included, and what reorders a line are \u escapes. The result is always valid JSON and valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

// The length in bytes of the UTF-8 character at the front of `text`, 1 to 4; 0 when there is none (RFC 3629: no
// overlong forms, no surrogates, nothing above U+10FFFF). `code_point` gets its value.
unsigned utf8_front(std::string_view text, char32_t& code_point);

}  // namespace nexus::host
