// The examples of RFC 8949: appendix A (well-formed items) and appendix F.1 (bytes that are not).
#include <catch2/catch_test_macros.hpp>

#include <cmath>

#include "nexus/cbor.hpp"
#include "nexus/cbor_json.hpp"
#include "tests/sdk/cbor_copy.hpp"
#include "tests/sdk/cbor_hex.hpp"

using namespace nexus;
using testing::from_hex;
using testing::to_hex;

namespace {

struct Vector {
  const char* hex;
  const char* json;          // as RFC 8949 section 6.1 turns it into JSON
  bool is_preferred = true;  // whether the bytes are the preferred encoding
};

const Vector kVectors[] = {
    {"00", "0"},
    {"01", "1"},
    {"0a", "10"},
    {"17", "23"},
    {"1818", "24"},
    {"1819", "25"},
    {"1864", "100"},
    {"1903e8", "1000"},
    {"1a000f4240", "1000000"},
    {"1b000000e8d4a51000", "1000000000000"},
    {"1bffffffffffffffff", "18446744073709551615"},
    {"c249010000000000000000", "\"AQAAAAAAAAAA\""},
    {"3bffffffffffffffff", "-18446744073709551616"},
    {"c349010000000000000000", "\"AQAAAAAAAAAA\""},
    {"20", "-1"},
    {"29", "-10"},
    {"3863", "-100"},
    {"3903e7", "-1000"},
    {"f90000", "0"},
    {"f98000", "-0"},
    {"f93c00", "1"},
    {"fb3ff199999999999a", "1.1"},
    {"f93e00", "1.5"},
    {"f97bff", "65504"},
    {"fa47c35000", "100000"},
    {"fa7f7fffff", "3.4028234663852886e+38"},
    {"fb7e37e43c8800759c", "1e+300"},
    {"f90001", "5.960464477539063e-08"},
    {"f90400", "6.103515625e-05"},
    {"f9c400", "-4"},
    {"fbc010666666666666", "-4.1"},
    {"f97c00", "null"},
    {"f97e00", "null"},
    {"f9fc00", "null"},
    {"fa7f800000", "null", false},
    {"fa7fc00000", "null", false},
    {"faff800000", "null", false},
    {"fb7ff0000000000000", "null", false},
    {"fb7ff8000000000000", "null", false},
    {"fbfff0000000000000", "null", false},
    {"f4", "false"},
    {"f5", "true"},
    {"f6", "null"},
    {"f7", "null"},
    {"f0", "null"},
    {"f8ff", "null"},
    {"c074323031332d30332d32315432303a30343a30305a", "\"2013-03-21T20:04:00Z\""},
    {"c11a514b67b0", "1363896240"},
    {"c1fb41d452d9ec200000", "1363896240.5"},
    {"d74401020304", "\"AQIDBA\""},
    {"d818456449455446", "\"ZElFVEY\""},
    {"d82076687474703a2f2f7777772e6578616d706c652e636f6d",
     "\"http:"
     "//www.example.com\""},
    {"40", "\"\""},
    {"4401020304", "\"AQIDBA\""},
    {"60", "\"\""},
    {"6161", "\"a\""},
    {"6449455446", "\"IETF\""},
    {"62225c", "\"\\\"\\\\\""},
    {"62c3bc", "\"\xc3\xbc\""},
    {"63e6b0b4", "\"\xe6\xb0\xb4\""},
    {"64f0908591", "\"\xf0\x90\x85\x91\""},
    {"80", "[]"},
    {"83010203", "[1,2,3]"},
    {"8301820203820405", "[1,[2,3],[4,5]]"},
    {"98190102030405060708090a0b0c0d0e0f101112131415161718181819",
     "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]"},
    {"a0", "{}"},
    {"a201020304", "{\"1\":2,\"3\":4}"},
    {"a26161016162820203", "{\"a\":1,\"b\":[2,3]}"},
    {"826161a161626163", "[\"a\",{\"b\":\"c\"}]"},
    {"a56161614161626142616361436164614461656145", "{\"a\":\"A\",\"b\":\"B\",\"c\":\"C\",\"d\":\"D\",\"e\":\"E\"}"},
    {"5f42010243030405ff", "\"AQIDBAU\"", false},
    {"7f657374726561646d696e67ff", "\"streaming\"", false},
    {"9fff", "[]", false},
    {"9f018202039f0405ffff", "[1,[2,3],[4,5]]", false},
    {"9f01820203820405ff", "[1,[2,3],[4,5]]", false},
    {"83018202039f0405ff", "[1,[2,3],[4,5]]", false},
    {"83019f0203ff820405", "[1,[2,3],[4,5]]", false},
    {"9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
     "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]", false},
    {"bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}", false},
    {"826161bf61626163ff", "[\"a\",{\"b\":\"c\"}]", false},
    {"bf6346756ef563416d7421ff", "{\"Fun\":true,\"Amt\":-2}", false},
};

const char* const kIllFormed[] = {
    // the input ends in a head
    "18",
    "19",
    "1a",
    "1b",
    "1901",
    "1a0102",
    "1b01020304050607",
    "38",
    "58",
    "78",
    "98",
    "9a01ff00",
    "b8",
    "d8",
    "f8",
    "f900",
    "fa0000",
    "fb000000",
    // strings whose data is short
    "41",
    "61",
    "5affffffff00",
    "5bffffffffffffffff010203",
    "7affffffff00",
    "7b7fffffffffffffff010203",
    // arrays and maps that are not closed by enough items
    "81",
    "818181818181818181",
    "8200",
    "a1",
    "a20102",
    "a100",
    "a2000000",
    // a tag without content
    "c0",
    // indefinite strings, arrays and maps without a break
    "5f4100",
    "7f6100",
    "9f",
    "9f0102",
    "bf",
    "bf01020102",
    "819f",
    "9f8000",
    "9f9f9f9f9fffffffff",
    "9f819f819f9fffffff",
    // reserved additional information
    "1c",
    "1d",
    "1e",
    "3c",
    "3d",
    "3e",
    "5c",
    "5d",
    "5e",
    "7c",
    "7d",
    "7e",
    "9c",
    "9d",
    "9e",
    "bc",
    "bd",
    "be",
    "dc",
    "dd",
    "de",
    "fc",
    "fd",
    "fe",
    // two-byte simple values below 32
    "f800",
    "f801",
    "f818",
    "f81f",
    // chunks of the wrong kind, and chunks that are indefinite themselves
    "5f00ff",
    "5f21ff",
    "5f6100ff",
    "5f80ff",
    "5fa0ff",
    "5fc000ff",
    "5fe0ff",
    "7f4100ff",
    "5f5f4100ffff",
    "7f7f6100ffff",
    // a break on its own, in a definite container, and as the content of a tag
    "ff",
    "81ff",
    "8200ff",
    "a1ff",
    "a1ff00",
    "a100ff",
    "a20000ff",
    "9f81ff",
    "9f829f819f9fffffffff",
    "c0ff",
    // a map of indefinite length with a key and no value
    "bf00ff",
    "bf000000ff",
    // major types that have no indefinite form
    "1f",
    "3f",
    "df",
};

bool copies(std::span<const std::uint8_t> item, cbor::Buffer& out) {
  cbor::Reader reader(item);
  cbor::Writer writer(out);
  return testing::copy_item(reader, writer) && reader.finish();
}

// A Value has no room for these two; everything else of the table it holds.
bool fits_value(std::string_view hex) { return hex != "f0" && hex != "f8ff" && hex != "a201020304"; }

}  // namespace

