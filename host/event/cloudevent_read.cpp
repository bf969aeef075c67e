#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <unordered_set>

#include "host/base/rfc3339.hpp"
#include "host/event/base64.hpp"
#include "host/event/cloudevent_names.hpp"
#include "host/event/cloudevents.hpp"
#include "host/event/json.hpp"
#include "host/event/name.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host {
namespace {

using Raw = std::span<const uint8_t>;

constexpr size_t kShownBytesMax = 64;

Error bad(std::string_view attribute, std::string_view what) {
  std::string message = "CloudEvents attribute \"";
  for (const char c : attribute.substr(0, kShownBytesMax)) message += c >= 0x20 && c < 0x7F ? c : '?';
  message += "\": ";
  message += what;
  return make_error(NEXUS_E_SCHEMA, std::move(message));
}

bool hex_to_bytes(std::string_view text, uint8_t* bytes) {
  const auto value = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = value(text[i]);
    const int low = value(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i / 2] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

// The CBOR that json_to_cbor has made out of one event: well-formed, with lengths known and keys that stand once.
class EventReader {
 public:
  Result<CloudEvent> read(Raw object);

 private:
  Result<void> member(std::string_view name, Raw value);
  Result<void> text_member(std::string_view name, std::string_view value);
  Result<void> extension(std::string_view name, Raw value);
  Result<void> more_metadata(std::string_view json);
  Result<void> finish();
  Result<void> finish_data();
  Result<void> read_number(std::string_view name, Raw value, int64_t least, int64_t most, int64_t& out);
  void read_traceparent(std::string_view text);
  Uuid id_of(std::string_view text) const;

  CloudEvent event_;
  bool has_version_ = false;
  std::string id_;
  std::string causation_;
  std::string content_type_;
  std::string schema_;
  std::optional<Raw> data_;
  std::optional<std::string> data_base64_;
  cbor::Value metadata_ = cbor::Value::map();
};

std::optional<std::string_view> as_text(Raw value) {
  cbor::Reader reader(value);
  std::string_view text;
  if (!reader.read_text(text)) return std::nullopt;
  return text;
}

Result<CloudEvent> EventReader::read(Raw object) {
  cbor::Reader reader(object);
  cbor::Items members;
  if (reader.peek() != cbor::Kind::map) return make_error(NEXUS_E_SCHEMA, "a CloudEvent must be a JSON object");
  reader.enter_map(members);
  while (reader.next(members)) {
    std::string_view name;
    Raw value;
    if (!reader.read_text(name) || !reader.read_raw(value))
      return make_error(NEXUS_E_INTERNAL, reader.error().message());
    if (auto done = member(name, value); !done) return done.error();
  }
  if (auto done = finish(); !done) return done.error();
  return std::move(event_);
}

Result<void> EventReader::member(std::string_view name, Raw value) {
  constexpr uint8_t kNull = 0xF6;
  if (name == "data") {
    data_ = value;
    return {};
  }
  // An attribute that is null counts as one that is not there (section 2.2 of the JSON format).
  if (value[0] == kNull) return {};
  if (name == "nexuspriority") {
    int64_t number = 0;
    auto done =
        read_number(name, value, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max(), number);
    event_.priority = static_cast<int32_t>(number);
    return done;
  }
  if (name == "nexusschemaversion") {
    int64_t number = 0;
    auto done = read_number(name, value, 0, std::numeric_limits<uint32_t>::max(), number);
    event_.schema_version = static_cast<uint32_t>(number);
    return done;
  }
  if (name != "data_base64" && !ce::is_own_name(name)) return extension(name, value);
  const auto text = as_text(value);
  if (!text) return bad(name, "must be a string");
  return text_member(name, *text);
}

Result<void> EventReader::text_member(std::string_view name, std::string_view value) {
  const auto time = [&](int64_t& out) -> Result<void> {
    const auto moment = parse_rfc3339(value);
    if (!moment) return bad(name, "must be a time like 2026-08-01T12:00:00Z, between 1678 and 2262");
    out = *moment;
    return {};
  };
  if (name == "specversion") {
    has_version_ = true;
    if (value != "1.0") return bad(name, "must be \"1.0\"");
    return {};
  }
  if (name == "time") return time(event_.time_unix_ns);
  if (name == "expirytime") return time(event_.expires_unix_ns);
  if (name == "traceparent") {
    read_traceparent(value);
    return {};
  }
  if (name == ce::kMetadata) return more_metadata(value);
  if (name == "data_base64") {
    data_base64_ = std::string(value);
    return {};
  }
  if (value.empty()) return bad(name, "must not be empty");
  if (name == "id") id_ = value;
  if (name == "source") event_.source = value;
  if (name == "subject") event_.subject = value;
  if (name == "correlationid") event_.correlation_id = value;
  if (name == "causationid") causation_ = value;
  if (name == ce::kContentType) content_type_ = value;
  if (name == ce::kDataSchema) schema_ = value;
  if (name == "partitionkey") {
    if (value.size() > kKeyBytesMax) return bad(name, "must be at most 255 bytes");
    event_.key = value;
  }
  if (name == "type") {
    if (const auto checked = check_type(value); !checked) return checked.error();
    event_.type = value;
  }
  return {};
}

Result<void> EventReader::extension(std::string_view name, Raw value) {
  if (!ce::is_attribute_name(name)) return bad(name, "names are lower-case letters and digits");
  cbor::Value held;
  cbor::Error ignored;
  const bool good = cbor::Value::try_decode(value, held, ignored);
  using Type = cbor::Value::Type;
  if (!good || (held.type() != Type::boolean && held.type() != Type::integer && held.type() != Type::text)) {
    return bad(name, "must be a string, a whole number, or true or false");
  }
  metadata_.members().emplace_back(std::string(name), std::move(held));
  return {};
}

// What the writer put aside because CloudEvents has no room for it.
Result<void> EventReader::more_metadata(std::string_view json) {
  const auto cbor = json_to_cbor(json);
  if (!cbor) return bad(ce::kMetadata, "must hold a JSON object; " + cbor.error().message);
  cbor::Value map;
  cbor::Error fault;
  if (!cbor::Value::try_decode(*cbor, map, fault) || !map.is_map())
    return bad(ce::kMetadata, "must hold a JSON object");
  for (auto& [name, value] : map.members()) metadata_.members().emplace_back(name, std::move(value));
  return {};
}

Result<void> EventReader::read_number(std::string_view name, Raw value, int64_t least, int64_t most, int64_t& out) {
  cbor::Reader reader(value);
  bool good = false;
  if (const auto text = as_text(value)) {  // as it is where attributes are HTTP headers
    const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), out);
    good = fault == std::errc() && end == text->data() + text->size();
  } else {
    good = reader.read_int(out);
  }
  if (good && out >= least && out <= most) return {};
  out = 0;
  return bad(name, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

// https://www.w3.org/TR/trace-context/, section 3.2: what is not valid is ignored.
void EventReader::read_traceparent(std::string_view text) {
  constexpr size_t kLength = 55;
  uint8_t version = 0;
  uint8_t flags = 0;
  Uuid trace{};
  uint8_t span[8] = {};
  constexpr uint8_t kNoSpan[8] = {};
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return;
  if (!hex_to_bytes(text.substr(0, 2), &version) || !hex_to_bytes(text.substr(3, 32), trace.bytes)) return;
  if (!hex_to_bytes(text.substr(36, 16), span) || !hex_to_bytes(text.substr(53, 2), &flags)) return;
  if (version == 0xFF || (text.size() > kLength && (version == 0 || text[kLength] != '-'))) return;
  if (is_nil(trace) || std::memcmp(span, kNoSpan, sizeof span) == 0) return;
  event_.trace_id = trace;
  std::memcpy(event_.span_id, span, sizeof span);
  event_.trace_flags = flags;
}

Uuid EventReader::id_of(std::string_view text) const {
  const auto id = parse_uuid(text);
  return id && !is_nil(*id) ? *id : uuid_v5(event_.source, text);
}

Result<void> EventReader::finish() {
  if (!has_version_) return bad("specversion", "is missing");
  if (id_.empty()) return bad("id", "is missing");
  if (event_.source.empty()) return bad("source", "is missing");
  if (event_.type.empty()) return bad("type", "is missing");
  event_.id = id_of(id_);
  if (!causation_.empty()) event_.causation_id = id_of(causation_);
  const auto same_id = parse_uuid(id_);
  if (!same_id || !(*same_id == event_.id)) metadata_[kOriginalIdKey] = id_;
  if (auto done = finish_data(); !done) return done.error();
  if (!schema_.empty()) metadata_[ce::kDataSchema] = schema_;
  if (metadata_.size() == 0) return {};
  // nexusmetadata may repeat what stands beside it; the first counts.
  cbor::Value once = cbor::Value::map();
  std::unordered_set<std::string_view> seen;
  for (auto& [name, value] : metadata_.members()) {
    if (seen.insert(name).second) once.members().emplace_back(name, std::move(value));
  }
  event_.metadata = once.encode();
  return {};
}

Result<void> EventReader::finish_data() {
  if (data_ && data_base64_) return bad("data_base64", "must not stand beside data");
  const bool is_json = ce::is_json_type(content_type_);
  if (data_) {
    const auto text = is_json ? std::nullopt : as_text(*data_);
    event_.data_format = text ? NEXUS_DATA_BYTES : NEXUS_DATA_CBOR;
    if (text) {
      event_.data.assign(text->begin(), text->end());
    } else {
      event_.data.assign(data_->begin(), data_->end());
    }
  } else if (data_base64_) {
    auto bytes = decode_base64(*data_base64_);
    if (!bytes) return bad("data_base64", "must be base64 with padding");
    event_.data = std::move(*bytes);
    event_.data_format = NEXUS_DATA_BYTES;
    if (content_type_ == ce::kCborType && cbor::check(event_.data)) event_.data_format = NEXUS_DATA_CBOR;
    if (is_json && !content_type_.empty()) {
      auto cbor = json_to_cbor({reinterpret_cast<const char*>(event_.data.data()), event_.data.size()});
      if (cbor) {
        event_.data = std::move(*cbor);
        event_.data_format = NEXUS_DATA_CBOR;
      }
    }
  }
  const bool usual =
      (event_.data_format == NEXUS_DATA_CBOR && (content_type_ == ce::kJsonType || content_type_ == ce::kCborType)) ||
      (event_.data_format == NEXUS_DATA_BYTES && content_type_ == ce::kBytesType);
  if (!content_type_.empty() && !usual) metadata_[ce::kContentType] = content_type_;
  return {};
}

}  // namespace

Result<CloudEvent> parse_cloudevent(std::string_view json) {
  const auto cbor = json_to_cbor(json);
  if (!cbor) return cbor.error();
  return EventReader().read(*cbor);
}

Result<std::vector<CloudEvent>> parse_cloudevents(std::string_view json) {
  const auto cbor = json_to_cbor(json);
  if (!cbor) return cbor.error();
  std::vector<CloudEvent> events;
  cbor::Reader reader(*cbor);
  if (reader.peek() != cbor::Kind::array) {
    auto one = EventReader().read(*cbor);
    if (!one) return one.error();
    events.push_back(std::move(*one));
    return events;
  }
  cbor::Items items;
  reader.enter_array(items);
  while (reader.next(items)) {
    Raw item;
    reader.read_raw(item);
    auto one = EventReader().read(item);
    if (!one) {
      Error error = one.error();
      error.message = "event " + std::to_string(events.size()) + ": " + error.message;
      return error;
    }
    events.push_back(std::move(*one));
  }
  return events;
}

}  // namespace nexus::host
