#include <cstdio>
#include <ctime>

#include "host/app/cli/connect.hpp"
#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/base/printable.hpp"
#include "host/control/event_methods.hpp"
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

std::string text_line(const nexus_event& event, bool colour) {
  const char* bold = colour ? "\033[1m" : "";
  const char* dim = colour ? "\033[2m" : "";
  const char* plain = colour ? "\033[0m" : "";
  std::string line = dim + time_text(event.time_unix_ns) + plain + " " + bold + std::string(to_view(event.type)) + plain;
  line += " " + std::string(dim) + "from " + printable(to_view(event.source));
  if (event.priority != 0) line += " priority " + std::to_string(event.priority);
  if (event.key.size != 0) line += " key " + printable(to_view(event.key));
  if (event.subject.size != 0) line += " subject " + printable(to_view(event.subject));
  line += plain;
  const std::string data = data_text(event);
  return data.empty() ? line : line + " " + data;
}

bool show(std::span<const uint8_t> item, const TapCommand& command, bool colour) {
  const auto event = control::read_event(item);
  if (!event) return fail(event.error()) == 0;
  if (!command.json) return print_line(text_line(event.value(), colour));
  std::string line;
  append_cloudevent(line, event.value());
  return print_line(line);
}

}  // namespace

int tap(const TapCommand& command) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  control::SubscribeParams params;
  params.pattern = command.pattern;
  params.count = command.count;
  params.headers_only = command.headers_only;
  auto begun = client->call_typed<control::Done>("events.subscribe", params);
  if (!begun) return fail(begun.error());
  std::fprintf(stderr, "nexus: listening for %s\n", command.pattern.c_str());
  const bool colour = has_colour(1);
  for (;;) {
    auto frame = client->receive();
    if (!frame) return fail(exit_status::kUnavailable, frame.error());
    switch (frame->kind) {
      case HostFrame::Kind::item:
        if (!show(frame->body, command, colour)) return exit_status::kIo;
        break;
      case HostFrame::Kind::dropped:
        std::fprintf(stderr, "nexus: %s events were left out here: this reader is too slow\n",
                     grouped(frame->dropped).c_str());
        break;
      case HostFrame::Kind::end:
        return exit_status::kOk;
      case HostFrame::Kind::error:
        return fail(frame->error);
      case HostFrame::Kind::result:
        break;
    }
  }
}

}  // namespace nexus::host::cli
