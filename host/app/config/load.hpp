// Reads the config: defaults, the file, conf.d beside it, NEXUS_A__B variables, the command line; later ones win. All
// errors are gathered, not only the first. Nothing throws; no thread restrictions but those of Surroundings.
#pragma once

#include <string>
#include <vector>

#include "host/app/config/config.hpp"
#include "host/app/config/diagnostic.hpp"
#include "host/app/config/surroundings.hpp"
#include "host/base/error.hpp"

namespace nexus::host::config {

// One value from the command line, stronger than all else.
struct Override {
  std::string key;     // "plugins.directory"
  std::string value;   // as in an environment override: "8", "true", "a,b", text
  std::string option;  // "--plugins-dir", for messages and origins
};

struct LoadOptions {
  std::string file;  // the main file; empty: none, the defaults
  std::vector<Override> overrides;
  const Surroundings* surroundings = nullptr;  // null: the machine
};

struct Loaded {
  Config config;  // to be used only if ok()
  std::vector<Diagnostic> diagnostics;

  bool ok() const { return error_count(diagnostics) == 0; }
};

// The config and everything that is wrong with it.
Loaded read(const LoadOptions& options);

// The config, or an Error of NEXUS_E_SCHEMA whose message is the rendered errors, one below the other. Warnings stay in
// `config.document->warnings`.
Result<Config> load(const LoadOptions& options);

// What `nexus config check` prints: the diagnostics of a file with its conf.d.
std::vector<Diagnostic> check(const std::string& file);

// The file to use: `given` if not empty; else $NEXUS_CONFIG; else the first that exists of ./nexus.toml,
// $XDG_CONFIG_HOME/nexus/nexus.toml (~/.config), /etc/nexus/nexus.toml; else empty.
std::string find_file(const std::string& given, const Surroundings* surroundings = nullptr);

}  // namespace nexus::host::config
