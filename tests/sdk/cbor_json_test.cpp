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
  CHECK(cbor::to_json(from_hex("a1 f6 01")) == "{\"null\":1}");
  CHECK(cbor::to_json(from_hex("a1 f93e00 01")) == "{\"1.5\":1}");
  CHECK(cbor::to_json(from_hex("a1 4101 01")) == "{\"AQ\":1}");
  CHECK(cbor::to_json(from_hex("a1 c06161 01")) == "{\"a\":1}");
  CHECK(cbor::to_json(from_hex("a1 c1c101 01")) == "{\"1\":1}");
}

TEST_CASE("a list or a map as a key is refused, since quoting it again and again doubles it") {
  for (const char* key : {"80", "a0", "8101", "a10102", "c180", "9fff", "bfff"}) {
    INFO(key);
    const Bytes map = from_hex("a1 " + std::string(key) + " 01");
    CHECK(cbor::check(map));
    CHECK(cbor::to_json(map).empty());
    cbor::Reader reader(map);
    std::string out;
    CHECK_FALSE(cbor::append_json(out, reader));
    CHECK(reader.error().fault == cbor::Fault::unsupported);
  }
  // Forty maps, each the key of the next: 41 bytes that were megabytes of backslashes.
  Bytes deep(40, 0xa1);
  deep.insert(deep.end(), 41, 0x00);
  CHECK(cbor::check(deep));
  std::string out;
  cbor::Reader reader(deep);
  CHECK_FALSE(cbor::append_json(out, reader));
  CHECK(out.size() < deep.size());
}

TEST_CASE("the text is at most ten times as long as the CBOR") {
  // The worst of each kind.
  for (const char* item :
       {"6101", "f0", "60", "a1 f0 f0", "f98001", "a1 f98001 f98001", "fb 8010000000000001", "a160a0"}) {
    INFO(item);
    const Bytes bytes = from_hex(item);
    const std::string json = cbor::to_json(bytes);
    CHECK_FALSE(json.empty());
    CHECK(json.size() <= 10 * bytes.size());
  }
}

TEST_CASE("what is not one well-formed item gives no JSON at all") {
  CHECK(cbor::to_json(from_hex("0000")).empty());
  CHECK(cbor::to_json({}).empty());
  CHECK(cbor::to_json(Bytes(10'000, 0x81)).empty());
  CHECK(cbor::to_json(Bytes(10'000, 0xc1)).empty());
}
