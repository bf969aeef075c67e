#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <limits>

#include "nexus/schema.hpp"
#include "tests/sdk/cbor_hex.hpp"
#include "tests/sdk/schema_types.hpp"

using namespace nexus;
using cbor::Value;
using shop::Order;
using testing::why_not;

TEST_CASE("no data at all is a map without members") {
  Order order;
  EventTraits<Order>::decode(nexus_bytes{nullptr, 0}, order);
  CHECK(order.order_id == "none");
  CHECK(order.currency == "USD");
}

TEST_CASE("reading is tolerant: any order, unknown fields, missing ones, tags") {
  const Value data = {{"currency", "EUR"},
                      {"unknown", {{"deep", Value::array({1, 2, 3})}}},
                      {"order_id", "A-1"},
                      {"x", nullptr},
                      {"count", 7}};
  const Bytes bytes = data.encode();
  Order order;
  EventTraits<Order>::decode(bytes, order);
  CHECK(order.order_id == "A-1");
  CHECK(order.currency == "EUR");
  CHECK(order.count == 7);
  CHECK(order.total_amount == 0);

  // A tag before the map, before a value, and a key that is not text.
  const Bytes tagged = testing::from_hex("d9d9f7 a3 01 02 65636f756e74 c1 05 686f726465725f6964 d820 6141");
  EventTraits<Order>::decode(tagged, order);
  CHECK(order.count == 5);
  CHECK(order.order_id == "A");

  // Everything of unknown length, text in chunks, a key in chunks.
  const Bytes streamed = testing::from_hex("bf 686f726465725f6964 7f 6141 6142 ff 7f 63636f75 626e74 ff 06 ff");
  EventTraits<Order>::decode(streamed, order);
  CHECK(order.order_id == "AB");
  CHECK(order.count == 6);
}

TEST_CASE("fields are found from every order of the keys") {
  std::vector<std::string> names = {"count", "currency", "order_id", "zzz"};
  do {
    Value data = Value::map();
    for (const std::string& name : names) data[name] = name == "count" ? Value(9) : Value(name);
    Order order;
    const Bytes bytes = data.encode();
    EventTraits<Order>::decode(bytes, order);
    CHECK(order.count == 9);
    CHECK(order.currency == "currency");
    CHECK(order.order_id == "order_id");
  } while (std::next_permutation(names.begin(), names.end()));
}

