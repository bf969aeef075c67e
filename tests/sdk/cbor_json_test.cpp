#include <catch2/catch_test_macros.hpp>

#include "nexus/cbor.hpp"
#include "nexus/cbor_json.hpp"
#include "tests/sdk/cbor_hex.hpp"

using namespace nexus;
using testing::from_hex;

TEST_CASE("text is escaped so that any JSON reader takes it") {
  std::string out;
  cbor::append_json_text(out, std::string_view("a\"\\/\n\r\t\b\f\x01\x1f\x7f\0z", 14));
  CHECK(out == "\"a\\\"\\\\/\\n\\r\\t\\u0008\\u000c\\u0001\\u001f\\u007f\\u0000z\"");
}

TEST_CASE("numbers keep their value and say null where JSON has none") {
  const auto text = [](double value) {
    std::string out;
    cbor::append_json_number(out, value);
    return out;
  };
  CHECK(text(0.1) == "0.1");
  CHECK(text(100) == "100");
  CHECK(text(-2.5e-300) == "-2.5e-300");
  CHECK(text(1.7976931348623157e308) == "1.7976931348623157e+308");
  CHECK(text(std::numeric_limits<double>::infinity()) == "null");
  CHECK(text(-std::numeric_limits<double>::infinity()) == "null");
  CHECK(text(std::numeric_limits<double>::quiet_NaN()) == "null");
}

TEST_CASE("bytes are base64url without padding") {
  CHECK(cbor::to_json(from_hex("41ff")) == "\"_w\"");
  CHECK(cbor::to_json(from_hex("42fffe")) == "\"__4\"");
  CHECK(cbor::to_json(from_hex("43fbefbe")) == "\"----\"");
  CHECK(cbor::to_json(from_hex("44fbefbe00")) == "\"----AA\"");
}

TEST_CASE("keys that are not text become text") {
  CHECK(cbor::to_json(from_hex("a1 20 01")) == "{\"-1\":1}");
  CHECK(cbor::to_json(from_hex("a1 f5 01")) == "{\"true\":1}");
  CHECK(cbor::to_json(from_hex("a1 8101 01")) == "{\"[1]\":1}");
  CHECK(cbor::to_json(from_hex("a1 816161 01")) == "{\"[\\\"a\\\"]\":1}");
  CHECK(cbor::to_json(from_hex("a1 4101 01")) == "{\"AQ\":1}");
  CHECK(cbor::to_json(from_hex("a1 c06161 01")) == "{\"a\":1}");
}

TEST_CASE("what is not one well-formed item gives no JSON at all") {
  CHECK(cbor::to_json(from_hex("0000")).empty());
  CHECK(cbor::to_json({}).empty());
  CHECK(cbor::to_json(Bytes(10'000, 0x81)).empty());
  CHECK(cbor::to_json(Bytes(10'000, 0xc1)).empty());
}
