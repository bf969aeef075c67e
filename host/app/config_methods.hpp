// The methods about the config of the running host: config.show, config.check, config.schema, config.reload.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/app/config/diagnostic.hpp"
#include "host/app/config/faces.hpp"
#include "host/app/config_holder.hpp"
#include "host/control/surface.hpp"

namespace nexus::host {

struct ConfigMethodPorts {
  const ConfigHolder& config;
  // Reads it again and takes over what it can; on the control thread.
  std::function<Result<std::vector<config::Change>>()> reload;
};

// Everything in `ports` outlives the surface.
void add_config_methods(Surface& surface, ConfigMethodPorts ports);

namespace control {

struct ChangeRow {
  std::string key, from, to;
  bool restart = false;
};
NEXUS_STRUCT(ChangeRow, key, from, to, restart)
struct ReloadAnswer {
  std::vector<ChangeRow> changes;
};
NEXUS_STRUCT(ReloadAnswer, changes)

}  // namespace control
}  // namespace nexus::host
