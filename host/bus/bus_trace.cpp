// What becomes of events outside of a worker's handlers, for the trace ring. See bus.hpp.
#include "host/bus/bus.hpp"
#include "host/bus/trace.hpp"

namespace nexus::host {

void Bus::trace(const EventBlock& event, const Entry* entry, TraceKind kind, int32_t code) {
  if (traces_ == nullptr) return;
  TraceRecord record = trace_record_of(event);
  record.ended_unix_ns = clock_.unix_ns();
  record.kind = kind;
  record.code = code;
  if (entry != nullptr) {
    record.subscription = entry->id;
    record.attempt = entry->attempt;
  }
  traces_->write_shared(record);
}

}  // namespace nexus::host
