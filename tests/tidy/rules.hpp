// The rules that a compiler does not check. Each takes a tree and gives its findings, a sentence each; none means well.
// Pure functions, no threads.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/tree.hpp"

namespace nexus::tidy {

using Findings = std::vector<std::string>;

// exceptions.txt: `length PATH LINES` for a file that is longer than the limit, `host NAME` for a host that a URL may
// name. Lines are `#` comments, empty, or one of these; anything else is reported.
struct Exceptions {
  std::map<std::string, std::size_t, std::less<>> lengths;
  std::set<std::string, std::less<>> hosts;
  Findings findings;
};
Exceptions read_exceptions(std::string_view text);

inline constexpr std::size_t kLinesMax = 400;
inline constexpr std::size_t kSlackMax = 25;  // how far below its listed number a file may be before that must follow

// An include goes down: each layer of host/ names only the layers below it; the C ABI includes standard C headers and
// itself; the SDK the standard library, the ABI and itself; a plugin the SDK and its own folder, never the host.
Findings check_includes(const Tree& tree);

// No code file is longer than kLinesMax, but for those listed, which may only shrink: an entry that is
// kSlackMax above the file, or no longer needed, is a finding too.
Findings check_lengths(const Tree& tree, const Exceptions& exceptions);

// Every source is named (or globbed) by a CMakeLists.txt or .cmake file in its folder or above; every header is
// included.
Findings check_reached(const Tree& tree);

// No file names a folder of this machine (`private_roots`) or a host that is not allowed.
Findings check_places(const Tree& tree, const Exceptions& exceptions, const std::vector<std::string>& private_roots);

// A code block of a README that follows `<!-- from PATH -->` is that file; after `<!-- from PATH#NAME -->` it is the
// part between the lines `snippet: NAME` and `end snippet` of that file, dedented. Every cpp block of the root's README
// says where it is from.
Findings check_snippets(const Tree& tree);

}  // namespace nexus::tidy
