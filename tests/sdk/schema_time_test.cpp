#include <rapidcheck.h>
#include <catch2/catch_test_macros.hpp>

#include "nexus/schema.hpp"
#include "tests/sdk/cbor_hex.hpp"

using namespace nexus;
using namespace std::chrono_literals;
using cbor::Value;
using Clock = std::chrono::system_clock;

namespace {

struct Times {
  Clock::time_point exact;
  std::chrono::sys_seconds coarse;
  std::chrono::time_point<Clock, std::chrono::milliseconds> millis;
  std::chrono::sys_days day;
  std::chrono::nanoseconds nanos{};
  std::chrono::seconds seconds{};
  std::chrono::hours hours{};
  std::chrono::duration<double> fraction{};
  std::chrono::duration<std::int8_t> tiny{};
};
NEXUS_EVENT(Times, "test.times", exact, coarse, millis, day, nanos, seconds, hours, fraction, tiny)

Value written(const Times& times) {
  cbor::Buffer out;
  EventTraits<Times>::encode(times, out);
  return Value::decode(out.bytes());
}

std::string why_not(const Bytes& data) {
  Times scratch;
  std::string why = "no error";
  EventTraits<Times>::try_decode(std::span<const std::uint8_t>(data), scratch, &why);
  return why;
}
std::string why_not(const Value& data) { return why_not(data.encode()); }

Times read(const Value& data) {
  Times times;
  const Bytes bytes = data.encode();
  EventTraits<Times>::decode(bytes, times);
  return times;
}

std::int64_t nanos_of(std::string_view text) { return read(Value{{"exact", text}}).exact.time_since_epoch() / 1ns; }

}  // namespace

TEST_CASE("a time point is RFC 3339 text with as many digits as it takes, under tag 0") {
  Times times;
  times.exact = Clock::time_point(1363896240s);
  cbor::Buffer out;
  EventTraits<Times>::encode(times, out);
  CHECK(testing::to_hex(out.bytes()).find("c074323031332d30332d32315432303a30343a30305a") != std::string::npos);

  const std::pair<std::chrono::nanoseconds, const char*> cases[] = {
      {0ns, "1970-01-01T00:00:00Z"},
      {1ns, "1970-01-01T00:00:00.000000001Z"},
      {-1ns, "1969-12-31T23:59:59.999999999Z"},
      {1500ms, "1970-01-01T00:00:01.5Z"},
      {951782400s, "2000-02-29T00:00:00Z"},
      {4102444799s + 999ms, "2099-12-31T23:59:59.999Z"},
      {-2208988800s, "1900-01-01T00:00:00Z"},
      {std::chrono::nanoseconds::max(), "2262-04-11T23:47:16.854775807Z"},
      {std::chrono::nanoseconds::min(), "1677-09-21T00:12:43.145224192Z"},
  };
  for (const auto& [since_epoch, text] : cases) {
    INFO(text);
    times.exact = Clock::time_point(since_epoch);
    CHECK(written(times).at("exact").get<std::string>() == text);
  }
}

