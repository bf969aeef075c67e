#include "host/event/pattern.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "nexus/pattern.hpp"

using namespace nexus::host;
using Catch::Matchers::ContainsSubstring;
using Words = std::vector<std::string>;

namespace {

Pattern parse(std::string_view text) {
  auto pattern = Pattern::parse(text);
  REQUIRE(pattern.has_value());
  return *pattern;
}

std::string join(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ".") + word;
  return text;
}

// The definition, word by word, trying everything: slow, and plain to see.
bool oracle_from(std::span<const std::string> pattern, bool first, std::span<const std::string> type) {
  if (pattern.empty()) return type.empty();
  const bool at_edge = first || pattern.size() == 1;
  size_t least = 1;
  size_t most = 1;
  if (pattern[0] == "**") {
    least = 0;
    most = type.size();
  } else if (pattern[0] == "*" && at_edge) {
    most = type.size();
  } else if (pattern[0] != "*" && (type.empty() || type[0] != pattern[0])) {
    return false;
  }
  for (size_t taken = least; taken <= std::min(most, type.size()); ++taken) {
    if (oracle_from(pattern.subspan(1), false, type.subspan(taken))) return true;
  }
  return false;
}

bool oracle(const Words& pattern, const Words& type) { return oracle_from(pattern, true, type); }

rc::Gen<Words> words_of(const Words& choices, size_t most) {
  return rc::gen::mapcat(rc::gen::inRange<size_t>(1, most + 1), [choices](size_t count) {
    return rc::gen::container<Words>(count, rc::gen::elementOf(choices));
  });
}

}  // namespace

TEST_CASE("the examples of the specification") {
  CHECK(parse("*").matches("a"));
  CHECK(parse("*").matches("a.b.c"));
  CHECK(parse("*.error").matches("system.error"));
  CHECK(parse("*.error").matches("a.b.error"));
  CHECK_FALSE(parse("*.error").matches("error"));
  CHECK(parse("user.*").matches("user.profile.updated"));
  CHECK(parse("user.*").matches("user.registered"));
  CHECK_FALSE(parse("user.*").matches("user"));
  CHECK_FALSE(parse("user.*").matches("users.registered"));
  CHECK(parse("a.*.c").matches("a.b.c"));
  CHECK_FALSE(parse("a.*.c").matches("a.b.b.c"));
  CHECK_FALSE(parse("a.*.c").matches("a.c"));
  CHECK(parse("a.**.c").matches("a.c"));
  CHECK(parse("a.**.c").matches("a.x.y.c"));
  CHECK(parse("user.**").matches("user"));
  CHECK(parse("**.error").matches("error"));
  CHECK_FALSE(parse("*.*").matches("a"));
  CHECK(parse("*.*").matches("a.b"));
  CHECK(parse("order.created").matches("order.created"));
  CHECK_FALSE(parse("order.created").matches("order.created.now"));
  CHECK_FALSE(parse("order.created").matches("order"));
}

TEST_CASE("exact patterns and patterns for all are known as such") {
  CHECK(parse("order.created").is_exact());
  CHECK_FALSE(parse("order.*").is_exact());
  for (const char* text : {"*", "**", "**.**", "*.**", "**.*", "**.**.**"}) {
    INFO(text);
    CHECK(parse(text).is_all());
    CHECK(parse(text).matches("a"));
    CHECK_FALSE(parse(text).is_exact());
  }
  for (const char* text : {"*.*", "a", "*.a", "**.a.**", "*.**.*"}) CHECK_FALSE(parse(text).is_all());
}

TEST_CASE("is_all is true for exactly the patterns that match everything") {
  CHECK(rc::check([] {
    const Words pattern = *words_of({"a", "*", "**"}, 4);
    bool all = true;
    for (const Words& type :
         {Words{"a"}, Words{"b"}, Words{"b", "a"}, Words{"b", "b", "b", "b", "b"}, Words{"a", "a"}}) {
      all = all && oracle(pattern, type);
    }
    RC_ASSERT(Pattern::parse(join(pattern))->is_all() == all);
  }));
}

TEST_CASE("matching agrees with the definition, and with the SDK") {
  CHECK(rc::check([] {
    const Words pattern = *words_of({"a", "b", "ab", "*", "**"}, 7);
    const Words type = *words_of({"a", "b", "ab"}, 9);
    const bool expected = oracle(pattern, type);
    RC_TAG(expected);
    RC_ASSERT(Pattern::parse(join(pattern))->matches(join(type)) == expected);
    RC_ASSERT(nexus::pattern_matches(join(pattern), join(type)) == expected);
  }));
}

