#include "host/control/wire_event.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstring>

#include "host/base/uuid.hpp"
#include "host/event/block.hpp"
#include "tests/host/control/result_text.hpp"

using namespace nexus;
using namespace nexus::host;

namespace {

nexus_event full_event(const Bytes& data, const Bytes& metadata) {
  nexus_event event{};
  event.size = sizeof event;
  event.type = to_abi("order.created");
  event.source = to_abi("com.example.orders");
  event.subject = to_abi("A-1");
  event.key = to_abi("customer-7");
  event.correlation_id = to_abi("c-1");
  event.id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");
  event.causation_id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8058");
  event.trace_id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8059");
  for (uint8_t i = 0; i < 8; ++i) event.span_id[i] = static_cast<uint8_t>(i * 31);
  event.trace_flags = 1;
  event.time_unix_ns = 1'700'000'000'123'456'789;
  event.expires_unix_ns = 1'800'000'000'000'000'000;
  event.priority = -7;
  event.schema_version = 3;
  event.data = {data.data(), data.size()};
  event.metadata = {metadata.data(), metadata.size()};
  return event;
}

}  // namespace

TEST_CASE("an event keeps every field over the socket") {
  const Bytes data = cbor::Value{{"order_id", "A-1"}, {"total", 12.5}}.encode();
  const Bytes metadata = cbor::Value{{"environment", "production"}}.encode();
  const nexus_event sent = full_event(data, metadata);
  cbor::Buffer out;
  control::write_event(out, sent, false);
  const auto read = control::read_event(out.bytes());
  REQUIRE(read);
  const nexus_event& got = read.value();
  for (const auto field : {&nexus_event::type, &nexus_event::source, &nexus_event::subject, &nexus_event::key,
                           &nexus_event::correlation_id})
    CHECK(to_view(got.*field) == to_view(sent.*field));
  CHECK(uuid_text(got.id) == uuid_text(sent.id));
  CHECK(uuid_text(got.causation_id) == uuid_text(sent.causation_id));
  CHECK(uuid_text(got.trace_id) == uuid_text(sent.trace_id));
  CHECK(std::memcmp(got.span_id, sent.span_id, 8) == 0);
  CHECK(got.trace_flags == 1);
  CHECK(got.time_unix_ns == sent.time_unix_ns);
  CHECK(got.expires_unix_ns == sent.expires_unix_ns);
  CHECK(got.priority == -7);
  CHECK(got.schema_version == 3);
  CHECK(got.data_format == NEXUS_DATA_CBOR);
  CHECK(cbor::Value::decode(got.data) == cbor::Value::decode(data));
  CHECK(cbor::Value::decode(got.metadata) == cbor::Value::decode(metadata));
}

TEST_CASE("headers only leaves the data out and nothing else") {
  const Bytes data = cbor::Value{{"order_id", "A-1"}}.encode();
  cbor::Buffer out;
  control::write_event(out, full_event(data, {}), true);
  const auto read = control::read_event(out.bytes());
  REQUIRE(read);
  CHECK(read->data.size == 0);
  CHECK(to_view(read->subject) == "A-1");
}

TEST_CASE("data that is no CBOR goes as bytes, also where the event claims otherwise") {
  const Bytes broken{0xa1, 0x61}, no_metadata{0xff};
  nexus_event event = full_event(broken, no_metadata);
  cbor::Buffer out;
  control::write_event(out, event, false);
  REQUIRE(cbor::check(out.bytes()));
  const auto read = control::read_event(out.bytes());
  REQUIRE(read);
  CHECK(read->data_format == NEXUS_DATA_BYTES);
  CHECK(read->data.size == 2);
  CHECK(read->metadata.size == 0);
  event.data_format = NEXUS_DATA_JSON;
  out.clear();
  control::write_event(out, event, false);
  CHECK(control::read_event(out.bytes())->data_format == NEXUS_DATA_JSON);
}

TEST_CASE("what is no event is refused with a sentence") {
  const auto code = [](const cbor::Value& value) {
    const Bytes bytes = value.encode();
    const auto read = control::read_event(bytes);
    return read ? NEXUS_OK : read.error().code;
  };
  CHECK(code({{"id", "not a uuid"}}) == NEXUS_E_SCHEMA);
  CHECK(code({{"id", 5}}) == NEXUS_E_SCHEMA);
  CHECK(code({{"id", "01890a5d-ac96-774b-bcce-b302099a8057"}, {"trace_id", "xyz"}}) == NEXUS_E_SCHEMA);
  CHECK(code(cbor::Value::array()) == NEXUS_E_SCHEMA);
}
