#include "host/control/emit_item.hpp"

#include "host/base/error.hpp"
#include "host/base/uuid.hpp"
#include "host/event/block.hpp"

namespace nexus::host::control {
namespace {

nexus_string text_of(const std::optional<std::string_view>& text) {
  return text ? to_abi(*text) : nexus_string{nullptr, 0};
}

bool read_hex(std::string_view text, uint8_t* bytes, size_t size) {
  if (text.size() != size * 2) return false;
  for (size_t i = 0; i < size * 2; ++i) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return false;
    bytes[i / 2] = static_cast<uint8_t>(bytes[i / 2] << 4 | digit);
  }
  return true;
}

}  // namespace

const char* fill_options(const EmitItem& item, nexus_emit_options& options) {
  options.size = sizeof options;
  options.priority = item.priority;
  options.correlation_id = text_of(item.correlation_id);
  options.key = text_of(item.key);
  options.subject = text_of(item.subject);
  options.source = text_of(item.source);
  options.time_unix_ns = item.time_unix_ns.value_or(0);
  options.expires_unix_ns = item.expires_unix_ns.value_or(0);
  options.delay_ns = item.delay_ns.value_or(0);
  if (options.delay_ns < 0) return "the delay_ns is negative";
  options.schema_version = item.schema_version.value_or(0);
  options.trace_flags = item.trace_flags.value_or(0);
  if (options.source.size != 0 || options.time_unix_ns != 0) options.flags |= NEXUS_EMIT_FORWARD;
  if (item.id) {
    const auto id = parse_uuid(*item.id);
    if (!id || is_nil(*id)) return "the id is no UUID";
    options.id = *id;
    options.flags |= NEXUS_EMIT_HAS_ID;
  }
  if (item.causation_id) {
    const auto id = parse_uuid(*item.causation_id);
    if (!id) return "the causation_id is no UUID";
    options.causation_id = *id;
  }
  if (item.trace_id && !read_hex(*item.trace_id, options.trace_id.bytes, 16))
    return "the trace_id is not 32 hex digits";
  if (item.span_id && !read_hex(*item.span_id, options.parent_span_id, 8)) return "the span_id is not 16 hex digits";
  if (item.metadata) {
    const auto bytes = item.metadata->bytes;
    if (cbor::Reader(bytes).peek() != cbor::Kind::map) return "the metadata is no map";
    options.metadata = {bytes.data(), bytes.size()};
  }
  if (item.data && item.bytes) return "an event has either data or bytes";
  if (item.bytes) {
    options.data_format = item.data_format.value_or(NEXUS_DATA_BYTES);
    if (options.data_format != NEXUS_DATA_BYTES && options.data_format != NEXUS_DATA_JSON)
      return "bytes have the data_format 2 (JSON) or 3 (other)";
  }
  return nullptr;
}

}  // namespace nexus::host::control
