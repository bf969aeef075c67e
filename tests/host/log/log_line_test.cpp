// How a line of the log is written.
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <limits>

#include <rapidcheck.h>
#include <catch2/catch_test_macros.hpp>

#include "host/base/log_line.hpp"
#include "host/base/printable.hpp"
#include "host/base/secret.hpp"
#include "tests/host/log/json_check.hpp"

using namespace nexus::host;
using namespace nexus::host::log;

namespace {

constexpr int64_t kNow = 1'763'965'271'123'456'789;  // 2025-11-24T06:21:11.123456789Z

std::string json_line(std::string_view message, Fields fields = {}, const Context& context = {},
                      Level level = Level::info) {
  std::string out;
  append_line(out, {level, kNow, message, fields, &context}, {true, false});
  return out;
}

std::string text_line(std::string_view message, Fields fields = {}, const Context& context = {},
                      Level level = Level::info) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  std::string out;
  append_line(out, {level, kNow, message, fields, &context}, {false, false});
  return out;
}

constexpr uint8_t kEventId[16] = {0x01, 0x8f, 0xa0, 1, 2, 3, 0x74, 5, 0x86, 7, 8, 9, 10, 11, 12, 13};
constexpr uint8_t kTrace[16] = {0xab, 0xcd};
constexpr uint8_t kSpan[8] = {0xff};

Context full_context() {
  Context out;
  out.plugin = "com.example.orders";
  out.event_type = "order.created";
  out.correlation_id = "c-1";
  out.event_id = kEventId;
  out.trace_id = kTrace;
  out.span_id = kSpan;
  return out;
}

}  // namespace

TEST_CASE("a JSON line has time, level and message, then ids, then fields") {
  CHECK(json_line("hello") == R"({"time":"2025-11-24T06:21:11.123456Z","level":"info","message":"hello"})");
  CHECK(json_line(
            "new order",
            {{"total", 12.5}, {"count", 3}, {"gift", true}, {"who", "Ann"}, {"big", UINT64_MAX}, {"low", INT64_MIN}},
            full_context(), Level::warn) ==
        R"({"time":"2025-11-24T06:21:11.123456Z","level":"warn","message":"new order","plugin":"com.example.orders",)"
        R"("event_id":"018fa001-0203-7405-8607-08090a0b0c0d","event_type":"order.created","correlation_id":"c-1",)"
        R"("trace_id":"abcd0000000000000000000000000000","span_id":"ff00000000000000",)"
        R"("total":12.5,"count":3,"gift":true,"who":"Ann","big":18446744073709551615,"low":-9223372036854775808})");
}

TEST_CASE("a text line has the fields before the ids") {
  CHECK(text_line("hello") == "2025-11-24 06:21:11.123 info  hello");
  CHECK(text_line("hello", {}, {}, Level::error) == "2025-11-24 06:21:11.123 error hello");
  CHECK(text_line("new order", {{"who", "Ann B"}, {"n", 3}, {"empty", ""}, {"path", "/a"}}, full_context()) ==
        "2025-11-24 06:21:11.123 info  new order who=\"Ann B\" n=3 empty=\"\" path=/a plugin=com.example.orders "
        "event_id=018fa001-0203-7405-8607-08090a0b0c0d event_type=order.created correlation_id=c-1 "
        "trace_id=abcd0000000000000000000000000000 span_id=ff00000000000000");
}

TEST_CASE("ids that are all zero are unknown") {
  constexpr uint8_t kZero[16] = {};
  Context context;
  context.event_id = kZero;
  context.trace_id = kZero;
  context.span_id = kZero;
  CHECK(json_line("x", {}, context) == json_line("x"));
}

TEST_CASE("times before 1970 and without a fraction are right") {
  std::string out;
  append_line(out, {Level::info, -1, "x", {}, nullptr}, {true, false});
  CHECK(out.find("1969-12-31T23:59:59.999999Z") != std::string::npos);
  out.clear();
  append_line(out, {Level::info, 0, "x", {}, nullptr}, {true, false});
  CHECK(out.find("1970-01-01T00:00:00.000000Z") != std::string::npos);
}

TEST_CASE("what is not text is escaped, and the line stays one line") {
  const std::string bad = "a\nb\r\t\x1b[31m\x7f\xff\xc3 \"q\" \\ \xe2\x80\xae \xe2\x80\xa8 \xc2\x9b";
  const std::string text = text_line(bad, {{"f\nx", bad}});
  CHECK(text.find('\n') == std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("\\x1b[31m") != std::string::npos);
  CHECK(text.find("\\u202e") != std::string::npos);
  CHECK(text.find("\\u009b") != std::string::npos);
  const std::string json = json_line(bad, {{"f\nx", bad}});
  CHECK(is_json(json));
  CHECK(json.find('\n') == std::string::npos);
  CHECK(json.find("\\u001b[31m") != std::string::npos);
  CHECK(json.find("\\u202e") != std::string::npos);
  CHECK(json.find("\xef\xbf\xbd") != std::string::npos);
}

TEST_CASE("numbers that JSON does not have are texts") {
  const std::string json =
      json_line("x", {{"a", std::nan("")}, {"b", std::numeric_limits<double>::infinity()}, {"c", 1e300}});
  CHECK(is_json(json));
  CHECK(json.find(R"("a":"nan","b":"inf","c":1e+300)") != std::string::npos);
}

