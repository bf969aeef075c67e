#include <catch2/catch_test_macros.hpp>

#include <cstring>

#include "nexus/cbor.hpp"
#include "tests/sdk/cbor_hex.hpp"

using namespace nexus;
using cbor::Fault;
using cbor::Kind;
using testing::from_hex;

namespace {

Fault fault_of(std::span<const std::uint8_t> bytes) {
  cbor::Error error;
  cbor::check(bytes, error);
  return error.fault;
}

// `depth` containers or tags, one in the other, around an item that needs none.
Bytes nested(std::size_t depth, std::uint8_t opening, const char* innermost) {
  Bytes bytes(depth, opening);
  const Bytes inner = from_hex(innermost);
  bytes.insert(bytes.end(), inner.begin(), inner.end());
  if (opening == 0x9fu) bytes.insert(bytes.end(), depth, 0xffu);
  return bytes;
}

}  // namespace

TEST_CASE("peek tells each kind and moves nothing") {
  const std::pair<const char*, Kind> cases[] = {
      {"00", Kind::uint},     {"3863", Kind::negint}, {"40", Kind::bytes},     {"7f", Kind::text},
      {"80", Kind::array},    {"bf", Kind::map},      {"c0", Kind::tag},       {"f4", Kind::boolean},
      {"f5", Kind::boolean},  {"f6", Kind::null},     {"f7", Kind::undefined}, {"f9", Kind::floating},
      {"fb", Kind::floating}, {"f0", Kind::simple},   {"f8ff", Kind::simple},  {"ff", Kind::end},
      {"", Kind::end},
  };
  for (const auto& [hex, kind] : cases) {
    INFO(hex);
    const Bytes bytes = from_hex(hex);
    const cbor::Reader reader(bytes);
    CHECK(reader.peek() == kind);
    CHECK(reader.position() == 0);
    CHECK_FALSE(cbor::kind_name(kind).empty());
  }
}

TEST_CASE("integers are checked against the range that was asked for") {
  std::int64_t number = 0;
  std::uint64_t natural = 0;
  const auto read = [&](const char* hex, auto& out) {
    const Bytes bytes = from_hex(hex);
    cbor::Reader reader(bytes);
    bool good = false;
    if constexpr (std::is_same_v<std::decay_t<decltype(out)>, std::int64_t>) {
      good = reader.read_int(out);
    } else {
      good = reader.read_uint(out);
    }
    return good ? Fault::none : reader.error().fault;
  };
  CHECK(read("1b7fffffffffffffff", number) == Fault::none);
  CHECK(number == INT64_MAX);
  CHECK(read("3b7fffffffffffffff", number) == Fault::none);
  CHECK(number == INT64_MIN);
  CHECK(read("1b8000000000000000", number) == Fault::range);
  CHECK(read("3b8000000000000000", number) == Fault::range);
  CHECK(read("1bffffffffffffffff", natural) == Fault::none);
  CHECK(natural == UINT64_MAX);
  CHECK(read("20", natural) == Fault::range);
  CHECK(read("6161", number) == Fault::type);
  CHECK(read("f93c00", number) == Fault::type);
  CHECK(read("1c", natural) == Fault::malformed);
  CHECK(read("", natural) == Fault::truncated);
  CHECK(read("ff", number) == Fault::stray_break);
}

TEST_CASE("an integer longer than it need be is read all the same") {
  for (const char* hex : {"1801", "190001", "1a00000001", "1b0000000000000001"}) {
    const Bytes bytes = from_hex(hex);
    cbor::Reader reader(bytes);
    std::uint64_t value = 0;
    CHECK(reader.read_uint(value));
    CHECK(value == 1);
    CHECK(reader.finish());
  }
}

TEST_CASE("a failure sticks: the first fault and its place stay, and later calls fail") {
  const Bytes bytes = from_hex("83 01 6161 02");
  cbor::Reader reader(bytes);
  cbor::Items items;
  std::uint64_t value = 0;
  REQUIRE(reader.enter_array(items));
  REQUIRE(reader.next(items));
  REQUIRE(reader.read_uint(value));
  REQUIRE(reader.next(items));
  CHECK_FALSE(reader.read_uint(value));
  CHECK(reader.error().fault == Fault::type);
  CHECK(reader.error().offset == 2);
  CHECK(reader.position() == 2);
  std::string_view text;
  CHECK_FALSE(reader.read_text(text));
  CHECK_FALSE(reader.next(items));
  CHECK_FALSE(reader.skip());
  CHECK_FALSE(reader.finish());
  CHECK(reader.error().fault == Fault::type);
  CHECK(reader.error().message() == "the item is of another kind, at byte 2");
}

