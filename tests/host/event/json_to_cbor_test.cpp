#include <rapidcheck.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <cmath>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "host/event/json.hpp"
#include "nexus/cbor.hpp"

using namespace nexus::host;
using Catch::Matchers::ContainsSubstring;
using Bytes = std::vector<uint8_t>;

namespace {

std::string hex_of(std::string_view json) {
  const auto cbor = json_to_cbor(json);
  if (!cbor) return "failed: " + cbor.error().message;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const uint8_t byte : *cbor) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::string complaint_about(std::string_view json) {
  const auto cbor = json_to_cbor(json);
  REQUIRE_FALSE(cbor.has_value());
  CHECK(cbor.error().code == NEXUS_E_JSON);
  CHECK_FALSE(check_json(json).has_value());
  return cbor.error().message;
}

std::string any_text() {
  // Code points of every length, and what JSON escapes.
  static const std::string kPieces[] = {"a",    "key",  "\"",     "\\",     "\n",         std::string(1, '\0'),
                                        "\x1F", "\x7F", "\u00e4", "\u20ac", "\U0001F600", "\uFFFD",
                                        "/"};
  const auto indices = *rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(0, std::size(kPieces)));
  std::string text;
  for (const size_t i : indices) text += kPieces[i];
  return text;
}

// Writes some item that JSON can say, in the form that json_to_cbor makes of it.
void write_any(nexus::cbor::Writer& writer, int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 10 : 8);
  if (kind == 0) return writer.write_null();
  if (kind == 1) return writer.write_bool(*rc::gen::arbitrary<bool>());
  if (kind == 2) return writer.write_uint(*rc::gen::arbitrary<uint64_t>());
  if (kind == 3) return writer.write_negint(*rc::gen::arbitrary<uint64_t>());
  if (kind == 4) {
    const double value = *rc::gen::arbitrary<double>();
    return writer.write_double(std::isfinite(value) ? value : 0.5);
  }
  if (kind == 5) return writer.write_double(static_cast<double>(*rc::gen::arbitrary<int32_t>()));
  if (kind == 6 || kind == 7) return writer.write_text(any_text());
  const size_t count =
      *rc::gen::weightedOneOf<size_t>({{8, rc::gen::inRange<size_t>(0, 4)}, {1, rc::gen::inRange<size_t>(20, 30)}});
  if (kind == 8) {
    writer.begin_array(count);
    for (size_t i = 0; i < count; ++i) write_any(writer, depth - 1);
    return;
  }
  writer.begin_map(count);
  for (size_t i = 0; i < count; ++i) {
    writer.write_text(any_text() + std::to_string(i));
    write_any(writer, depth - 1);
  }
}

std::string list_of(size_t count) {
  std::string json = "[";
  for (size_t i = 0; i < count; ++i) json += i == 0 ? "0" : ",0";
  return json + "]";
}

}  // namespace

TEST_CASE("values become the shortest CBOR") {
  CHECK(hex_of("null") == "f6");
  CHECK(hex_of(" true\n") == "f5");
  CHECK(hex_of("0") == "00");
  CHECK(hex_of("-0") == "00");
  CHECK(hex_of("23") == "17");
  CHECK(hex_of("24") == "1818");
  CHECK(hex_of("-1") == "20");
  CHECK(hex_of("1000000000000") == "1b000000e8d4a51000");
  CHECK(hex_of("18446744073709551615") == "1bffffffffffffffff");
  CHECK(hex_of("18446744073709551616") == "c249010000000000000000");
  CHECK(hex_of("-9223372036854775808") == "3b7fffffffffffffff");
  CHECK(hex_of("-9223372036854775809") == "3b8000000000000000");
  CHECK(hex_of("-18446744073709551616") == "3bffffffffffffffff");
  CHECK(hex_of("-18446744073709551617") == "c349010000000000000000");
  CHECK(hex_of("1.0") == "f93c00");
  CHECK(hex_of("-0.0") == "f98000");
  CHECK(hex_of("1.1") == "fb3ff199999999999a");
  CHECK(hex_of("1e2") == "f95640");
  CHECK(hex_of("1E+2") == "f95640");
  CHECK(hex_of("1e-999") == "f90000");
  CHECK(hex_of("-1e-999") == "f98000");
  CHECK(hex_of("\"\"") == "60");
  CHECK(hex_of("\"a\\u0000\\u00e4\\ud83d\\ude00\\/\"") == "696100c3a4f09f98802f");
  CHECK(hex_of("[]") == "80");
  CHECK(hex_of("{}") == "a0");
  CHECK(hex_of("{\"b\":[1,{\"c\":null}],\"a\":2}") == "a261628201a16163f6616102");
}