TEST_CASE("every example of RFC 8949 is well-formed and reads as it should") {
  for (const Vector& vector : kVectors) {
    INFO(vector.hex);
    const Bytes bytes = from_hex(vector.hex);
    cbor::Error error;
    CHECK(cbor::check(bytes, error));
    CHECK(error.fault == cbor::Fault::none);
    CHECK(cbor::to_json(bytes) == vector.json);
  }
}

TEST_CASE("writing an example anew gives the preferred encoding") {
  for (const Vector& vector : kVectors) {
    INFO(vector.hex);
    const Bytes bytes = from_hex(vector.hex);
    cbor::Buffer once;
    REQUIRE(copies(bytes, once));
    CHECK((to_hex(once.bytes()) == vector.hex) == vector.is_preferred);
    cbor::Buffer twice;
    REQUIRE(copies(once.bytes(), twice));
    CHECK(to_hex(twice.bytes()) == to_hex(once.bytes()));
    if (std::string_view(vector.json) != "null") CHECK(cbor::to_json(once.bytes()) == vector.json);
  }
}

TEST_CASE("a value holds every example that has text keys and no simple value") {
  for (const Vector& vector : kVectors) {
    INFO(vector.hex);
    const Bytes bytes = from_hex(vector.hex);
    cbor::Value value;
    cbor::Error error;
    const bool good = cbor::Value::try_decode(bytes, value, error);
    CHECK(good == fits_value(vector.hex));
    if (!good) {
      CHECK(error.fault == cbor::Fault::unsupported);
      continue;
    }
    if (std::string_view(vector.hex) == "3bffffffffffffffff") {
      CHECK(value.get<double>() == -18446744073709551616.0);  // below int64_t: the nearest double
    } else {
      CHECK(cbor::to_json(value.encode()) == vector.json);
    }
  }
}

