// From the config's values to the options of what is built from them. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "host/app/config/config.hpp"
#include "host/base/error.hpp"
#include "host/base/log.hpp"
#include "host/bus/bus.hpp"
#include "host/plugin/manager.hpp"

namespace nexus::host {

BusOptions bus_options(const Config& config);
log::Options log_options(const Config& config);
PluginManagerOptions manager_options(const Config& config);

// [plugins."<id>"]; with the plugin's JSON Schema its config is checked and typed by it (NEXUS_E_LOAD_CONFIG).
PluginSettings plugin_settings(const Config& config, std::string_view id);
Result<std::vector<uint8_t>> typed_plugin_config(const Config& config, const ModuleInfo& module);

// What the config asks for and this host cannot do, which is refused at the start rather than passed over.
// NEXUS_E_UNSUPPORTED names the key.
Result<void> check_supported(const Config& config);

// The host's own program, to be run again as a probe.
std::filesystem::path own_program();

}  // namespace nexus::host
