#include <catch2/catch_test_macros.hpp>

#include "nexus/schema.hpp"
#include "tests/sdk/cbor_hex.hpp"
#include "tests/sdk/schema_types.hpp"

using namespace nexus;
using cbor::Value;
using shop::Order;
using testing::encoded;
using testing::why_not;

namespace {

// As a test or a small plugin would have it: nothing outside this file sees the type.
struct Local {
  std::int32_t number = 1;
};
NEXUS_EVENT(Local, "test.local", number)

}  // namespace

TEST_CASE("a type in an anonymous namespace is an event like any other") {
  const Bytes data = encoded(Local{5});
  Local got;
  EventTraits<Local>::decode(data, got);
  CHECK(got.number == 5);
}

TEST_CASE("an event has its name, its version and its fields") {
  STATIC_CHECK(EventTraits<shop::Everything>::type == "shop.everything");
  STATIC_CHECK(EventTraits<shop::Everything>::version == 7);
  STATIC_CHECK(EventTraits<Order>::version == 1);
  STATIC_CHECK(EventType<GlobalPing>);
  STATIC_CHECK_FALSE(EventType<shop::Item>);
  STATIC_CHECK_FALSE(EventType<int>);
  STATIC_CHECK_FALSE(ConfigType<Order>);
}

TEST_CASE("type names follow the bus") {
  const std::string longest(255, 'a');
  for (std::string_view good : {std::string_view("a"), std::string_view("order.created"),
                                std::string_view("a-b_c.0.z9"), std::string_view(longest)}) {
    CHECK(schema::is_type_name(good));
  }
  const std::string too_long(256, 'a');
  for (std::string_view bad :
       {std::string_view(), std::string_view("."), std::string_view("a."), std::string_view(".a"),
        std::string_view("a..b"), std::string_view("Order"), std::string_view("a b"), std::string_view("a.*"),
        std::string_view("*"), std::string_view("\xc3\xbc"), std::string_view("a\0b", 3), std::string_view(too_long)}) {
    CHECK_FALSE(schema::is_type_name(bad));
  }
}

