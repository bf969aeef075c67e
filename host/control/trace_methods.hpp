// The methods that look into the bus's recent past: events.explain, traces.show. Any thread; the bus outlives the
// surface.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/bus/bus.hpp"
#include "host/control/surface.hpp"

namespace nexus::host {
namespace control {

struct IdParams {
  std::string id;  // a UUID; of a trace also 32 hexadecimal digits
};
NEXUS_STRUCT(IdParams, id)

// One attempt at a delivery, or, without a handler, what became of the event as such.
struct Attempt {
  std::string plugin, handler, filter;  // filter: what the condition says
  uint32_t attempt = 0;
  std::string result;  // handled, filtered, failed, retried, deferred, held, expired, discarded, unrouted, rejected
  int64_t ended_unix_ns = 0;
  int64_t duration_ns = 0;
  std::optional<std::string> error_type, error_message;
  std::optional<double> retry_in_seconds;
};
NEXUS_STRUCT(Attempt, plugin, handler, filter, attempt, result, ended_unix_ns, duration_ns, error_type, error_message,
             retry_in_seconds)

// One event that is remembered.
struct ExplainedEvent {
  std::string id, type, source, trace_id;
  std::optional<std::string> causation_id;
  int64_t time_unix_ns = 0;
  int32_t priority = 0;
  uint32_t depth = 0;  // below the event that was asked for
  std::vector<Attempt> attempts;
};
NEXUS_STRUCT(ExplainedEvent, id, type, source, trace_id, causation_id, time_unix_ns, priority, depth, attempts)

struct Explanation {
  std::vector<ExplainedEvent> events;  // each before those that it caused, which follow it at a greater depth
};
NEXUS_STRUCT(Explanation, events)

}  // namespace control

void add_trace_methods(Surface& surface, Bus& bus);

}  // namespace nexus::host