TEST_CASE("a time point is read from text, number, and their tags") {
  CHECK(nanos_of("2013-03-21T20:04:00Z") == 1363896240'000000000);
  CHECK(nanos_of("2013-03-21t20:04:00z") == 1363896240'000000000);
  CHECK(nanos_of("2013-03-21 20:04:00Z") == 1363896240'000000000);
  CHECK(nanos_of("2013-03-21T22:34:00+02:30") == 1363896240'000000000);
  CHECK(nanos_of("2013-03-21T12:04:00-08:00") == 1363896240'000000000);
  CHECK(nanos_of("2013-03-21T20:04:00.5Z") == 1363896240'500000000);
  CHECK(nanos_of("2013-03-21T20:04:00.1234567899999Z") == 1363896240'123456789);
  CHECK(nanos_of("2016-12-31T23:59:60Z") == 1483228800'000000000);  // a leap second
  CHECK(nanos_of("1969-12-31T23:59:59.75Z") == -250000000);
  CHECK(read(Value{{"exact", 1363896240}}).exact == Clock::time_point(1363896240s));
  CHECK(read(Value{{"exact", 1363896240.5}}).exact == Clock::time_point(1363896240500ms));
  CHECK(read(Value{{"exact", -1}}).exact == Clock::time_point(-1s));
  Times times;
  EventTraits<Times>::decode(testing::from_hex("a1 656578616374 c11a514b67b0"), times);
  CHECK(times.exact == Clock::time_point(1363896240s));
  EventTraits<Times>::decode(testing::from_hex("a1 656578616374 c1fb41d452d9ec200000"), times);
  CHECK(times.exact == Clock::time_point(1363896240500ms));
}

TEST_CASE("coarser clocks take what they can hold") {
  const Value data = {
      {"coarse", "2013-03-21T20:04:00.9Z"}, {"millis", "2013-03-21T20:04:00.1239Z"}, {"day", 86400 * 3}};
  const Times times = read(data);
  CHECK(times.coarse.time_since_epoch() == 1363896240s);
  CHECK(times.millis.time_since_epoch() == 1363896240123ms);
  CHECK(times.day.time_since_epoch() == std::chrono::days(3));
  CHECK(read(Value{{"coarse", "9999-12-31T23:59:59Z"}}).coarse.time_since_epoch().count() == 253402300799);
  Times far;
  far.coarse = std::chrono::sys_seconds(253402300800s);
  CHECK(written(far).at("coarse").get<std::int64_t>() == 253402300800);  // no year of four digits: tag 1
  far.coarse = std::chrono::sys_seconds(-62167219201s);
  CHECK(written(far).at("coarse").get<std::int64_t>() == -62167219201);
}

TEST_CASE("what is no time is refused with a sentence") {
  const char* const bad[] = {"",
                             "now",
                             "2013-03-21",
                             "2013-03-21T20:04:00",
                             "2013-02-29T00:00:00Z",
                             "2013-13-01T00:00:00Z",
                             "2013-00-01T00:00:00Z",
                             "2013-01-00T00:00:00Z",
                             "2013-01-01T24:00:00Z",
                             "2013-01-01T00:60:00Z",
                             "2013-01-01T00:00:61Z",
                             "2013-01-01T00:00:00.Z",
                             "2013-01-01T00:00:00+24:00",
                             "2013-01-01T00:00:00+01:60",
                             "2013-01-01T00:00:00+0100",
                             "2013-01-01T00:00:00Zx",
                             "13-01-01T00:00:00Z",
                             "+013-01-01T00:00:00Z",
                             " 2013-01-01T00:00:00Z"};
  for (const char* text : bad) {
    INFO(text);
    CHECK(why_not(Value{{"exact", text}}) ==
          "test.times: field exact must be a time like 2024-05-01T10:00:00Z, is \"" + std::string(text) + "\"");
  }
  CHECK(why_not(Value{{"exact", true}}) == "test.times: field exact must be a time, is true or false");
}

TEST_CASE("a time beyond the clock is refused, not wrapped around") {
  const std::string sentence = "test.times: field exact must be a time that the clock can hold";
  CHECK(why_not(Value{{"exact", "2263-01-01T00:00:00Z"}}) == sentence);
  CHECK(why_not(Value{{"exact", "1600-01-01T00:00:00Z"}}) == sentence);
  CHECK(why_not(Value{{"exact", INT64_MAX}}) == sentence);
  CHECK(why_not(Value{{"exact", INT64_MIN}}) == sentence);
  CHECK(why_not(Value{{"exact", 1e300}}) == sentence);
  CHECK(why_not(Value{{"exact", std::numeric_limits<double>::quiet_NaN()}}) == sentence);
  CHECK(why_not(Value{{"exact", std::numeric_limits<double>::infinity()}}) == sentence);
  CHECK(why_not(Value{{"exact", UINT64_MAX}}) == sentence);
  CHECK(why_not(Value{{"day", 1e300}}) == "test.times: field day must be a time that the clock can hold");
  CHECK(read(Value{{"day", INT64_MAX}}).day.time_since_epoch().count() == INT64_MAX / 86400);
}

TEST_CASE("a duration is a number of seconds") {
  Times times;
  times.nanos = 1500ms;
  times.seconds = -3s;
  times.hours = 2h;
  times.fraction = std::chrono::duration<double>(0.25);
  const Value data = written(times);
  CHECK(data.at("nanos") == Value(1.5));
  CHECK(data.at("seconds") == Value(-3));
  CHECK(data.at("hours") == Value(7200));
  CHECK(data.at("fraction") == Value(0.25));
  CHECK(read(Value{{"nanos", 0.1}}).nanos == 100ms);
  CHECK(read(Value{{"nanos", 3}}).nanos == 3s);
  CHECK(read(Value{{"seconds", 2.6}}).seconds == 3s);
  CHECK(read(Value{{"hours", 5400}}).hours == 1h);
  CHECK(read(Value{{"tiny", 127}}).tiny.count() == 127);
  CHECK(read(Value{{"tiny", -128}}).tiny.count() == -128);
  CHECK(read(Value{{"seconds", INT64_MIN}}).seconds.count() == INT64_MIN);
  const auto refused = [](const char* field) {
    return "test.times: field " + std::string(field) + " must be a number of seconds in range";
  };
  CHECK(why_not(Value{{"nanos", 1e10}}) == refused("nanos"));
  CHECK(why_not(Value{{"nanos", 10'000'000'000}}) == refused("nanos"));
  CHECK(why_not(Value{{"nanos", INT64_MIN}}) == refused("nanos"));
  CHECK(why_not(Value{{"seconds", 1e19}}) == refused("seconds"));
  CHECK(why_not(Value{{"tiny", 200}}) == refused("tiny"));
  CHECK(why_not(Value{{"tiny", -200}}) == refused("tiny"));
  CHECK(why_not(Value{{"tiny", 128.0}}) == refused("tiny"));
  CHECK(why_not(Value{{"fraction", std::numeric_limits<double>::infinity()}}) == refused("fraction"));
  CHECK(why_not(Value{{"nanos", "1s"}}) == "test.times: field nanos must be a number of seconds, is text");
}

TEST_CASE("durations and times at the ends of their range are written without overflow") {
  Times times;
  times.nanos = std::chrono::nanoseconds::min();
  times.seconds = std::chrono::seconds::max();
  times.hours = std::chrono::hours::max();
  const Value data = written(times);
  CHECK(data.at("nanos") == Value(-9223372036.854775808));
  CHECK(data.at("seconds") == Value(INT64_MAX));
  CHECK(data.at("hours").get<double>() == static_cast<double>(std::chrono::hours::max().count()) * 3600);
  times.day = std::chrono::sys_days(std::chrono::days(std::numeric_limits<std::chrono::days::rep>::max()));
  cbor::Buffer out;
  if constexpr (sizeof(std::chrono::days::rep) == 8)
    CHECK_THROWS_AS(EventTraits<Times>::encode(times, out), SchemaError);
}

TEST_CASE("every time point and every shorter duration survives") {
  CHECK(rc::check("times", [] {
    Times times;
    times.exact = Clock::time_point(std::chrono::nanoseconds(*rc::gen::inRange<std::int64_t>(-(1LL << 62), 1LL << 62)));
    times.nanos = std::chrono::nanoseconds(*rc::gen::inRange<std::int64_t>(-(1LL << 50), 1LL << 50));
    times.seconds = std::chrono::seconds(*rc::gen::inRange<std::int64_t>(INT64_MIN / 4, INT64_MAX / 4));
    cbor::Buffer out;
    EventTraits<Times>::encode(times, out);
    Times got;
    EventTraits<Times>::decode(out.bytes(), got);
    RC_ASSERT(got.exact == times.exact);
    RC_ASSERT(got.nanos == times.nanos);
    RC_ASSERT(got.seconds == times.seconds);
  }));
}