TEST_CASE("every type of field goes out and comes back") {
  using namespace std::chrono_literals;
  const Bytes raw = {9, 8, 7};
  shop::Everything sent;
  sent.flag = false;
  sent.i8 = INT8_MIN;
  sent.i16 = INT16_MIN;
  sent.i32 = INT32_MIN;
  sent.i64 = INT64_MIN;
  sent.u8 = UINT8_MAX;
  sent.u16 = UINT16_MAX;
  sent.u32 = UINT32_MAX;
  sent.u64 = UINT64_MAX;
  sent.single = 0.1f;
  sent.number = 0.1;
  sent.text = "\xc3\xbc" + std::string(300, 'x');
  sent.view = "borrowed";
  sent.bytes = Bytes(70'000, 5);
  sent.span = raw;
  sent.color = Color::blue;
  sent.item = {"A", 1.25, {{"B", 2, {}}, {"C", 3, {{"D", 4, {}}}}}};
  sent.maybe = -5;
  sent.items = {sent.item, {}};
  sent.flags = {true, false, true};
  sent.counts = {{"one", 1}, {"", 0}};
  sent.by_name = {{"x", sent.item}};
  sent.free = {{"deep", Value::array({1, "two", Value{{"three", 3.5}}})}};
  sent.at = std::chrono::system_clock::time_point(1714557600250ms);
  sent.wait = -1250ms;

  const Bytes data = encoded(sent);
  CHECK(cbor::check(data));
  shop::Everything got;
  EventTraits<shop::Everything>::decode(data, got);
  CHECK(got.flag == sent.flag);
  CHECK(got.i8 == sent.i8);
  CHECK(got.i16 == sent.i16);
  CHECK(got.i32 == sent.i32);
  CHECK(got.i64 == sent.i64);
  CHECK(got.u8 == sent.u8);
  CHECK(got.u16 == sent.u16);
  CHECK(got.u32 == sent.u32);
  CHECK(got.u64 == sent.u64);
  CHECK(got.single == sent.single);
  CHECK(got.number == sent.number);
  CHECK(got.text == sent.text);
  CHECK(got.view == sent.view);
  CHECK(got.bytes == sent.bytes);
  CHECK(Bytes(got.span.begin(), got.span.end()) == raw);
  CHECK(got.color == sent.color);
  REQUIRE(got.item.parts.size() == 2);
  CHECK(got.item.parts[1].parts[0].sku == "D");
  CHECK(got.maybe == sent.maybe);
  CHECK(got.items.size() == 2);
  CHECK(got.flags == sent.flags);
  CHECK(got.counts == sent.counts);
  CHECK(got.by_name.at("x").price == 1.25);
  CHECK(got.free == sent.free);
  CHECK(got.at == sent.at);
  CHECK(got.wait == sent.wait);
  // Views point into the data that was read.
  CHECK(reinterpret_cast<const std::uint8_t*>(got.view.data()) > data.data());
  CHECK(reinterpret_cast<const std::uint8_t*>(got.view.data()) < data.data() + data.size());
  CHECK(encoded(got) == data);
}

TEST_CASE("an event cut short at any byte is refused, never read beyond") {
  shop::Everything sent;
  sent.items = {{"A", 1.1, {}}};
  sent.maybe = 7;
  sent.free = {{"k", Value::array({1, 2})}};
  sent.counts = {{"one", 1}};
  const Bytes data = encoded(sent);
  for (std::size_t size = 1; size < data.size(); ++size) {
    INFO("cut to " << size);
    const Bytes cut(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string why = why_not<shop::Everything>(cut);
    CHECK(why.starts_with("shop.everything: the data is cut short, at byte "));
  }
}

TEST_CASE("the encoding is a map by field name, an absent optional left out") {
  CHECK(testing::to_hex(encoded(GlobalPing())) == "a0");
  CHECK(encoded(shop::Shelf()) == testing::from_hex("a1 6473696465 657269676874"));
  shop::Shelf shelf;
  shelf.place = shop::Shelf::Place{3};
  shelf.side = shop::Shelf::Side::left;
  CHECK(Value::decode(encoded(shelf)) == Value{{"place", {{"row", 3}}}, {"side", "left"}});
}

TEST_CASE("what cannot be written is refused when it is written, and names the field") {
  const auto sentence_of = [](const auto& event) -> std::string {
    cbor::Buffer out;
    out.push(0x00);
    try {
      EventTraits<std::decay_t<decltype(event)>>::encode(event, out);
    } catch (const SchemaError& error) {
      CHECK(out.size() == 1);  // left as it was
      return error.what();
    }
    return "no error";
  };
  Order order;
  CHECK(sentence_of(order) == "no error");
  order.items.resize(2);
  order.items[1].sku = "\xc3\x28";
  CHECK(sentence_of(order) == "order.created: field items[1].sku must be UTF-8 text");
  shop::Everything event;
  event.color = static_cast<Color>(9);
  CHECK(sentence_of(event) == "shop.everything: field color must be one of red, green, blue, is \"\"");
  event.color = Color::red;
  event.free = Value("\xff");
  CHECK(sentence_of(event).starts_with("shop.everything: the text is not UTF-8"));
}

TEST_CASE("long field names have keys of their own") {
  shop::LongNames names{10, 20, 30};
  const Bytes data = encoded(names);
  CHECK(cbor::check(data));
  shop::LongNames got;
  EventTraits<shop::LongNames>::decode(data, got);
  CHECK(got.a_name_of_23_characters == 10);
  CHECK(got.a_name_of_24_characters_ == 20);
  CHECK(got.a_name_that_is_considerably_longer_than_all_the_others == 30);
}

TEST_CASE("the JSON Schema of an event") {
  CHECK(EventTraits<Order>::json_schema() ==
        R"({"$schema":"http://json-schema.org/draft-07/schema#","title":"order.created","x-nexus-version":1,)"
        R"("type":"object","properties":{"order_id":{"type":"string","default":"none"},)"
        R"("user_id":{"type":"string","default":""},"total_amount":{"type":"number","default":0},)"
        R"("count":{"type":"integer","minimum":-2147483648,"maximum":2147483647,"default":1},)"
        R"("currency":{"type":"string","default":"USD"},"items":{"type":"array","items":{"type":"object",)"
        R"("properties":{"sku":{"type":"string","default":""},"price":{"type":"number","default":0},)"
        R"("parts":{"type":"array","items":{"type":"object"},"default":[]}}},"default":[]}}})");
  CHECK(EventTraits<GlobalPing>::json_schema() ==
        R"({"$schema":"http://json-schema.org/draft-07/schema#","title":"ping","x-nexus-version":1,)"
        R"("type":"object","properties":{}})");
}

TEST_CASE("the JSON Schema of every type of field") {
  CHECK(EventTraits<shop::Everything>::json_schema() ==
        R"({"$schema":"http://json-schema.org/draft-07/schema#","title":"shop.everything","x-nexus-version":7,)"
        R"("type":"object","properties":{"flag":{"type":"boolean","default":true},)"
        R"("i8":{"type":"integer","minimum":-128,"maximum":127,"default":-8},)"
        R"("i16":{"type":"integer","minimum":-32768,"maximum":32767,"default":-16},)"
        R"("i32":{"type":"integer","minimum":-2147483648,"maximum":2147483647,"default":-32},)"
        R"("i64":{"type":"integer","default":-64},)"
        R"("u8":{"type":"integer","minimum":0,"maximum":255,"default":8},)"
        R"("u16":{"type":"integer","minimum":0,"maximum":65535,"default":16},)"
        R"("u32":{"type":"integer","minimum":0,"maximum":4294967295,"default":32},)"
        R"("u64":{"type":"integer","minimum":0,"default":64},)"
        R"("single":{"type":"number","default":1.5},"number":{"type":"number","default":2.25},)"
        R"("text":{"type":"string","default":"text"},"view":{"type":"string","default":"view"},)"
        R"("bytes":{"type":"string","contentEncoding":"base64url","default":"AQI"},)"
        R"("span":{"type":"string","contentEncoding":"base64url","default":""},)"
        R"("color":{"type":"string","enum":["red","green","blue"],"default":"green"},)"
        R"("item":{"type":"object","properties":{"sku":{"type":"string","default":""},)"
        R"("price":{"type":"number","default":0},"parts":{"type":"array","items":{"type":"object"},"default":[]}}},)"
        R"("maybe":{"type":"integer","minimum":-2147483648,"maximum":2147483647},)"
        R"("items":{"type":"array","items":{"type":"object","properties":{"sku":{"type":"string","default":""},)"
        R"("price":{"type":"number","default":0},"parts":{"type":"array","items":{"type":"object"},)"
        R"("default":[]}}},"default":[]},"flags":{"type":"array","items":{"type":"boolean"},"default":[]},)"
        R"("counts":{"type":"object","additionalProperties":{"type":"integer","minimum":-2147483648,)"
        R"("maximum":2147483647},"default":{}},"by_name":{"type":"object","additionalProperties":{"type":"object",)"
        R"("properties":{"sku":{"type":"string","default":""},"price":{"type":"number","default":0},)"
        R"("parts":{"type":"array","items":{"type":"object"},"default":[]}}},"default":{}},"free":{},)"
        R"("at":{"type":"string","format":"date-time"},)"
        R"("wait":{"type":"number","description":"seconds","default":1.5}}})");
}