TEST_CASE("no name stands twice in a line") {
  CHECK(json_line("x", {{"level", "a"}, {"plugin", "b"}, {"n", 1}, {"n", 2}, {"n", 3}, {"", 4}})
            .find(R"("field_level":"a","field_plugin":"b","n":1,"n_2":2,"n_3":3,"field_":4})") != std::string::npos);
}

TEST_CASE("secrets are not in a line") {
  register_secret("swordfish-9");
  register_secret("swordfish-9-longer");
  register_secret("abc");
  register_secret("quote\"in-it");
  for (const auto& line :
       {json_line("a swordfish-9 b",
                  {{"f", "xswordfish-9-longerx"}, {"g", "quote\"in-it"}, {"password", "plain-1"}, {"api_token", 77}}),
        text_line(
            "a swordfish-9 b",
            {{"f", "xswordfish-9-longerx"}, {"g", "quote\"in-it"}, {"password", "plain-1"}, {"api_token", 77}})}) {
    INFO(line);
    CHECK(line.find("swordfish") == std::string::npos);
    CHECK(line.find("in-it") == std::string::npos);
    CHECK(line.find("plain-1") == std::string::npos);
    CHECK(line.find("77") == std::string::npos);
    CHECK(line.find("a *** b") != std::string::npos);
    CHECK(line.find("x***x") != std::string::npos);
  }
  CHECK(text_line("abc").find("abc") != std::string::npos);
  const Context context{.plugin = "p", .event_type = {}, .correlation_id = "swordfish-9"};
  CHECK(json_line("x", {}, context).find("swordfish") == std::string::npos);
}

TEST_CASE("a secret at the place where a text is cut is gone too") {
  register_secret("cut-secret-0123456789");
  for (std::size_t before = kTextSizeMax - 25; before < kTextSizeMax + 5; ++before) {
    const std::string line = json_line(std::string(before, 'x') + "cut-secret-0123456789" + std::string(100, 'y'));
    CHECK(line.find("cut-s") == std::string::npos);
  }
}

TEST_CASE("a very long text is cut at a character and says so") {
  std::string text;
  while (text.size() < 3'000'000) text += "\xc3\xa4";
  for (const std::string shift : {"", "x"}) {
    const std::string line = json_line(shift + text);
    CHECK(line.size() < 2 * kTextSizeMax);
    CHECK(line.find("\xef\xbf\xbd") == std::string::npos);
    CHECK(line.find("... (" + std::to_string(text.size() + shift.size()) + " bytes)") != std::string::npos);
    CHECK(is_json(line));
  }
}

TEST_CASE("names that hold secrets are known by their words") {
  for (const char* name :
       {"password", "db_password", "PASSWORD", "Passwd", "api-token", "accessToken", "client_secret", "pwd",
        "aws.secret_key", "private_key", "api_key", "credentials", "dsn", "Authorization", "cookie"}) {
    INFO(name);
    CHECK(is_secret_name(name));
  }
  for (const char* name : {"user", "host", "key", "keyboard", "path", "pass_count", "order_id", "", "partition_key"}) {
    INFO(name);
    CHECK_FALSE(is_secret_name(name));
  }
}

TEST_CASE("the password of a URL or a connection string") {
  CHECK(password_of_url("amqp://user:pw@host/") == "pw");
  CHECK(password_of_url("postgresql://u:p%40w@h:5432/db?x=y:z@w") == "p%40w");
  CHECK(password_of_url("redis://:pw@h") == "pw");
  CHECK(password_of_url("amqp://user@host/").empty());
  CHECK(password_of_url("amqp://host:5672/a@b").empty());
  CHECK(password_of_url("host=h password=pw user=u") == "pw");
  CHECK(password_of_url("host=h password='p w' user=u") == "p w");
  CHECK(password_of_url("http://h/?password=pw&x=1") == "pw");
  CHECK(password_of_url("nothing").empty());
  CHECK(password_of_url("").empty());
}

TEST_CASE("any bytes give one valid line") {
  rc::check("JSON", [](const std::string& message, const std::string& name, const std::string& value, bool terminal) {
    const Field field(name, value);
    Context context;
    context.plugin = value;
    context.correlation_id = message;
    std::string json;
    append_line(json, {Level::info, kNow, message, Fields(&field, 1), &context}, {true, false});
    RC_ASSERT(is_json(json));
    std::string text;
    append_line(text, {Level::info, kNow, message, Fields(&field, 1), &context}, {false, terminal});
    RC_ASSERT(text.find('\n') == std::string::npos);
  });
}

TEST_CASE("printable text is valid UTF-8 without control characters, and plain text is untouched") {
  CHECK(printable("plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80") == "plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
  CHECK(printable("\xc0\x80") == "\\xc0\\x80");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(printable("\xe2\x82") == "\\xe2\\x82");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  rc::check("no control character, whatever the bytes", [](const std::vector<unsigned char>& bytes) {
    const std::string text(bytes.begin(), bytes.end());
    std::string_view rest;
    const std::string shown = printable(text);
    for (rest = shown; !rest.empty();) {
      char32_t c = 0;
      const unsigned length = utf8_front(rest, c);
      RC_ASSERT(length != 0U);
      RC_ASSERT(c >= 0x20);
      RC_ASSERT(!(c >= 0x7f && c < 0xa0));
      rest.remove_prefix(length);
    }
  });
}
