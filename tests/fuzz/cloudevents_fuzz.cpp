// Any text as a CloudEvent: a complaint, or an event whose own CloudEvent says the same. The same bytes also go in as
// the data and the metadata of an event of ours, from which JSON must come whatever they are.
#include <cstring>

#include "host/event/cloudevents.hpp"
#include "host/event/json.hpp"
#include "host/event/name.hpp"
#include "nexus/cbor.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace nexus::host;

namespace {

nexus_string text(std::string_view value) { return {value.data(), value.size()}; }

nexus_event view(const CloudEvent& parsed) {
  nexus_event event{};
  event.size = sizeof event;
  event.type = text(parsed.type);
  event.source = text(parsed.source);
  event.subject = text(parsed.subject);
  event.key = text(parsed.key);
  event.correlation_id = text(parsed.correlation_id);
  event.id = parsed.id;
  event.causation_id = parsed.causation_id;
  event.trace_id = parsed.trace_id;
  std::memcpy(event.span_id, parsed.span_id, sizeof event.span_id);
  event.trace_flags = parsed.trace_flags;
  event.time_unix_ns = parsed.time_unix_ns;
  event.expires_unix_ns = parsed.expires_unix_ns;
  event.priority = parsed.priority;
  event.schema_version = parsed.schema_version;
  event.data_format = parsed.data_format;
  event.data = {parsed.data.data(), parsed.data.size()};
  event.metadata = {parsed.metadata.data(), parsed.metadata.size()};
  return event;
}

void write_any(nexus_bytes input) {
  nexus_event event{};
  event.size = sizeof event;
  event.type = text("a.b");
  event.source = text("com.example.a");
  event.metadata = input;
  event.data = input;
  for (uint32_t format = 0; format < 5; ++format) {
    event.data_format = format;
    const std::string json = cloudevent_json(event);
    FUZZ_CHECK(is_utf8(json));
    FUZZ_CHECK(json.find('\n') == std::string::npos);
    // Data may be as deep as the reader allows, and then is one level too deep inside an event.
    const auto cbor = json_to_cbor(json);
    if (!cbor) {
      const std::string& why = cbor.error().message;
      FUZZ_CHECK(why.find("deeper") != std::string::npos || why.find("twice") != std::string::npos);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  write_any({data, size});
  const auto events = parse_cloudevents(nexus::fuzz::as_text({data, size}));
  if (!events) {
    FUZZ_CHECK(!events.error().message.empty());
    return 0;
  }
  for (const CloudEvent& event : *events) {
    FUZZ_CHECK(is_valid_type(event.type));
    FUZZ_CHECK(!is_nil(event.id));
    FUZZ_CHECK(event.metadata.empty() || nexus::cbor::check(event.metadata));
    const std::string json = cloudevent_json(view(event));
    const auto back = parse_cloudevent(json);
    if (!back && back.error().message.find("deeper") != std::string::npos) continue;
    FUZZ_CHECK(back.has_value());
    FUZZ_CHECK(cloudevent_json(view(*back)) == json);
    FUZZ_CHECK(back->data == event.data);
  }
  return 0;
}
