// The config types that this library reads. A library that reads exactly one has its schema in the module's
// description, so that tools can check a config without running the plugin. Not for plugin authors.
#pragma once

#include <cstdint>
#include <string_view>

#include "nexus/schema.hpp"

namespace nexus {

// The JSON Schema of a config, for NEXUS_PLUGIN(..., .config_schema = nexus::config_schema<Config>).
template <class C>
std::string_view config_schema() {
  return ConfigTraits<C>::schema();
}

namespace detail {

using ConfigSchemaText = std::string_view (*)();

struct ConfigUse {
  explicit ConfigUse(ConfigSchemaText schema_text);
};

inline constinit ConfigSchemaText config_used = nullptr;
inline constinit std::uint32_t config_uses = 0;

inline ConfigUse::ConfigUse(ConfigSchemaText schema_text) {
  config_used = schema_text;
  ++config_uses;
}

// Naming it anywhere in the code puts the type on record.
template <class C>
inline ConfigUse config_type{&config_schema<C>};

}  // namespace detail
}  // namespace nexus
