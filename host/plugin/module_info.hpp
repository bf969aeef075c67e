// What a plugin file says about itself, copied out of its static nexus_module into the host's own memory. It is read
// first in the probe's child process and travels to the host as JSON; every field has been checked by then (sizes,
// UTF-8, id, version, ranges). Plain values, no thread restrictions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "nexus/abi/module.h"

namespace nexus::host {

struct ModuleRequirement {
  std::string id;
  std::string version;  // a range, see version.hpp; empty for any
};

struct ModuleEvent {
  std::string type;
  std::string json_schema;
  uint32_t version = 0;
};

struct ModuleHandler {
  std::string name;
  std::string pattern;
  int32_t priority = 0;
};

struct ModuleInfo {
  uint16_t minor_built = 0;
  uint16_t minor_min = 0;
  uint32_t flags = 0;  // NEXUS_MODULE_*
  std::string id;
  std::string version;
  std::string name;  // the id where the plugin gave none
  std::string description;
  std::string vendor;
  std::vector<ModuleRequirement> requirements;
  std::vector<ModuleEvent> events;
  std::vector<ModuleHandler> handlers;
  std::string config_schema;

  bool exclusive() const { return (flags & NEXUS_MODULE_EXCLUSIVE) != 0; }
  bool provider() const { return (flags & NEXUS_MODULE_PROVIDER) != 0; }
};

// Copies min(size, sizeof) of a plugin's module into a zeroed one of the host's own, so that a plugin of an older minor
// reads as zero where it knew nothing. NEXUS_E_LOAD_MODULE for a null pointer or a size below the 1.0 layout.
Result<nexus_module> copy_module(const nexus_module* module);

// Reads and checks a module. NEXUS_E_LOAD_MINOR when it needs a newer host, NEXUS_E_LOAD_MODULE when its description
// is broken; the sentence names the field. Reads only memory that the module's own pointers and counts name.
Result<ModuleInfo> read_module(const nexus_module* module);

// One JSON object, for the probe's pipe and for `nexus plugins info --json`.
std::string module_to_json(const ModuleInfo& module);

// The other way round. NEXUS_E_LOAD_MODULE when the text is not what module_to_json writes.
Result<ModuleInfo> module_from_json(std::string_view json);

}  // namespace nexus::host
