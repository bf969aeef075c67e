#include "host/control/saga_methods.hpp"

#include "host/app/cli/connect.hpp"
#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/base/printable.hpp"
#include "host/base/rfc3339.hpp"

namespace nexus::host::cli {
namespace {

using control::SagaRow;

std::string time_text(int64_t unix_ns) { return unix_ns == 0 ? "-" : format_rfc3339(unix_ns); }

int print_rows(const Result<cbor::Value>& answer) {
  if (!answer) return fail(answer.error());
  if (const cbor::Value* rows = answer.value().find("instances"); rows != nullptr && rows->is_array())
    for (const cbor::Value& row : rows->items()) print_json(row.encode());
  return exit_status::kOk;
}

void print_instance(const SagaRow& row) {
  std::vector<std::vector<std::string>> rows{{"plugin", row.plugin},
                                             {"key", printable(row.key)},
                                             {"state", printable(row.state)},
                                             {"correlation", printable(row.correlation_id)},
                                             {"steps", grouped(row.steps)},
                                             {"started", time_text(row.started_unix_ns)},
                                             {"changed", time_text(row.changed_unix_ns)}};
  if (row.due_unix_ns) rows.push_back({"times out", time_text(*row.due_unix_ns)});
  if (row.completed)
    for (const std::string& state : *row.completed) rows.push_back({"completed", printable(state)});
  print(table(rows));
  if (row.data) {
    print("\n");
    print_json(row.data->encode());
  }
}

}  // namespace

int saga_ls(const SagaCommand& command) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  const control::SagaListParams params{command.plugin, command.state, command.after, command.limit};
  if (command.json)
    return print_rows(client->call(
        "saga.list",
        {{"plugin", params.plugin}, {"state", params.state}, {"after", params.after}, {"limit", params.limit}}));
  auto list = client->call_typed<control::SagaList>("saga.list", params);
  if (!list) return fail(list.error());
  std::vector<std::vector<std::string>> rows{
      {"SAGA", "ACTIVE", "STARTED", "DONE", "UNDONE", "TIMED OUT", "IGNORED", "REJECTED", ""}};
  for (const auto& saga : list->sagas)
    rows.push_back({saga.plugin, grouped(saga.active), grouped(saga.started), grouped(saga.completed),
                    grouped(saga.undone), grouped(saga.timed_out), grouped(saga.ignored), grouped(saga.rejected),
                    saga.error ? saga.error->label + ": " + saga.error->message : ""});
  print(table(rows, {false, true, true, true, true, true, true, true, false}));
  if (list->instances.empty()) return exit_status::kOk;
  rows = {{"KEY", "STATE", "STEPS", "CHANGED", "TIMES OUT", "CORRELATION", "SAGA"}};
  for (const SagaRow& row : list->instances)
    rows.push_back({printable(row.key), printable(row.state), grouped(row.steps), time_text(row.changed_unix_ns),
                    row.due_unix_ns ? time_text(*row.due_unix_ns) : "-", printable(row.correlation_id), row.plugin});
  print("\n" + table(rows, {false, false, true, false, false, false, false}));
  return exit_status::kOk;
}

int saga_show(const SagaCommand& command) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  if (command.json) return print_rows(client->call("saga.show", {{"key", command.key}, {"plugin", command.plugin}}));
  auto shown =
      client->call_typed<control::SagaShown>("saga.show", control::SagaShowParams{command.key, command.plugin});
  if (!shown) return fail(shown.error());
  for (size_t i = 0; i < shown->instances.size(); ++i) {
    if (i != 0) print("\n");
    print_instance(shown->instances[i]);
  }
  return exit_status::kOk;
}

}  // namespace nexus::host::cli
