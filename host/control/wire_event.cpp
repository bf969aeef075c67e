#include "host/control/wire_event.hpp"

#include <array>

#include "host/base/uuid.hpp"
#include "host/event/block.hpp"

namespace nexus::host::control {
namespace {

template <size_t Size>
std::array<char, Size * 2> hex(const uint8_t* bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<char, Size * 2> text;
  for (size_t i = 0; i < Size; ++i) {
    text[2 * i] = kDigits[bytes[i] >> 4];
    text[2 * i + 1] = kDigits[bytes[i] & 15u];
  }
  return text;
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool from_hex(std::string_view text, uint8_t* bytes, size_t size) {
  if (text.size() != size * 2) return false;
  for (size_t i = 0; i < size; ++i) {
    const int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

std::optional<std::string_view> unless_empty(nexus_string text) {
  if (text.size == 0) return {};
  return to_view(text);
}

}  // namespace

void write_event(cbor::Buffer& out, const nexus_event& event, bool headers_only) {
  char id[36], causation[36];
  format_uuid(event.id, id);
  const auto trace = hex<16>(event.trace_id.bytes);
  const auto span = hex<8>(event.span_id);
  WireEvent wire;
  wire.id = {id, sizeof id};
  wire.type = to_view(event.type);
  wire.source = to_view(event.source);
  wire.subject = unless_empty(event.subject);
  wire.key = unless_empty(event.key);
  wire.correlation_id = to_view(event.correlation_id);
  if (!is_nil(event.causation_id)) {
    format_uuid(event.causation_id, causation);
    wire.causation_id = std::string_view(causation, sizeof causation);
  }
  if (!is_nil(event.trace_id)) {
    wire.trace_id = std::string_view(trace.data(), trace.size());
    wire.span_id = std::string_view(span.data(), span.size());
    wire.trace_flags = event.trace_flags;
  }
  wire.time_unix_ns = event.time_unix_ns;
  if (event.expires_unix_ns != 0) wire.expires_unix_ns = event.expires_unix_ns;
  wire.priority = event.priority;
  if (event.schema_version != 0) wire.schema_version = event.schema_version;
  wire.data_format = event.data_format;
  const auto data = cbor::view(event.data);
  const auto metadata = cbor::view(event.metadata);
  if (!headers_only && !data.empty()) {
    if (event.data_format == NEXUS_DATA_CBOR && cbor::check(data)) {
      wire.data = RawItem{data};
    } else {
      if (event.data_format == NEXUS_DATA_CBOR) wire.data_format = NEXUS_DATA_BYTES;
      wire.bytes = data;
    }
  }
  if (!metadata.empty() && cbor::check(metadata)) wire.metadata = RawItem{metadata};
  schema::Encoding encoding;  // the host lets no text in that is not UTF-8
  out.commit(schema::Codec<WireEvent>::put(out.reserve(schema::Codec<WireEvent>::bound(wire)), wire, encoding));
}

Result<nexus_event> read_event(std::span<const uint8_t> item) {
  WireEvent wire;
  schema::Decoder decoder(item, false);
  if (!schema::decode_whole(decoder, wire))
    return make_error(NEXUS_E_SCHEMA, schema::sentence("the event", *decoder.failure()));
  nexus_event event{};
  event.size = sizeof event;
  const auto id = parse_uuid(wire.id);
  const auto causation = parse_uuid(wire.causation_id.value_or("00000000-0000-0000-0000-000000000000"));
  if (!id || !causation) return make_error(NEXUS_E_SCHEMA, "the event's id or causation_id is no UUID");
  event.id = *id;
  event.causation_id = *causation;
  event.type = to_abi(wire.type);
  event.source = to_abi(wire.source);
  event.subject = to_abi(wire.subject.value_or(std::string_view()));
  event.key = to_abi(wire.key.value_or(std::string_view()));
  event.correlation_id = to_abi(wire.correlation_id);
  if ((wire.trace_id && !from_hex(*wire.trace_id, event.trace_id.bytes, 16)) ||
      (wire.span_id && !from_hex(*wire.span_id, event.span_id, 8)))
    return make_error(NEXUS_E_SCHEMA, "the event's trace_id or span_id is not hex of the right length");
  event.time_unix_ns = wire.time_unix_ns;
  event.expires_unix_ns = wire.expires_unix_ns.value_or(0);
  event.priority = wire.priority;
  event.schema_version = wire.schema_version.value_or(0);
  event.trace_flags = wire.trace_flags.value_or(0);
  event.data_format = wire.data_format;
  const auto data = wire.data ? wire.data->bytes : wire.bytes.value_or(std::span<const uint8_t>());
  event.data = {data.data(), data.size()};
  if (wire.metadata) event.metadata = {wire.metadata->bytes.data(), wire.metadata->bytes.size()};
  return event;
}

}  // namespace nexus::host::control
