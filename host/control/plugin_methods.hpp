// The methods about plugins: plugins.list, info, check, load, unload, reload, enable, disable, scan. All run on the
// control thread, where the plugin manager lives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/control/surface.hpp"
#include "host/plugin/manager.hpp"

namespace nexus::host {

// The manager outlives the surface's calls.
void add_plugin_methods(Surface& surface, PluginManager& manager);

namespace control {

struct ErrorRow {
  int32_t code = 0;
  std::string label;  // "NX0404 load_symbol"
  std::string message;
  std::string help;
};
NEXUS_STRUCT(ErrorRow, code, label, message, help)

struct RequirementRow {
  std::string id, version;
};
NEXUS_STRUCT(RequirementRow, id, version)

struct EventRow {
  std::string type;
  uint32_t version = 0;
  std::string json_schema;
};
NEXUS_STRUCT(EventRow, type, version, json_schema)

struct HandlerRow {
  std::string name, pattern, explanation;
  int32_t priority = 0;
};
NEXUS_STRUCT(HandlerRow, name, pattern, explanation, priority)

struct ModuleRow {
  std::string id, version, name, description, vendor, abi_built, abi_needed;
  bool provider = false;
  bool exclusive = false;
  std::vector<RequirementRow> requirements;
  std::vector<EventRow> events;
  std::vector<HandlerRow> handlers;
  std::string config_schema;
};
NEXUS_STRUCT(ModuleRow, id, version, name, description, vendor, abi_built, abi_needed, provider, exclusive,
             requirements, events, handlers, config_schema)

struct PluginRow {
  std::string id;
  std::string file;
  std::string state;
  uint64_t generation = 0;
  std::string version;  // of the running one; empty where it is not known
  std::optional<ErrorRow> error;
  std::string detail;
  std::string content_hash;
  uint64_t subscriptions = 0, queued = 0, handled = 0, failed = 0, emitted = 0;
  bool stuck = false;
  std::vector<std::string> required_by;
  int64_t loaded_unix_ns = 0;
  double load_time_ms = 0;
  bool enabled = true;
  bool own_thread = false;
  std::optional<ModuleRow> module;  // with plugins.info only
};
NEXUS_STRUCT(PluginRow, id, file, state, generation, version, error, detail, content_hash, subscriptions, queued,
             handled, failed, emitted, stuck, required_by, loaded_unix_ns, load_time_ms, enabled, own_thread, module)

struct PluginList {
  std::vector<PluginRow> plugins;
};
NEXUS_STRUCT(PluginList, plugins)

struct CheckAnswer {
  std::string file;
  bool ok = false;
  std::optional<ErrorRow> error;
  std::vector<std::string> warnings;
  std::optional<ModuleRow> module;
  double probe_time_ms = 0;
};
NEXUS_STRUCT(CheckAnswer, file, ok, error, warnings, module, probe_time_ms)

struct PluginParams {
  std::string id;
};
NEXUS_STRUCT(PluginParams, id)
struct FileParams {
  std::string file;
};
NEXUS_STRUCT(FileParams, file)

// Rows as the faces print them; text that is not UTF-8 is escaped. `nexus plugins check` uses them without a host.
ErrorRow error_row(const Error& error);
PluginRow plugin_row(const PluginStatus& status, bool with_module);
CheckAnswer check_row(const CheckReport& report);

}  // namespace control
}  // namespace nexus::host
