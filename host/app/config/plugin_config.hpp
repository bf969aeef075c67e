// The parts of the config that only plugins understand: handed out as CBOR, and checked against the JSON Schema that a
// plugin brings, with errors that point into the config file. Pure functions on a Config; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "host/app/config/config.hpp"
#include "host/app/config/diagnostic.hpp"
#include "host/base/error.hpp"

namespace nexus::host::config {

// What is wrong with [plugins."<id>".config] by that schema; empty: nothing. An empty schema takes any config.
// Understood of draft-07: type, properties, required, additionalProperties, items, minItems, maxItems, enum, const,
// minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength and $ref into #/definitions; the rest is
// let pass. A schema that is no JSON object is itself what is wrong.
std::vector<Diagnostic> plugin_diagnostics(const Config& config, std::string_view plugin_id,
                                           std::string_view json_schema);

// The same as NEXUS_E_LOAD_CONFIG, whose message is the rendered diagnostics.
Result<void> check_plugin_config(const Config& config, std::string_view plugin_id, std::string_view json_schema);

// [plugins."<id>".config] as a CBOR map, the empty one where there is none; defaults are not filled in. With a schema
// it is checked as above, and a text that came out of `${…}`, a file or a variable becomes the number or boolean that
// the schema wants in its place.
Result<std::vector<uint8_t>> plugin_config(const Config& config, std::string_view plugin_id,
                                           std::string_view json_schema = {});

// The table of a transport or a store, "events.redis" or "store.postgresql", as a CBOR map with the defaults filled in;
// of one that the host does not know, as it stands in the file. The empty map where there is no such table.
std::vector<uint8_t> table_config(const Config& config, std::string_view table);

}  // namespace nexus::host::config
