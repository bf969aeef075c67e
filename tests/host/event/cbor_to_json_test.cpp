#include <rapidcheck.h>

#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "host/event/json.hpp"
#include "nexus/cbor.hpp"

using namespace nexus::host;
using Catch::Matchers::ContainsSubstring;
using Bytes = std::vector<uint8_t>;

namespace {

Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string json_of(std::string_view hex) {
  const auto json = cbor_to_json(from_hex(hex));
  return json ? *json : "failed: " + json.error().message;
}

}  // namespace

TEST_CASE("the examples of RFC 8949 appendix A, as JSON") {
  const char* const vectors[][2] = {
      {"00", "0"},
      {"1903e8", "1000"},
      {"1bffffffffffffffff", "18446744073709551615"},
      {"c249010000000000000000", "18446744073709551616"},
      {"3bffffffffffffffff", "-18446744073709551616"},
      {"c349010000000000000000", "-18446744073709551617"},
      {"20", "-1"},
      {"3903e7", "-1000"},
      {"f90000", "0.0"},
      {"f98000", "-0.0"},
      {"f93c00", "1.0"},
      {"fb3ff199999999999a", "1.1"},
      {"f97bff", "65504.0"},
      {"fa7f7fffff", "3.4028234663852886e+38"},
      {"fb7e37e43c8800759c", "1e+300"},
      {"f90001", "5.960464477539063e-08"},
      {"f97c00", "null"},
      {"f97e00", "null"},
      {"f9fc00", "null"},
      {"f4", "false"},
      {"f5", "true"},
      {"f6", "null"},
      {"f7", "null"},
      {"f0", "null"},
      {"f8ff", "null"},
      {"c074323031332d30332d32315432303a30343a30305a", "\"2013-03-21T20:04:00Z\""},
      {"c11a514b67b0", "1363896240"},
      {"d74401020304", "\"01020304\""},
      {"d818456449455446", "\"ZElFVEY\""},
      {"d82076687474703a2f2f7777772e6578616d706c652e636f6d", "\"http://www.example.com\""},
      {"40", "\"\""},
      {"4401020304", "\"AQIDBA\""},
      {"60", "\"\""},
      {"62225c", "\"\\\"\\\\\""},
      {"62c3bc", "\"\u00fc\""},
      {"64f0908591", "\"\U00010151\""},
      {"80", "[]"},
      {"8301820203820405", "[1,[2,3],[4,5]]"},
      {"a0", "{}"},
      {"a201020304", "{\"1\":2,\"3\":4}"},
      {"a26161016162820203", "{\"a\":1,\"b\":[2,3]}"},
      {"5f42010243030405ff", "\"AQIDBAU\""},
      {"7f657374726561646d696e67ff", "\"streaming\""},
      {"9fff", "[]"},
      {"9f018202039f0405ffff", "[1,[2,3],[4,5]]"},
      {"bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}"},
  };
  for (const auto& [hex, json] : vectors) {
    INFO(hex);
    CHECK(json_of(hex) == json);
  }
}

TEST_CASE("tags that expect a conversion hold for the bytes within") {
  CHECK(json_of("d6824101a16161420203") == "[\"AQ==\",{\"a\":\"AgM=\"}]");
  CHECK(json_of("d5d64101") == "\"AQ==\"");
  CHECK(json_of("d7824101d5410f") == "[\"01\",\"Dw\"]");
}

TEST_CASE("big numbers out of bounds, or of another shape, are still JSON") {
  CHECK(json_of("c240") == "0");
  CHECK(json_of("c340") == "-1");
  CHECK(json_of("c2420001") == "1");
  CHECK(json_of("c26131") == "\"1\"");
  CHECK(json_of("c25f4101ff") == "1");
  std::string huge = "c2590200";
  for (int i = 0; i < 512; ++i) huge += "01";
  CHECK(json_of(huge).substr(0, 6) == "\"AQEBA");
  huge[1] = '3';
  CHECK(json_of(huge).substr(0, 6) == "\"~AQEB");
}

