// The methods that tell what the host is and does: host.info, host.stop, stat, metrics.text, subscriptions.list,
// types.list, log.level. All of them only read, but for the obvious two.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/bus/bus.hpp"
#include "host/control/surface.hpp"
#include "host/observe/metrics.hpp"

namespace nexus::host {

// What stays the same while the host runs.
struct HostFacts {
  std::string name;
  std::string version;
  std::string config_file;  // empty: none
  std::string socket;
  std::string data_dir;
  int64_t started_unix_ns = 0;
  bool safe_mode = false;
};

struct HostMethodPorts {
  Bus& bus;
  Registry& metrics;
  HostFacts facts;
  std::function<std::string_view()> state;  // "starting", "running", "stopping"
  std::function<void(std::string_view reason)> request_stop;
};

// Everything in `ports` outlives the surface.
void add_host_methods(Surface& surface, HostMethodPorts ports);

namespace control {

struct StatEmitted {
  uint64_t accepted = 0;
  uint64_t rejected = 0;
  std::map<std::string, uint64_t> rejected_by_reason;
  uint64_t invalid = 0;    // named no valid type, or were malformed: never counted as accepted or rejected
  uint64_t unrouted = 0;   // of the accepted: nobody listened
  uint64_t withdrawn = 0;  // of the accepted: emitted in a handler that failed, so that they never left
};
NEXUS_STRUCT(StatEmitted, accepted, rejected, rejected_by_reason, invalid, unrouted, withdrawn)

struct StatDeliveries {
  uint64_t handled = 0;
  uint64_t failed = 0;
  uint64_t filtered = 0;
  uint64_t discarded = 0;
  uint64_t waiting = 0;  // events in mailboxes; each becomes as many deliveries as it has handlers there
  uint64_t retried = 0;  // attempts after the first; not an end, and in none of the sums above
};
NEXUS_STRUCT(StatDeliveries, handled, failed, filtered, discarded, waiting, retried)

struct StatDeadLetters {
  uint64_t held = 0;
  uint64_t dropped = 0;                       // by events.dead_letters_max
  uint64_t removed = 0;                       // by hand
  uint64_t redriven = 0;                      // sent again: so many deliveries more than those of emits
  std::map<std::string, uint64_t> by_reason;  // that ever came; one that failed again counts again
};
NEXUS_STRUCT(StatDeadLetters, held, dropped, removed, redriven, by_reason)

struct StatType {
  std::string type;
  uint64_t accepted = 0;
  uint64_t rejected = 0;
  uint64_t handled = 0;
};
NEXUS_STRUCT(StatType, type, accepted, rejected, handled)

struct StatPlugin {
  std::string id;
  uint64_t accepted = 0;  // what it emitted
  uint64_t rejected = 0;
  uint64_t invalid = 0;
  uint64_t subscriptions = 0;
  uint64_t handled = 0;
  uint64_t failed = 0;
  uint64_t filtered = 0;
  uint64_t discarded = 0;
  uint64_t waiting = 0;
  bool stuck = false;
};
NEXUS_STRUCT(StatPlugin, id, accepted, rejected, invalid, subscriptions, handled, failed, filtered, discarded, waiting,
             stuck)

struct StatMemory {
  uint64_t event_bytes = 0;     // blocks of events, pooled ones included
  uint64_t resident_bytes = 0;  // of the process
};
NEXUS_STRUCT(StatMemory, event_bytes, resident_bytes)

struct Stat {
  double uptime_seconds = 0;
  StatEmitted emitted;
  StatDeliveries deliveries;
  StatDeadLetters dead_letters;
  uint64_t handler_timeouts = 0;
  uint64_t subscriptions = 0;
  uint64_t timers = 0;
  uint32_t workers = 0;
  StatMemory memory;
  uint64_t log_lines_dropped = 0;
  std::vector<StatType> types;      // by name
  std::vector<StatPlugin> plugins;  // by id
};
NEXUS_STRUCT(Stat, uptime_seconds, emitted, deliveries, dead_letters, handler_timeouts, subscriptions, timers, workers,
             memory, log_lines_dropped, types, plugins)

struct HostInfo {
  std::string name, version, abi, state;
  int64_t process = 0;
  int64_t started_unix_ns = 0;
  std::string config_file, socket, data_dir;
  bool safe_mode = false;
};
NEXUS_STRUCT(HostInfo, name, version, abi, state, process, started_unix_ns, config_file, socket, data_dir, safe_mode)

}  // namespace control
}  // namespace nexus::host
