// Events as CloudEvents 1.0 in JSON (structured mode), out and in. Pure functions, any thread.
//
//   nexus_event       CloudEvents            nexus_event       CloudEvents
//   id                id                     correlation_id    correlationid
//   source, type      source, type           causation_id      causationid
//   time_unix_ns      time                   key               partitionkey
//   subject           subject                expires_unix_ns   expirytime
//   data              data, data_base64      trace_id, span_id traceparent
//   priority          nexuspriority (not 0)  schema_version    nexusschemaversion (not 0)
//   metadata          extension attributes where name and value may be one; the others together in `nexusmetadata`, as
//                     JSON text; "datacontenttype" and "dataschema" are the attributes of that name
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/uuid.hpp"
#include "nexus/abi/event.h"

namespace nexus::host {

// The metadata key that keeps the text of an id that is no UUID.
inline constexpr std::string_view kOriginalIdKey = "originalid";

// Appends the event as one JSON object. Data that cannot be JSON goes as data_base64 (CBOR that is not well-formed too,
// as application/cbor); metadata that is not a well-formed map is left out. Never fails but by std::bad_alloc.
void append_cloudevent(std::string& out, const nexus_event& event);
std::string cloudevent_json(const nexus_event& event);

// An event that came from outside, owned; what was absent is empty, zero or nil.
struct CloudEvent {
  Uuid id{};
  std::string type;
  std::string source;
  std::string subject;
  std::string key;
  std::string correlation_id;
  Uuid causation_id{};
  Uuid trace_id{};
  uint8_t span_id[8] = {};
  uint32_t trace_flags = 0;
  int64_t time_unix_ns = 0;
  int64_t expires_unix_ns = 0;
  int32_t priority = 0;
  uint32_t schema_version = 0;
  uint32_t data_format = NEXUS_DATA_NONE;
  std::vector<uint8_t> data;
  std::vector<uint8_t> metadata;  // a CBOR map, or empty
};

// One object of the JSON event format. NEXUS_E_JSON, NEXUS_E_SCHEMA with the name of the attribute, NEXUS_E_TYPE_NAME,
// NEXUS_E_TOO_LARGE. An id that is no UUID becomes UUIDv5(source, id), and so does a causationid; the id is kept in the
// metadata under kOriginalIdKey. A traceparent that W3C's rules call invalid is passed over, as they want it.
Result<CloudEvent> parse_cloudevent(std::string_view json);

// A batch: a JSON array of such objects, or one alone. The sentence of a failure names the index.
Result<std::vector<CloudEvent>> parse_cloudevents(std::string_view json);

}  // namespace nexus::host