TEST_CASE("definite and indefinite containers are walked by the same loop") {
  for (const char* hex : {"a2 6161 01 6162 820203", "bf 6161 01 6162 9f0203ff ff"}) {
    INFO(hex);
    const Bytes bytes = from_hex(hex);
    cbor::Reader reader(bytes);
    cbor::Items pairs;
    std::string seen;
    REQUIRE(reader.enter_map(pairs));
    while (reader.next(pairs)) {
      std::string_view key;
      REQUIRE(reader.read_text(key));
      seen += std::string(key) + "=";
      if (reader.peek() == Kind::array) {
        cbor::Items items;
        REQUIRE(reader.enter_array(items));
        while (reader.next(items)) {
          std::uint64_t value = 0;
          REQUIRE(reader.read_uint(value));
          seen += std::to_string(value) + ",";
        }
      } else {
        REQUIRE(reader.skip());
        seen += "skipped;";
      }
    }
    CHECK(reader.finish());
    CHECK(seen == "a=skipped;b=2,3,");
  }
}

TEST_CASE("a string in chunks needs a buffer, unless one chunk is all of it") {
  cbor::Buffer scratch;
  std::string_view text;
  std::span<const std::uint8_t> data;

  const Bytes two = from_hex("7f 657374726561 646d696e67 ff");
  cbor::Reader joined(two);
  REQUIRE(joined.read_text(text, scratch));
  CHECK(text == "streaming");
  CHECK(joined.finish());
  cbor::Reader borrowed(two);
  CHECK_FALSE(borrowed.read_text(text));
  CHECK(borrowed.error().fault == Fault::chunked);

  const Bytes one = from_hex("7f 60 657374726561 60 ff");
  cbor::Reader single(one);
  REQUIRE(single.read_text(text));
  CHECK(text == "strea");
  CHECK(text.data() == reinterpret_cast<const char*>(one.data()) + 3);

  const Bytes none = from_hex("5fff");
  cbor::Reader empty(none);
  REQUIRE(empty.read_bytes(data));
  CHECK(data.empty());

  const Bytes three = from_hex("5f 4101 40 420203 4104 ff");
  cbor::Reader bytes(three);
  REQUIRE(bytes.read_bytes(data, scratch));
  CHECK(testing::to_hex(data) == "01020304");
}

TEST_CASE("a character may not be split between chunks") {
  CHECK(fault_of(from_hex("7f 61c3 61bc ff")) == Fault::utf8);
  CHECK(fault_of(from_hex("7f 62c3bc ff")) == Fault::none);
}

TEST_CASE("skip and read_raw step over whole items") {
  const Bytes bytes = from_hex("83 bf 6161 9f 01 c0 6161 ff ff 5f 4101 ff 20");
  cbor::Reader reader(bytes);
  cbor::Items items;
  std::span<const std::uint8_t> raw;
  REQUIRE(reader.enter_array(items));
  REQUIRE(reader.next(items));
  REQUIRE(reader.read_raw(raw));
  CHECK(testing::to_hex(raw) == "bf61619f01c06161ffff");
  REQUIRE(reader.next(items));
  REQUIRE(reader.skip());
  REQUIRE(reader.next(items));
  std::int64_t last = 0;
  REQUIRE(reader.read_int(last));
  CHECK(last == -1);
  CHECK_FALSE(reader.next(items));
  CHECK(reader.finish());
}