TEST_CASE("numbers change their kind where nothing is lost") {
  const auto count_of = [](const Value& value) {
    Order order;
    const Bytes bytes = Value{{"count", value}, {"total_amount", value}}.encode();
    EventTraits<Order>::decode(bytes, order);
    CHECK(order.total_amount == static_cast<double>(order.count));
    return order.count;
  };
  CHECK(count_of(3) == 3);
  CHECK(count_of(-3) == -3);
  CHECK(count_of(3.0) == 3);
  CHECK(count_of(1e9) == 1'000'000'000);
}

TEST_CASE("a wrong type names the field, what it must be and what it is") {
  const auto price_is = [](Value price) {
    return Value{{"items", Value::array({Value::map(), Value::map(), Value{{"price", std::move(price)}}})}};
  };
  CHECK(why_not(price_is("dear")) == "order.created: field items[2].price must be a number, is text");
  CHECK(why_not(price_is(nullptr)) == "order.created: field items[2].price must be a number, is null");
  CHECK(why_not(Value{{"items", {{"a", 1}}}}) == "order.created: field items must be a list, is a map");
  CHECK(why_not(Value{{"items", Value::array({1})}}) ==
        "order.created: field items[0] must be a map, is a whole number");
  CHECK(why_not(Value{{"order_id", 5}}) == "order.created: field order_id must be text, is a whole number");
  CHECK(why_not(Value{{"user_id", Bytes{1}}}) == "order.created: field user_id must be text, is bytes");
  CHECK(why_not(Value{{"count", "5"}}) == "order.created: field count must be a whole number, is text");
  CHECK(why_not(Value{{"count", 1.5}}) == "order.created: field count must be a whole number, is one with a fraction");
  CHECK(why_not(Value{{"count", 3'000'000'000}}) ==
        "order.created: field count must be a whole number from -2147483648 to 2147483647");
  CHECK(why_not(Value{{"count", 1e300}}) ==
        "order.created: field count must be a whole number from -2147483648 to 2147483647");
  CHECK(why_not(Value(5)) == "order.created: the data must be a map, is a whole number");
  CHECK(why_not(Value{{"order_id", "a"}, {"order_id", "b"}}) ==
        "order.created: field order_id must come once, but comes twice");
}

TEST_CASE("the integers of each width stop at their bounds") {
  const auto why = [](const char* field, const Value& value) {
    return why_not<shop::Everything>(Value{{field, value}}.encode());
  };
  CHECK(why("i8", -128) == "no error");
  CHECK(why("i8", -129) == "shop.everything: field i8 must be a whole number from -128 to 127");
  CHECK(why("i8", 128) == "shop.everything: field i8 must be a whole number from -128 to 127");
  CHECK(why("u8", 255) == "no error");
  CHECK(why("u8", 256) == "shop.everything: field u8 must be a whole number from 0 to 255");
  CHECK(why("u8", -1) == "shop.everything: field u8 must be a whole number from 0 to 255");
  CHECK(why("i64", UINT64_MAX) ==
        "shop.everything: field i64 must be a whole number from -9223372036854775808 to 9223372036854775807");
  CHECK(why("u64", UINT64_MAX) == "no error");
  CHECK(why("u64", 1e19) == "no error");
  CHECK(why("u64", 2e19) == "shop.everything: field u64 must be a whole number from 0 to 18446744073709551615");
}

TEST_CASE("single precision takes what it can hold, rounded, and no more") {
  const auto why = [](const Value& value) { return why_not<shop::Everything>(Value{{"single", value}}.encode()); };
  CHECK(why(0.1) == "no error");
  CHECK(why(3.4028234663852886e38) == "no error");
  CHECK(why(std::numeric_limits<double>::infinity()) == "no error");
  CHECK(why(1e300) == "shop.everything: field single must be a number that single precision can hold");
  CHECK(why(-1e39) == "shop.everything: field single must be a number that single precision can hold");
}

TEST_CASE("enums are texts from a list") {
  const auto why = [](const Value& value) { return why_not<shop::Everything>(Value{{"color", value}}.encode()); };
  CHECK(why("red") == "no error");
  CHECK(why("mauve") == "shop.everything: field color must be one of red, green, blue, is \"mauve\"");
  CHECK(why(1) == "shop.everything: field color must be one of red, green, blue, is a whole number");
  const std::string long_text(200, 'x');
  CHECK(why(long_text) ==
        "shop.everything: field color must be one of red, green, blue, is \"" + std::string(64, 'x') + "...\"");
}

TEST_CASE("maps want text keys, each once, and name the key of a wrong value") {
  const auto why = [](const char* hex) { return why_not<shop::Everything>(testing::from_hex(hex)); };
  CHECK(why("a1 66636f756e7473 a2 6161 01 6162 f5") ==
        "shop.everything: field counts.b must be a whole number, is true or false");
  CHECK(why("a1 66636f756e7473 a2 6161 01 6161 02") ==
        "shop.everything: field counts must name each key once, but names \"a\" twice");
  CHECK(why("a1 66636f756e7473 a1 01 02") ==
        "shop.everything: field counts must be a map with text keys, is a whole number");
}

TEST_CASE("an optional takes null and absence alike") {
  for (const Value& data : {Value{{"maybe", nullptr}}, Value::map()}) {
    shop::Everything event;
    if (data.size() != 0) event.maybe = 3;
    EventTraits<shop::Everything>::decode(data.encode(), event);
    CHECK_FALSE(event.maybe.has_value());
  }
  CHECK(why_not<shop::Everything>(Value{{"maybe", "x"}}.encode()) ==
        "shop.everything: field maybe must be a whole number, is text");
}

TEST_CASE("broken data is told apart from a wrong field") {
  const auto why = [](const char* hex) { return why_not<Order>(testing::from_hex(hex)); };
  CHECK(why("a0 00") == "order.created: bytes follow after the item, at byte 1");
  CHECK(why("a1 686f726465725f6964 62c328") == "order.created: field order_id must be UTF-8 text");
  CHECK(why("a1 67757365725f6964 62c328") == "order.created: field user_id must be UTF-8 text");
  CHECK(why("a1 67757365725f6964 7f 6141 6142 ff") ==
        "order.created: field user_id must be in one piece, is in several chunks");
  CHECK(why("a1 65636f756e74 1c") == "order.created: the data is not well-formed CBOR, at byte 7, in field count");
  CHECK(why("a1 65636f756e74 ff") ==
        "order.created: a break code stands where an item must, at byte 7, in field count");
  CHECK(why("a1 62c328 00") == "order.created: the text is not UTF-8, at byte 1");
  CHECK(why("a1 617a 62c328") == "order.created: the text is not UTF-8, at byte 3");
  CHECK(why("bf 65636f756e74 05") == "order.created: the data is cut short, at byte 8");
}

TEST_CASE("depth and forged lengths end in a sentence") {
  Bytes deep = testing::from_hex("a1 6466726565");
  deep.insert(deep.end(), 10'000, 0x81);
  CHECK(why_not<shop::Everything>(deep) ==
        "shop.everything: the data is nested deeper than 128, at byte 133, in field free");
  Bytes unknown = testing::from_hex("a1 6161");
  unknown.insert(unknown.end(), 10'000, 0x81);
  CHECK(why_not<Order>(unknown) == "order.created: the data is nested deeper than 128, at byte 130");
  Bytes recursive;  // items within items within items, as deep as the type allows
  for (int i = 0; i < 5'000; ++i) {
    const Bytes level = testing::from_hex(i == 0 ? "a1 656974656d73 81" : "a1 657061727473 81");
    recursive.insert(recursive.end(), level.begin(), level.end());
  }
  CHECK(why_not<Order>(recursive).find("the data is nested deeper than 128") != std::string::npos);
  CHECK(why_not<Order>(testing::from_hex("a1 656974656d73 9bffffffffffffffff")) ==
        "order.created: the data is cut short, at byte 7, in field items");
}

TEST_CASE("decode throws what try_decode tells, with the path apart") {
  const Bytes data = Value{{"items", Value::array({Value{{"price", "x"}}})}}.encode();
  Order order;
  try {
    EventTraits<Order>::decode(data, order);
    FAIL("must throw");
  } catch (const SchemaError& error) {
    CHECK(std::string(error.what()) == why_not<Order>(data));
    CHECK(error.path() == "items[0].price");
  }
}
