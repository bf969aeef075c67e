#include "host/app/cli/event_text.hpp"

#include <cstdio>
#include <ctime>

#include "host/app/cli/output.hpp"
#include "host/base/printable.hpp"
#include "host/control/wire_event.hpp"
#include "host/event/block.hpp"
#include "host/event/cloudevents.hpp"
#include "host/event/json.hpp"

namespace nexus::host::cli {
namespace {

// "14:03:07.123456", by the local clock.
std::string time_text(int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char clock[16], text[32];
  std::strftime(clock, sizeof clock, "%H:%M:%S", &parts);
  std::snprintf(text, sizeof text, "%s.%06d", clock, static_cast<int>(unix_ns / 1000 % 1'000'000));
  return text;
}

std::string text_line(const nexus_event& event, bool colour) {
  const char* bold = colour ? "\033[1m" : "";
  const char* dim = colour ? "\033[2m" : "";
  const char* plain = colour ? "\033[0m" : "";
  std::string line =
      dim + time_text(event.time_unix_ns) + plain + " " + bold + std::string(to_view(event.type)) + plain;
  line += " " + std::string(dim) + "from " + printable(to_view(event.source));
  if (event.priority != 0) line += " priority " + std::to_string(event.priority);
  if (event.key.size != 0) line += " key " + printable(to_view(event.key));
  if (event.subject.size != 0) line += " subject " + printable(to_view(event.subject));
  line += plain;
  const std::string data = data_text(event);
  return data.empty() ? line : line + " " + data;
}

}  // namespace

std::string data_text(const nexus_event& event) {
  if (event.data.size == 0) return {};
  const std::string_view raw(reinterpret_cast<const char*>(event.data.data), event.data.size);
  if (event.data_format == NEXUS_DATA_CBOR) {
    auto json = cbor_to_json(cbor::view(event.data));
    return json ? json.value() : "(" + json.error().message + ")";
  }
  if (event.data_format == NEXUS_DATA_JSON) return printable(raw);
  return "(" + std::to_string(event.data.size) + " bytes)";
}

bool print_event(std::span<const uint8_t> item, bool json, bool colour) {
  const auto event = control::read_event(item);
  if (!event) return fail(event.error()) == 0;
  if (!json) return print_line(text_line(event.value(), colour));
  std::string line;
  append_cloudevent(line, event.value());
  return print_line(line);
}

bool print_event(std::span<const uint8_t> item, const EventFormat& format) {
  const auto event = control::read_event(item);
  if (!event) return fail(event.error()) == 0;
  return print_line(format.line(event.value()));
}

}  // namespace nexus::host::cli
