#include "nexus/filter.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace {

using nexus::Event;
using nexus::Filter;

struct Payment {
  double amount = 0;
};
NEXUS_EVENT(Payment, "payment.completed", amount)

// An event and what it points to.
struct Sample {
  std::string type = "user.registered";
  std::string source = "com.example.users";
  std::string subject = "user/7";
  std::string key = "7";
  std::string correlation = "c-1";
  nexus::Bytes metadata = nexus::cbor::Value({{"environment", "production"}, {"build", 7}}).encode();
  nexus::Bytes data;
  int priority = 0;

  bool is_taken_by(const Filter& filter) const {
    nexus_event raw{};
    raw.size = sizeof raw;
    raw.type = nexus::detail::to_abi(type);
    raw.source = nexus::detail::to_abi(source);
    raw.subject = nexus::detail::to_abi(subject);
    raw.key = nexus::detail::to_abi(key);
    raw.correlation_id = nexus::detail::to_abi(correlation);
    raw.priority = priority;
    raw.metadata = {metadata.data(), metadata.size()};
    raw.data = {data.data(), data.size()};
    return filter(Event(raw));
  }
};

TEST_CASE("an empty filter takes everything") {
  CHECK(Sample().is_taken_by(Filter()));
  CHECK(Filter().empty());
  CHECK(Filter().text().empty());
}

TEST_CASE("each field can be asked for") {
  const Sample sample;
  CHECK(sample.is_taken_by(nexus::type_is("user.*")));
  CHECK_FALSE(sample.is_taken_by(nexus::type_is("order.*")));
  CHECK(sample.is_taken_by(nexus::from("com.example.users")));
  CHECK_FALSE(sample.is_taken_by(nexus::from("com.example.user")));
  CHECK(sample.is_taken_by(nexus::subject_is("user/7")));
  CHECK_FALSE(sample.is_taken_by(nexus::subject_is("")));
  CHECK(sample.is_taken_by(nexus::key_is("7")));
  CHECK_FALSE(sample.is_taken_by(nexus::key_is("8")));
  CHECK(sample.is_taken_by(nexus::correlation_is("c-1")));
  CHECK_FALSE(sample.is_taken_by(nexus::correlation_is("c-2")));
  CHECK(sample.is_taken_by(nexus::priority_at_least(0)));
  CHECK_FALSE(sample.is_taken_by(nexus::priority_at_least(1)));
}

TEST_CASE("metadata is compared as text") {
  const Sample sample;
  CHECK(sample.is_taken_by(nexus::metadata("environment", "production")));
  CHECK_FALSE(sample.is_taken_by(nexus::metadata("environment", "test")));
  CHECK_FALSE(sample.is_taken_by(nexus::metadata("region", "eu")));
  CHECK(sample.is_taken_by(nexus::metadata("environment")));
  CHECK_FALSE(sample.is_taken_by(nexus::metadata("build")));  // a number
  CHECK_FALSE(sample.is_taken_by(nexus::metadata("region")));
}

TEST_CASE("metadata that is missing or broken matches nothing") {
  Sample sample;
  for (const nexus::Bytes& broken :
       {nexus::Bytes{}, nexus::Bytes{0x18}, nexus::Bytes{0xa1}, nexus::Bytes{0xa1, 0x61, 0x61},
        nexus::Bytes{0x81, 0x01}, nexus::Bytes{0xa1, 0x01, 0x02}}) {
    sample.metadata = broken;
    CHECK_FALSE(sample.is_taken_by(nexus::metadata("environment")));
    CHECK(sample.is_taken_by(!nexus::metadata("environment", "production")));
  }
}

TEST_CASE("filters compose") {
  const Sample sample;
  const Filter documented =
      nexus::type_is("user.*") && !nexus::from("test") && nexus::metadata("environment", "production");
  CHECK(sample.is_taken_by(documented));
  Sample other = sample;
  other.source = "test";
  CHECK_FALSE(other.is_taken_by(documented));
  other = sample;
  other.type = "order.created";
  CHECK_FALSE(other.is_taken_by(documented));

  CHECK(sample.is_taken_by(nexus::type_is("order.*") || nexus::from("com.example.users")));
  CHECK_FALSE(sample.is_taken_by(nexus::type_is("order.*") || nexus::from("test")));
  CHECK(sample.is_taken_by(!(nexus::type_is("order.*") && nexus::from("com.example.users"))));
}

TEST_CASE("an empty filter is neutral in and, and takes all in or") {
  const Sample sample;
  CHECK_FALSE(sample.is_taken_by(Filter() && nexus::from("test")));
  CHECK_FALSE(sample.is_taken_by(nexus::from("test") && Filter()));
  CHECK(sample.is_taken_by(Filter() || nexus::from("test")));
  CHECK(sample.is_taken_by(nexus::from("test") || Filter()));
  CHECK_FALSE(sample.is_taken_by(!Filter()));
}

