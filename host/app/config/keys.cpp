#include "host/app/config/keys.hpp"

#include <algorithm>

namespace nexus::host::config {
namespace {

// A pointer to a function that finds a member, for Slot.
#define NEXUS_SLOT(Owner, member) (+[](void* owner) { return &static_cast<Owner*>(owner)->member; })

constexpr double kDay = 86400;
constexpr double kYear = 366 * kDay;

// One row as few lines as it takes; the formatter would give each value its own.
// clang-format off

const Section kSections[] = {
    {"host", "The host itself."},
    {"log", "The host's log, which carries the plugins' lines too."},
    {"control", "The local socket over which `nexus` commands reach the running host."},
    {"plugins", "Where plugins are found. Each one's own settings stand in [plugins.\"<id>\"]."},
    {"events", "The event bus."},
    {"events.redis", "The Redis backend; read when events.backend is \"redis\"."},
    {"events.rabbitmq", "The RabbitMQ backend; read when events.backend is \"rabbitmq\"."},
    {"store.sqlite", "The SQLite event store; read when events.event_store_backend is \"sqlite\"."},
    {"store.postgresql", "The PostgreSQL event store; read when events.event_store_backend is \"postgresql\"."},
};

const Key kHostKeys[] = {
    {"host.name", Type::string, "\"nexus\"", "What this host is called in events, logs and broker connections.",
     NEXUS_SLOT(Config, host.name), 0, -1, {}, kNotEmpty},
    {"host.data_dir", Type::path, "\"${XDG_DATA_HOME:-${HOME:-/var/lib/nexus}/.local/share}/nexus\"",
     "Folder for what the host keeps: the event store, private copies of plugins, plugin state.",
     NEXUS_SLOT(Config, host.data_dir), 0, -1, {}, kNotEmpty},
    {"host.shutdown_deadline", Type::number, "30.0",
     "How long a stop may take before what is left is returned unfinished.", NEXUS_SLOT(Config, host.shutdown_deadline),
     0, 3600, {}, kReload, "seconds"},

    {"log.level", Type::choice, "\"info\"", "The lowest level that is written.", NEXUS_SLOT(Config, log.level), 0, -1,
     "trace|debug|info|warn|error|off", kReload},
    {"log.format", Type::choice, "\"auto\"", "Lines for people or for machines; auto is text on a terminal, else json.",
     NEXUS_SLOT(Config, log.format), 0, -1, "auto|text|json"},
    {"log.file", Type::path, "\"\"",
     "File that is appended to; empty is standard error. SIGHUP opens it anew, for logrotate.",
     NEXUS_SLOT(Config, log.file)},

    {"control.socket", Type::path, "\"${XDG_RUNTIME_DIR:-/run/nexus}/nexus.sock\"",
     "Unix socket of the control surface, created with mode 0600.", NEXUS_SLOT(Config, control.socket), 0, -1, {},
     kNotEmpty},

    {"plugins.directory", Type::paths, "\"plugins\"", "Folder, or list of folders, whose shared libraries are loaded.",
     NEXUS_SLOT(Config, plugins.directories)},
    {"plugins.watch", Type::boolean, "true", "Load, replace and unload plugins when their files change.",
     NEXUS_SLOT(Config, plugins.watch)},
    {"plugins.require_signature", Type::boolean, "false", "Refuse plugins without a valid Ed25519 signature.",
     NEXUS_SLOT(Config, plugins.require_signature)},
    {"plugins.unsafe_permissions", Type::boolean, "false",
     "Load files that others may write, too. For development only: whoever can write the file runs code in the host.",
     NEXUS_SLOT(Config, plugins.unsafe_permissions)},
    {"plugins.probe_timeout", Type::number, "5.0",
     "How long the child process that tries a plugin first may take before the plugin is refused.",
     NEXUS_SLOT(Config, plugins.probe_timeout), 0.1, 600, {}, 0, "seconds"},
    {"plugins.stop_timeout", Type::number, "5.0",
     "How long a plugin may take to finish what waits and to stop when it is unloaded or replaced.",
     NEXUS_SLOT(Config, plugins.stop_timeout), 0.1, 600, {}, 0, "seconds"},

    {"events.backend", Type::string, "\"memory\"",
     "What carries events: memory, redis, rabbitmq, or the name of a transport that a plugin provides.",
     NEXUS_SLOT(Config, events.backend), 0, -1, {}, kNotEmpty},
    {"events.max_queue_size", Type::integer, "10000", "How many events may wait in the mailbox of one plugin.",
     NEXUS_SLOT(Config, events.max_queue_size), 1, 10'000'000, {}, 0, "events"},
    {"events.overflow", Type::choice, "\"block\"",
     "What an emit meets when a mailbox is full: it waits, it is rejected, or the oldest event gives way.",
     NEXUS_SLOT(Config, events.overflow), 0, -1, "block|reject|drop_oldest"},
    {"events.block_timeout", Type::number, "5.0", "How long overflow = \"block\" waits before the event is rejected.",
     NEXUS_SLOT(Config, events.block_timeout), 0, 3600, {}, 0, "seconds"},
    {"events.worker_count", Type::integer, "4", "Threads that run the plugins' handlers.",
     NEXUS_SLOT(Config, events.worker_count), 1, 1024, {}, 0, "threads"},
    {"events.max_event_size", Type::integer, "16777216", "The largest data of one event; larger ones are refused.",
     NEXUS_SLOT(Config, events.max_event_size), 1024, 1'073'741'824, {}, 0, "bytes"},
    {"events.handler_deadline", Type::number, "30.0",
     "A handler that runs longer is reported, and its worker is replaced meanwhile; 0 is never.",
     NEXUS_SLOT(Config, events.handler_deadline), 0, kDay, {}, 0, "seconds"},
    {"events.retry_attempts", Type::integer, "3", "How often a failed delivery is tried again; 0 is never.",
     NEXUS_SLOT(Config, events.retry_attempts), 0, 1000, {}, 0, "times"},
    {"events.retry_delay", Type::number, "1.0", "The wait before the first retry.",
     NEXUS_SLOT(Config, events.retry_delay), 0, kDay, {}, 0, "seconds"},
    {"events.retry_delay_max", Type::number, "300.0", "The longest wait before a retry.",
     NEXUS_SLOT(Config, events.retry_delay_max), 0, kYear, {}, 0, "seconds"},
    {"events.exponential_backoff", Type::boolean, "true", "Double the wait with every retry, up to retry_delay_max.",
     NEXUS_SLOT(Config, events.exponential_backoff)},
    {"events.dead_letters_max", Type::integer, "10000", "How many deliveries that failed for good are kept; 0 is none.",
     NEXUS_SLOT(Config, events.dead_letters_max), 0, 10'000'000, {}, 0, "letters"},
    {"events.dead_letters_overflow", Type::choice, "\"drop_oldest\"",
     "What gives way at dead_letters_max: the one that has not failed for longest, or the one that comes. It is counted.",
     NEXUS_SLOT(Config, events.dead_letters_overflow), 0, -1, "drop_oldest|drop_new"},
    {"events.dead_letter_dropped", Type::boolean, "false",
     "Keep what overflow = \"drop_oldest\" drops from a full mailbox as dead letters.",
     NEXUS_SLOT(Config, events.dead_letter_dropped)},
    {"events.persist_events", Type::boolean, "false",
     "Write every event to the event store, so that it outlives the process.",
     NEXUS_SLOT(Config, events.persist_events)},
    {"events.durability", Type::choice, "\"durable\"",
     "When a persisted event is safe: relaxed survives a kill, durable a power cut too.",
     NEXUS_SLOT(Config, events.durability), 0, -1, "relaxed|durable"},
    {"events.event_store_backend", Type::string, "\"sqlite\"",
     "What keeps persisted events: sqlite, postgresql, or the name of a store that a plugin provides.",
     NEXUS_SLOT(Config, events.event_store_backend), 0, -1, {}, kNotEmpty},
    {"events.event_retention_days", Type::integer, "30", "How long persisted events are kept; 0 is for ever.",
     NEXUS_SLOT(Config, events.event_retention_days), 0, 36500, {}, 0, "days"},
    {"events.batch_size", Type::integer, "100", "The most events that a store or a broker is given at once.",
     NEXUS_SLOT(Config, events.batch_size), 1, 100'000, {}, 0, "events"},
    {"events.flush_interval", Type::number, "1.0",
     "The longest that relaxed events wait for their batch to fill.", NEXUS_SLOT(Config, events.flush_interval), 0, 3600,
     {}, 0, "seconds"},
    {"events.enable_metrics", Type::boolean, "true", "Count and time events, for `nexus stat` and /metrics.",
     NEXUS_SLOT(Config, events.enable_metrics)},
    {"events.enable_tracing", Type::boolean, "true", "Keep the latest handler runs, for `nexus explain`.",
     NEXUS_SLOT(Config, events.enable_tracing)},
    {"events.dedup_window", Type::number, "86400.0", "How long the id of an event is remembered to find duplicates.",
     NEXUS_SLOT(Config, events.dedup_window), 0, kYear, {}, 0, "seconds"},

    {"events.redis.host", Type::string, "\"localhost\"", "Name or address of the server.",
     NEXUS_SLOT(Config, events.redis.host), 0, -1, {}, kNotEmpty},
    {"events.redis.port", Type::integer, "6379", "Its TCP port.", NEXUS_SLOT(Config, events.redis.port), 1, 65535},
    {"events.redis.password", Type::string, "\"\"", "Password; best as \"${REDIS_PASSWORD}\" or \"file:/path\".",
     NEXUS_SLOT(Config, events.redis.password), 0, -1, {}, kSecret},
    {"events.redis.database", Type::integer, "0", "Number of the database.", NEXUS_SLOT(Config, events.redis.database),
     0, 65535},
    {"events.redis.ssl", Type::boolean, "false", "Speak TLS and check the server's name.",
     NEXUS_SLOT(Config, events.redis.ssl)},
    {"events.redis.pool_size", Type::integer, "10", "Connections that are kept open.",
     NEXUS_SLOT(Config, events.redis.pool_size), 1, 1000, {}, 0, "connections"},
    {"events.redis.channel_prefix", Type::string, "\"nexus:events\"", "What the names of pub/sub channels begin with.",
     NEXUS_SLOT(Config, events.redis.channel_prefix), 0, -1, {}, kNotEmpty},
    {"events.redis.stream_name", Type::string, "\"nexus:event_stream\"", "The stream that persisted events go to.",
     NEXUS_SLOT(Config, events.redis.stream_name), 0, -1, {}, kNotEmpty},
    {"events.redis.consumer_group", Type::string, "\"nexus:processors\"",
     "What the names of consumer groups begin with.", NEXUS_SLOT(Config, events.redis.consumer_group), 0, -1, {},
     kNotEmpty},
    {"events.redis.max_stream_length", Type::integer, "100000",
     "Entries that the stream keeps; never less than what a group has still to read.",
     NEXUS_SLOT(Config, events.redis.max_stream_length), 1, 1e12, {}, 0, "entries"},

    {"events.rabbitmq.url", Type::string, "\"amqp://localhost:5672/\"", "amqp:// or amqps:// URL of the server.",
     NEXUS_SLOT(Config, events.rabbitmq.url), 0, -1, {}, kUrl | kNotEmpty},
    {"events.rabbitmq.exchange", Type::string, "\"nexus.events\"", "The topic exchange that events are published to.",
     NEXUS_SLOT(Config, events.rabbitmq.exchange), 0, -1, {}, kNotEmpty},
    {"events.rabbitmq.queue_prefix", Type::string, "\"nexus\"", "What the names of queues begin with.",
     NEXUS_SLOT(Config, events.rabbitmq.queue_prefix), 0, -1, {}, kNotEmpty},
    {"events.rabbitmq.prefetch_count", Type::integer, "100", "Unacknowledged events that the server may send ahead.",
     NEXUS_SLOT(Config, events.rabbitmq.prefetch_count), 1, 65535, {}, 0, "events"},

    {"store.sqlite.path", Type::path, "\"${host.data_dir}/events.db\"", "The database file.",
     NEXUS_SLOT(Config, store.sqlite_path), 0, -1, {}, kNotEmpty},
    {"store.postgresql.dsn", Type::string, "\"\"",
     "Connection string or postgresql:// URL; best as \"${NEXUS_DATABASE}\" or \"file:/path\".",
     NEXUS_SLOT(Config, store.postgresql_dsn), 0, -1, {}, kUrl},
};

// All of them are taken over by loading the plugin anew.
const Key kPluginKeys[] = {
    {"enabled", Type::boolean, "true", "Load the plugin.", NEXUS_SLOT(PluginConfig, enabled), 0, -1, {}, kReload},
    {"thread", Type::choice, "\"shared\"", "Run its handlers on the shared workers, or on a thread of its own.",
     NEXUS_SLOT(PluginConfig, thread), 0, -1, "shared|own", kReload},
    {"permissions.emit", Type::patterns, "", "Patterns of the event types that it may emit; absent is all.",
     NEXUS_SLOT(PluginConfig, permissions.emit), 0, -1, {}, kReload},
    {"permissions.subscribe", Type::patterns, "",
     "Patterns that it may subscribe to; absent is all, but a bare \"*\" only where it stands here.",
     NEXUS_SLOT(PluginConfig, permissions.subscribe), 0, -1, {}, kReload},
    {"permissions.control", Type::boolean, "false", "May call the control surface.",
     NEXUS_SLOT(PluginConfig, permissions.control), 0, -1, {}, kReload},
    {"permissions.forward", Type::boolean, "false",
     "May pass on events under a foreign source and id, as a gateway does.",
     NEXUS_SLOT(PluginConfig, permissions.forward), 0, -1, {}, kReload},
};

const Key kRuleKeys[] = {
    {"match", Type::pattern, "", "Pattern of the event types that the rule is for: \"order.*\".",
     NEXUS_SLOT(EventRule, match), 0, -1, {}, kRequired | kNotEmpty},
    {"persist", Type::boolean, "", "Overrides events.persist_events.", NEXUS_SLOT(EventRule, persist)},
    {"durability", Type::choice, "", "Overrides events.durability.", NEXUS_SLOT(EventRule, durability), 0, -1,
     "relaxed|durable"},
    {"expires", Type::number, "", "After this time an event that was not handled is dropped.",
     NEXUS_SLOT(EventRule, expires), 0.001, kYear, {}, 0, "seconds"},
};

// clang-format on

#undef NEXUS_SLOT

}  // namespace

std::span<const Key> host_keys() { return kHostKeys; }
std::span<const Key> plugin_keys() { return kPluginKeys; }
std::span<const Key> rule_keys() { return kRuleKeys; }
std::span<const Section> sections() { return kSections; }

const Key* find_key(std::span<const Key> keys, std::string_view path) {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.path == path; });
  return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string_view> names_in(std::span<const Key> keys, std::string_view scope) {
  std::vector<std::string_view> out;
  for (const Key& key : keys) {
    std::string_view rest = key.path;
    if (!scope.empty()) {
      if (rest.substr(0, scope.size()) != scope || rest.size() <= scope.size() || rest[scope.size()] != '.') continue;
      rest.remove_prefix(scope.size() + 1);
    }
    const std::string_view name = rest.substr(0, rest.find('.'));
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  if (text.empty()) return out;
  while (true) {
    const auto end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

}  // namespace nexus::host::config
