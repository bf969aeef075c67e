// The config as people and tools see it, all from the one table of keys: `nexus config show`, `schema`, `init`, the
// reference in config/README.md, and what a changed file means for a running host. Pure functions; secrets print as
// ***.
#pragma once

#include <string>
#include <vector>

#include "host/app/config/config.hpp"

namespace nexus::host::config {

struct ShowOptions {
  bool origin = false;  // where each value came from
  bool json = false;    // one object, nested as the file is; with origin: {"events.worker_count": {"value", "origin"}}
};

// Every value as it is in force. Text is TOML that loads again (but for secrets). Ends with a newline.
std::string show(const Config& config, const ShowOptions& options = {});

// JSON Schema (draft-07) of nexus.toml, for editors; pretty-printed.
std::string schema();

// A nexus.toml with every key and its default as a comment.
std::string init();

// The reference of all keys, in Markdown, for config/README.md.
std::string reference();

struct Change {
  std::string key;      // "log.level", "plugins.\"com.example.orders\".config"
  std::string from;     // TOML, secrets cut; empty where the key is new
  std::string to;       // TOML, secrets cut; empty where the key went away
  bool restart = true;  // false: a running host takes it over on SIGHUP
  std::string plugin;   // for a plugin's settings its id: they are taken over by loading it anew
};

// What differs between two configs, in the order of the table.
std::vector<Change> diff(const Config& from, const Config& to);

}  // namespace nexus::host::config
