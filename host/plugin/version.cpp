#include "host/plugin/version.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace nexus::host {
namespace {

constexpr size_t kTextBytesMax = 256;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_number(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }
bool is_identifier_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

std::string quoted(std::string_view text) { return "\"" + std::string(text.substr(0, kTextBytesMax)) + "\""; }

Error wrong(std::string_view whole, const std::string& what) {
  return make_error(NEXUS_E_ARGUMENT, quoted(whole) + " is not a version: " + what,
                    "write it as MAJOR.MINOR.PATCH, e.g. 1.4.0 or 2.0.0-rc.1 (semver.org)");
}

// The text before the next `separator`, which is taken off the front of `rest` too.
std::string_view take_until(std::string_view& rest, char separator) {
  const size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return head;
}

Result<uint64_t> parse_number(std::string_view part, std::string_view whole, const char* noun) {
  if (!is_number(part)) return wrong(whole, std::string("its ") + noun + " " + quoted(part) + " is not a number");
  if (part.size() > 1 && part.front() == '0') return wrong(whole, std::string("its ") + noun + " has a leading zero");
  uint64_t value = 0;
  const auto [end, code] = std::from_chars(part.data(), part.data() + part.size(), value);
  if (code != std::errc() || end != part.data() + part.size()) {
    return wrong(whole, std::string("its ") + noun + " is too large");
  }
  return value;
}

// Dot-separated identifiers of section 9 (pre-release, where numbers have no leading zero) and 10 (build).
Result<std::vector<std::string>> parse_identifiers(std::string_view text, std::string_view whole, bool prerelease) {
  const char* noun = prerelease ? "pre-release" : "build";
  std::vector<std::string> out;
  for (size_t begin = 0;;) {
    const size_t dot = text.find('.', begin);
    const std::string_view part = text.substr(begin, dot == std::string_view::npos ? dot : dot - begin);
    if (part.empty()) return wrong(whole, std::string("a part of its ") + noun + " is empty");
    if (!std::all_of(part.begin(), part.end(), is_identifier_char)) {
      return wrong(whole, std::string("its ") + noun + " has a character out of [0-9A-Za-z-]");
    }
    if (prerelease && is_number(part) && part.size() > 1 && part.front() == '0') {
      return wrong(whole, "a number of its pre-release has a leading zero");
    }
    out.emplace_back(part);
    if (dot == std::string_view::npos) return out;
    begin = dot + 1;
  }
}

// Section 11.4: numbers below words, numbers by value (of any length: compared as text without leading zeros).
std::weak_ordering compare_identifiers(const std::string& a, const std::string& b) {
  const bool a_number = is_number(a);
  const bool b_number = is_number(b);
  if (a_number != b_number) return a_number ? std::weak_ordering::less : std::weak_ordering::greater;
  if (a_number && a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

// The front part of a version with some of its numbers left open, as ranges use it.
struct Partial {
  std::array<std::optional<uint64_t>, 3> numbers;
  std::vector<std::string> prerelease;

  Version floor() const {
    return {numbers[0].value_or(0), numbers[1].value_or(0), numbers[2].value_or(0), prerelease, {}};
  }
  size_t known() const {
    return numbers[0] ? (numbers[1] ? (numbers[2] ? 3 : 2) : 1) : 0;
  }
};

bool is_open(std::string_view part) { return part == "x" || part == "X" || part == "*"; }

Result<Partial> parse_partial(std::string_view text) {
  Partial out;
  const std::string_view whole = text;
  std::string_view build = text;
  text = take_until(build, '+');
  if (text.size() != whole.size()) {
    if (Result<std::vector<std::string>> parts = parse_identifiers(build, whole, false); !parts) return parts.error();
  }
  const size_t dash = text.find('-');
  std::string_view core = text.substr(0, dash);
  static constexpr std::array<const char*, 3> kNouns = {"major number", "minor number", "patch number"};
  bool open = false;
  for (size_t i = 0; i < 3; ++i) {
    const bool last = core.find('.') == std::string_view::npos;
    const std::string_view part = take_until(core, '.');
    if (is_open(part)) {
      open = true;
    } else {
      if (open) return wrong(whole, "a number cannot follow an open one");
      Result<uint64_t> number = parse_number(part, whole, kNouns[i]);
      if (!number) return number.error();
      out.numbers[i] = *number;
    }
    if (last) break;
    if (i == 2) return wrong(whole, "it has more than three numbers");
  }
  if (dash == std::string_view::npos) return out;
  if (out.known() != 3) return wrong(whole, "a pre-release needs all three numbers before it");
  Result<std::vector<std::string>> prerelease = parse_identifiers(text.substr(dash + 1), whole, true);
  if (!prerelease) return prerelease.error();
  out.prerelease = std::move(*prerelease);
  return out;
}

// The lowest version of all above those that share the first `kept` numbers: with its "-0" it is below each release
// and pre-release of the next one, so that <2.0.0 does not let 2.0.0-rc.1 in. Nothing when a number would overflow.
std::optional<Version> ceiling(const Version& floor, size_t kept) {
  Version out;
  out.prerelease = {"0"};
  out.major = floor.major;
  out.minor = kept >= 2 ? floor.minor : 0;
  out.patch = kept >= 3 ? floor.patch : 0;
  uint64_t& last = kept == 1 ? out.major : kept == 2 ? out.minor : out.patch;
  if (last == UINT64_MAX) return std::nullopt;
  ++last;
  return out;
}

// How many leading numbers a caret keeps: up to the first that is not zero, or all that were written.
size_t caret_keeps(const Partial& partial) {
  for (size_t i = 0; i < 3; ++i) {
    if (!partial.numbers[i]) return i == 0 ? 0 : i;
    if (*partial.numbers[i] != 0) return i + 1;
  }
  return 3;
}

}  // namespace

std::weak_ordering Version::operator<=>(const Version& other) const {
  if (const auto order = major <=> other.major; order != 0) return order;
  if (const auto order = minor <=> other.minor; order != 0) return order;
  if (const auto order = patch <=> other.patch; order != 0) return order;
  if (prerelease.empty() != other.prerelease.empty()) {
    return prerelease.empty() ? std::weak_ordering::greater : std::weak_ordering::less;
  }
  const size_t shared = std::min(prerelease.size(), other.prerelease.size());
  for (size_t i = 0; i < shared; ++i) {
    if (const auto order = compare_identifiers(prerelease[i], other.prerelease[i]); order != 0) return order;
  }
  return prerelease.size() <=> other.prerelease.size();
}

std::string Version::text() const {
  std::string out = std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  char before = '-';
  for (const std::string& part : prerelease) {
    out += before + part;
    before = '.';
  }
  if (!build.empty()) out += "+" + build;
  return out;
}

Result<Version> parse_version(std::string_view text) {
  if (text.empty()) return make_error(NEXUS_E_ARGUMENT, "the version is empty", "write it as MAJOR.MINOR.PATCH");
  if (text.size() > kTextBytesMax) return wrong(text, "it is longer than 256 bytes");
  Version out;
  const std::string_view whole = text;
  const size_t plus = text.find('+');
  if (plus != std::string_view::npos) {
    out.build = text.substr(plus + 1);
    if (Result<std::vector<std::string>> parts = parse_identifiers(out.build, whole, false); !parts) return parts.error();
    text = text.substr(0, plus);
  }
  const size_t dash = text.find('-');
  if (dash != std::string_view::npos) {
    Result<std::vector<std::string>> parts = parse_identifiers(text.substr(dash + 1), whole, true);
    if (!parts) return parts.error();
    out.prerelease = std::move(*parts);
  }
  std::string_view core = text.substr(0, dash);
  if (std::count(core.begin(), core.end(), '.') != 2) return wrong(whole, "it needs exactly three numbers");
  Result<uint64_t> major = parse_number(take_until(core, '.'), whole, "major number");
  if (!major) return major.error();
  Result<uint64_t> minor = parse_number(take_until(core, '.'), whole, "minor number");
  if (!minor) return minor.error();
  Result<uint64_t> patch = parse_number(core, whole, "patch number");
  if (!patch) return patch.error();
  out.major = *major;
  out.minor = *minor;
  out.patch = *patch;
  return out;
}

Result<VersionRange> VersionRange::parse(std::string_view text) {
  if (text.size() > kTextBytesMax) return make_error(NEXUS_E_ARGUMENT, quoted(text) + " is too long for a version range");
  VersionRange out;
  for (size_t begin = 0;;) {
    const size_t bars = text.find("||", begin);
    std::string_view rest = text.substr(begin, bars == std::string_view::npos ? bars : bars - begin);
    Alternative alternative;
    while (!rest.empty()) {
      std::string_view word = take_until(rest, ' ');
      if (word.empty()) continue;
      // ">= 1.2": the operator may stand apart from its version.
      const size_t operand = word.find_first_not_of("<>=^~");
      if (operand == std::string_view::npos) {
        const size_t next = rest.find_first_not_of(' ');
        if (next == std::string_view::npos) {
          return make_error(NEXUS_E_ARGUMENT, quoted(text) + " is not a version range: nothing follows " + quoted(word));
        }
        const size_t stop = std::min(rest.find(' ', next), rest.size());
        const std::string joined = std::string(word) + std::string(rest.substr(next, stop - next));
        rest = rest.substr(stop);
        if (Result<void> read = parse_comparator(joined, alternative); !read) return read.error();
        continue;
      }
      if (Result<void> read = parse_comparator(word, alternative); !read) return read.error();
    }
    out.alternatives_.push_back(std::move(alternative));
    if (bars == std::string_view::npos) return out;
    begin = bars + 2;
  }
}

Result<void> VersionRange::parse_comparator(std::string_view text, Alternative& into) {
  const size_t operand = std::min(text.find_first_not_of("<>=^~"), text.size());
  const std::string_view sign = text.substr(0, operand);
  Result<Partial> partial = parse_partial(text.substr(operand));
  if (!partial) {
    return make_error(NEXUS_E_ARGUMENT, quoted(text) + " is not a version range: " + partial.error().message,
                      "write e.g. ^1.2, ~1.2.3, >=1.2 <2.0, 1.x or *");
  }
  const Version floor = partial->floor();
  const size_t known = partial->known();
  const bool named = !partial->prerelease.empty();
  auto at_least = [&] { into.push_back({Test::greater_equal, floor, named}); };
  auto below_next = [&](size_t kept) {
    if (kept == 0) return;
    if (std::optional<Version> next = ceiling(floor, kept)) into.push_back({Test::less, *next, false});
  };

  if (sign == "^") {
    if (known > 0) at_least();
    below_next(known == 0 ? 0 : caret_keeps(*partial));
  } else if (sign == "~") {
    if (known > 0) at_least();
    below_next(std::min<size_t>(known, 2));
  } else if (sign.empty() || sign == "=") {
    if (known == 3) {
      into.push_back({Test::equal, floor, named});
    } else {
      if (known > 0) at_least();
      below_next(known);
    }
  } else if (sign == ">=") {
    if (known > 0) at_least();
  } else if (sign == "<") {
    Version bound = floor;
    if (known < 3) bound.prerelease = {"0"};
    into.push_back({Test::less, bound, named});
  } else if (sign == "<=") {
    if (known == 3) into.push_back({Test::less_equal, floor, named});
    if (known < 3) below_next(known);
  } else if (sign == ">") {
    if (known == 3) {
      into.push_back({Test::greater, floor, named});
    } else if (std::optional<Version> next = known == 0 ? std::nullopt : ceiling(floor, known)) {
      into.push_back({Test::greater_equal, *next, false});
    } else {
      into.push_back({Test::less, Version{0, 0, 0, {"0"}, {}}, false});  // above everything: nothing fits
    }
  } else {
    return make_error(NEXUS_E_ARGUMENT, quoted(text) + " is not a version range: unknown operator " + quoted(sign),
                      "write e.g. ^1.2, ~1.2.3, >=1.2 <2.0, 1.x or *");
  }
  return {};
}

bool VersionRange::holds(const Alternative& alternative, const Version& version) {
  bool prerelease_named = version.prerelease.empty() || alternative.empty();
  for (const Bound& bound : alternative) {
    const std::weak_ordering order = version <=> bound.version;
    const bool ok = bound.test == Test::less            ? order < 0
                    : bound.test == Test::less_equal    ? order <= 0
                    : bound.test == Test::equal         ? order == 0
                    : bound.test == Test::greater_equal ? order >= 0
                                                        : order > 0;
    if (!ok) return false;
    if (bound.names_prerelease && bound.version.major == version.major && bound.version.minor == version.minor &&
        bound.version.patch == version.patch) {
      prerelease_named = true;
    }
  }
  return prerelease_named;
}

bool VersionRange::contains(const Version& version) const {
  return std::any_of(alternatives_.begin(), alternatives_.end(),
                     [&](const Alternative& alternative) { return holds(alternative, version); });
}

}  // namespace nexus::host
