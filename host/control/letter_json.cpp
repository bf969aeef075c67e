#include "host/control/letter_json.hpp"

#include <utility>

#include "host/base/rfc3339.hpp"
#include "host/event/cloudevents.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host {
namespace {

using Fields = cbor::Value::Map;

Fields fields_of(const DeadLetter& letter) {
  Fields fields;
  const auto add = [&](const char* name, cbor::Value value) { fields.emplace_back(name, std::move(value)); };
  const auto add_text = [&](const char* name, const std::string& text) {
    if (!text.empty()) add(name, text);
  };
  // An attribute's integer has 32 bits.
  if (letter.id <= INT32_MAX)
    add("dlqid", letter.id);
  else
    add("dlqid", std::to_string(letter.id));
  add("dlqreason", std::string(reason_name(letter.reason)));
  add("dlqplugin", letter.plugin_id);
  add_text("dlqpluginversion", letter.plugin_version);
  add_text("dlqsubscription", letter.subscription);
  add_text("dlqpattern", letter.pattern);
  add("dlqattempts", letter.attempts);
  add("dlqreplays", letter.replays);
  add("dlqfirst", format_rfc3339(letter.first_unix_ns));
  add("dlqlast", format_rfc3339(letter.last_unix_ns));
  add_text("dlqerrortype", letter.error_type);
  add_text("dlqerror", letter.error_message);
  add("dlqfingerprint", letter.fingerprint);
  add_text("dlqnote", letter.note);
  return fields;
}

}  // namespace

std::string letter_json(const DeadLetter& letter) {
  nexus_event event = letter.event.event();
  // In front of the event's own metadata, of which what an earlier export left is passed over.
  Fields metadata = fields_of(letter);
  cbor::Value own;
  cbor::Error ignored;
  if (cbor::Value::try_decode(cbor::view(event.metadata), own, ignored) && own.is_map())
    for (const auto& [name, value] : own.members())
      if (!name.starts_with("dlq")) metadata.emplace_back(name, value);
  const Bytes encoded = cbor::Value(std::move(metadata)).encode();
  event.metadata = {encoded.data(), encoded.size()};
  return cloudevent_json(event);
}

}  // namespace nexus::host
