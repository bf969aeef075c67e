#include <charconv>
#include <cstring>
#include <unordered_set>

#include "host/base/rfc3339.hpp"
#include "host/event/base64.hpp"
#include "host/event/block.hpp"
#include "host/event/cloudevent_names.hpp"
#include "host/event/cloudevents.hpp"
#include "host/event/json.hpp"
#include "host/event/name.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host {
namespace {

std::span<const uint8_t> to_span(nexus_bytes bytes) { return {bytes.data, static_cast<size_t>(bytes.size)}; }

void append_name(std::string& out, std::string_view name) {
  out += out.back() == '{' ? "\"" : ",\"";
  out += name;
  out += "\":";
}

// Text that reached an event was checked; what was not (metadata of a foreign writer) must not break the JSON.
void append_text(std::string& out, std::string_view name, std::string_view value) {
  append_name(out, name);
  append_json_text(out, is_utf8(value) ? value : std::string_view("?"));
}

template <class Integer>
void append_integer(std::string& out, std::string_view name, Integer value) {
  append_name(out, name);
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void append_time(std::string& out, std::string_view name, int64_t unix_ns) {
  append_name(out, name);
  out += '"';
  append_rfc3339(out, unix_ns);
  out += '"';
}

void append_id(std::string& out, std::string_view name, const Uuid& id) {
  char text[36];
  format_uuid(id, text);
  append_text(out, name, {text, sizeof text});
}

void append_traceparent(std::string& out, const nexus_event& event) {
  append_name(out, "traceparent");
  out += "\"00-";
  append_base16(out, event.trace_id.bytes);
  out += '-';
  append_base16(out, event.span_id);
  out += '-';
  const auto flags = static_cast<uint8_t>(event.trace_flags);
  append_base16(out, {&flags, 1});
  out += '"';
}

// Whether CloudEvents has a type for the value: String, Boolean, Integer of 32 bits, Binary.
bool is_attribute_value(const cbor::Value& value) {
  switch (value.type()) {
    case cbor::Value::Type::boolean:
    case cbor::Value::Type::text:
    case cbor::Value::Type::bytes:
      return true;
    case cbor::Value::Type::integer: {
      int32_t small = 0;
      return value.get_into(small);
    }
    default:
      return false;
  }
}

void append_attribute(std::string& out, std::string_view name, const cbor::Value& value) {
  switch (value.type()) {
    case cbor::Value::Type::boolean:
      append_name(out, name);
      out += value.get<bool>() ? "true" : "false";
      break;
    case cbor::Value::Type::integer:
      append_integer(out, name, value.get<int64_t>());
      break;
    case cbor::Value::Type::bytes:
      append_name(out, name);
      out += '"';
      append_base64(out, value.get<Bytes>());
      out += '"';
      break;
    default:
      append_text(out, name, value.get<std::string_view>());
  }
}

void append_metadata(std::string& out, const cbor::Value::Map& metadata) {
  std::unordered_set<std::string_view> seen;
  cbor::Value::Map rest;
  for (const auto& [name, value] : metadata) {
    if (!seen.insert(name).second) continue;
    const bool is_attribute = name == ce::kContentType || name == ce::kDataSchema;
    if (is_attribute && value.is_text()) continue;  // written with the data
    if (ce::is_attribute_name(name) && !ce::is_own_name(name) && is_attribute_value(value)) {
      append_attribute(out, name, value);
    } else {
      rest.emplace_back(name, value);
    }
  }
  if (rest.empty()) return;
  std::string text;
  if (append_cbor_as_json(text, cbor::Value(std::move(rest)).encode())) append_text(out, ce::kMetadata, text);
}

void append_base64_data(std::string& out, std::string_view content_type, std::span<const uint8_t> data) {
  append_text(out, ce::kContentType, content_type);
  append_name(out, "data_base64");
  out += '"';
  append_base64(out, data);
  out += '"';
}

// JSON text as it came, on one line: in valid JSON a line break can only be white space.
void append_json_data(std::string& out, std::string_view content_type, std::span<const uint8_t> data) {
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  if (!check_json(text)) return append_base64_data(out, content_type, data);
  append_text(out, ce::kContentType, content_type);
  append_name(out, "data");
  for (const char c : text) out += c == '\n' || c == '\r' ? ' ' : c;
}

void append_data(std::string& out, const nexus_event& event, std::string_view content_type) {
  const std::span<const uint8_t> data = to_span(event.data);
  const auto or_else = [&](std::string_view usual) { return content_type.empty() ? usual : content_type; };
  if (event.data_format == NEXUS_DATA_NONE || (event.data_format == NEXUS_DATA_CBOR && data.empty())) {
    if (!content_type.empty()) append_text(out, ce::kContentType, content_type);
  } else if (event.data_format == NEXUS_DATA_CBOR) {
    std::string json;
    if (!append_cbor_as_json(json, data)) return append_base64_data(out, ce::kCborType, data);
    append_text(out, ce::kContentType, or_else(ce::kJsonType));
    append_name(out, "data");
    out += json;
  } else if (event.data_format == NEXUS_DATA_JSON) {
    append_json_data(out, or_else(ce::kJsonType), data);
  } else {
    const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
    const bool readable = content_type.starts_with("text/") || content_type.ends_with("xml");
    if (!readable || ce::is_json_type(content_type) || !is_utf8(text)) {
      return append_base64_data(out, or_else(ce::kBytesType), data);
    }
    append_text(out, ce::kContentType, content_type);
    append_text(out, "data", text);
  }
}

}  // namespace

void append_cloudevent(std::string& out, const nexus_event& event) {
  cbor::Value metadata;
  cbor::Error ignored;
  if (!cbor::Value::try_decode(to_span(event.metadata), metadata, ignored) || !metadata.is_map()) metadata = {};
  const auto metadata_text = [&](std::string_view name) {
    const cbor::Value* value = metadata.find(name);
    return value != nullptr && value->is_text() ? value->get<std::string_view>() : std::string_view();
  };

  out += "{\"specversion\":\"1.0\"";
  append_id(out, "id", event.id);
  append_text(out, "source", to_view(event.source));
  append_text(out, "type", to_view(event.type));
  append_time(out, "time", event.time_unix_ns);
  if (event.subject.size != 0) append_text(out, "subject", to_view(event.subject));
  if (event.correlation_id.size != 0) append_text(out, "correlationid", to_view(event.correlation_id));
  if (!is_nil(event.causation_id)) append_id(out, "causationid", event.causation_id);
  if (event.key.size != 0) append_text(out, "partitionkey", to_view(event.key));
  if (event.expires_unix_ns != 0) append_time(out, "expirytime", event.expires_unix_ns);
  constexpr uint8_t kNoSpan[sizeof event.span_id] = {};
  const bool has_span = std::memcmp(event.span_id, kNoSpan, sizeof kNoSpan) != 0;
  if (!is_nil(event.trace_id) && has_span) append_traceparent(out, event);
  if (event.priority != 0) append_integer(out, "nexuspriority", event.priority);
  if (event.schema_version != 0) append_integer(out, "nexusschemaversion", event.schema_version);
  if (metadata.is_map()) append_metadata(out, metadata.members());
  if (const auto schema = metadata_text(ce::kDataSchema); !schema.empty()) append_text(out, ce::kDataSchema, schema);
  append_data(out, event, metadata_text(ce::kContentType));
  out += '}';
}

std::string cloudevent_json(const nexus_event& event) {
  std::string out;
  append_cloudevent(out, event);
  return out;
}

}  // namespace nexus::host