TEST_CASE("control characters are escaped") {
  std::string out;
  append_json_text(out, std::string_view("a\0\b\f\n\r\t\x1F\x7F/\u00e4", 12));
  CHECK(out == "\"a\\u0000\\b\\f\\n\\r\\t\\u001f\\u007f/\u00e4\"");
}

TEST_CASE("keys that are not text become text, but for lists and maps") {
  CHECK(json_of("a1f501") == "{\"true\":1}");
  CHECK(json_of("a1410101") == "{\"AQ\":1}");
  CHECK(json_of("a1c1182a01") == "{\"42\":1}");
  CHECK(json_of("a1c0613101") == "{\"1\":1}");
  CHECK(json_of("a1fb3ff199999999999a01") == "{\"1.1\":1}");
  CHECK_THAT(json_of("a1800161"), ContainsSubstring("failed"));
  CHECK_THAT(json_of("a1800100"), ContainsSubstring("failed"));
  CHECK_THAT(json_of("a18001"), ContainsSubstring("key"));
}

TEST_CASE("maps as keys of maps do not grow without end") {
  Bytes bytes;
  for (int i = 0; i < 100; ++i) bytes.push_back(0xA1);
  bytes.push_back(0x61);
  bytes.push_back('"');
  for (int i = 0; i < 100; ++i) bytes.push_back(0x00);
  const auto json = cbor_to_json(bytes);
  REQUIRE_FALSE(json.has_value());
  CHECK(json.error().code == NEXUS_E_CBOR);
}

TEST_CASE("bytes that are not one item are refused, and the text is left as it was") {
  for (const char* hex : {"",
                          "18",
                          "61",
                          "6161ff",
                          "0000",
                          "82",
                          "8101ff",
                          "a1",
                          "a16161",
                          "ff",
                          "1c",
                          "fc",
                          "f818",
                          "61ff",
                          "5f6101ff",
                          "9f",
                          "bf6161ff",
                          "c2",
                          "9b7fffffffffffffff",
                          "bb7fffffffffffffff",
                          "5b7fffffffffffffff",
                          "7bffffffffffffffff"}) {
    INFO(hex);
    std::string out = "before";
    const auto done = append_cbor_as_json(out, from_hex(hex));
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().code == NEXUS_E_CBOR);
    CHECK_THAT(done.error().message, ContainsSubstring("at byte"));
    CHECK(out == "before");
  }
}

TEST_CASE("depth is bounded at 128, tags included") {
  for (const uint8_t head : {uint8_t{0x81}, uint8_t{0xC1}}) {
    Bytes bytes(128, head);
    bytes.push_back(0x00);
    CHECK(cbor_to_json(bytes).has_value());
    bytes.insert(bytes.begin(), head);
    const auto json = cbor_to_json(bytes);
    REQUIRE_FALSE(json.has_value());
    CHECK_THAT(json.error().message, ContainsSubstring("deeper than 128"));
  }
  CHECK_FALSE(cbor_to_json(Bytes(1'000'000, 0x81)).has_value());
}

TEST_CASE("whatever the bytes are, what comes out is JSON to another parser") {
  size_t good = 0;
  // Half of the tries are one small integer: bytes drawn at random are hardly ever well-formed.
  const auto some_bytes = rc::gen::oneOf(
      rc::gen::arbitrary<Bytes>(),
      rc::gen::map(rc::gen::inRange<int>(0, 24), [](int small) { return Bytes{static_cast<uint8_t>(small)}; }));
  CHECK(rc::check([&good, &some_bytes] {
    const Bytes bytes = *some_bytes;
    const auto json = cbor_to_json(bytes);
    RC_ASSERT(json.has_value() || json.error().code == NEXUS_E_CBOR);
    if (!json) return;
    ++good;
    boost::json::error_code ec;
    boost::json::parse_options options;
    options.max_depth = 200;
    boost::json::parse(*json, ec, {}, options);
    RC_ASSERT(!ec.failed());
  }));
  CHECK(good > 0);
}
