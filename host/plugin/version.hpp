// Versions and version ranges of plugins: Semantic Versioning 2.0.0, with the range forms that package managers have made
// common. Plain values and pure functions; no thread restrictions.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"

namespace nexus::host {

struct Version {
  uint64_t major = 0;
  uint64_t minor = 0;
  uint64_t patch = 0;
  std::vector<std::string> prerelease;  // "rc", "1"
  std::string build;                    // takes no part in comparing (semver.org section 10)

  // Precedence as of semver.org section 11; two that differ in build only are equivalent.
  std::weak_ordering operator<=>(const Version& other) const;
  bool operator==(const Version& other) const { return (*this <=> other) == 0; }

  std::string text() const;
};

// "1.2.3", "1.2.3-rc.1+build.5" and nothing looser. NEXUS_E_ARGUMENT; the sentence says what is wrong with it.
Result<Version> parse_version(std::string_view text);

// Which versions of another plugin will do. Comparators apart by spaces must all hold; alternatives apart by "||".
//
//   range       = alternative *( "||" alternative )
//   alternative = *comparator                 ; none: any version
//   comparator  = [ "^" / "~" / ">=" / "<=" / ">" / "<" / "=" ] partial
//   partial     = "*" / major [ "." ( minor / "x" ) [ "." ( patch / "x" ) [ "-" prerelease ] ] ]
//
// ^1.2 is >=1.2.0 <2.0.0, and below 1.0.0 the first number that is not zero is the one that must not change; ~1.2.3 is
// >=1.2.3 <1.3.0; 1.x and 1 are >=1.0.0 <2.0.0. A pre-release fits only where the alternative names a pre-release of
// the same three numbers, or is "*".
class VersionRange {
 public:
  // Empty text is "*". NEXUS_E_ARGUMENT; the sentence quotes the part that cannot be read.
  static Result<VersionRange> parse(std::string_view text);

  bool contains(const Version& version) const;

 private:
  enum class Test { less, less_equal, equal, greater_equal, greater };
  struct Bound {
    Test test;
    Version version;
    bool names_prerelease;  // written by the author, not the "-0" that closes an upper bound
  };
  using Alternative = std::vector<Bound>;

  static Result<void> parse_comparator(std::string_view text, Alternative& into);
  static bool holds(const Alternative& alternative, const Version& version);

  std::vector<Alternative> alternatives_;
};

}  // namespace nexus::host
