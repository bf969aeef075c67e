#include "host/base/rfc3339.hpp"

#include <chrono>

namespace nexus::host {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

void append_digits(std::string& out, int64_t value, int width) {
  char text[20];
  for (int i = width; i-- > 0; value /= 10) text[i] = static_cast<char>('0' + value % 10);
  out.append(text, static_cast<size_t>(width));
}

// Takes exactly `width` digits off the front; -1 if they are not there.
int take_digits(std::string_view& text, size_t width) {
  if (text.size() < width) return -1;
  int value = 0;
  for (size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, char upper, char lower) {
  if (text.empty() || (text[0] != upper && text[0] != lower)) return false;
  text.remove_prefix(1);
  return true;
}

// The nanoseconds of ".123", if it is there; false for a dot without digits.
bool take_fraction(std::string_view& text, int64_t& ns) {
  ns = 0;
  if (!take(text, '.', '.')) return true;
  int64_t unit = kSecond;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    unit /= 10;
    ns += unit * (text[digits] - '0');
  }
  text.remove_prefix(digits);
  return digits > 0;
}

// "Z" or "+hh:mm", in seconds.
bool take_offset(std::string_view& text, int64_t& seconds) {
  seconds = 0;
  if (take(text, 'Z', 'z')) return true;
  const bool west = !text.empty() && text[0] == '-';
  if (!take(text, '+', '-')) return false;
  const int hours = take_digits(text, 2);
  if (hours < 0 || hours > 23 || !take(text, ':', ':')) return false;
  const int minutes = take_digits(text, 2);
  if (minutes < 0 || minutes > 59) return false;
  seconds = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
  return true;
}

}  // namespace

void append_rfc3339(std::string& out, int64_t unix_ns) {
  int64_t seconds = unix_ns / kSecond;
  int64_t ns = unix_ns % kSecond;
  if (ns < 0) {
    ns += kSecond;
    --seconds;
  }
  const std::chrono::sys_seconds moment{std::chrono::seconds{seconds}};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date{day};
  const int64_t second_of_day = (moment - day).count();
  append_digits(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_digits(out, second_of_day / 3600, 2);
  out += ':';
  append_digits(out, second_of_day / 60 % 60, 2);
  out += ':';
  append_digits(out, second_of_day % 60, 2);
  if (ns != 0) {
    int width = 9;
    for (; ns % 10 == 0; ns /= 10) --width;
    out += '.';
    append_digits(out, ns, width);
  }
  out += 'Z';
}

std::string format_rfc3339(int64_t unix_ns) {
  std::string text;
  append_rfc3339(text, unix_ns);
  return text;
}

std::optional<int64_t> parse_rfc3339(std::string_view text) {
  const int year = take_digits(text, 4);
  if (year < 0 || !take(text, '-', '-')) return std::nullopt;
  const int month = take_digits(text, 2);
  if (month < 0 || !take(text, '-', '-')) return std::nullopt;
  const int day = take_digits(text, 2);
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (day < 0 || !date.ok() || !take(text, 'T', 't')) return std::nullopt;
  const int hour = take_digits(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ':', ':')) return std::nullopt;
  const int minute = take_digits(text, 2);
  if (minute < 0 || minute > 59 || !take(text, ':', ':')) return std::nullopt;
  const int second = take_digits(text, 2);
  if (second < 0 || second > 60) return std::nullopt;
  int64_t ns = 0;
  int64_t offset = 0;
  if (!take_fraction(text, ns) || !take_offset(text, offset) || !text.empty()) return std::nullopt;
  if (second == 60) ns = 0;
  const int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  int64_t total = days * 86'400 + hour * 3'600 + minute * 60 + second - offset;
  // Before 1970 the fraction still counts upwards; both parts get one sign, so that the ends of the range do not
  // overflow.
  if (total < 0 && ns > 0) {
    ++total;
    ns -= kSecond;
  }
  int64_t unix_ns = 0;
  if (__builtin_mul_overflow(total, kSecond, &unix_ns) || __builtin_add_overflow(unix_ns, ns, &unix_ns))
    return std::nullopt;
  return unix_ns;
}

}  // namespace nexus::host
