// From events to records of the trace ring. Pure functions.
#pragma once

#include "host/event/block.hpp"
#include "host/observe/trace_ring.hpp"

namespace nexus::host {

// The W3C trace that an event belongs to: its own where it has one, else the event is a root, and its id names the
// trace.
inline const Uuid& trace_of(const nexus_event& event) { return is_nil(event.trace_id) ? event.id : event.trace_id; }

inline TraceRecord trace_record_of(const EventBlock& block) {
  const nexus_event& event = block.event;
  TraceRecord record;
  record.event = event.id;
  record.causation = event.causation_id;
  record.trace = trace_of(event);
  record.emitted_unix_ns = event.time_unix_ns;
  record.type_index = block.type_index;
  record.emitter = block.emitter;
  record.priority = event.priority;
  return record;
}

// How an attempt ended by its verdict; `has_ended`: it will not be tried again.
inline TraceKind kind_of(int32_t verdict, bool has_ended) {
  switch (verdict) {
    case NEXUS_DONE:
      return TraceKind::handled;
    case NEXUS_SKIP:
      return TraceKind::filtered;
    case NEXUS_LATER:
      return TraceKind::deferred;
    default:
      return has_ended ? TraceKind::failed : TraceKind::retried;
  }
}

}  // namespace nexus::host
