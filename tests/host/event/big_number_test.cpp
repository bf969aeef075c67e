#include "host/event/big_number.hpp"

#include <rapidcheck.h>

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using namespace nexus::host;
using Bytes = std::vector<uint8_t>;

TEST_CASE("decimal digits and bytes stand for the same number") {
  CHECK(digits_to_bytes("0").empty());
  CHECK(digits_to_bytes("255") == Bytes{0xFF});
  CHECK(digits_to_bytes("256") == Bytes{1, 0});
  CHECK(digits_to_bytes("18446744073709551616") == Bytes{1, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(bytes_to_digits({}) == "0");
  CHECK(bytes_to_digits(Bytes{0, 0}) == "0");
  CHECK(bytes_to_digits(Bytes{1, 0, 0, 0, 0, 0, 0, 0, 0}) == "18446744073709551616");
  // 2^256
  Bytes big(33);
  big[0] = 1;
  CHECK(bytes_to_digits(big) == "115792089237316195423570985008687907853269984665640564039457584007913129639936");
}

TEST_CASE("numbers of 64 bits agree with the standard library") {
  CHECK(rc::check([](uint64_t value) {
    const std::string digits = std::to_string(value);
    const Bytes bytes = digits_to_bytes(digits);
    uint64_t back = 0;
    for (const uint8_t byte : bytes) back = back << 8 | byte;
    RC_ASSERT(back == value);
    RC_ASSERT(bytes_to_digits(bytes) == digits);
  }));
}

TEST_CASE("long numbers come back, and one more and one less cancel out") {
  CHECK(rc::check([] {
    auto digits = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789")));
    digits.insert(0, 1, '7');
    const Bytes bytes = digits_to_bytes(digits);
    RC_ASSERT(bytes.front() != 0);
    RC_ASSERT(bytes_to_digits(bytes) == digits);
    Bytes moved = bytes;
    increment(moved);
    RC_ASSERT(moved != bytes);
    decrement(moved);
    RC_ASSERT(moved == bytes);
  }));
}

TEST_CASE("carries run through all bytes") {
  Bytes number = {0xFF, 0xFF};
  increment(number);
  CHECK(number == Bytes{1, 0, 0});
  decrement(number);
  CHECK(number == Bytes{0xFF, 0xFF});
  Bytes one = {1};
  decrement(one);
  CHECK(one.empty());
}
