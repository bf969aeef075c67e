#include <cmath>
#include <cstdio>

#include "host/app/cli/connect.hpp"
#include "host/app/cli/emit_item.hpp"
#include "host/app/cli/event_text.hpp"
#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/control/event_methods.hpp"
#include "host/control/wire_event.hpp"
#include "host/event/name.hpp"

namespace nexus::host::cli {
namespace {

int64_t to_ms(double seconds) { return static_cast<int64_t>(std::ceil(seconds * 1000)); }

int not_answered(const Error& error) {
  if (error.code == NEXUS_E_UNKNOWN) return fail(exit_status::kUnavailable, error);
  if (error.code == NEXUS_E_TIMEOUT) return fail(exit_status::kTemporary, error);
  return fail(error);
}

// The parameters of events.request, by hand: the event is encoded already.
cbor::Buffer params_of(const RequestCommand& command, std::span<const uint8_t> event) {
  cbor::Buffer params;
  cbor::Writer writer(params);
  writer.begin_map(3);
  writer.write_text("event");
  writer.write_raw(event);
  writer.write_text("reply");
  writer.write_text(command.reply);
  writer.write_text("timeout_ms");
  writer.write_int(to_ms(command.timeout));
  return params;
}

// The reply's data alone, so that it can be piped on.
bool print_data(std::span<const uint8_t> item) {
  const auto event = control::read_event(item);
  if (!event) return fail(event.error()) == 0;
  const std::string data = data_text(event.value());
  return print_line(data.empty() ? "null" : data);
}

// Prints what a stream of events gives until it ends; its opening has been sent.
template <class Print>
int print_stream(Client& client, const Print& print_item) {
  for (;;) {
    auto frame = client.receive();
    if (!frame) return fail(exit_status::kUnavailable, frame.error());
    switch (frame->kind) {
      case HostFrame::Kind::item:
        if (!print_item(frame->body)) return exit_status::kIo;
        break;
      case HostFrame::Kind::dropped:
        std::fprintf(stderr, "nexus: %s events were left out here: this reader is too slow\n",
                     grouped(frame->dropped).c_str());
        break;
      case HostFrame::Kind::end:
        return exit_status::kOk;
      case HostFrame::Kind::error:
        return not_answered(frame->error);
      case HostFrame::Kind::result:
        break;
    }
  }
}

}  // namespace

int request(const RequestCommand& command) {
  auto writer = EmitItemWriter::create(command.event);
  if (!writer) return fail(exit_status::kUsage, writer.error());
  auto data = read_data(command.event);
  if (!data) return fail(exit_status::kData, data.error());
  if (auto valid = check_type(command.event.type); !valid) return fail(valid.error());
  cbor::Buffer event;
  if (auto written = writer->write_data(data.value(), event); !written) return fail(written.error());
  auto client = connect(command.event.host);
  if (!client) return connect_failed(client.error());
  if (auto sent = client->send("events.request", params_of(command, event.bytes()).bytes()); !sent)
    return fail(exit_status::kUnavailable, sent.error());
  return print_stream(client.value(), [&](std::span<const uint8_t> item) {
    return command.json ? print_event(item, true, false) : print_data(item);
  });
}

int wait(const WaitCommand& command) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  control::WaitParams params;
  params.pattern = command.pattern;
  params.count = command.count;
  params.timeout_ms = to_ms(command.timeout);
  auto begun = client->call_typed<control::Done>("events.wait", params);
  if (!begun) return not_answered(begun.error());
  std::fprintf(stderr, "nexus: waiting for %s\n", command.pattern.c_str());
  const bool colour = has_colour(1);
  return print_stream(client.value(),
                      [&](std::span<const uint8_t> item) { return print_event(item, command.json, colour); });
}

}  // namespace nexus::host::cli