TEST_CASE("lists: all of them, any of them, none given") {
  const Sample sample;
  using nexus::all_of;
  using nexus::any_of;
  const Filter users = nexus::type_is("user.*");
  const Filter test = nexus::from("test");
  CHECK(sample.is_taken_by(all_of(users, !test)));
  CHECK_FALSE(sample.is_taken_by(all_of(users, test)));
  CHECK(sample.is_taken_by(any_of(users, test)));
  CHECK_FALSE(sample.is_taken_by(any_of(test, test)));
  CHECK(sample.is_taken_by(all_of()));
  CHECK_FALSE(sample.is_taken_by(any_of()));

  const std::vector<Filter> list = {users, test};
  CHECK_FALSE(sample.is_taken_by(all_of(std::span<const Filter>(list))));
  CHECK(sample.is_taken_by(any_of(std::span<const Filter>(list))));
  CHECK(sample.is_taken_by(all_of(std::span<const Filter>())));
  CHECK_FALSE(sample.is_taken_by(any_of(std::span<const Filter>())));
}

TEST_CASE("a function of one's own, on the event or on its data") {
  Sample sample;
  sample.type = "payment.completed";
  sample.data = nexus::cbor::Value({{"amount", 150.5}}).encode();
  int limit = 100;
  CHECK(sample.is_taken_by(nexus::where([](const Event& e) { return e.key() == "7"; })));
  CHECK(sample.is_taken_by(nexus::where<Payment>([&](const Payment& p) { return p.amount > limit; })));
  limit = 200;
  CHECK_FALSE(sample.is_taken_by(nexus::where<Payment>([&](const Payment& p) { return p.amount > limit; })));
  sample.data = {0xff};
  CHECK_THROWS_AS(sample.is_taken_by(nexus::where<Payment>([](const Payment&) { return true; })), nexus::SchemaError);
}

TEST_CASE("a filter says in words what it asks for") {
  using namespace nexus::words;
  CHECK((type_is("user.*") && !from("test") && metadata("environment", "production")).text() ==
        "type is user.* and not from test and metadata environment is production");
  CHECK((type_is("a") && (from("b") || from("c"))).text() == "type is a and (from b or from c)");
  CHECK(((type_is("a") && from("b")) || from("c")).text() == "(type is a and from b) or from c");
  CHECK((!(type_is("a") && from("b"))).text() == "not (type is a and from b)");
  CHECK((type_is("a") || from("b") || key_is("c")).text() == "type is a or from b or key is c");
  CHECK((subject_is("s") && correlation_is("c") && priority_at_least(5) && nexus::metadata("k")).text() ==
        "subject is s and correlation is c and priority at least 5 and metadata k is set");
  CHECK(where([](const Event&) { return true; }).text() == "a function");
  CHECK(where([](const Event&) { return true; }, "amount above 100").text() == "amount above 100");
  CHECK((!Filter()).text() == "not anything");
}

TEST_CASE("a filter is a value: copies are independent, moved-from ones are empty") {
  const Sample sample;
  Filter first = nexus::type_is("order.*") && nexus::from("x");
  Filter second = first;
  first = nexus::type_is("user.*");
  CHECK(sample.is_taken_by(first));
  CHECK_FALSE(sample.is_taken_by(second));
  Filter third = std::move(second);
  CHECK_FALSE(sample.is_taken_by(third));
  Filter& same = third;
  third = same;
  CHECK(third.text() == "type is order.* and from x");
}

TEST_CASE("a filter keeps its own copy of the texts it was made of") {
  Filter filter;
  {
    std::string type = "user.*";
    std::string source = "com.example.users";
    filter = nexus::type_is(type) && nexus::from(source);
    type.assign("order.*");
    source.assign("xxxxxxxxxxxxxxxxx");
  }
  CHECK(Sample().is_taken_by(filter));
}

TEST_CASE("a filter can be made while compiling") {
  constexpr bool made = [] {
    const Filter filter =
        nexus::type_is("user.*") && !nexus::from("test") && nexus::metadata("environment", "production");
    const Filter copy = filter;
    return !copy.empty();
  }();
  STATIC_CHECK(made);
}

TEST_CASE("a filter on something that is no pattern is refused when it is made") {
  CHECK_THROWS_AS(nexus::type_is("user*"), nexus::Error);
  CHECK_THROWS_AS(nexus::type_is(""), nexus::Error);
}

}  // namespace
