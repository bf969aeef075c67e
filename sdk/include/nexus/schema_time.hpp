// Times and durations as fields. A time point of the system clock travels as RFC 3339 text under tag 0 ("2024-05-01
// T10:00:00.25Z", as many digits as it takes), and is read from that, from tag 1, and from either without a tag. A
// duration travels as a number of seconds, whole or with a fraction: exact up to 2^50 ticks, which is 13 days in
// nanoseconds and 35 years in microseconds.
#pragma once

#include <chrono>
#include <limits>
#include <utility>

#include "nexus/schema_codec.hpp"

namespace nexus::schema {

namespace detail {

// Appends RFC 3339 text at `at`, at most 40 bytes; `nanos` is below a second. The year must have four digits.
inline char* put_rfc3339(char* at, std::chrono::sys_seconds seconds, std::uint32_t nanos) noexcept {
  const auto digits = [&at](std::uint32_t value, int count) {
    for (int i = count - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
    at += count;
  };
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const auto second_of_day = static_cast<std::uint32_t>((seconds - day).count());
  digits(static_cast<std::uint32_t>(static_cast<int>(date.year())), 4);
  *at++ = '-';
  digits(static_cast<unsigned>(date.month()), 2);
  *at++ = '-';
  digits(static_cast<unsigned>(date.day()), 2);
  *at++ = 'T';
  digits(second_of_day / 3600, 2);
  *at++ = ':';
  digits(second_of_day / 60 % 60, 2);
  *at++ = ':';
  digits(second_of_day % 60, 2);
  if (nanos != 0) {
    *at++ = '.';
    digits(nanos, 9);
    while (at[-1] == '0') --at;
  }
  *at++ = 'Z';
  return at;
}

// Walks over RFC 3339 text; every step is a no-op once one has failed.
struct TimeText {
  std::string_view left;
  bool good = true;

  std::uint32_t digits(std::size_t count) noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (left.empty() || left.front() < '0' || left.front() > '9') good = false;
      if (!good) return 0;
      value = value * 10 + static_cast<std::uint32_t>(left.front() - '0');
      left.remove_prefix(1);
    }
    return value;
  }
  // One of the characters; gives which.
  char one_of(std::string_view characters) noexcept {
    if (!good || left.empty() || characters.find(left.front()) == std::string_view::npos) {
      good = false;
      return 0;
    }
    const char c = left.front();
    left.remove_prefix(1);
    return c;
  }
  bool starts_with_digit() const noexcept { return !left.empty() && left.front() >= '0' && left.front() <= '9'; }
};

// RFC 3339 section 5.6, any offset; digits of the fraction beyond the ninth are dropped, and a leap second counts as
// the second after it. False if the text is anything else.
inline bool parse_rfc3339(std::string_view source, std::int64_t& seconds, std::uint32_t& nanos) noexcept {
  TimeText text{source};
  const auto year = static_cast<int>(text.digits(4));
  text.one_of("-");
  const std::uint32_t month = text.digits(2);
  text.one_of("-");
  const std::uint32_t day = text.digits(2);
  text.one_of("Tt ");
  const std::uint32_t hour = text.digits(2);
  text.one_of(":");
  const std::uint32_t minute = text.digits(2);
  text.one_of(":");
  const std::uint32_t second = text.digits(2);
  nanos = 0;
  if (text.good && !text.left.empty() && text.left.front() == '.') {
    text.left.remove_prefix(1);
    std::uint32_t unit = 100000000;
    if (!text.starts_with_digit()) return false;
    for (; text.starts_with_digit(); unit /= 10) nanos += unit * text.digits(1);
  }
  std::int64_t offset = 0;
  const char zone = text.one_of("Zz+-");
  if (zone == '+' || zone == '-') {
    const std::uint32_t hours = text.digits(2);
    text.one_of(":");
    const std::uint32_t minutes = text.digits(2);
    if (hours > 23 || minutes > 59) return false;
    offset = static_cast<std::int64_t>(hours * 3600 + minutes * 60) * (zone == '-' ? -1 : 1);
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
  if (!text.good || !text.left.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60) return false;
  const auto days = std::chrono::sys_days(date).time_since_epoch();
  seconds = std::chrono::duration_cast<std::chrono::seconds>(days).count();
  seconds += static_cast<std::int64_t>(hour * 3600 + minute * 60 + second) - offset;
  return true;
}

// Seconds with a fraction as a duration, rounded to its tick; false if it has no room, or for NaN.
template <class Rep, class Period>
bool from_seconds(double seconds, std::chrono::duration<Rep, Period>& out) noexcept {
  const double ticks = seconds * static_cast<double>(Period::den) / static_cast<double>(Period::num);
  if constexpr (std::floating_point<Rep>) {
    out = std::chrono::duration<Rep, Period>(static_cast<Rep>(ticks));
    return ticks - ticks == 0;
  } else {
    Rep rounded{};
    if (!cbor::detail::whole(std::round(ticks), rounded)) return false;
    out = std::chrono::duration<Rep, Period>(rounded);
    return true;
  }
}

// Whole seconds and nanoseconds as a duration, what is below its tick dropped; false if it has no room. Does not go
// through double where the tick is an integer.
template <class Rep, class Period>
bool from_parts(std::int64_t seconds, std::uint32_t nanos, std::chrono::duration<Rep, Period>& out) noexcept {
  if constexpr (std::floating_point<Rep> || (Period::num != 1 && Period::den != 1)) {
    return from_seconds(static_cast<double>(seconds) + static_cast<double>(nanos) * 1e-9, out);
  } else if constexpr (Period::den == 1) {
    const std::int64_t ticks = seconds / Period::num;
    out = std::chrono::duration<Rep, Period>(static_cast<Rep>(ticks));
    return std::in_range<Rep>(ticks);
  } else {
    // A second less at both ends leaves room for the nanoseconds.
    constexpr std::int64_t kMax = static_cast<std::int64_t>(std::numeric_limits<Rep>::max()) / Period::den - 1;
    if (seconds > kMax || seconds < -kMax) return false;
    const auto below = std::chrono::duration_cast<std::chrono::duration<Rep, Period>>(std::chrono::nanoseconds(nanos));
    out = std::chrono::duration<Rep, Period>(static_cast<Rep>(seconds * Period::den)) + below;
    return true;
  }
}

// The other way, the seconds rounded down; false if they do not fit. By hand, since the casts and comparisons of
// std::chrono overflow near the ends of the range.
template <class Rep, class Period>
bool to_parts(std::chrono::duration<Rep, Period> value, std::int64_t& seconds, std::uint32_t& nanos) noexcept {
  if constexpr (std::floating_point<Rep> || (Period::num != 1 && Period::den != 1)) {
    const double total = std::chrono::duration<double>(value).count();
    const double whole = std::floor(total);
    nanos = static_cast<std::uint32_t>((total - whole) * 1e9);
    return cbor::detail::whole(whole, seconds);
  } else if constexpr (Period::den == 1) {
    const auto ticks = static_cast<std::int64_t>(value.count());
    nanos = 0;
    if (ticks > INT64_MAX / Period::num || ticks < INT64_MIN / Period::num) return false;
    seconds = ticks * Period::num;
    return true;
  } else {
    const auto ticks = static_cast<std::int64_t>(value.count());
    std::int64_t below = ticks % Period::den;
    seconds = ticks / Period::den;
    if (below < 0) {
      below += Period::den;
      --seconds;
    }
    using Tick = std::chrono::duration<std::int64_t, Period>;
    nanos = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(Tick(below)).count());
    return true;
  }
}

}  // namespace detail

