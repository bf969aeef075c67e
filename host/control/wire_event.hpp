// An event as it travels over the control socket: a CBOR map with all of its header fields under the names of
// nexus_event, ids as text, what is empty left out. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/control/raw_item.hpp"
#include "nexus/abi/event.h"

namespace nexus::host::control {

// Borrows everything.
struct WireEvent {
  std::string_view id;
  std::string_view type;
  std::string_view source;
  std::optional<std::string_view> subject, key;
  std::string_view correlation_id;
  std::optional<std::string_view> causation_id, trace_id, span_id;  // hex without dashes for the last two
  int64_t time_unix_ns = 0;
  std::optional<int64_t> expires_unix_ns;
  int32_t priority = 0;
  std::optional<uint32_t> schema_version, trace_flags;
  uint32_t data_format = 0;                    // NEXUS_DATA_*
  std::optional<RawItem> data;                 // with NEXUS_DATA_CBOR
  std::optional<std::span<const uint8_t>> bytes;  // with every other format
  std::optional<RawItem> metadata;
};
NEXUS_STRUCT(WireEvent, id, type, source, subject, key, correlation_id, causation_id, trace_id, span_id, time_unix_ns,
             expires_unix_ns, priority, schema_version, trace_flags, data_format, data, bytes, metadata)

// Appends the event. Data or metadata that is no well-formed CBOR, though the event says so, goes as bytes.
void write_event(cbor::Buffer& out, const nexus_event& event, bool headers_only);

// The event of one item, borrowing from it. NEXUS_E_SCHEMA, NEXUS_E_CBOR.
Result<nexus_event> read_event(std::span<const uint8_t> item);

}  // namespace nexus::host::control
