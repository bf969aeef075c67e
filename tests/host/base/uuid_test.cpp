#include "host/base/uuid.hpp"

#include <rapidcheck.h>

#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

using namespace nexus::host;

namespace {

constexpr int64_t kNow = 1'785'585'600'123'456'789;

bool less(const Uuid& a, const Uuid& b) { return std::memcmp(a.bytes, b.bytes, 16) < 0; }

void check_is_v7(const Uuid& id) {
  CHECK((id.bytes[6] >> 4) == 7);
  CHECK((id.bytes[8] >> 6) == 2);
}

boost::uuids::uuid to_boost(const Uuid& id) {
  boost::uuids::uuid other;
  std::memcpy(&other, id.bytes, 16);
  return other;
}

Uuid any_uuid() {
  Uuid id;
  for (uint8_t& byte : id.bytes) byte = *rc::gen::arbitrary<uint8_t>();
  return id;
}

}  // namespace

TEST_CASE("a UUIDv7 carries version, variant and the millisecond") {
  UuidGenerator generator(1);
  const Uuid id = generator.next(kNow);
  check_is_v7(id);
  CHECK(uuid_v7_unix_ms(id) == kNow / 1'000'000);
  // 0.456789 ms in 4096ths is 1871.0, in the twelve bits after the version.
  CHECK((((id.bytes[6] & 0x0F) << 8) | id.bytes[7]) == 1871);
  CHECK_FALSE(uuid_v7_unix_ms(uuid_v5("a", "b")).has_value());
}

TEST_CASE("the ends of time still give valid ids") {
  UuidGenerator generator(2);
  check_is_v7(generator.next(0));
  check_is_v7(generator.next(-5));
  check_is_v7(generator.next(INT64_MIN));
  const Uuid last = generator.next(INT64_MAX);
  check_is_v7(last);
  CHECK(uuid_v7_unix_ms(last) == INT64_MAX / 1'000'000);
  // The last nanosecond of a millisecond must not spill over into the next one.
  UuidGenerator fresh(3);
  const Uuid edge = fresh.next(kNow / 1'000'000 * 1'000'000 + 999'999);
  CHECK(uuid_v7_unix_ms(edge) == kNow / 1'000'000);
  CHECK((((edge.bytes[6] & 0x0F) << 8) | edge.bytes[7]) == 4095);
}

TEST_CASE("ids of one generator rise, whatever the clock does") {
  CHECK(rc::check([](uint64_t seed, const std::vector<int32_t>& steps) {
    UuidGenerator generator(seed);
    int64_t now = kNow;
    Uuid before = generator.next(now);
    for (const int32_t step : steps) {
      now += step;
      const Uuid id = generator.next(now);
      RC_ASSERT(less(before, id));
      before = id;
    }
  }));
}

TEST_CASE("a clock that stands still, or goes back an hour, does not stop the ids") {
  UuidGenerator generator(4);
  std::unordered_set<Uuid, UuidHash, UuidEqual> seen;
  Uuid before = generator.next(kNow);
  for (int i = 0; i < 100'000; ++i) {
    const Uuid id = generator.next(kNow - (i % 2 == 0 ? 0 : int64_t{3'600'000'000'000}));
    REQUIRE(less(before, id));
    REQUIRE(seen.insert(id).second);
    before = id;
  }
  CHECK(uuid_v7_unix_ms(before) == kNow / 1'000'000);
}

TEST_CASE("generators with seeds of their own do not meet") {
  std::unordered_set<Uuid, UuidHash, UuidEqual> seen;
  for (int generator = 0; generator < 200; ++generator) {
    UuidGenerator own;
    for (int i = 0; i < 200; ++i) REQUIRE(seen.insert(own.next(kNow)).second);
  }
}

TEST_CASE("the text is what Boost writes, and reads back") {
  CHECK(rc::check([] {
    const Uuid id = any_uuid();
    const std::string text = uuid_text(id);
    RC_ASSERT(text == boost::uuids::to_string(to_boost(id)));
    const auto back = parse_uuid(text);
    RC_ASSERT(back.has_value());
    RC_ASSERT((*back == id));
  }));
}

TEST_CASE("format_uuid writes 36 bytes and no more") {
  char out[40];
  std::memset(out, '#', sizeof out);
  format_uuid(Uuid{{0xFF, 0x0A, 0x9F, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xAB, 0xCD, 0xEF}}, out);
  CHECK(std::string_view(out, sizeof out) == "ff0a9f00-0102-0304-0506-070809abcdef####");
}

TEST_CASE("only the canonical form is a UUID") {
  CHECK(parse_uuid("FF0A9F00-0102-0304-0506-070809ABCDEF").has_value());
  CHECK(is_nil(*parse_uuid("00000000-0000-0000-0000-000000000000")));
  for (const char* text :
       {"", "ff0a9f00", "ff0a9f00-0102-0304-0506-070809abcde", "ff0a9f00-0102-0304-0506-070809abcdeff",
        "ff0a9f0001020304-0506-0708-09abcdef--", "{f0a9f00-0102-0304-0506-070809abcde}",
        "gf0a9f00-0102-0304-0506-070809abcdef", "ff0a9f00_0102_0304_0506_070809abcdef",
        "ff0a9f00-0102-0304-0506-070809abcde ", "ff0a9f0--0102-0304-0506-070809abcdef"}) {
    INFO(text);
    CHECK_FALSE(parse_uuid(text).has_value());
  }
}

TEST_CASE("UUIDv5 is the one of RFC 9562") {
  const Uuid dns = *parse_uuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  CHECK(uuid_text(uuid_v5(dns, "www.example.com")) == "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  CHECK((uuid_v5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com") == uuid_v5(dns, "www.example.com")));
}

TEST_CASE("UUIDv5 tells sources and names apart") {
  std::set<std::string> seen;
  for (const char* source : {"", "a", "ab", "/sensors/1", "https://example.com/"}) {
    for (const char* name : {"", "1", "b", "1234"}) seen.insert(uuid_text(uuid_v5(source, name)));
  }
  CHECK(seen.size() == 20);
  CHECK((uuid_v5("/sensors/1", "7") == uuid_v5("/sensors/1", "7")));
}

TEST_CASE("nil is only the all-zero id") {
  CHECK(is_nil(Uuid{}));
  for (size_t i = 0; i < 16; ++i) {
    Uuid id{};
    id.bytes[i] = 1;
    CHECK_FALSE(is_nil(id));
    CHECK_FALSE((id == Uuid{}));
  }
}