TEST_CASE("a double is read exactly, to the last bit") {
  CHECK(hex_of("0.1") == "fb3fb999999999999a");
  CHECK(hex_of("9007199254740993.0") == "fa5a000000");
  CHECK(hex_of("9007199254740995.0") == "fb4340000000000002");
  CHECK(hex_of("1.7976931348623157e308") == "fb7fefffffffffffff");
  CHECK(hex_of("5e-324") == "fb0000000000000001");
  CHECK(hex_of("2.2250738585072011e-308") == "fb000fffffffffffff");
  CHECK(hex_of("123456789012345678901234567890.0") == "fb45f8ee90ff6c373e");
}

TEST_CASE("lists and maps of any length get the right head") {
  for (const size_t count :
       {size_t{0}, size_t{1}, size_t{23}, size_t{24}, size_t{255}, size_t{256}, size_t{65'535}, size_t{65'536}}) {
    INFO(count);
    const auto cbor = json_to_cbor(list_of(count));
    REQUIRE(cbor.has_value());
    nexus::cbor::Buffer expected;
    nexus::cbor::Writer writer(expected);
    writer.begin_array(count);
    for (size_t i = 0; i < count; ++i) writer.write_uint(0);
    CHECK(Bytes(expected.bytes().begin(), expected.bytes().end()) == *cbor);
  }
}

TEST_CASE("long lists in long lists") {
  std::string json = "[";
  for (int i = 0; i < 30; ++i) json += (i == 0 ? "" : ",") + list_of(static_cast<size_t>(i) * 20);
  json += "]";
  const auto cbor = json_to_cbor(json);
  REQUIRE(cbor.has_value());
  CHECK(nexus::cbor::check(*cbor));
  CHECK(*cbor_to_json(*cbor) == json);
}

TEST_CASE("everything that JSON can say comes back byte for byte") {
  CHECK(rc::check([] {
    nexus::cbor::Buffer buffer;
    nexus::cbor::Writer writer(buffer);
    write_any(writer, 4);
    const auto json = cbor_to_json(buffer.bytes());
    RC_ASSERT(json.has_value());
    const auto back = json_to_cbor(*json);
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == Bytes(buffer.bytes().begin(), buffer.bytes().end()));
    RC_ASSERT(*cbor_to_json(*back) == *json);
  }));
}

TEST_CASE("integers stay integers") {
  CHECK(rc::check([](int64_t value) {
    const auto cbor = json_to_cbor(std::to_string(value));
    RC_ASSERT(cbor.has_value());
    nexus::cbor::Reader reader(*cbor);
    int64_t back = 0;
    RC_ASSERT(reader.read_int(back) && reader.finish());
    RC_ASSERT(back == value);
  }));
}

TEST_CASE("what is not JSON is refused with line, column and byte") {
  CHECK_THAT(complaint_about(""),
             ContainsSubstring("ends in the middle") && ContainsSubstring("line 1, column 1 (byte 1)"));
  CHECK_THAT(complaint_about("[1,\n 2,\n }"),
             ContainsSubstring("'}' does not fit here, at line 3, column 2 (byte 10)"));
  CHECK_THAT(complaint_about("[1] 2"), ContainsSubstring("more text") && ContainsSubstring("column 5"));
  CHECK_THAT(complaint_about("\"\xFF\""), ContainsSubstring("UTF-8") && ContainsSubstring("column 2"));
  for (const char* json : {"[",
                           "{",
                           "\"",
                           "tru",
                           "nul",
                           "[1,]",
                           "{\"a\":1,}",
                           "{\"a\"}",
                           "{a:1}",
                           "'a'",
                           "01",
                           "+1",
                           "1.",
                           ".5",
                           "1e",
                           "-",
                           "NaN",
                           "Infinity",
                           "[1 2]",
                           "// c\n1",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\\ud800\\u0041\"",
                           "\"a\nb\"",
                           "\xEF\xBB\xBF"
                           "1",
                           "\"\xC0\x80\"",
                           "\"\xED\xA0\x80\"",
                           "\"\xF4\x90\x80\x80\"",
                           "]",
                           "}",
                           ",",
                           ":",
                           "true false",
                           "\"a\"\"b\""}) {
    INFO(json);
    CHECK_THAT(complaint_about(json), ContainsSubstring(", at line "));
  }
  CHECK_THAT(complaint_about(std::string_view("1\0", 2)), ContainsSubstring("column 2"));
}

