// Round trips and robustness over arbitrary values and arbitrary bytes.
#include <rapidcheck.h>
#include <catch2/catch_test_macros.hpp>

#include <bit>
#include <cmath>

#include "nexus/cbor.hpp"
#include "nexus/cbor_json.hpp"
#include "tests/sdk/cbor_copy.hpp"

using namespace nexus;
using cbor::Value;

namespace {

// Valid UTF-8 from arbitrary code points, surrogates left out.
std::string utf8_of(const std::vector<std::uint32_t>& points) {
  std::string text;
  for (std::uint32_t point : points) {
    point %= 0x110000u;
    if (point >= 0xd800u && point < 0xe000u) point -= 0xd800u;
    if (point < 0x80u) {
      text += static_cast<char>(point);
    } else if (point < 0x800u) {
      text += static_cast<char>(0xc0u | point >> 6);
      text += static_cast<char>(0x80u | (point & 0x3fu));
    } else if (point < 0x10000u) {
      text += static_cast<char>(0xe0u | point >> 12);
      text += static_cast<char>(0x80u | (point >> 6 & 0x3fu));
      text += static_cast<char>(0x80u | (point & 0x3fu));
    } else {
      text += static_cast<char>(0xf0u | point >> 18);
      text += static_cast<char>(0x80u | (point >> 12 & 0x3fu));
      text += static_cast<char>(0x80u | (point >> 6 & 0x3fu));
      text += static_cast<char>(0x80u | (point & 0x3fu));
    }
  }
  return text;
}

rc::Gen<std::string> any_text() { return rc::gen::map(rc::gen::arbitrary<std::vector<std::uint32_t>>(), utf8_of); }

rc::Gen<double> any_double() {
  return rc::gen::oneOf(rc::gen::arbitrary<double>(),
                        rc::gen::map(rc::gen::arbitrary<std::int16_t>(), [](std::int16_t n) { return n / 8.0; }),
                        rc::gen::map(rc::gen::arbitrary<float>(), [](float n) { return static_cast<double>(n); }));
}

rc::Gen<Value> any_value(int depth) {
  auto scalar =
      rc::gen::oneOf(rc::gen::just(Value()), rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) { return Value(b); }),
                     rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t n) { return Value(n); }),
                     rc::gen::map(rc::gen::arbitrary<std::uint64_t>(), [](std::uint64_t n) { return Value(n); }),
                     rc::gen::map(any_double(), [](double n) { return Value(std::isnan(n) ? 0.0 : n); }),
                     rc::gen::map(any_text(), [](std::string s) { return Value(std::move(s)); }),
                     rc::gen::map(rc::gen::arbitrary<Bytes>(), [](Bytes b) { return Value(std::move(b)); }));
  if (depth == 0) return scalar;
  auto items = rc::gen::map(rc::gen::container<Value::Array>(any_value(depth - 1)),
                            [](Value::Array a) { return Value(std::move(a)); });
  auto members = rc::gen::map(rc::gen::container<Value::Map>(rc::gen::pair(any_text(), any_value(depth - 1))),
                              [](Value::Map m) { return Value(std::move(m)); });
  return rc::gen::resize(8, rc::gen::oneOf(scalar, items, members));
}

}  // namespace

TEST_CASE("what is written is read back, well-formed and within its bound") {
  CHECK(rc::check("values", [] {
    const Value value = *any_value(3);
    const Bytes bytes = value.encode();
    RC_ASSERT(bytes.size() <= value.encoded_bound());
    RC_ASSERT(cbor::check(bytes));
    RC_ASSERT(Value::decode(bytes) == value);
  }));
}

TEST_CASE("every double survives in the shortest form that holds it") {
  CHECK(rc::check("doubles", [] {
    const double value = *any_double();
    cbor::Buffer out;
    cbor::Writer(out).write_double(value);
    cbor::Reader reader(out.bytes());
    double back = 0;
    RC_ASSERT(reader.read_double(back));
    RC_ASSERT(std::bit_cast<std::uint64_t>(back) == std::bit_cast<std::uint64_t>(value) ||
              (std::isnan(back) && std::isnan(value)));
    const bool is_single =
        std::isnan(value) || std::isinf(value) ||
        (std::abs(value) <= 3.4028234663852886e38 && static_cast<double>(static_cast<float>(value)) == value);
    RC_ASSERT((out.size() == 9) == !is_single);
  }));
}

TEST_CASE("every half is written as that half") {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const Bytes half = {0xf9, static_cast<std::uint8_t>(bits >> 8), static_cast<std::uint8_t>(bits)};
    cbor::Reader reader(half);
    double value = 0;
    REQUIRE(reader.read_double(value));
    cbor::Buffer out;
    cbor::Writer(out).write_double(value);
    const bool is_nan = (bits & 0x7c00u) == 0x7c00u && (bits & 0x3ffu) != 0;
    const Bytes expected = is_nan ? Bytes{0xf9, 0x7e, 0x00} : half;
    REQUIRE(Bytes(out.data(), out.data() + out.size()) == expected);
  }
}

TEST_CASE("arbitrary bytes harm nobody, and all readers agree on them") {
  CHECK(rc::check("bytes", [] {
    // Bytes that look like heads more often than chance would have it.
    const auto byte = rc::gen::oneOf(
        rc::gen::arbitrary<std::uint8_t>(),
        rc::gen::element<std::uint8_t>(0x5f, 0x7f, 0x9f, 0xbf, 0xff, 0x81, 0xa1, 0x61, 0xc1, 0xf9, 0x18, 0x00));
    const Bytes bytes = *rc::gen::container<Bytes>(byte);
    const bool good = cbor::check(bytes);
    cbor::Buffer out;
    cbor::Reader reader(bytes);
    cbor::Writer writer(out);
    const bool copied = testing::copy_item(reader, writer) && reader.finish();
    RC_ASSERT(copied == good);
    const std::string json = cbor::to_json(bytes);
    RC_ASSERT(json.empty() || good);
    RC_ASSERT(json.size() <= 10 * bytes.size());
    if (json.empty() && good) {
      cbor::Reader again(bytes);
      std::string text;
      RC_ASSERT(!cbor::append_json(text, again) && again.error().fault == cbor::Fault::unsupported);
    }
    if (good) RC_ASSERT(cbor::check(out.bytes()));
    Value value;
    cbor::Error error;
    if (Value::try_decode(bytes, value, error)) {
      RC_ASSERT(good);
      RC_ASSERT(cbor::check(value.encode()));
    } else {
      RC_ASSERT(!good || error.fault == cbor::Fault::unsupported);
    }
  }));
}

TEST_CASE("a flipped bit never leads a reader beyond the bytes") {
  CHECK(rc::check("flips", [] {
    const Value value = *any_value(3);
    Bytes bytes = value.encode();
    const auto place = *rc::gen::inRange<std::size_t>(0, bytes.size());
    bytes[place] = static_cast<std::uint8_t>(bytes[place] ^ (1u << *rc::gen::inRange(0, 8)));
    const Bytes exact(bytes);  // its own allocation, for the sanitizer
    const bool good = cbor::check(exact);
    cbor::Buffer out;
    cbor::Reader reader(exact);
    cbor::Writer writer(out);
    RC_ASSERT((testing::copy_item(reader, writer) && reader.finish()) == good);
  }));
}
