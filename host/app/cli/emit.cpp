#include <fcntl.h>
#include <unistd.h>

#include "host/app/cli/connect.hpp"
#include "host/app/cli/emit_item.hpp"
#include "host/app/cli/emit_stream.hpp"
#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/event/name.hpp"

namespace nexus::host::cli {
namespace {

int emit_one(const EmitCommand& command, const EmitItemWriter& writer) {
  auto data = read_data(command);
  if (!data) return fail(exit_status::kData, data.error());
  // Said before anybody is asked: a host is not needed to know that a name is wrong.
  if (auto valid = check_type(command.type); !valid) return fail(valid.error());
  cbor::Buffer item;
  if (auto written = writer.write_data(data.value(), item); !written) return fail(written.error());
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  EmitStream stream(client.value(), command);
  stream.add(item.bytes(), 1);
  return stream.finish();
}

int emit_many(const EmitCommand& command, const EmitItemWriter& writer) {
  int input = STDIN_FILENO;
  if (command.data && command.data != "-") {
    if (!command.data->starts_with('@'))
      return fail(exit_status::kUsage, make_error(NEXUS_E_ARGUMENT, "with --send-on, --data is @FILE or -"));
    input = ::open(command.data->substr(1).c_str(), O_RDONLY | O_CLOEXEC);
    if (input < 0) return fail(exit_status::kData, no_file(command.data->substr(1)));
  }
  if (!command.type.empty()) {
    if (auto valid = check_type(command.type); !valid) return fail(valid.error());
  }
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  EmitStream stream(client.value(), command);
  LineInput lines(input);
  cbor::Buffer item;
  for (;;) {
    std::string_view line;
    if (!lines.is_ready()) stream.flush();
    auto more = lines.next(line);
    if (!more) {
      stream.reject(lines.line_number() + 1, more.error());
      break;
    }
    if (!more.value() || stream.is_broken()) break;
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    item.clear();
    auto written = command.type.empty() ? writer.write_event(line, item) : writer.write_data(line, item);
    if (written)
      stream.add(item.bytes(), lines.line_number());
    else
      stream.reject(lines.line_number(), written.error());
  }
  return stream.finish();
}

}  // namespace

int emit(const EmitCommand& command) {
  auto writer = EmitItemWriter::create(command);
  if (!writer) return fail(exit_status::kUsage, writer.error());
  if (!command.send_on.empty()) return emit_many(command, writer.value());
  if (command.type.empty())
    return fail(exit_status::kUsage, make_error(NEXUS_E_ARGUMENT, "emit needs a TYPE",
                                                "or --send-on newline, with a whole event on each line"));
  return emit_one(command, writer.value());
}

}  // namespace nexus::host::cli
