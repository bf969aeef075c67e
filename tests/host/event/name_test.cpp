#include "host/event/name.hpp"

#include <rapidcheck.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <string>

#include "nexus/pattern.hpp"

using namespace nexus::host;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string complaint_about(std::string_view type) {
  const auto checked = check_type(type);
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().code == NEXUS_E_TYPE_NAME);
  CHECK_FALSE(is_valid_type(type));
  return checked.error().message;
}

}  // namespace

TEST_CASE("types are segments joined by dots") {
  for (const char* type : {"a", "order.created", "http.request.completed", "a-b_c.0", "-", "_", "9", "a.b.c.d.e.f.g"}) {
    INFO(type);
    CHECK(is_valid_type(type));
    CHECK(check_type(type).has_value());
  }
  CHECK(is_valid_type(std::string(255, 'a')));
}

TEST_CASE("what is wrong with a type is said with its place") {
  CHECK_THAT(complaint_about(""), ContainsSubstring("empty"));
  CHECK_THAT(complaint_about(std::string(256, 'a')), ContainsSubstring("256 bytes"));
  CHECK_THAT(complaint_about(".a"), ContainsSubstring("begins with a dot (byte 1)"));
  CHECK_THAT(complaint_about("."), ContainsSubstring("dot"));
  CHECK_THAT(complaint_about("a."), ContainsSubstring("ends with a dot (byte 2)"));
  CHECK_THAT(complaint_about("a..b"), ContainsSubstring("empty segment (byte 3)"));
  CHECK_THAT(complaint_about("order.*"), ContainsSubstring("wildcard"));
  CHECK_THAT(complaint_about("order.Created"), ContainsSubstring("capital letter, 'C', (byte 7)"));
  CHECK_THAT(complaint_about("a b"), ContainsSubstring("' ' is not allowed (byte 2)"));
  CHECK_THAT(complaint_about(std::string_view("a\0b", 3)), ContainsSubstring("0x00 is not allowed (byte 2)"));
  CHECK_THAT(complaint_about("a\u00e4"), ContainsSubstring("0xc3"));
  CHECK_THAT(complaint_about("a\n"), ContainsSubstring("0x0a"));
  CHECK_THAT(complaint_about("a/b"), ContainsSubstring("'/'"));
}

TEST_CASE("a complaint about anything is one line of printable characters") {
  CHECK(rc::check([](const std::string& text) {
    const auto checked = check_type(text);
    if (checked) return;
    for (const char c : checked.error().message) RC_ASSERT(c >= 0x20 && c < 0x7F);
    RC_ASSERT(checked.error().message.size() < 250u);
  }));
}

TEST_CASE("the SDK and the host agree about types") {
  CHECK(rc::check([] {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab.z-_09*A ")));
    RC_ASSERT(is_valid_type(text) == nexus::is_type_name(text));
    RC_ASSERT(is_valid_type(text) == check_type(text).has_value());
  }));
}

TEST_CASE("system.* and plugin.* are the host's") {
  for (const char* type : {"system.started", "plugin.error", "system", "plugin", "system.a.b"}) {
    CHECK(is_reserved_type(type));
  }
  for (const char* type :
       {"systems.started", "plugins.error", "my.system.x", "order.plugin.a", "syste", "plugin_a.b"}) {
    CHECK_FALSE(is_reserved_type(type));
  }
}

TEST_CASE("plugin ids are reverse-DNS") {
  for (const char* id : {"a.b", "com.example.orders", "com.example.my-plugin_2"}) {
    INFO(id);
    CHECK(is_valid_plugin_id(id));
    CHECK(check_plugin_id(id).has_value());
  }
  CHECK(is_valid_plugin_id("a." + std::string(126, 'b')));
  for (const std::string& id :
       {std::string(), std::string("ab"), std::string("orders"), std::string("a."), std::string(".ab"),
        std::string("a..b"), std::string("Com.example"), std::string("com.example/x"), std::string("com.exa mple"),
        "a." + std::string(127, 'b')}) {
    INFO(id);
    CHECK_FALSE(is_valid_plugin_id(id));
    const auto checked = check_plugin_id(id);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().code == NEXUS_E_ARGUMENT);
    CHECK_FALSE(checked.error().help.empty());
  }
}

TEST_CASE("names of subscriptions") {
  for (const char* name : {"record", "on_error", "A.b-9", "x"}) {
    CHECK(is_valid_subscription_name(name));
    CHECK(check_subscription_name(name).has_value());
  }
  CHECK(is_valid_subscription_name(std::string(128, 'n')));
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a/b"), std::string("\xC3\xA4"), std::string(129, 'n')}) {
    INFO(name);
    CHECK_FALSE(is_valid_subscription_name(name));
    CHECK(check_subscription_name(name).error().code == NEXUS_E_ARGUMENT);
  }
}

TEST_CASE("UTF-8 is told from what only looks like it, with the place") {
  for (const char* text : {"", "plain", "\u00e4\u20ac\U0001F600", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF",
                           "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    INFO(text);
    CHECK(is_utf8(text));
    CHECK(check_utf8(text, "the text").has_value());
  }
  for (const char* text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x9F\xBF", "\xE2\x82", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x28\xA1", "\xF0\x9F\x98\x28"}) {
    const std::string padded = "12345678901\u00e4" + std::string(text) + "xyz";
    INFO(text);
    CHECK_FALSE(is_utf8(text));
    CHECK_FALSE(is_utf8(padded));
    const auto checked = check_utf8(padded, "the subject");
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().code == NEXUS_E_UTF8);
    CHECK(checked.error().message == "the subject is not UTF-8 at byte 14");
  }
}
