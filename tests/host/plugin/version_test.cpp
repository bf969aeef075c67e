#include "host/plugin/version.hpp"

#include <string>
#include <tuple>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <rapidcheck.h>

using namespace nexus::host;

namespace {

Version version(std::string_view text) {
  const auto parsed = parse_version(text);
  INFO(text);
  REQUIRE(parsed.has_value());
  return *parsed;
}

bool fits(std::string_view range_text, std::string_view version_text) {
  const auto range = VersionRange::parse(range_text);
  INFO(range_text);
  REQUIRE(range.has_value());
  return range->contains(version(version_text));
}

}  // namespace

TEST_CASE("versions are read and written back") {
  for (const char* text : {"0.0.0", "1.2.3", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7", "1.0.0-x.7.z.92",
                           "1.0.0-x-y-z.--", "1.0.0+20130313144700", "1.0.0-beta+exp.sha.5114f85", "1.0.0+001",
                           "18446744073709551615.0.0", "1.0.0-99999999999999999999999"}) {
    CHECK(version(text).text() == text);
  }
}

TEST_CASE("what is no version is refused with a sentence") {
  const std::vector<std::tuple<const char*, const char*>> wrong = {
      {"", "empty"},
      {"1", "exactly three numbers"},
      {"1.2", "exactly three numbers"},
      {"1.2.3.4", "exactly three numbers"},
      {"1..3", "not a number"},
      {"a.b.c", "not a number"},
      {"-1.2.3", "exactly three"},
      {"01.2.3", "major number has a leading zero"},
      {"1.02.3", "minor number has a leading zero"},
      {"1.2.03", "patch number has a leading zero"},
      {"1.2.3-", "pre-release is empty"},
      {"1.2.3-a..b", "pre-release is empty"},
      {"1.2.3-01", "leading zero"},
      {"1.2.3-a_b", "out of [0-9A-Za-z-]"},
      {"1.2.3+", "build is empty"},
      {"1.2.3+a+b", "build has a character"},
      {"v1.2.3", "not a number"},
      {" 1.2.3", "not a number"},
      {"1.2.3 ", "not a number"},
      {"18446744073709551616.0.0", "too large"},
  };
  for (const auto& [text, part] : wrong) {
    const auto parsed = parse_version(text);
    INFO(text);
    REQUIRE(parsed.has_error());
    CHECK(parsed.error().code == NEXUS_E_ARGUMENT);
    CHECK(parsed.error().message.find(part) != std::string::npos);
  }
  CHECK(parse_version(std::string(300, '1')).has_error());
}

TEST_CASE("precedence follows section 11 of semver.org") {
  const std::vector<const char*> rising = {
      "0.0.1",        "0.1.0",      "1.0.0-0",    "1.0.0-1",      "1.0.0-2",     "1.0.0-10",   "1.0.0-99999999999999999999",
      "1.0.0-alpha",  "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
      "1.0.0",        "1.0.1-a",    "1.0.1",      "1.1.0",        "1.10.0",      "2.0.0",      "10.0.0"};
  for (size_t a = 0; a < rising.size(); ++a) {
    for (size_t b = 0; b < rising.size(); ++b) {
      INFO(rising[a] << " and " << rising[b]);
      CHECK((version(rising[a]) < version(rising[b])) == (a < b));
      CHECK((version(rising[a]) == version(rising[b])) == (a == b));
    }
  }
  CHECK(version("1.0.0+a") == version("1.0.0+b"));
}

