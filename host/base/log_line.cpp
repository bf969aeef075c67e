#include "host/base/log_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

#include "host/base/printable.hpp"
#include "host/base/secret.hpp"

namespace nexus::host::log {
namespace {

constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kDim = "\x1b[2m";

std::string_view level_color(Level level) {
  switch (level) {
    case Level::warn:
      return "\x1b[33m";
    case Level::error:
      return "\x1b[31m";
    case Level::info:
      return "\x1b[32m";
    default:
      return kDim;
  }
}

void append_digits(std::string& out, int64_t value, int width) {
  std::array<char, 20> digits{};
  for (int i = width - 1; i >= 0; --i, value /= 10)
    digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
  out.append(digits.data(), static_cast<std::size_t>(width));
}

void append_time(std::string& out, int64_t unix_ns, bool json) {
  int64_t seconds = unix_ns / 1'000'000'000;
  int64_t rest = unix_ns % 1'000'000'000;
  if (rest < 0) {
    rest += 1'000'000'000;
    --seconds;
  }
  const std::time_t time = seconds;
  std::tm parts{};
  if (json) {
    gmtime_r(&time, &parts);
  } else {
    localtime_r(&time, &parts);
  }
  append_digits(out, parts.tm_year + 1900, 4);
  out += '-';
  append_digits(out, parts.tm_mon + 1, 2);
  out += '-';
  append_digits(out, parts.tm_mday, 2);
  out += json ? 'T' : ' ';
  append_digits(out, parts.tm_hour, 2);
  out += ':';
  append_digits(out, parts.tm_min, 2);
  out += ':';
  append_digits(out, parts.tm_sec, 2);
  out += '.';
  append_digits(out, json ? rest / 1000 : rest / 1'000'000, json ? 6 : 3);
  if (json) out += 'Z';
}

void append_hex(std::string& out, const uint8_t* bytes, std::size_t count) {
  constexpr char kHex[] = "0123456789abcdef";
  for (std::size_t i = 0; i < count; ++i) {
    out += kHex[bytes[i] >> 4U];
    out += kHex[bytes[i] & 15U];
  }
}

std::string uuid_text(const uint8_t* bytes) {
  std::string out;
  for (const auto& [first, count] : {std::pair{0, 4}, {4, 2}, {6, 2}, {8, 2}, {10, 6}}) {
    if (first != 0) out += '-';
    append_hex(out, bytes + first, static_cast<std::size_t>(count));
  }
  return out;
}

std::string hex_text(const uint8_t* bytes, std::size_t count) {
  std::string out;
  append_hex(out, bytes, count);
  return out;
}

bool all_zero(const uint8_t* bytes, std::size_t count) {
  return std::all_of(bytes, bytes + count, [](uint8_t byte) { return byte == 0; });
}

// Cut to the limit and free of secrets. Secrets go first: a cut must not leave the front half of one.
std::string clean(std::string_view text) {
  std::string out = redact(text.substr(0, std::min(text.size(), 4 * kTextSizeMax)));
  if (out.size() <= kTextSizeMax && text.size() <= 4 * kTextSizeMax) return out;
  const std::size_t kept = std::min(out.size(), kTextSizeMax);
  // A character is not cut in two: step back over its continuation bytes.
  std::size_t end = kept;
  while (end > 0 && end + 4 > kept && end < out.size() && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80U)
    --end;
  out.resize(end);
  out += "... (" + std::to_string(text.size()) + " bytes)";
  return out;
}

void append_text(std::string& out, std::string_view text, bool json) {
  const bool plain = text.size() <= kTextSizeMax && !holds_secret(text);
  const std::string cleaned = plain ? std::string() : clean(text);
  const std::string_view shown = plain ? text : std::string_view(cleaned);
  if (json) {
    append_json_string(out, shown);
    return;
  }
  const bool bare = !shown.empty() && shown.find_first_of(" \"=\\") == std::string_view::npos;
  if (bare) {
    append_printable(out, shown);
    return;
  }
  out += '"';
  for (const char c : printable(shown)) {
    if (c == '"') out += '\\';
    out += c;
  }
  out += '"';
}

template <class Number>
void append_number(std::string& out, Number value) {
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc()) out.append(digits.data(), end);
}

void append_value(std::string& out, const Field& field, bool json) {
  if (is_secret_name(field.name())) {
    out += json ? "\"***\"" : "***";
    return;
  }
  switch (field.kind()) {
    case Field::Kind::text:
      append_text(out, field.text(), json);
      break;
    case Field::Kind::integer:
      append_number(out, field.integer());
      break;
    case Field::Kind::unsigned_integer:
      append_number(out, field.unsigned_integer());
      break;
    case Field::Kind::boolean:
      out += field.unsigned_integer() != 0 ? "true" : "false";
      break;
    case Field::Kind::number: {
      const bool quoted = json && !std::isfinite(field.number());
      if (quoted) out += '"';
      append_number(out, field.number());
      if (quoted) out += '"';
      break;
    }
  }
}

bool is_reserved(std::string_view name) {
  static constexpr std::string_view kNames[] = {"time",       "level",          "message",  "plugin", "event_id",
                                                "event_type", "correlation_id", "trace_id", "span_id"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

// The name under which the field stands in the line, unique within it.
std::string unique_name(Fields fields, std::size_t index) {
  const std::string_view name = fields.first[index].name();
  std::size_t earlier = 0;
  for (std::size_t i = 0; i < index; ++i) earlier += fields.first[i].name() == name ? 1U : 0U;
  std::string out;
  if (is_reserved(name) || name.empty()) out += "field_";
  out += name.substr(0, 256);
  if (earlier != 0) out += '_' + std::to_string(earlier + 1);
  return out;
}

class Writer {
 public:
  Writer(std::string& out, Style style) : out_(out), style_(style) {}

  void name(std::string_view name) {
    if (style_.json) {
      out_ += ',';
      append_json_string(out_, name);
      out_ += ':';
      return;
    }
    out_ += ' ';
    if (style_.color) out_ += kDim;
    append_printable(out_, name);
    out_ += '=';
    if (style_.color) out_ += kReset;
  }

  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    name(key);
    append_text(out_, value, style_.json);
  }

  void context(const Context& context) {
    text("plugin", context.plugin);
    if (context.event_id && !all_zero(context.event_id, 16)) text("event_id", uuid_text(context.event_id));
    text("event_type", context.event_type);
    text("correlation_id", context.correlation_id);
    if (context.trace_id && !all_zero(context.trace_id, 16)) text("trace_id", hex_text(context.trace_id, 16));
    if (context.span_id && !all_zero(context.span_id, 8)) text("span_id", hex_text(context.span_id, 8));
  }

  void fields(Fields fields) {
    for (std::size_t i = 0; i < fields.count; ++i) {
      name(unique_name(fields, i));
      append_value(out_, fields.first[i], style_.json);
    }
  }

 private:
  std::string& out_;
  Style style_;
};

void append_head_text(std::string& out, const Line& line, bool color) {
  if (color) out += kDim;
  append_time(out, line.unix_ns, false);
  if (color) out += kReset;
  out += ' ';
  if (color) out += level_color(line.level);
  const std::string_view level = level_name(line.level);
  out += level;
  if (color) out += kReset;
  out.append(level.size() < 5 ? 6 - level.size() : 1, ' ');
  append_printable(out, clean(line.message));
}

void append_head_json(std::string& out, const Line& line) {
  out += "{\"time\":\"";
  append_time(out, line.unix_ns, true);
  out += "\",\"level\":\"";
  out += level_name(line.level);
  out += "\",\"message\":";
  append_text(out, line.message, true);
}

}  // namespace

void append_line(std::string& out, const Line& line, Style style) {
  if (style.json) {
    append_head_json(out, line);
  } else {
    append_head_text(out, line, style.color);
  }
  Writer writer(out, style);
  // A person reads the fields first; a machine does not mind.
  if (!style.json) writer.fields(line.fields);
  if (line.context) writer.context(*line.context);
  if (style.json) {
    writer.fields(line.fields);
    out += '}';
  }
}

}  // namespace nexus::host::log