TEST_CASE("all short patterns against all short types") {
  const Words pattern_words = {"a", "b", "*", "**"};
  const Words type_words = {"a", "b"};
  const auto all_of = [](const Words& choices, size_t most) {
    std::vector<Words> all = {{}};
    size_t begin = 0;
    for (size_t length = 1; length <= most; ++length) {
      const size_t end = all.size();
      for (size_t i = begin; i < end; ++i) {
        for (const std::string& word : choices) {
          Words longer = all[i];
          longer.push_back(word);
          all.push_back(longer);
        }
      }
      begin = end;
    }
    all.erase(all.begin());
    return all;
  };
  const auto types = all_of(type_words, 5);
  size_t wrong = 0;
  for (const Words& pattern : all_of(pattern_words, 4)) {
    const Pattern parsed = parse(join(pattern));
    for (const Words& type : types) {
      if (parsed.matches(join(type)) != oracle(pattern, type)) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("a pattern made to be slow is not") {
  std::string pattern = "**";
  for (int i = 0; i < 60; ++i) pattern += ".a.**";
  pattern = pattern.substr(0, 251) + ".z";
  std::string type = "a";
  for (int i = 0; i < 126; ++i) type += ".a";
  const auto parsed = Pattern::parse(pattern);
  REQUIRE(parsed.has_value());
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(parsed->matches(type));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
}

TEST_CASE("what cannot be read is refused with its place") {
  const auto complaint = [](std::string_view text) {
    const auto parsed = Pattern::parse(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == NEXUS_E_PATTERN);
    CHECK_FALSE(parsed.error().help.empty());
    return parsed.error().message;
  };
  CHECK_THAT(complaint(""), ContainsSubstring("empty"));
  CHECK_THAT(complaint(std::string(256, 'a')), ContainsSubstring("256"));
  CHECK_THAT(complaint("."), ContainsSubstring("empty segment"));
  CHECK_THAT(complaint(".a"), ContainsSubstring("empty segment (byte 1)"));
  CHECK_THAT(complaint("a."), ContainsSubstring("empty segment (byte 2)"));
  CHECK_THAT(complaint("a..b"), ContainsSubstring("empty segment (byte 3)"));
  CHECK_THAT(complaint("a*"), ContainsSubstring("whole segment (byte 2)"));
  CHECK_THAT(complaint("x.*b.c"), ContainsSubstring("whole segment (byte 3)"));
  CHECK_THAT(complaint("***"), ContainsSubstring("whole segment (byte 1)"));
  CHECK_THAT(complaint("a.B"), ContainsSubstring("(byte 3)"));
  CHECK_THAT(complaint("a.?"), ContainsSubstring("(byte 3)"));
  CHECK_THAT(complaint(std::string_view("a\0", 2)), ContainsSubstring("(byte 2)"));
  CHECK_THAT(complaint("\xFF"), ContainsSubstring("(byte 1)"));
  CHECK(Pattern::parse(std::string(255, 'a')).has_value());
}

TEST_CASE("the SDK and the host take the same patterns") {
  CHECK(rc::check([] {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab.*.*-_9A ")));
    RC_ASSERT(Pattern::parse(text).has_value() == nexus::is_pattern(text));
  }));
}

TEST_CASE("a pattern tells what it means") {
  CHECK(parse("order.created").explain() == "exactly order.created");
  CHECK(parse("*").explain() == "every event");
  CHECK(parse("user.*").explain() == "user, then one or more segments");
  CHECK(parse("*.error").explain() == "one or more segments, then error");
  CHECK(parse("a.b.*.c").explain() == "a.b, then exactly one segment, then c");
  CHECK(parse("a.**.c").explain() == "a, then any number of segments, then c");
  CHECK(parse("user.*").text() == "user.*");
}

TEST_CASE("types that no bus would make are answered without harm") {
  for (const char* type : {"", ".", "..", "a..b", "a.", ".a", "*", "**"}) {
    for (const char* text : {"a.*", "*.a", "a.**.b", "*.*", "a"}) (void)parse(text).matches(type);
  }
  CHECK_FALSE(parse("a.*").matches(""));
}