template <class Duration>
struct Codec<std::chrono::time_point<std::chrono::system_clock, Duration>> {
  using Time = std::chrono::time_point<std::chrono::system_clock, Duration>;
  static constexpr bool kHidesDefault = true;

  static std::size_t bound(Time) noexcept { return 48; }
  static std::uint8_t* put(std::uint8_t* at, Time value, Encoding& encoding) noexcept {
    std::int64_t seconds = 0;
    std::uint32_t nanos = 0;
    if (!detail::to_parts(value.time_since_epoch(), seconds, nanos)) {
      encoding.broken = true;
      return cbor::put::null(at);
    }
    constexpr std::int64_t kYear0 = -62167219200, kYear10000 = 253402300800;
    if (seconds < kYear0 || seconds >= kYear10000) {
      return cbor::put::integer(cbor::put::head(at, 0xc0u, 1), seconds);
    }
    char text[40];
    const char* end = detail::put_rfc3339(text, std::chrono::sys_seconds(std::chrono::seconds(seconds)), nanos);
    at = cbor::put::head(at, 0xc0u, 0);
    return cbor::put::text(at, std::string_view(text, static_cast<std::size_t>(end - text)));
  }
  static bool take(Decoder& decoder, Time& out) {
    Duration since_epoch{};
    std::int64_t seconds = 0;
    std::uint32_t nanos = 0;
    switch (decoder.peek()) {
      case cbor::Kind::text: {
        std::string_view text;
        cbor::Buffer scratch;
        if (!decoder.reader.read_text(text, scratch)) return decoder.broken();
        if (!detail::parse_rfc3339(text, seconds, nanos))
          return decoder.unfit("a time like 2024-05-01T10:00:00Z", text);
        if (!detail::from_parts(seconds, nanos, since_epoch)) return out_of_range(decoder);
        break;
      }
      case cbor::Kind::uint:
      case cbor::Kind::negint:
        if (!decoder.reader.read_int(seconds)) {
          return decoder.reader.error().fault == cbor::Fault::range ? out_of_range(decoder) : decoder.broken();
        }
        if (!detail::from_parts(seconds, nanos, since_epoch)) return out_of_range(decoder);
        break;
      case cbor::Kind::floating: {
        double number = 0;
        if (!decoder.reader.read_double(number)) return decoder.broken();
        if (!detail::from_seconds(number, since_epoch)) return out_of_range(decoder);
        break;
      }
      default:
        return decoder.wrong("a time");
    }
    out = Time(since_epoch);
    return true;
  }
  static void schema(SchemaText& text, const Time*) {
    text.member("type", "string");
    text.member("format", "date-time");
  }