TEST_CASE("every cut of a text is refused, but for cuts that leave a value") {
  const std::string json = "{\"k\\u00e4\":[1.5e3,true,null,\"\u20ac\"],\"n\":-12}";
  REQUIRE(json_to_cbor(json).has_value());
  for (size_t size = 0; size < json.size(); ++size) {
    INFO(size);
    CHECK_FALSE(json_to_cbor(json.substr(0, size)).has_value());
  }
}

TEST_CASE("a key that stands twice is refused, in whatever spelling") {
  CHECK_THAT(complaint_about("{\"a\":1,\"a\":2}"), ContainsSubstring("\"a\" stands twice"));
  CHECK_THAT(complaint_about("{\"a\":1,\"\\u0061\":2}"), ContainsSubstring("\"a\" stands twice"));
  CHECK_THAT(complaint_about("[{},{\"x\":{\"b\":1,\"c\":2,\"b\":3}}]"), ContainsSubstring("\"b\""));
  CHECK_THAT(complaint_about("{\"\":1,\"\":2}"), ContainsSubstring("\"\""));
  const std::string long_key(300, 'k');
  CHECK_THAT(complaint_about("{\"" + long_key + "\":1,\"" + long_key + "\":2}"),
             ContainsSubstring(long_key.substr(0, 64) + "\""));
  // The same key in neighbours and in nested objects is another key.
  CHECK(json_to_cbor("{\"a\":{\"a\":{\"a\":1},\"b\":2},\"b\":[{\"a\":1},{\"a\":1}]}").has_value());
}

TEST_CASE("keys of every length are compared whole") {
  std::string json = "{";
  for (const size_t length : std::initializer_list<size_t>{0, 1, 22, 23, 24, 25, 254, 255, 256, 257, 65'535, 65'536}) {
    json += (json.size() > 1 ? ",\"" : "\"") + std::string(length, 'k') + "\":" + std::to_string(length);
  }
  json += "}";
  const auto cbor = json_to_cbor(json);
  REQUIRE(cbor.has_value());
  CHECK(*cbor_to_json(*cbor) == json);
}

TEST_CASE("numbers that have no place are refused") {
  for (const char* json : {"1e400", "-1e400", "1e999999999999", "0.0001e999", "[1,1e309]"}) {
    INFO(json);
    CHECK_FALSE(json_to_cbor(json).has_value());
  }
  CHECK_THAT(complaint_about("1e400"), ContainsSubstring("out of the range of a double"));
  const std::string digits(1'000, '9');
  CHECK(*cbor_to_json(*json_to_cbor(digits)) == digits);
  CHECK(*cbor_to_json(*json_to_cbor("-" + digits)) == "-" + digits);
  CHECK_THAT(complaint_about(digits + "9"), ContainsSubstring("1000 digits"));
}

TEST_CASE("depth is bounded at 128, as CBOR's is") {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  const auto deep = json_to_cbor(nested(128));
  REQUIRE(deep.has_value());
  CHECK(nexus::cbor::check(*deep));
  CHECK_THAT(complaint_about(nested(129)), ContainsSubstring("deeper than 128"));
  CHECK_THAT(complaint_about(std::string(10'000, '[')), ContainsSubstring("deeper than 128"));
  std::string objects;
  for (int i = 0; i < 129; ++i) objects += "{\"a\":";
  CHECK_THAT(complaint_about(objects), ContainsSubstring("deeper than 128"));
}

TEST_CASE("the size is bounded before anything is read") {
  const auto refused = json_to_cbor("[1,2,3]", 6);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == NEXUS_E_TOO_LARGE);
  CHECK(json_to_cbor("[1,2,3]", 7).has_value());
}

TEST_CASE("many keys take no more than a moment") {
  std::string json = "{";
  for (int i = 0; i < 200'000; ++i) json += (i == 0 ? "\"" : ",\"") + std::to_string(i * 7919 % 1'000'003) + "\":0";
  json += "}";
  const auto begin = std::chrono::steady_clock::now();
  CHECK(json_to_cbor(json).has_value());
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
}

TEST_CASE("whatever the text is, the answer is CBOR or a complaint") {
  CHECK(rc::check([] {
    const auto json =
        *rc::gen::container<std::string>(rc::gen::elementOf(std::string("[]{}\",:01.-e \\uat\xC3\xA4\n")));
    const auto cbor = json_to_cbor(json);
    if (cbor) {
      RC_ASSERT(nexus::cbor::check(*cbor));
    } else {
      RC_ASSERT(cbor.error().code == NEXUS_E_JSON);
    }
  }));
}
