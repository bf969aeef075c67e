#include "host/control/plugin_methods.hpp"

#include <filesystem>

#include "host/base/printable.hpp"
#include "host/event/pattern.hpp"

namespace nexus::host {
namespace control {
namespace {

std::string clean(const std::string& text) { return cbor::is_utf8(text) ? text : printable(text); }

std::string abi_text(uint16_t minor) { return std::to_string(NEXUS_ABI_MAJOR) + "." + std::to_string(minor); }

ModuleRow module_row(const ModuleInfo& module) {
  ModuleRow row;
  row.id = clean(module.id);
  row.version = clean(module.version);
  row.name = clean(module.name);
  row.description = clean(module.description);
  row.vendor = clean(module.vendor);
  row.abi_built = abi_text(module.minor_built);
  row.abi_needed = abi_text(module.minor_min);
  row.provider = module.provider();
  row.exclusive = module.exclusive();
  for (const auto& needed : module.requirements) row.requirements.push_back({clean(needed.id), clean(needed.version)});
  for (const auto& event : module.events) row.events.push_back({clean(event.type), event.version, clean(event.json_schema)});
  for (const auto& handler : module.handlers) {
    const auto pattern = Pattern::parse(handler.pattern);
    row.handlers.push_back({clean(handler.name), clean(handler.pattern),
                            pattern ? pattern.value().explain() : clean(pattern.error().message), handler.priority});
  }
  row.config_schema = clean(module.config_schema);
  return row;
}

double milliseconds(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1000.0; }

}  // namespace

ErrorRow error_row(const Error& error) {
  return {error.code, std::string(error_label(error.code)), clean(error.message), clean(error.help)};
}

PluginRow plugin_row(const PluginStatus& status, bool with_module) {
  PluginRow row;
  row.id = clean(status.id);
  row.file = clean(status.file.string());
  row.state = std::string(plugin_state_name(status.state));
  row.generation = status.generation;
  if (status.module) row.version = clean(status.module->version);
  if (status.error) row.error = error_row(*status.error);
  row.detail = clean(status.detail);
  row.content_hash = status.content_hash;
  row.subscriptions = status.stats.subscriptions;
  row.queued = status.stats.queued;
  row.handled = status.stats.handled;
  row.failed = status.stats.failed;
  row.emitted = status.stats.emitted;
  row.stuck = status.stats.stuck;
  for (const std::string& id : status.required_by) row.required_by.push_back(clean(id));
  row.loaded_unix_ns = status.loaded_unix_ns;
  row.load_time_ms = milliseconds(status.load_time);
  row.enabled = status.settings.enabled;
  row.own_thread = status.settings.own_thread;
  if (with_module && status.module) row.module = module_row(*status.module);
  return row;
}

CheckAnswer check_row(const CheckReport& report) {
  CheckAnswer row;
  row.file = clean(report.file.string());
  row.ok = !report.error;
  if (report.error) row.error = error_row(*report.error);
  for (const std::string& warning : report.warnings) row.warnings.push_back(clean(warning));
  if (report.module) row.module = module_row(*report.module);
  row.probe_time_ms = milliseconds(report.probe_time);
  return row;
}

struct UnloadParams {
  std::string id;
  std::string reason = "requested";
};
NEXUS_STRUCT(UnloadParams, id, reason)

struct ScanAnswer {
  uint64_t loaded = 0, swapped = 0, unloaded = 0, refused = 0;
};
NEXUS_STRUCT(ScanAnswer, loaded, swapped, unloaded, refused)

}  // namespace control

namespace {

using namespace control;

Result<PluginRow> row_of(const Result<PluginStatus>& status) {
  if (!status) return status.error();
  return plugin_row(status.value(), false);
}

Error with_nearest(const PluginManager& manager, const Error& error, std::string_view id) {
  if (error.code != NEXUS_E_UNKNOWN) return error;
  const auto plugins = manager.list();
  std::vector<std::string_view> ids;
  for (const PluginStatus& plugin : plugins)
    if (!plugin.id.empty()) ids.push_back(plugin.id);
  const std::string_view nearest = schema::nearest_name(id, ids.data(), ids.size());
  return nearest.empty() ? error : make_error(error.code, error.message, "did you mean '" + std::string(nearest) + "'?");
}

void add_changes(Surface& surface, PluginManager& manager) {
  const auto change = [&](std::string_view name, std::string_view summary,
                          Result<PluginStatus> (PluginManager::*method)(std::string_view)) {
    surface.add_typed<PluginParams, PluginRow>(
        {name, summary, Scope::admin, RunsOn::control},
        [&manager, method](const Caller&, const PluginParams& params) -> Result<PluginRow> {
          auto row = row_of((manager.*method)(params.id));
          if (!row) return with_nearest(manager, row.error(), params.id);
          return row;
        });
  };
  change("plugins.reload", "Swaps a plugin onto its file again, with fresh settings; loads one that is not running.",
         &PluginManager::reload);
  change("plugins.enable", "Loads a plugin that was disabled, until the host ends.", &PluginManager::enable);
  change("plugins.disable", "Stops a plugin and keeps it from being loaded, until the host ends.",
         &PluginManager::disable);
  surface.add_typed<FileParams, PluginRow>(
      {"plugins.load", "Loads one file, which may lie outside the folders.", Scope::admin, RunsOn::control},
      [&manager](const Caller&, const FileParams& params) { return row_of(manager.load(params.file)); });
  surface.add_typed<UnloadParams, Done>(
      {"plugins.unload", "Stops a plugin, and before it those that require it.", Scope::admin, RunsOn::control},
      [&manager](const Caller&, const UnloadParams& params) -> Result<Done> {
        auto done = manager.unload(params.id, params.reason);
        if (!done) return with_nearest(manager, done.error(), params.id);
        return Done{};
      });
  surface.add_typed<NoParams, ScanAnswer>(
      {"plugins.scan", "Looks at the folders now, without waiting for the watcher.", Scope::admin, RunsOn::control},
      [&manager](const Caller&, const NoParams&) -> Result<ScanAnswer> {
        const ScanReport report = manager.scan();
        return ScanAnswer{report.loaded, report.swapped, report.unloaded, report.refused};
      });
}

}  // namespace

void add_plugin_methods(Surface& surface, PluginManager& manager) {
  surface.add_typed<NoParams, PluginList>(
      {"plugins.list", "Every plugin and every refused file, and what became of it.", Scope::read, RunsOn::control},
      [&manager](const Caller&, const NoParams&) -> Result<PluginList> {
        PluginList list;
        for (const PluginStatus& status : manager.list()) list.plugins.push_back(plugin_row(status, false));
        return list;
      });
  surface.add_typed<PluginParams, PluginRow>(
      {"plugins.info", "One plugin, with what its module says about itself.", Scope::read, RunsOn::control},
      [&manager](const Caller&, const PluginParams& params) -> Result<PluginRow> {
        auto status = manager.info(params.id);
        if (!status) return with_nearest(manager, status.error(), params.id);
        return plugin_row(status.value(), true);
      });
  surface.add_typed<FileParams, CheckAnswer>(
      {"plugins.check", "What the load gate says about a file; nothing is loaded.", Scope::read, RunsOn::control},
      [&manager](const Caller&, const FileParams& params) -> Result<CheckAnswer> {
        return check_row(manager.check(params.file));
      });
  add_changes(surface, manager);
}

}  // namespace nexus::host
