#include "host/control/host_methods.hpp"

#include <unistd.h>

#include <algorithm>
#include <map>

#include "host/base/log.hpp"
#include "host/control/process_stats.hpp"
#include "host/event/block.hpp"

namespace nexus::host {
namespace control {

struct StopParams {
  std::string reason = "control";
};
NEXUS_STRUCT(StopParams, reason)

struct MetricsParams {
  std::string format = "prometheus";  // or openmetrics
};
NEXUS_STRUCT(MetricsParams, format)
struct MetricsText {
  std::string content_type, text;
};
NEXUS_STRUCT(MetricsText, content_type, text)

struct SubscriptionRow {
  uint64_t id = 0;
  std::string plugin, name, pattern, explanation, filter;
  int32_t priority = 0;
  uint64_t handled = 0, failed = 0, filtered = 0, discarded = 0;
};
NEXUS_STRUCT(SubscriptionRow, id, plugin, name, pattern, explanation, filter, priority, handled, failed, filtered,
             discarded)
struct SubscriptionsParams {
  std::optional<std::string> plugin;
};
NEXUS_STRUCT(SubscriptionsParams, plugin)
struct SubscriptionList {
  std::vector<SubscriptionRow> subscriptions;
};
NEXUS_STRUCT(SubscriptionList, subscriptions)

struct TypeList {
  std::vector<StatType> types;
};
NEXUS_STRUCT(TypeList, types)

struct LevelParams {
  std::optional<std::string> level;
};
NEXUS_STRUCT(LevelParams, level)
struct LevelAnswer {
  std::string level, before;
};
NEXUS_STRUCT(LevelAnswer, level, before)

}  // namespace control

namespace {

using namespace control;

std::vector<StatType> types_of(const Bus& bus) {
  std::vector<StatType> rows;
  for (const TypeTotals& type : bus.type_totals())
    rows.push_back({std::string(type.type), type.accepted, type.rejected, type.handled});
  std::sort(rows.begin(), rows.end(), [](const StatType& a, const StatType& b) { return a.type < b.type; });
  return rows;
}

std::vector<StatPlugin> plugins_of(Bus& bus) {
  std::map<std::string, StatPlugin> by_id;  // two generations of one plugin during a swap are one row
  for (const auto& participant : bus.participants()) {
    StatPlugin& row = by_id[participant->id()];
    row.id = participant->id();
    participant->each_port([&](const Port& port) {
      row.accepted += port.accepted.get();
      row.rejected += port.rejected.load(std::memory_order_relaxed);
    });
    row.invalid += participant->invalid_emits.load(std::memory_order_relaxed);
    row.waiting += participant->mailbox().depth();
    row.stuck = row.stuck || participant->mailbox().is_stuck();
    if (const Mailbox* parallel = participant->parallel_mailbox()) {
      row.waiting += parallel->depth();
      row.stuck = row.stuck || parallel->is_stuck();
    }
  }
  for (const SubscriptionStatus& subscription : bus.router().subscriptions()) {
    StatPlugin& row = by_id[subscription.plugin];
    row.id = subscription.plugin;
    ++row.subscriptions;
    row.handled += subscription.totals.handled;
    row.failed += subscription.totals.failed;
    row.filtered += subscription.totals.filtered;
    row.discarded += subscription.totals.discarded;
  }
  std::vector<StatPlugin> rows;
  for (auto& entry : by_id) rows.push_back(std::move(entry.second));
  return rows;
}

Stat make_stat(const HostMethodPorts& ports) {
  Bus& bus = ports.bus;
  Stat stat;
  const BusTotals totals = bus.totals();
  stat.uptime_seconds = static_cast<double>(bus.clock().unix_ns() - ports.facts.started_unix_ns) / 1e9;
  stat.emitted.accepted = totals.accepted;
  stat.emitted.rejected = totals.rejected;
  stat.emitted.invalid = totals.invalid;
  stat.emitted.unrouted = totals.unrouted;
  stat.emitted.withdrawn = totals.withdrawn;
  for (const ErrorText& row : error_table())
    if (const uint64_t count = bus.rejected(row.code); count != 0)
      stat.emitted.rejected_by_reason.emplace(row.name, count);
  stat.deliveries = {totals.deliveries.handled,   totals.deliveries.failed, totals.deliveries.filtered,
                     totals.deliveries.discarded, totals.waiting,           totals.deliveries.retried};
  stat.dead_letters.held = totals.dead_letters.held;
  stat.dead_letters.dropped = totals.dead_letters.dropped;
  stat.dead_letters.removed = totals.dead_letters.removed;
  stat.dead_letters.redriven = totals.redriven;
  for (size_t i = 0; i < kDeadLetterReasons; ++i)
    if (const uint64_t count = totals.dead_letters.given_up[i]; count != 0)
      stat.dead_letters.by_reason.emplace(reason_name(static_cast<DeadLetterReason>(i)), count);
  stat.handler_timeouts = totals.handler_timeouts;
  stat.subscriptions = bus.router().active_subscriptions();
  stat.timers = bus.timers().pending();
  stat.workers = bus.worker_count();
  stat.memory = {block_bytes_in_use(), read_process_stats().resident_bytes};
  stat.log_lines_dropped = log::dropped_lines();
  stat.types = types_of(bus);
  stat.plugins = plugins_of(bus);
  return stat;
}

Result<SubscriptionList> list_subscriptions(Bus& bus, const SubscriptionsParams& params) {
  SubscriptionList list;
  for (SubscriptionStatus& row : bus.router().subscriptions()) {
    if (params.plugin && row.plugin != *params.plugin) continue;
    list.subscriptions.push_back({row.id, std::move(row.plugin), std::move(row.name), std::move(row.pattern),
                                  std::move(row.explanation), std::move(row.filter_text), row.priority,
                                  row.totals.handled, row.totals.failed, row.totals.filtered, row.totals.discarded});
  }
  return list;
}

Result<LevelAnswer> change_level(const LevelParams& params) {
  LevelAnswer answer;
  answer.before = std::string(log::level_name(log::level()));
  if (params.level) {
    log::Level level{};
    if (!log::parse_level(*params.level, level))
      return make_error(NEXUS_E_ARGUMENT, "there is no log level '" + *params.level + "'",
                        "the levels are trace, debug, info, warn, error and off");
    log::set_level(level);
    log::info("log level changed", {{"from", answer.before}, {"to", *params.level}});
  }
  answer.level = std::string(log::level_name(log::level()));
  return answer;
}

Result<MetricsText> metrics_text(const Registry& metrics, const MetricsParams& params) {
  MetricsText answer;
  if (params.format == "prometheus") {
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics.write_prometheus(answer.text);
  } else if (params.format == "openmetrics") {
    answer.content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    metrics.write_openmetrics(answer.text);
  } else {
    return make_error(NEXUS_E_ARGUMENT, "there is no metrics format '" + params.format + "'",
                      "the formats are prometheus and openmetrics");
  }
  return answer;
}

HostInfo make_info(const HostMethodPorts& ports) {
  const HostFacts& facts = ports.facts;
  HostInfo info;
  info.name = facts.name;
  info.version = facts.version;
  info.abi = std::to_string(NEXUS_ABI_MAJOR) + "." + std::to_string(NEXUS_ABI_MINOR);
  info.state = std::string(ports.state());
  info.process = ::getpid();
  info.started_unix_ns = facts.started_unix_ns;
  info.config_file = facts.config_file;
  info.socket = facts.socket;
  info.data_dir = facts.data_dir;
  info.safe_mode = facts.safe_mode;
  return info;
}

}  // namespace

void add_host_methods(Surface& surface, HostMethodPorts given) {
  const auto ports = std::make_shared<const HostMethodPorts>(std::move(given));
  surface.add_typed<NoParams, HostInfo>(
      {"host.info", "Name, version, state and places of the host.", Scope::read, RunsOn::caller},
      [ports](const Caller&, const NoParams&) -> Result<HostInfo> { return make_info(*ports); });
  surface.add_typed<StopParams, Done>(
      {"host.stop", "Begins the orderly end of the host; the reason goes into system.shutting_down.", Scope::admin,
       RunsOn::caller},
      [ports](const Caller&, const StopParams& params) -> Result<Done> {
        ports->request_stop(params.reason);
        return Done{};
      });
  surface.add_typed<NoParams, Stat>(
      {"stat", "What the bus has counted since the start; in a quiet host the sums add up exactly.", Scope::read,
       RunsOn::caller},
      [ports](const Caller&, const NoParams&) -> Result<Stat> { return make_stat(*ports); });
  surface.add_typed<MetricsParams, MetricsText>(
      {"metrics.text", "All metrics, in the text format asked for: prometheus or openmetrics.", Scope::read,
       RunsOn::caller},
      [ports](const Caller&, const MetricsParams& params) { return metrics_text(ports->metrics, params); });
  surface.add_typed<SubscriptionsParams, SubscriptionList>(
      {"subscriptions.list", "Who listens to what, with counts; of one plugin, or of all.", Scope::read,
       RunsOn::caller},
      [ports](const Caller&, const SubscriptionsParams& params) { return list_subscriptions(ports->bus, params); });
  surface.add_typed<NoParams, TypeList>(
      {"types.list", "The event types that are known, with counts.", Scope::read, RunsOn::caller},
      [ports](const Caller&, const NoParams&) -> Result<TypeList> { return TypeList{types_of(ports->bus)}; });
  surface.add_typed<LevelParams, LevelAnswer>(
      {"log.level", "Tells the level of the log, and changes it until the next start where one is given.", Scope::admin,
       RunsOn::caller},
      [](const Caller&, const LevelParams& params) { return change_level(params); });
}

}  // namespace nexus::host
