#include <cstdio>

#include "host/app/cli/connect.hpp"
#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/control/host_methods.hpp"

namespace nexus::host::cli {
namespace {

std::string duration_text(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds);
  char text[64];
  if (whole < 60)
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  else if (whole < 86400)
    std::snprintf(text, sizeof text, "%u:%02u:%02u", static_cast<unsigned>(whole / 3600),
                  static_cast<unsigned>(whole / 60 % 60), static_cast<unsigned>(whole % 60));
  else
    std::snprintf(text, sizeof text, "%u d %u h", static_cast<unsigned>(whole / 86400),
                  static_cast<unsigned>(whole / 3600 % 24));
  return text;
}

std::vector<std::string> figure(std::string name, uint64_t value, std::string text) {
  return {std::move(name), grouped(value), std::move(text)};
}

void print_sums(const control::Stat& stat) {
  std::vector<std::vector<std::string>> rows;
  rows.push_back(figure("accepted", stat.emitted.accepted, "events taken in"));
  rows.push_back(figure("rejected", stat.emitted.rejected, "events refused, for these reasons:"));
  for (const auto& [reason, count] : stat.emitted.rejected_by_reason) rows.push_back(figure("  " + reason, count, ""));
  rows.push_back(figure("invalid", stat.emitted.invalid, "emits that named no valid type or were malformed"));
  rows.push_back(figure("unrouted", stat.emitted.unrouted, "accepted, and nobody listened"));
  rows.push_back(figure("withdrawn", stat.emitted.withdrawn, "accepted in a handler that failed: they never left"));
  rows.push_back({});
  rows.push_back(figure("handled", stat.deliveries.handled, "deliveries that ended well"));
  rows.push_back(figure("filtered", stat.deliveries.filtered, "left aside by a condition"));
  rows.push_back(figure("failed", stat.deliveries.failed, "handlers that failed"));
  rows.push_back(figure("discarded", stat.deliveries.discarded, "dropped unhandled"));
  rows.push_back(figure("retried", stat.deliveries.retried, "attempts after a failed one"));
  rows.push_back(figure("waiting", stat.deliveries.waiting, "in mailboxes now, or for another attempt"));
  rows.push_back({});
  rows.push_back(figure("dead letters", stat.dead_letters.held, "given up and kept: `nexus dlq ls`"));
  if (stat.dead_letters.redriven != 0) rows.push_back(figure("redriven", stat.dead_letters.redriven, "sent again"));
  if (stat.dead_letters.removed != 0) rows.push_back(figure("removed", stat.dead_letters.removed, "by hand"));
  if (stat.dead_letters.dropped != 0)
    rows.push_back(figure("dropped", stat.dead_letters.dropped, "over events.dead_letters_max"));
  print(table(rows, {false, true, false}));
}

void print_rows(const control::Stat& stat) {
  std::vector<std::vector<std::string>> rows{{"TYPE", "ACCEPTED", "REJECTED", "HANDLED"}};
  for (const auto& type : stat.types)
    if (type.accepted + type.rejected + type.handled != 0)
      rows.push_back({type.type, grouped(type.accepted), grouped(type.rejected), grouped(type.handled)});
  if (rows.size() > 1) print("\n" + table(rows, {false, true, true, true}));
  rows = {{"PLUGIN", "EMITTED", "SUBSCRIPTIONS", "HANDLED", "FILTERED", "FAILED", "DISCARDED", "WAITING", ""}};
  for (const auto& plugin : stat.plugins)
    rows.push_back({plugin.id, grouped(plugin.accepted), grouped(plugin.subscriptions), grouped(plugin.handled),
                    grouped(plugin.filtered), grouped(plugin.failed), grouped(plugin.discarded),
                    grouped(plugin.waiting), plugin.stuck ? "stuck" : ""});
  print("\n" + table(rows, {false, true, true, true, true, true, true, true, false}));
}

struct MetricsParams {
  std::string format;
};
NEXUS_STRUCT(MetricsParams, format)
struct MetricsText {
  std::string content_type, text;
};
NEXUS_STRUCT(MetricsText, content_type, text)

int print_metrics(Client& client, const std::string& format) {
  auto answer = client.call_typed<MetricsText>("metrics.text", MetricsParams{format});
  if (!answer) return fail(answer.error());
  print(answer->text);
  return exit_status::kOk;
}

}  // namespace

int stat(const StatCommand& command) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  if (!command.metrics.empty()) return print_metrics(client.value(), command.metrics);
  if (command.json) {
    auto value = client->call("stat");
    if (!value) return fail(value.error());
    print_json(value->encode());
    return exit_status::kOk;
  }
  auto stat = client->call_typed<control::Stat>("stat", control::NoParams{});
  if (!stat) return fail(stat.error());
  print("up " + duration_text(stat->uptime_seconds) + ", " + std::to_string(stat->workers) + " workers, " +
        grouped(stat->subscriptions) + " subscriptions, " + grouped(stat->timers) + " timers, " +
        bytes_text(stat->memory.resident_bytes) + " resident (" + bytes_text(stat->memory.event_bytes) +
        " for events)\n\n");
  print_sums(stat.value());
  if (stat->handler_timeouts != 0)
    print("\n" + grouped(stat->handler_timeouts) + " handlers ran over their deadline\n");
  if (stat->log_lines_dropped != 0) print("\n" + grouped(stat->log_lines_dropped) + " lines of the log were lost\n");
  print_rows(stat.value());
  return exit_status::kOk;
}

}  // namespace nexus::host::cli
