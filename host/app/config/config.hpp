// The host's configuration as plain values: what nexus.toml, conf.d, the environment and the command line come to. It
// is made by config::load (load.hpp) and is a value: copy it, keep the old one to compare on SIGHUP. No thread
// restrictions; after loading every value is within its bounds, every path is absolute, and every `${…}` and `file:` is
// replaced.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nexus::host {

namespace config {
struct Document;    // document.hpp: the texts and trees behind the values, for origins, carets and plugin configs
struct Diagnostic;  // diagnostic.hpp
}  // namespace config

struct HostConfig {
  std::string name;
  std::string data_dir;
  double shutdown_deadline = 0;  // seconds
};

struct LogConfig {
  std::string level;   // trace, debug, info, warn, error, off
  std::string format;  // auto, text, json
  std::string file;    // empty: standard error
};

struct ControlConfig {
  std::string socket;
};

// What a plugin may do. A list that is absent does not restrict, but for the bare `*`, which must be named.
struct PermissionsConfig {
  std::optional<std::vector<std::string>> emit;
  std::optional<std::vector<std::string>> subscribe;
  bool control = false;
  bool forward = false;
};

// [plugins."<id>"]. The free [plugins."<id>".config] is handed out by plugin_config.hpp.
struct PluginConfig {
  bool enabled = true;
  std::string thread = "shared";  // shared, own
  PermissionsConfig permissions;
};

struct PluginsConfig {
  std::vector<std::string> directories;
  bool watch = true;
  bool require_signature = false;
  bool unsafe_permissions = false;
  double probe_timeout = 0;                                // seconds
  double stop_timeout = 0;                                 // seconds
  std::map<std::string, PluginConfig, std::less<>> by_id;  // those that the config names

  // The settings of a plugin; one that the config does not name gets the defaults.
  const PluginConfig& of(std::string_view id) const;
};

struct RedisConfig {
  std::string host;
  uint32_t port = 0;
  std::string password;
  uint32_t database = 0;
  bool ssl = false;
  uint32_t pool_size = 0;
  std::string channel_prefix;
  std::string stream_name;
  std::string consumer_group;
  uint64_t max_stream_length = 0;
};

struct RabbitmqConfig {
  std::string url;
  std::string exchange;
  std::string queue_prefix;
  uint32_t prefetch_count = 0;
};

// [[events.rules]]: settings for the event types that match; what is absent is as [events] says.
struct EventRule {
  std::string match;
  std::optional<bool> persist;
  std::optional<std::string> durability;  // relaxed, durable
  std::optional<double> expires;          // seconds
};

struct EventsConfig {
  std::string backend;
  uint32_t max_queue_size = 0;
  std::string overflow;      // block, reject, drop_oldest
  double block_timeout = 0;  // seconds
  uint32_t worker_count = 0;
  uint32_t max_event_size = 0;  // bytes
  double handler_deadline = 0;  // seconds
  uint32_t retry_attempts = 0;
  double retry_delay = 0;      // seconds
  double retry_delay_max = 0;  // seconds
  bool exponential_backoff = false;
  uint32_t dead_letters_max = 0;
  std::string dead_letters_overflow;  // drop_oldest, drop_new
  bool dead_letter_dropped = false;
  bool persist_events = false;
  std::string durability;  // relaxed, durable
  std::string event_store_backend;
  uint32_t event_retention_days = 0;
  uint32_t batch_size = 0;
  double flush_interval = 0;  // seconds
  bool enable_metrics = false;
  bool enable_tracing = false;
  double dedup_window = 0;  // seconds
  RedisConfig redis;
  RabbitmqConfig rabbitmq;
  std::vector<EventRule> rules;  // in the order of the file; the first that matches holds
};

struct StoreConfig {
  std::string sqlite_path;
  std::string postgresql_dsn;
};

struct Config {
  HostConfig host;
  LogConfig log;
  ControlConfig control;
  PluginsConfig plugins;
  EventsConfig events;
  StoreConfig store;

  std::string file;  // the main config file, absolute; empty where there is none
  std::shared_ptr<const config::Document> document;
};

}  // namespace nexus::host
