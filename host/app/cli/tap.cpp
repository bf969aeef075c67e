#include <cstdio>

#include "host/app/cli/connect.hpp"
#include "host/app/cli/event_text.hpp"
#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/control/event_methods.hpp"

namespace nexus::host::cli {

int tap(const TapCommand& command) {
  std::optional<EventFormat> format;
  if (command.format) {
    auto parsed = EventFormat::parse(*command.format);
    if (!parsed) return fail(exit_status::kUsage, parsed.error());
    format = std::move(parsed.value());
  }
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
        if (!(format ? print_event(frame->body, *format) : print_event(frame->body, command.json, colour)))
          return exit_status::kIo;
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
