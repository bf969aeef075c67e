#include <algorithm>
#include <charconv>
#include <cstdio>

#include "host/app/cli/connect.hpp"
#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/base/printable.hpp"
#include "host/control/dlq_methods.hpp"

namespace nexus::host::cli {
namespace {

using control::RetriesAnswer;
using control::RetriesParams;
using control::RetryRow;

void print_row(const RetryRow& row) {
  cbor::Buffer out;
  if (control::write_result("", row, out)) print_json(out.bytes());
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

void print_table(const RetriesAnswer& answer) {
  std::vector<std::vector<std::string>> rows{{"ID", "EVENT", "TYPE", "HANDLER", "ATTEMPT", "DUE IN", "ERROR"}};
  for (const RetryRow& row : answer.retries)
    rows.push_back({std::to_string(row.id), row.event_id, row.type,
                    row.plugin + "/" + printable(row.subscription.empty() ? row.pattern : row.subscription),
                    std::to_string(row.attempt), seconds_text(row.due_in_seconds),
                    printable(row.error_type + ": " + row.error)});
  print(table(rows, {true, false, false, false, true, true}));
}

// A number is a retry's own id, anything else is an event's.
RetriesParams params_of(const RetriesCommand& command) {
  RetriesParams params;
  params.type = command.type;
  params.plugin = command.plugin;
  params.all = command.all;
  params.limit = command.limit;
  if (!command.id) return params;
  uint64_t number = 0;
  const std::string& text = *command.id;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed == std::errc() && end == text.data() + text.size())
    params.id = number;
  else
    params.event = text;
  return params;
}

}  // namespace

int retries_ls(const RetriesCommand& command) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  auto answer = client->call_typed<RetriesAnswer>("retries.list", params_of(command));
  if (!answer) return fail(answer.error());
  if (command.json) {
    for (const RetryRow& row : answer->retries) print_row(row);
    return exit_status::kOk;
  }
  if (answer->total == 0) {
    std::fputs("nexus: nothing waits for another attempt\n", stderr);
    return exit_status::kOk;
  }
  print_table(answer.value());
  if (answer->retries.size() < answer->total)
    std::fprintf(stderr, "nexus: %s of %s\n", grouped(answer->retries.size()).c_str(), grouped(answer->total).c_str());
  return exit_status::kOk;
}

int retries_end(const RetriesCommand& command, const std::string& method) {
  if (!command.id && !command.type && !command.plugin && !command.all)
    return fail(exit_status::kUsage,
                make_error(NEXUS_E_ARGUMENT, "nothing says which retries are meant",
                           "give an id of `nexus retries ls`, an event's id, --type, --plugin, or --all"));
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  auto answer = client->call_typed<RetriesAnswer>(method, params_of(command));
  if (!answer) return fail(answer.error());
  if (command.json)
    for (const RetryRow& row : answer->retries) print_row(row);
  std::fprintf(stderr, "nexus: %s %s\n", grouped(answer->done).c_str(),
               method == "retries.kill" ? "given up" : "tried now");
  return exit_status::kOk;
}

}  // namespace nexus::host::cli
