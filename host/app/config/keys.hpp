// The one table of config keys: name, type, default, bounds, text, and the member of Config it fills. Parsing, errors,
// `config show`, the JSON Schema, the reference and nexus.toml itself all come from it; a new key is one row here and
// one member in config.hpp. Constant data; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/app/config/config.hpp"

namespace nexus::host::config {

enum class Type : uint8_t { boolean, integer, number, string, path, choice, pattern, patterns, paths };

// Gives the member of the owner (Config, PluginConfig or EventRule) that a key fills. An optional member has no
// default: it stays empty when the key is absent.
using Slot = std::variant<bool* (*)(void*), uint32_t* (*)(void*), uint64_t* (*)(void*), double* (*)(void*),
                          std::string* (*)(void*), std::vector<std::string>* (*)(void*),
                          std::optional<bool>* (*)(void*), std::optional<double>* (*)(void*),
                          std::optional<std::string>* (*)(void*), std::optional<std::vector<std::string>>* (*)(void*)>;

inline constexpr uint8_t kSecret = 1;     // never shown
inline constexpr uint8_t kUrl = 2;        // the password in it is never shown
inline constexpr uint8_t kReload = 4;     // a running host takes it over on SIGHUP
inline constexpr uint8_t kRequired = 8;   // must be there (in a rule)
inline constexpr uint8_t kNotEmpty = 16;  // the text or list must not be empty

struct Key {
  std::string_view path;  // dotted, from the scope's table: "events.worker_count"
  Type type;
  std::string_view default_value;  // as TOML; empty: none
  std::string_view text;           // one sentence or two, ending with a full stop
  Slot slot;
  double low = 0;  // bounds of a number, both allowed; high below low: none
  double high = -1;
  std::string_view choices = {};  // "block|reject|drop_oldest"
  uint8_t flags = 0;
  std::string_view unit = {};  // "seconds", "bytes", "days"

  bool has(uint8_t flag) const { return (flags & flag) != 0; }
  bool bounded() const { return high >= low; }
  std::string_view name() const { return path.substr(path.rfind('.') + 1); }
};

struct Section {
  std::string_view path;  // "events.redis"
  std::string_view text;
};

std::span<const Key> host_keys();     // of Config; paths from the root
std::span<const Key> plugin_keys();   // of PluginConfig; paths from [plugins."<id>"]
std::span<const Key> rule_keys();     // of EventRule; paths from [[events.rules]]
std::span<const Section> sections();  // tables of host_keys(), in the order in which they are shown

const Key* find_key(std::span<const Key> keys, std::string_view path);

// The names that may stand in the table at `scope` ("" for the root): keys and tables.
std::vector<std::string_view> names_in(std::span<const Key> keys, std::string_view scope);

std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace nexus::host::config
