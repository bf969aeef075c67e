#include "host/base/rfc3339.hpp"

#include <rapidcheck.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <ctime>
#include <string>

using nexus::host::format_rfc3339;
using nexus::host::parse_rfc3339;

TEST_CASE("moments are written as short as they are exact") {
  CHECK(format_rfc3339(0) == "1970-01-01T00:00:00Z");
  CHECK(format_rfc3339(1'785'585'600'000'000'000) == "2026-08-01T12:00:00Z");
  CHECK(format_rfc3339(1'785'585'600'500'000'000) == "2026-08-01T12:00:00.5Z");
  CHECK(format_rfc3339(1'785'585'600'000'000'001) == "2026-08-01T12:00:00.000000001Z");
  CHECK(format_rfc3339(-1) == "1969-12-31T23:59:59.999999999Z");
  CHECK(format_rfc3339(INT64_MAX) == "2262-04-11T23:47:16.854775807Z");
  CHECK(format_rfc3339(INT64_MIN) == "1677-09-21T00:12:43.145224192Z");
}

TEST_CASE("offsets, fractions and letters of either case are read") {
  const int64_t noon = 1'785'585'600'000'000'000;
  CHECK(parse_rfc3339("2026-08-01T12:00:00Z") == noon);
  CHECK(parse_rfc3339("2026-08-01t12:00:00z") == noon);
  CHECK(parse_rfc3339("2026-08-01T14:30:00+02:30") == noon);
  CHECK(parse_rfc3339("2026-07-31T23:00:00-13:00") == noon);
  CHECK(parse_rfc3339("2026-08-01T12:00:00.25Z") == noon + 250'000'000);
  CHECK(parse_rfc3339("2026-08-01T12:00:00.1234567891234Z") == noon + 123'456'789);
  CHECK(parse_rfc3339("2016-12-31T23:59:60Z") == parse_rfc3339("2017-01-01T00:00:00Z"));
  CHECK(parse_rfc3339("2016-12-31T23:59:60.9Z") == parse_rfc3339("2017-01-01T00:00:00Z"));
  CHECK(parse_rfc3339("2024-02-29T00:00:00Z").has_value());
}

TEST_CASE("other text is no moment") {
  for (const char* text : {"",
                           "now",
                           "2026-08-01",
                           "2026-08-01T12:00:00",
                           "2026-08-01 12:00:00Z",
                           "2026-8-1T12:00:00Z",
                           "2026-13-01T12:00:00Z",
                           "2026-00-01T12:00:00Z",
                           "2026-02-29T12:00:00Z",
                           "2026-04-31T12:00:00Z",
                           "2026-08-00T12:00:00Z",
                           "2026-08-01T24:00:00Z",
                           "2026-08-01T12:60:00Z",
                           "2026-08-01T12:00:61Z",
                           "2026-08-01T12:00:00.Z",
                           "2026-08-01T12:00:00Zx",
                           "2026-08-01T12:00:00+2:00",
                           "2026-08-01T12:00:00+24:00",
                           "2026-08-01T12:00:00+02:60",
                           "2026-08-01T12:00:00+0200",
                           "-026-08-01T12:00:00Z",
                           "2026-08-01T12:00Z",
                           "1600-01-01T00:00:00Z",
                           "2300-01-01T00:00:00Z",
                           "9999-12-31T23:59:59Z",
                           "0000-01-01T00:00:00Z",
                           "2262-04-11T23:47:16.854775808Z",
                           "1677-09-21T00:12:43.145224191Z"}) {
    INFO(text);
    CHECK_FALSE(parse_rfc3339(text).has_value());
  }
}

TEST_CASE("every moment comes back from its text, which the C library would write too") {
  CHECK(rc::check([](int64_t unix_ns) {
    const std::string text = format_rfc3339(unix_ns);
    RC_ASSERT(parse_rfc3339(text) == unix_ns);
    const int64_t ns = ((unix_ns % 1'000'000'000) + 1'000'000'000) % 1'000'000'000;
    const auto seconds = static_cast<std::time_t>((unix_ns - ns) / 1'000'000'000);
    if (unix_ns < INT64_MIN + 1'000'000'000) return;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char expected[32];
    std::strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &parts);
    RC_ASSERT(text.substr(0, 19) == expected);
  }));
}
