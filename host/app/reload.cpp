#include "host/app/reload.hpp"

#include <algorithm>
#include <set>

#include "host/app/settings.hpp"
#include "host/base/log.hpp"

namespace nexus::host {
namespace {

void report(const config::Change& change) {
  log::write(change.restart ? log::Level::warn : log::Level::info,
             change.restart ? "config changed; needs a restart" : "config changed",
             {{"key", change.key}, {"from", change.from}, {"to", change.to}});
}

// The new config with the old values where only a restart can bring the new ones.
Config merged(const Config& old_one, Config new_one) {
  Config config = old_one;
  config.log.level = new_one.log.level;
  config.host.shutdown_deadline = new_one.host.shutdown_deadline;
  config.plugins.by_id = std::move(new_one.plugins.by_id);
  config.document = std::move(new_one.document);  // where the plugins' own tables are read from
  return config;
}

}  // namespace

Result<std::vector<config::Change>> reload_config(const config::LoadOptions& options, ConfigHolder& holder,
                                                  PluginManager& plugins) {
  auto loaded = config::load(options);
  if (!loaded) return loaded.error();
  const auto before = holder.get();
  const std::vector<config::Change> changes = config::diff(*before, loaded.value());
  std::set<std::string> changed_plugins;
  for (const config::Change& change : changes) {
    report(change);
    if (!change.plugin.empty()) changed_plugins.insert(change.plugin);
  }
  holder.set(merged(*before, std::move(loaded.value())));
  log::Level level{};
  const bool level_changed =
      std::any_of(changes.begin(), changes.end(), [](const auto& change) { return change.key == "log.level"; });
  if (level_changed && log::parse_level(holder.get()->log.level, level)) log::set_level(level);
  for (const std::string& id : changed_plugins) {
    const auto status = plugins.reload(id);
    if (!status && status.error().code != NEXUS_E_LOAD_DISABLED && status.error().code != NEXUS_E_UNKNOWN)
      log::error("a plugin did not take its new config; it runs on with the old one",
                 {{"plugin_id", id}, {"error", status.error().message}});
  }
  return changes;
}

}  // namespace nexus::host
