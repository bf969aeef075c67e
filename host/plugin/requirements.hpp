// In which order plugins are loaded, and which cannot be, by what they require of each other. Pure functions over
// descriptions; no thread restrictions.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/plugin/module_info.hpp"

namespace nexus::host {

struct LoadPlan {
  std::vector<size_t> order;                // indices of those to load, each after all that it requires
  std::vector<std::optional<Error>> fault;  // by index: why it cannot be loaded
};

// Plugins that are running already, by id.
using RunningModules = std::map<std::string, const ModuleInfo*, std::less<>>;

// `wanted` have different ids; one of them may be a new version of a running plugin, and then counts instead of it.
// Among those that are free to go, providers of backends and what they require go first, then by id, so that the order
// is the same on each start. NEXUS_E_LOAD_REQUIRES names what is missing or which version was found, and passes the
// fault of a required plugin on; NEXUS_E_LOAD_CYCLE prints the circle, "a → b → a".
LoadPlan plan_loads(const std::vector<const ModuleInfo*>& wanted, const RunningModules& running);

// Whether what `module` requires is among the running. NEXUS_E_LOAD_REQUIRES.
Result<void> check_requirements(const ModuleInfo& module, const RunningModules& running);

// Whether `dependent` can live with this version of a plugin that it requires. NEXUS_E_LOAD_REQUIRES.
Result<void> check_requirement(const ModuleInfo& dependent, const ModuleRequirement& requirement,
                               std::string_view found_version);

}  // namespace nexus::host