TEST_CASE("no example cut short is taken by anyone") {
  for (const Vector& vector : kVectors) {
    const Bytes bytes = from_hex(vector.hex);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      INFO(vector.hex << " cut to " << size << " bytes");
      // A copy of exactly that size, so that a sanitizer sees a read beyond it.
      const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      cbor::Error error;
      CHECK_FALSE(cbor::check(cut, error));
      CHECK(error.fault == cbor::Fault::truncated);
      CHECK(error.offset <= size);
      cbor::Buffer out;
      CHECK_FALSE(copies(cut, out));
      cbor::Value value;
      CHECK_FALSE(cbor::Value::try_decode(cut, value, error));
      CHECK(cbor::to_json(cut).empty());
    }
  }
}

TEST_CASE("a byte after an example is an error at its place") {
  for (const Vector& vector : kVectors) {
    INFO(vector.hex);
    Bytes bytes = from_hex(vector.hex);
    const std::size_t size = bytes.size();
    bytes.push_back(0x00);
    cbor::Error error;
    CHECK_FALSE(cbor::check(bytes, error));
    CHECK(error.fault == cbor::Fault::trailing);
    CHECK(error.offset == size);
  }
}

TEST_CASE("the ill-formed examples of RFC 8949 are refused by everyone") {
  for (const char* hex : kIllFormed) {
    INFO(hex);
    const Bytes bytes = from_hex(hex);
    cbor::Error error;
    CHECK_FALSE(cbor::check(bytes, error));
    CHECK(error.fault != cbor::Fault::none);
    CHECK(error.offset <= bytes.size());
    CHECK(error.message().find(", at byte ") != std::string::npos);
    cbor::Buffer out;
    CHECK_FALSE(copies(bytes, out));
    cbor::Value value;
    CHECK_FALSE(cbor::Value::try_decode(bytes, value, error));
    CHECK(cbor::to_json(bytes).empty());
  }
}

TEST_CASE("the numbers of the examples are exact") {
  const auto read = [](const char* hex) {
    const Bytes bytes = from_hex(hex);
    cbor::Reader reader(bytes);
    double value = -1;
    REQUIRE(reader.read_double(value));
    return value;
  };
  CHECK(read("f97bff") == 65504.0);
  CHECK(read("f90001") == 0x1p-24);
  CHECK(read("f90400") == 0x1p-14);
  CHECK(read("f903ff") == 1023 * 0x1p-24);
  CHECK(read("f9c400") == -4.0);
  CHECK(read("f98000") == 0.0);
  CHECK(std::signbit(read("f98000")));
  CHECK(read("fa7f7fffff") == 3.4028234663852886e+38);
  CHECK(read("fb7e37e43c8800759c") == 1.0e+300);
  CHECK(read("f97c00") == INFINITY);
  CHECK(read("f9fc00") == -INFINITY);
  CHECK(read("faff800000") == -INFINITY);
  CHECK(read("fb7ff0000000000000") == INFINITY);
  CHECK(std::isnan(read("f97e00")));
  CHECK(std::isnan(read("fa7fc00000")));
  CHECK(std::isnan(read("fb7ff8000000000000")));
  CHECK(read("1bffffffffffffffff") == 18446744073709551616.0);
  CHECK(read("3bffffffffffffffff") == -18446744073709551616.0);
}
