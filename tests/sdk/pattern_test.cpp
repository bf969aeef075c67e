#include "nexus/pattern.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <rapidcheck.h>
#include <catch2/catch_test_macros.hpp>

namespace {

using nexus::is_pattern;
using nexus::is_type_name;
using nexus::pattern_matches;

struct Row {
  const char* pattern;
  const char* type;
  bool matches;
};

// The meanings of the documentation, one by one.
constexpr Row kRows[] = {
    {"order.created", "order.created", true},
    {"order.created", "order.created.late", false},
    {"order.created", "order", false},
    {"order", "order", true},
    {"*", "order", true},
    {"*", "a.b.c", true},
    {"**", "order", true},
    {"**", "a.b.c", true},
    {"*.error", "system.error", true},
    {"*.error", "a.b.error", true},
    {"*.error", "error", false},
    {"*.error", "system.errors", false},
    {"*.error", "system.error.late", false},
    {"user.*", "user.registered", true},
    {"user.*", "user.profile.updated", true},
    {"user.*", "user", false},
    {"user.*", "users.registered", false},
    {"a.*.c", "a.b.c", true},
    {"a.*.c", "a.c", false},
    {"a.*.c", "a.b.b.c", false},
    {"a.*.*.d", "a.b.c.d", true},
    {"a.*.*.d", "a.b.d", false},
    {"a.**.c", "a.c", true},
    {"a.**.c", "a.b.c", true},
    {"a.**.c", "a.b.b.c", true},
    {"a.**.c", "a.b.b", false},
    {"**.c", "c", true},
    {"**.c", "a.b.c", true},
    {"a.**", "a", true},
    {"a.**", "a.b.c", true},
    {"a.**", "b", false},
    {"*.*", "a", false},
    {"*.*", "a.b", true},
    {"*.*", "a.b.c.d", true},
    {"*.b.*", "a.b.c", true},
    {"*.b.*", "a.a.b.c.c", true},
    {"*.b.*", "b.c", false},
    {"*.b.*", "a.b", false},
    {"*.b.*", "b.b.b", true},
    {"**.a.**", "a", true},
    {"**.a.**.a", "a", false},
    {"**.a.**.a", "b.a.b.a", true},
    {"a.**.b.*.c", "a.b.x.b.y.c", true},
    {"a.**.b.*.c", "a.b.x.b.c", false},
};

TEST_CASE("a pattern matches the types that the documentation says") {
  for (const Row& row : kRows) {
    CAPTURE(row.pattern, row.type);
    CHECK(is_pattern(row.pattern));
    CHECK(is_type_name(row.type));
    CHECK(pattern_matches(row.pattern, row.type) == row.matches);
  }
  STATIC_CHECK(pattern_matches("*.error", "a.b.error"));
  STATIC_CHECK_FALSE(pattern_matches("a.*.c", "a.c"));
}

TEST_CASE("names and patterns that cannot be read are told apart, with a reason") {
  for (const char* bad :
       {"", ".", "a.", ".a", "a..b", "Order.created", "order created", "order/created", "\xc3\xa9", "a\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_type_name(bad));
    CHECK_FALSE(is_pattern(bad));
  }
  for (const char* wild : {"*", "**", "user.*", "*.error", "a.*.c", "a.**"}) {
    CAPTURE(wild);
    CHECK_FALSE(is_type_name(wild));
    CHECK(is_pattern(wild));
  }
  for (const char* bad : {"user*", "*user", "a.b*.c", "***", "a.***", "*.", ".*", "a.*.."}) {
    CAPTURE(bad);
    CHECK_FALSE(is_pattern(bad));
  }
  CHECK(is_type_name("a-b_c.0-9"));
  CHECK(std::string_view(nexus::type_name_problem("user.*")) == "an event type has no wildcards");
  CHECK(std::string_view(nexus::pattern_problem("user*")) == "a * must be a whole segment, as in user.* or *.error");
  CHECK(std::string_view(nexus::pattern_problem("User")) == "it has a capital letter; use a-z, 0-9, _ and -");
  CHECK(nexus::pattern_problem("user.*") == nullptr);
}

TEST_CASE("a name has at most 255 bytes") {
  CHECK(is_type_name(std::string(255, 'a')));
  CHECK_FALSE(is_type_name(std::string(256, 'a')));
  CHECK_FALSE(is_pattern(std::string(256, '*')));
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// The definition, tried out in every way: slow, and too plain to be wrong.
bool matches_by_definition(const std::vector<std::string>& pattern, std::size_t p, const std::vector<std::string>& type,
                           std::size_t t) {
  if (p == pattern.size()) return t == type.size();
  const std::string& part = pattern[p];
  const bool edge = p == 0 || p + 1 == pattern.size();
  if (part == "**" || (part == "*" && edge)) {
    for (std::size_t taken = part == "*" ? 1 : 0; t + taken <= type.size(); ++taken) {
      if (matches_by_definition(pattern, p + 1, type, t + taken)) return true;
    }
    return false;
  }
  if (t == type.size() || (part != "*" && part != type[t])) return false;
  return matches_by_definition(pattern, p + 1, type, t + 1);
}

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ".") + part;
  return text;
}

TEST_CASE("matching agrees with the definition") {
  const bool good = rc::check([] {
    // Few letters and short lists, so that many pairs match or nearly match.
    const auto list = [](int size_max, std::vector<std::string> of) {
      const auto size = static_cast<std::size_t>(*rc::gen::inRange(1, size_max));
      return *rc::gen::container<std::vector<std::string>>(size, rc::gen::elementOf(std::move(of)));
    };
    const std::vector<std::string> parts = list(8, {"a", "b", "*", "**"});
    const std::vector<std::string> segments = list(10, {"a", "b"});
    const std::string pattern = join(parts);
    const std::string type = join(segments);
    RC_ASSERT(pattern_matches(pattern, type) == matches_by_definition(split(pattern), 0, split(type), 0));
  });
  CHECK(good);
}

TEST_CASE("matching stays quick for a pattern made to be slow") {
  // 84 wildcards against 127 segments that almost match: backtracking without a bound would take for ever.
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "**.a.";
  pattern.resize(250);
  while (!is_pattern(pattern)) pattern.pop_back();
  std::string type;
  for (int i = 0; i < 126; ++i) type += "a.";
  type += "b";
  CHECK_FALSE(pattern_matches(pattern + ".c", type));
}

}  // namespace
