#include <cstdio>
#include <string>

#include "host/app/cli/connect.hpp"
#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/base/rfc3339.hpp"
#include "host/control/trace_methods.hpp"

namespace nexus::host::cli {
namespace {

std::string time_text(int64_t ns) {
  char text[64];
  if (ns < 10'000)
    std::snprintf(text, sizeof text, "%ld ns", static_cast<long>(ns));
  else if (ns < 10'000'000)
    std::snprintf(text, sizeof text, "%.1f us", static_cast<double>(ns) / 1e3);
  else
    std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(ns) / 1e6);
  return text;
}

std::string attempt_line(const control::ExplainedEvent& event, const control::Attempt& attempt) {
  std::string line = attempt.result;
  if (!attempt.handler.empty())
    line += (attempt.result == "handled" ? " by " : ": ") + (attempt.plugin.empty() ? "" : attempt.plugin + " ") +
            attempt.handler;
  if (attempt.result == "filtered" && !attempt.filter.empty()) line += ", which wants " + attempt.filter;
  if (attempt.attempt > 1) line += ", attempt " + std::to_string(attempt.attempt);
  if (attempt.error_type) line += ": " + *attempt.error_type;
  if (attempt.error_message) line += " (" + *attempt.error_message + ")";
  if (attempt.retry_in_seconds) {
    char text[64];
    std::snprintf(text, sizeof text, ", again after %.3g s", *attempt.retry_in_seconds);
    line += text;
  }
  line += ", " + time_text(attempt.ended_unix_ns - event.time_unix_ns) + " after the emit";
  if (attempt.duration_ns > 0) line += ", took " + time_text(attempt.duration_ns);
  return line;
}

void print_tree(const control::Explanation& answer) {
  for (const control::ExplainedEvent& event : answer.events) {
    const std::string indent(event.depth * 4, ' ');
    print(indent + event.type + "  " + event.id + "  " + format_rfc3339(event.time_unix_ns) +
          (event.source.empty() ? "" : "  from " + event.source) +
          (event.priority == 0 ? "" : "  priority " + std::to_string(event.priority)) + "\n");
    for (const control::Attempt& attempt : event.attempts) print(indent + "  - " + attempt_line(event, attempt) + "\n");
  }
}

int show(const ExplainCommand& command, const std::string& method) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  if (command.json) {
    cbor::Value params;
    params["id"] = command.id;
    auto value = client->call(method, params);
    if (!value) return fail(value.error());
    print_json(value->encode());
    return exit_status::kOk;
  }
  auto answer = client->call_typed<control::Explanation>(method, control::IdParams{command.id});
  if (!answer) return fail(answer.error());
  print_tree(answer.value());
  return exit_status::kOk;
}

}  // namespace

int explain(const ExplainCommand& command) { return show(command, "events.explain"); }
int trace(const ExplainCommand& command) { return show(command, "traces.show"); }

}  // namespace nexus::host::cli