 private:
  static bool out_of_range(Decoder& decoder) { return decoder.problem("must be a time that the clock can hold"); }
};

template <class Rep, class Period>
struct Codec<std::chrono::duration<Rep, Period>> {
  using Duration = std::chrono::duration<Rep, Period>;

  static std::size_t bound(Duration) noexcept { return cbor::put::kHeadSizeMax; }
  static std::uint8_t* put(std::uint8_t* at, Duration value, Encoding&) noexcept {
    if constexpr (!std::floating_point<Rep>) {
      std::int64_t seconds = 0;
      std::uint32_t nanos = 0;
      if (detail::to_parts(value, seconds, nanos) && nanos == 0) return cbor::put::integer(at, seconds);
    }
    return cbor::put::floating(at, std::chrono::duration<double>(value).count());
  }
  static bool take(Decoder& decoder, Duration& out) {
    const cbor::Kind kind = decoder.peek();
    std::int64_t seconds = 0;
    double number = 0;
    if (kind == cbor::Kind::uint || kind == cbor::Kind::negint) {
      if (!decoder.reader.read_int(seconds)) {
        return decoder.reader.error().fault == cbor::Fault::range ? out_of_range(decoder) : decoder.broken();
      }
      return detail::from_parts(seconds, 0, out) || out_of_range(decoder);
    }
    if (kind != cbor::Kind::floating) return decoder.wrong("a number of seconds");
    if (!decoder.reader.read_double(number)) return decoder.broken();
    return detail::from_seconds(number, out) || out_of_range(decoder);
  }
  static void schema(SchemaText& text, const Duration*) {
    text.member("type", "number");
    text.member("description", "seconds");
  }

 private:
  static bool out_of_range(Decoder& decoder) { return decoder.problem("must be a number of seconds in range"); }
};

}  // namespace nexus::schema
