#include "host/app/settings.hpp"

#include <chrono>
#include <filesystem>
#include <system_error>

#include "host/app/config/plugin_config.hpp"

namespace nexus::host {
namespace {

int64_t nanoseconds(double seconds) { return static_cast<int64_t>(seconds * 1e9); }

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1e3));
}

Error unsupported(std::string sentence, std::string help) {
  return make_error(NEXUS_E_UNSUPPORTED, std::move(sentence), std::move(help));
}

}  // namespace

BusOptions bus_options(const Config& config) {
  const EventsConfig& events = config.events;
  BusOptions options;
  options.worker_count = events.worker_count;
  options.max_queue_size = events.max_queue_size;
  options.overflow = events.overflow == "reject"        ? Overflow::kReject
                     : events.overflow == "drop_oldest" ? Overflow::kDropOldest
                                                        : Overflow::kBlock;
  options.block_timeout_ns = nanoseconds(events.block_timeout);
  options.retry = {events.retry_attempts, events.exponential_backoff, nanoseconds(events.retry_delay),
                   nanoseconds(events.retry_delay_max)};
  options.handler_deadline_ns = nanoseconds(events.handler_deadline);
  options.event_size_max = events.max_event_size;
  options.tracing = events.enable_tracing;
  options.dedup_window_ns = nanoseconds(events.dedup_window);
  for (const EventRule& rule : events.rules)
    if (auto match = Pattern::parse(rule.match))
      options.rules.push_back({std::move(match.value()), nanoseconds(rule.expires.value_or(0))});
  options.dead_letters = {events.dead_letters_max, events.dead_letters_overflow == "drop_new"};
  options.dead_letter_dropped = events.dead_letter_dropped;
  return options;
}

log::Options log_options(const Config& config) {
  log::Options options;
  static_cast<void>(log::parse_format(config.log.format, options.format));
  static_cast<void>(log::parse_level(config.log.level, options.level));
  options.file = config.log.file;
  return options;
}

PluginManagerOptions manager_options(const Config& config) {
  PluginManagerOptions options;
  for (const std::string& folder : config.plugins.directories) options.folders.emplace_back(folder);
  options.private_folder = std::filesystem::path(config.host.data_dir) / "plugin-copies";
  options.probe_program = own_program();
  options.unsafe_permissions = config.plugins.unsafe_permissions;
  options.probe_timeout = milliseconds(config.plugins.probe_timeout);
  options.stop_timeout = milliseconds(config.plugins.stop_timeout);
  return options;
}

PluginSettings plugin_settings(const Config& config, std::string_view id) {
  const PluginConfig& from = config.plugins.of(id);
  PluginSettings settings;
  settings.enabled = from.enabled;
  settings.own_thread = from.thread == "own";
  settings.permissions = {from.permissions.emit, from.permissions.subscribe, from.permissions.control,
                          from.permissions.forward};
  if (auto plain = config::plugin_config(config, id)) settings.config = std::move(plain.value());
  return settings;
}

Result<std::vector<uint8_t>> typed_plugin_config(const Config& config, const ModuleInfo& module) {
  return config::plugin_config(config, module.id, module.config_schema);
}

Result<void> check_supported(const Config& config) {
  if (config.events.backend != "memory")
    return unsupported("events.backend = \"" + config.events.backend + "\": no transport of that name is there",
                       "this host carries events in memory: set events.backend = \"memory\"");
  const std::string no_store = "this host keeps events in memory only: set events.persist_events = false";
  if (config.events.persist_events)
    return unsupported("events.persist_events = true: there is no event store", no_store);
  for (const EventRule& rule : config.events.rules)
    if (rule.persist.value_or(false))
      return unsupported("the rule for \"" + rule.match + "\" sets persist = true: there is no event store", no_store);
  if (config.plugins.require_signature)
    return unsupported("plugins.require_signature = true: this host cannot check signatures",
                       "set plugins.require_signature = false, and guard the plugin folder by its permissions");
  return {};
}

std::filesystem::path own_program() {
  // Through /proc the very same program runs, even where its file has been replaced by an upgrade meanwhile.
  std::filesystem::path link = "/proc/self/exe";
  std::error_code failed;
  if (std::filesystem::exists(link, failed)) return link;
  return "nexus";
}

}  // namespace nexus::host
