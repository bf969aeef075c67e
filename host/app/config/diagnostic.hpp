// What is wrong with a config, as a compiler would say it: where, the sentence, the line with a caret, and what to do.
// Plain values, no thread restrictions. The text of a secret is never kept: the line is cut before it is stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nexus::host::config {

enum class Severity { warning, error };

struct Diagnostic {
  Severity severity = Severity::error;
  std::string file;  // a path, "environment variable NEXUS_…", "command line --…", or empty where there is no place
  uint32_t line = 0;        // from 1; 0 where there is no line
  uint32_t column = 0;      // from 1, in characters
  uint32_t length = 1;      // characters that the caret marks
  std::string key;          // the dotted path of the key, or empty
  std::string message;      // a sentence without a final full stop
  std::string help;         // "did you mean 'worker_count'?", or empty
  std::string source_line;  // the line as it stands in the file, secrets cut; may be empty
};

// More are not gathered: nobody reads them.
inline constexpr std::size_t kDiagnosticsMax = 100;

// How many of them are errors.
std::size_t error_count(const std::vector<Diagnostic>& diagnostics);

// `file:line:column: error: message`, the line, the caret, the help; each diagnostic ends with a newline. Control
// characters and broken UTF-8 of the file are escaped. With `color`, ANSI colours.
std::string render(const Diagnostic& diagnostic, bool color = false);
std::string render(const std::vector<Diagnostic>& diagnostics, bool color = false);

// The line with what stands behind the first secret-looking `name =` cut to ***, and the passwords of URLs too. A mere
// reference, "${NAME}" or "file:/path", is no secret and stays.
std::string cut_secrets(std::string_view line);

}  // namespace nexus::host::config
