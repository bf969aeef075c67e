#include <catch2/catch_test_macros.hpp>

#include <limits>

#include "nexus/cbor.hpp"
#include "nexus/cbor_json.hpp"
#include "tests/sdk/cbor_hex.hpp"

using namespace nexus;
using cbor::Value;
using testing::from_hex;

namespace {

std::string json(const Value& value) { return cbor::to_json(value.encode()); }

template <class Call>
std::string sentence_of(Call&& call) {
  try {
    call();
  } catch (const SchemaError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a value is built from literals") {
  const Value order = {
      {"order_id", "A-1"},
      {"total", 12.5},
      {"count", 3},
      {"paid", true},
      {"note", nullptr},
      {"tags", Value::array({"new", 1, Value::array()})},
      {"buyer", {{"name", "Ann"}, {"age", 41u}}},
      {"empty", Value::map()},
      {"key", Bytes{1, 2}},
  };
  CHECK(json(order) ==
        "{\"order_id\":\"A-1\",\"total\":12.5,\"count\":3,\"paid\":true,\"note\":null,\"tags\":[\"new\",1,[]],"
        "\"buyer\":{\"name\":\"Ann\",\"age\":41},\"empty\":{},\"key\":\"AQI\"}");
  CHECK(Value::decode(order.encode()) == order);
}

TEST_CASE("integers of every width are one kind, and only large ones another") {
  CHECK(Value(1u) == Value(std::int64_t{1}));
  CHECK(Value(std::uint8_t{7}) == Value(7));
  CHECK(Value(std::uint64_t{INT64_MAX}).type() == Value::Type::integer);
  CHECK(Value(UINT64_MAX).type() == Value::Type::natural);
  CHECK(Value(1) != Value(1.0));
  CHECK(Value(true) != Value(1));
}

TEST_CASE("get converts where nothing is lost, and says what it found where it cannot") {
  CHECK(Value(5).get<int>() == 5);
  CHECK(Value(5.0).get<std::uint8_t>() == 5);
  CHECK(Value(5).get<double>() == 5.0);
  CHECK(Value(UINT64_MAX).get<std::uint64_t>() == UINT64_MAX);
  CHECK(Value("x").get<std::string_view>() == "x");
  CHECK(Value(Bytes{9}).get<Bytes>() == Bytes{9});
  CHECK(Value::array({1, 2}).get<Value::Array>().size() == 2);
  CHECK(sentence_of([] { (void)Value(300).get<std::uint8_t>(); }) ==
        "must be a whole number in range, is a whole number");
  CHECK(sentence_of([] { (void)Value(-1).get<std::uint64_t>(); }) ==
        "must be a whole number in range, is a whole number");
  CHECK(sentence_of([] { (void)Value(1.5).get<int>(); }) == "must be a whole number in range, is a number");
  CHECK(sentence_of([] { (void)Value("x").get<double>(); }) == "must be a number, is text");
  CHECK(sentence_of([] { (void)Value(1).get<std::string>(); }) == "must be text, is a whole number");
  CHECK(sentence_of([] { (void)Value().get<bool>(); }) == "must be true or false, is null");
  CHECK(Value("x").get_or<int>(9) == 9);
  CHECK(Value(8).get_or<int>(9) == 8);
}

TEST_CASE("doubles turn into integers at the very bounds and not beyond") {
  std::int64_t number = 0;
  CHECK(Value(-0x1p63).get_into(number));
  CHECK(number == INT64_MIN);
  CHECK_FALSE(Value(0x1p63).get_into(number));
  std::uint64_t natural = 0;
  CHECK(Value(0x1.fffffffffffffp63).get_into(natural));
  CHECK_FALSE(Value(0x1p64).get_into(natural));
  CHECK_FALSE(Value(-1.0).get_into(natural));
  std::int8_t small = 0;
  CHECK(Value(-128.0).get_into(small));
  CHECK_FALSE(Value(128.0).get_into(small));
  CHECK_FALSE(Value(std::numeric_limits<double>::quiet_NaN()).get_into(small));
  CHECK_FALSE(Value(std::numeric_limits<double>::infinity()).get_into(number));
}

TEST_CASE("paths reach into maps and lists, and dots in keys do not hide them") {
  const Value config = {
      {"plugins", {{"com.example.orders", {{"enabled", true}}}, {"com", {{"example", 1}}}}},
      {"items", Value::array({Value{{"price", 2}}, 7})},
  };
  CHECK(config.at("plugins.com.example.orders.enabled").get<bool>());
  CHECK(config.at("plugins.com.example").get<int>() == 1);
  CHECK(config.at("items.0.price").get<int>() == 2);
  CHECK(config.at("items.1").get<int>() == 7);
  for (const char* path : {"items.2", "items.x", "items.0x", "items.-1", "items.", "items.0.", "items.0.price.deep",
                           "nothing", "", "plugins..com", "items.99999999999999999999"}) {
    INFO(path);
    CHECK(config.find_path(path) == nullptr);
  }
  CHECK(sentence_of([&] { config.at("items.5"); }) == "there is no items.5");
  CHECK(config.find("items.0") == nullptr);
  CHECK(Value(1).find("a") == nullptr);
}

TEST_CASE("values grow by key and by item") {
  Value value;
  value["a"]["b"] = 1;
  value["list"].push_back("x");
  value["list"].push_back(2);
  value["a"]["b"] = 3;
  CHECK(json(value) == "{\"a\":{\"b\":3},\"list\":[\"x\",2]}");
  CHECK(value.size() == 2);
  CHECK(value.find("list")->size() == 2);
  CHECK(sentence_of([&] { value["a"].push_back(1); }) == "must be a list, is a map");
  CHECK(sentence_of([&] { value["list"]["k"] = 1; }) == "must be a map, is a list");
}

TEST_CASE("reading drops tags, takes undefined as null and keeps a doubled key") {
  CHECK(Value::decode(from_hex("c1 c2 05")) == Value(5));
  CHECK(Value::decode(from_hex("f7")).is_null());
  const Value doubled = Value::decode(from_hex("a2 6161 01 6161 02"));
  CHECK(doubled.size() == 2);
  CHECK(doubled.find("a")->get<int>() == 1);
  CHECK(Value::decode(from_hex("7f 6161 6162 ff")) == Value("ab"));
}

TEST_CASE("reading refuses what a value has no room for") {
  CHECK(sentence_of([] { Value::decode(from_hex("a10102")); }) == "the item cannot be held as a value, at byte 1");
  CHECK(sentence_of([] { Value::decode(from_hex("f0")); }) == "the item cannot be held as a value, at byte 0");
  CHECK(sentence_of([] { Value::decode(from_hex("0000")); }) == "bytes follow after the item, at byte 1");
  CHECK(sentence_of([] { Value::decode(Bytes()); }) == "the data is cut short, at byte 0");
  CHECK(sentence_of([] { Value::decode(Bytes(10'000, 0x81)); }) == "the data is nested deeper than 128, at byte 128");
}
