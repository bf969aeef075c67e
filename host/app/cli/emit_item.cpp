#include "host/app/cli/emit_item.hpp"

#include <chrono>
#include <fstream>
#include <iterator>

#include "host/base/uuid.hpp"
#include "host/control/event_methods.hpp"
#include "host/event/cloudevents.hpp"
#include "host/event/json.hpp"

namespace nexus::host::cli {
namespace {

using control::EmitItem;

Result<void> put(const EmitItem& item, cbor::Buffer& out) {
  schema::Encoding encoding;
  const uint8_t* end = schema::Codec<EmitItem>::put(out.reserve(schema::Codec<EmitItem>::bound(item)), item, encoding);
  if (encoding.broken) return make_error(NEXUS_E_UTF8, "a field of the event is not UTF-8");
  out.commit(end);
  return {};
}

int64_t to_ns(double seconds) { return static_cast<int64_t>(seconds * 1e9); }

int64_t now_unix_ns() { return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count(); }

// What the command line says holds where the event itself does not say.
void fill_in(const EmitCommand& command, std::span<const uint8_t> metadata, EmitItem& item) {
  const auto fill = [](std::optional<std::string_view>& field, const std::optional<std::string>& given) {
    if (!field && given) field = *given;
  };
  if (item.type.empty()) item.type = command.type;
  if (item.priority == 0) item.priority = command.priority;
  fill(item.correlation_id, command.correlation);
  fill(item.causation_id, command.causation);
  fill(item.key, command.key);
  fill(item.subject, command.subject);
  fill(item.source, command.source);
  fill(item.id, command.id);
  if (!item.delay_ns && command.delay) item.delay_ns = to_ns(*command.delay);
  if (!item.expires_unix_ns && command.expires) item.expires_unix_ns = now_unix_ns() + to_ns(*command.expires);
  if (!item.metadata && !metadata.empty()) item.metadata = RawItem{metadata};
}

std::optional<std::string_view> unless_empty(const std::string& text) {
  if (text.empty()) return {};
  return text;
}

template <size_t Size>
std::string hex(const uint8_t (&bytes)[Size]) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15u];
  }
  return text;
}

// Whether the object has the attribute that every CloudEvent has. Looked for in the CBOR form, where it cannot be
// mistaken for text inside the data.
bool is_cloud_event(std::span<const uint8_t> object) {
  cbor::Reader reader(object);
  cbor::Items walk;
  if (reader.peek() != cbor::Kind::map || !reader.enter_map(walk)) return false;
  while (reader.next(walk)) {
    std::string_view key;
    if (!reader.read_text(key)) return false;
    if (key == "specversion") return true;
    if (!reader.skip()) return false;
  }
  return false;
}

}  // namespace

Error no_file(const std::string& file) {
  return make_error(NEXUS_E_IO, "cannot read " + file, "--data takes JSON text, @FILE, or - for standard input");
}

Result<std::string> read_data(const EmitCommand& command) {
  if (!command.data) return std::string();
  std::string text = *command.data;
  if (text == "-" || text.starts_with('@')) {
    const std::string name = text == "-" ? "/dev/stdin" : text.substr(1);
    std::ifstream file(name, std::ios::binary);
    if (!file) return no_file(name);
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    return make_error(NEXUS_E_JSON, "the data is empty", "leave --data out for an event without data");
  return text;
}

Result<EmitItemWriter> EmitItemWriter::create(const EmitCommand& command) {
  EmitItemWriter writer(command);
  if (command.metadata.empty()) return writer;
  cbor::Value metadata = cbor::Value::map();
  for (const std::string& given : command.metadata) {
    const size_t equals = given.find('=');
    if (equals == std::string::npos || equals == 0)
      return make_error(NEXUS_E_ARGUMENT, "--metadata wants NAME=VALUE, not '" + given + "'");
    metadata[given.substr(0, equals)] = given.substr(equals + 1);
  }
  writer.metadata_ = metadata.encode();
  return writer;
}

Result<void> EmitItemWriter::write_data(std::string_view json, cbor::Buffer& out) const {
  EmitItem item;
  std::vector<uint8_t> data;
  if (!json.empty()) {
    auto encoded = json_to_cbor(json);
    if (!encoded) return encoded.error();
    data = std::move(encoded.value());
    item.data = RawItem{data};
  }
  fill_in(command_, metadata_, item);
  return put(item, out);
}

Result<void> EmitItemWriter::write_event(std::string_view json, cbor::Buffer& out) const {
  auto encoded = json_to_cbor(json);
  if (!encoded) return encoded.error();
  EmitItem item;
  if (!is_cloud_event(encoded.value())) {
    schema::Decoder decoder(encoded.value(), true);
    if (!schema::decode_whole(decoder, item)) {
      const auto& failure = *decoder.failure();
      return make_error(NEXUS_E_SCHEMA, schema::sentence("the event", failure),
                        failure.nearest.empty() ? "" : "did you mean '" + failure.nearest + "'?");
    }
    fill_in(command_, metadata_, item);
    if (item.type.empty()) return make_error(NEXUS_E_TYPE_NAME, "the event has no type");
    return put(item, out);
  }
  auto parsed = parse_cloudevent(json);
  if (!parsed) return parsed.error();
  const CloudEvent& event = parsed.value();
  const std::string id = uuid_text(event.id), causation = uuid_text(event.causation_id);
  const std::string trace = hex(event.trace_id.bytes), span = hex(event.span_id);
  item.type = event.type;
  item.id = id;
  item.source = unless_empty(event.source);
  item.subject = unless_empty(event.subject);
  item.key = unless_empty(event.key);
  item.correlation_id = unless_empty(event.correlation_id);
  if (!is_nil(event.causation_id)) item.causation_id = causation;
  if (!is_nil(event.trace_id)) {
    item.trace_id = trace;
    item.span_id = span;
    item.trace_flags = event.trace_flags;
  }
  if (event.time_unix_ns != 0) item.time_unix_ns = event.time_unix_ns;
  if (event.expires_unix_ns != 0) item.expires_unix_ns = event.expires_unix_ns;
  item.priority = event.priority;
  if (event.schema_version != 0) item.schema_version = event.schema_version;
  if (event.data_format == NEXUS_DATA_CBOR) {
    item.data = RawItem{event.data};
  } else if (event.data_format != NEXUS_DATA_NONE) {
    item.bytes = std::span<const uint8_t>(event.data);
    item.data_format = event.data_format;
  }
  if (!event.metadata.empty()) item.metadata = RawItem{event.metadata};
  fill_in(command_, metadata_, item);
  return put(item, out);
}

}  // namespace nexus::host::cli
