// Reading the config again in a running host: what changed, what of it is in force from now on, and what needs a
// restart. On the control thread.
#pragma once

#include <string>
#include <vector>

#include "host/app/config/faces.hpp"
#include "host/app/config/load.hpp"
#include "host/app/config_holder.hpp"
#include "host/base/error.hpp"
#include "host/plugin/manager.hpp"

namespace nexus::host {

// Reads by the options that the host was started with. When the new config is wrong the old one stays in force and the
// error is its diagnostics. Else changes are logged and, where they can be, taken over: plugins whose settings changed
// are loaded anew. What needs a restart is not taken over, and is reported again by the next reload.
Result<std::vector<config::Change>> reload_config(const config::LoadOptions& options, ConfigHolder& holder,
                                                  PluginManager& plugins);

}  // namespace nexus::host
