// One event as a client gives it to the host, and the same as the options of an emit. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "host/control/raw_item.hpp"
#include "nexus/abi/bus.h"

namespace nexus::host::control {

// Borrows from the frame.
struct EmitItem {
  std::string_view type;
  std::optional<RawItem> data;
  std::optional<std::span<const uint8_t>> bytes;  // instead of data, for other formats
  std::optional<uint32_t> data_format;            // NEXUS_DATA_*, with bytes
  int32_t priority = 0;
  std::optional<std::string_view> correlation_id, causation_id, key, subject, source, id, trace_id, span_id;
  std::optional<RawItem> metadata;
  std::optional<int64_t> time_unix_ns, expires_unix_ns;
  std::optional<int64_t> delay_ns;  // leaves this much later
  std::optional<uint32_t> schema_version, trace_flags;
};
NEXUS_STRUCT(EmitItem, type, data, bytes, data_format, priority, correlation_id, causation_id, key, subject, source, id,
             trace_id, span_id, metadata, time_unix_ns, expires_unix_ns, delay_ns, schema_version, trace_flags)

// A sentence when a member is wrong, else null. The options borrow from the item.
const char* fill_options(const EmitItem& item, nexus_emit_options& options);

inline std::span<const uint8_t> data_of(const EmitItem& item) {
  return item.data ? item.data->bytes : item.bytes.value_or(std::span<const uint8_t>());
}

}  // namespace nexus::host::control