TEST_CASE("nesting ends at 128, for arrays, maps and tags, entered or skipped") {
  CHECK(fault_of(nested(128, 0x81, "00")) == Fault::none);
  CHECK(fault_of(nested(129, 0x81, "00")) == Fault::depth);
  CHECK(fault_of(nested(127, 0x81, "80")) == Fault::none);
  CHECK(fault_of(nested(128, 0x81, "80")) == Fault::depth);
  CHECK(fault_of(nested(128, 0x9f, "00")) == Fault::none);
  CHECK(fault_of(nested(129, 0x9f, "00")) == Fault::depth);
  CHECK(fault_of(nested(128, 0xc1, "00")) == Fault::none);
  CHECK(fault_of(nested(129, 0xc1, "00")) == Fault::depth);
  for (const std::uint8_t opening : {std::uint8_t{0x81}, std::uint8_t{0x9f}, std::uint8_t{0xc1}}) {
    for (const std::size_t depth : {std::size_t{10'000}, std::size_t{1'000'000}}) {
      const Bytes deep = nested(depth, opening, "00");
      cbor::Error error;
      CHECK_FALSE(cbor::check(deep, error));
      CHECK(error.fault == Fault::depth);
      CHECK(error.offset == cbor::kDepthMax);
    }
  }

  const Bytes deep = nested(129, 0x81, "00");
  cbor::Reader reader(deep);
  cbor::Items items[129];
  for (std::size_t i = 0; i < 128; ++i) {
    REQUIRE(reader.enter_array(items[i]));
    REQUIRE(reader.next(items[i]));
  }
  CHECK_FALSE(reader.enter_array(items[128]));
  CHECK(reader.error().fault == Fault::depth);
}

TEST_CASE("leaving a container gives its depth back") {
  Bytes wide = {0x99, 0x03, 0xe8};  // 1,000 lists side by side
  for (int i = 0; i < 1000; ++i) wide.insert(wide.end(), {0x9f, 0x80, 0xff});
  cbor::Reader reader(wide);
  cbor::Items outer, middle, inner;
  REQUIRE(reader.enter_array(outer));
  std::size_t count = 0;
  for (; reader.next(outer); ++count) {
    REQUIRE(reader.enter_array(middle));
    while (reader.next(middle)) {
      REQUIRE(reader.enter_array(inner));
      CHECK_FALSE(reader.next(inner));
    }
  }
  CHECK(count == 1000);
  CHECK(reader.finish());
  CHECK(cbor::check(wide));
}

TEST_CASE("skip counts the depth that the reader is at") {
  const Bytes bytes = nested(128, 0x81, "8100");
  cbor::Reader reader(bytes);
  cbor::Items items;
  REQUIRE(reader.enter_array(items));
  REQUIRE(reader.next(items));
  CHECK_FALSE(reader.skip());
  CHECK(reader.error().fault == Fault::depth);
}

TEST_CASE("forged lengths are seen before anything is done for them") {
  for (const char* head : {"5b", "7b", "9b", "bb"}) {
    for (const char* length : {"ffffffffffffffff", "7fffffffffffffff", "8000000000000000", "0000000100000000"}) {
      INFO(head << " " << length);
      const Bytes bytes = from_hex(std::string(head) + length + "00000000");
      CHECK(fault_of(bytes) == Fault::truncated);
      cbor::Reader reader(bytes);
      cbor::Items items;
      std::string_view text;
      std::span<const std::uint8_t> data;
      switch (reader.peek()) {
        case Kind::bytes:
          CHECK_FALSE(reader.read_bytes(data));
          break;
        case Kind::text:
          CHECK_FALSE(reader.read_text(text));
          break;
        case Kind::array:
          CHECK_FALSE(reader.enter_array(items));
          break;
        default:
          CHECK_FALSE(reader.enter_map(items));
          break;
      }
      CHECK(reader.error().fault == Fault::truncated);
    }
  }
  CHECK(fault_of(from_hex("a2 01 02 03")) == Fault::truncated);  // three items are one pair and a half
}

TEST_CASE("UTF-8 is exactly what Unicode allows") {
  const char* const good[] = {"",       "00",     "7f",     "c280",     "dfbf",     "e0a080",
                              "ed9fbf", "ee8080", "efbfbf", "f0908080", "f48fbfbf", "61c3bc62e282ac63f09f9880"};
  const char* const bad[] = {"80",       "bf",     "c0af", "c1bf",   "c3",       "c328",     "e08080",   "e09fbf",
                             "eda080",   "edbfbf", "e282", "e28228", "f0808080", "f08fbfbf", "f4908080", "f5808080",
                             "f8888080", "fe",     "ff",   "f09f98", "f09f9828", "6180"};
  // At each distance from the eight-byte steps of the fast path.
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 10; ++after) {
      const auto wrapped = [&](const char* hex) {
        const Bytes middle = from_hex(hex);
        Bytes text(before, 'x');
        text.insert(text.end(), middle.begin(), middle.end());
        text.insert(text.end(), after, 'y');
        return text;
      };
      for (const char* hex : good) {
        const Bytes text = wrapped(hex);
        INFO(hex << " after " << before);
        CHECK(cbor::is_utf8(text.data(), text.size()));
      }
      for (const char* hex : bad) {
        const Bytes text = wrapped(hex);
        INFO(hex << " after " << before);
        CHECK_FALSE(cbor::is_utf8(text.data(), text.size()));
      }
    }
  }
  CHECK(fault_of(from_hex("62c328")) == Fault::utf8);
  CHECK(fault_of(from_hex("82 00 62c328")) == Fault::utf8);
  CHECK(fault_of(from_hex("42c328")) == Fault::none);  // bytes are anything
}

TEST_CASE("the writer's indefinite forms are well-formed") {
  cbor::Buffer out;
  cbor::Writer writer(out);
  writer.begin_indefinite_map();
  writer.write_text("a");
  writer.begin_indefinite_array();
  writer.write_int(-1000);
  writer.begin_indefinite_text();
  writer.write_text("x");
  writer.end_indefinite();
  writer.begin_indefinite_bytes();
  writer.write_bytes(from_hex("0102"));
  writer.end_indefinite();
  writer.end_indefinite();
  writer.end_indefinite();
  CHECK(testing::to_hex(out.bytes()) == "bf61619f3903e77f6178ff5f420102ffffff");
  CHECK(cbor::check(out.bytes()));
}

TEST_CASE("the writer never makes a simple value that is not well-formed") {
  for (int value = 0; value < 256; ++value) {
    cbor::Buffer out;
    cbor::Writer(out).write_simple(static_cast<std::uint8_t>(value));
    CHECK(cbor::check(out.bytes()));
  }
}

TEST_CASE("an empty reader and null bytes are an end, not a crash") {
  cbor::Reader reader;
  CHECK(reader.peek() == Kind::end);
  CHECK(reader.finish());
  CHECK_FALSE(reader.skip());
  CHECK(reader.error().fault == Fault::truncated);
  cbor::Reader from_abi(nexus_bytes{nullptr, 0});
  CHECK(from_abi.remaining() == 0);
  CHECK(fault_of({}) == Fault::truncated);
}