TEST_CASE("ranges take what they say") {
  struct Row {
    const char* range;
    std::vector<const char*> in;
    std::vector<const char*> out;
  };
  const std::vector<Row> rows = {
      {"*", {"0.0.0", "1.2.3", "9.9.9-rc.1"}, {}},
      {"", {"0.0.0", "1.2.3", "9.9.9-rc.1"}, {}},
      {"x", {"1.2.3"}, {}},
      {"1.2.3", {"1.2.3", "1.2.3+build"}, {"1.2.4", "1.2.2", "1.2.3-rc.1"}},
      {"=1.2.3", {"1.2.3"}, {"1.2.4"}},
      {"^1.2", {"1.2.0", "1.99.0"}, {"1.1.9", "2.0.0", "2.0.0-rc.1", "1.3.0-rc.1"}},
      {"^1.2.3", {"1.2.3", "1.3.0"}, {"1.2.2", "2.0.0"}},
      {"^1", {"1.0.0", "1.9.9"}, {"0.9.9", "2.0.0"}},
      {"^0.2.3", {"0.2.3", "0.2.9"}, {"0.2.2", "0.3.0", "1.0.0"}},
      {"^0.0.3", {"0.0.3"}, {"0.0.2", "0.0.4"}},
      {"^0.0", {"0.0.0", "0.0.9"}, {"0.1.0"}},
      {"^0", {"0.0.0", "0.9.9"}, {"1.0.0"}},
      {"^1.x", {"1.0.0", "1.5.0"}, {"2.0.0"}},
      {"~1.2.3", {"1.2.3", "1.2.9"}, {"1.2.2", "1.3.0"}},
      {"~1.2", {"1.2.0", "1.2.9"}, {"1.1.9", "1.3.0"}},
      {"~1", {"1.0.0", "1.9.0"}, {"2.0.0"}},
      {"1.x", {"1.0.0", "1.9.9"}, {"0.9.9", "2.0.0", "2.0.0-a"}},
      {"1.2.x", {"1.2.0", "1.2.9"}, {"1.3.0"}},
      {"1.2.*", {"1.2.0", "1.2.9"}, {"1.3.0"}},
      {"1.2", {"1.2.0", "1.2.9"}, {"1.3.0"}},
      {"1", {"1.0.0", "1.9.9"}, {"2.0.0"}},
      {">=1.2 <2.0", {"1.2.0", "1.9.9"}, {"1.1.9", "2.0.0", "2.0.0-rc.1"}},
      {">= 1.2  < 2.0", {"1.2.0", "1.9.9"}, {"1.1.9", "2.0.0"}},
      {">1.2.3", {"1.2.4"}, {"1.2.3"}},
      {">1.2", {"1.3.0"}, {"1.2.0", "1.2.9"}},
      {">1", {"2.0.0"}, {"1.9.9"}},
      {"<=1.2", {"1.2.9", "0.1.0"}, {"1.3.0"}},
      {"<=1.2.3", {"1.2.3"}, {"1.2.4"}},
      {"<1.2", {"1.1.9"}, {"1.2.0"}},
      {"<*", {}, {"0.0.0", "1.0.0"}},
      {">*", {}, {"0.0.0", "99.0.0"}},
      {"^1.0 || ^3.0", {"1.5.0", "3.5.0"}, {"2.0.0", "4.0.0"}},
      {"^1.2.3-rc.2", {"1.2.3-rc.2", "1.2.3-rc.10", "1.2.3", "1.4.0"}, {"1.2.3-rc.1", "1.3.0-rc.9"}},
      {">=1.0.0-a <1.0.0", {"1.0.0-a", "1.0.0-rc.1"}, {"1.0.0", "0.9.0"}},
      {">18446744073709551615", {}, {"18446744073709551615.0.0"}},
      {"^18446744073709551615.1", {"18446744073709551615.1.0"}, {"1.0.0"}},
  };
  for (const Row& row : rows) {
    for (const char* text : row.in) {
      INFO(row.range << " takes " << text);
      CHECK(fits(row.range, text));
    }
    for (const char* text : row.out) {
      INFO(row.range << " leaves " << text);
      CHECK_FALSE(fits(row.range, text));
    }
  }
}

TEST_CASE("what is no range is refused with a sentence") {
  for (const char* text : {"=>1", "^", ">=", "1.2.3.4", "^x.1", "1.x.3", "one", "1.2-rc", ">=1.2 <", "^^1", "~>1", "1,2", "||^",
                           "^01", "1.2.3-", "><1"}) {
    const auto range = VersionRange::parse(text);
    INFO(text);
    REQUIRE(range.has_error());
    CHECK(range.error().code == NEXUS_E_ARGUMENT);
    CHECK(range.error().message.find("is not a version range") != std::string::npos);
  }
  CHECK(VersionRange::parse(std::string(300, '1')).has_error());
}

TEST_CASE("properties of versions") {
  const auto numbers = rc::gen::tuple(rc::gen::inRange<uint64_t>(0, 4), rc::gen::inRange<uint64_t>(0, 4),
                                      rc::gen::inRange<uint64_t>(0, 4));
  auto make = [](const std::tuple<uint64_t, uint64_t, uint64_t>& from) {
    return Version{std::get<0>(from), std::get<1>(from), std::get<2>(from), {}, {}};
  };
  CHECK(rc::check("text and parse are inverse; a caret holds from its floor to the next breaking version", [&] {
    const Version floor = make(*numbers);
    const Version other = make(*numbers);
    RC_ASSERT(version(floor.text()) == floor);
    const auto range = VersionRange::parse("^" + floor.text());
    RC_ASSERT(range.has_value());
    const bool same_line = floor.major != 0   ? other.major == floor.major
                           : floor.minor != 0 ? other.major == 0 && other.minor == floor.minor
                                              : other.major == 0 && other.minor == 0 && other.patch == floor.patch;
    RC_ASSERT(range->contains(other) == (same_line && other >= floor));
  }));
  CHECK(rc::check("no text makes the parsers do anything but answer", [] {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789.-+x*^~<>=| ab")));
    if (const auto parsed = parse_version(text)) RC_ASSERT(version(parsed->text()) == *parsed);
    (void)VersionRange::parse(text);
  }));
}
