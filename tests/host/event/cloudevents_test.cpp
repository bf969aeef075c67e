#include "host/event/cloudevents.hpp"

#include <rapidcheck.h>

#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "host/event/json.hpp"
#include "nexus/cbor.hpp"

using namespace nexus::host;
using Catch::Matchers::ContainsSubstring;
using nexus::cbor::Value;
using Bytes = std::vector<uint8_t>;

namespace {

constexpr int64_t kNoon = 1'785'585'600'000'000'000;

nexus_string text(std::string_view value) { return {value.data(), value.size()}; }
nexus_bytes bytes(const Bytes& value) { return {value.data(), value.size()}; }

nexus_event smallest() {
  nexus_event event{};
  event.size = sizeof event;
  event.type = text("order.created");
  event.source = text("com.example.orders");
  event.id = *parse_uuid("0198f0a3-2b00-7abc-8def-0123456789ab");
  event.time_unix_ns = kNoon;
  event.data_format = NEXUS_DATA_NONE;
  return event;
}

// As a plugin would see what was parsed.
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
  event.data = bytes(parsed.data);
  event.metadata = bytes(parsed.metadata);
  return event;
}

CloudEvent parsed(std::string_view json) {
  auto event = parse_cloudevent(json);
  INFO((event ? std::string() : event.error().message));
  REQUIRE(event.has_value());
  return *event;
}

Error refused(std::string_view json) {
  const auto event = parse_cloudevent(json);
  REQUIRE_FALSE(event.has_value());
  return event.error();
}

// The four attributes that must be there, and what else the test wants.
std::string with(std::string_view members) {
  std::string json =
      R"({"specversion":"1.0","id":"A234-1234-1234","source":"/mycontext","type":"com.example.someevent")";
  if (!members.empty()) (json += ',') += members;
  return json + "}";
}

Value metadata_of(const CloudEvent& event) { return Value::decode(event.metadata); }

}  // namespace

TEST_CASE("the smallest event as a CloudEvent") {
  CHECK(cloudevent_json(smallest()) ==
        R"({"specversion":"1.0","id":"0198f0a3-2b00-7abc-8def-0123456789ab","source":"com.example.orders",)"
        R"("type":"order.created","time":"2026-08-01T12:00:00Z"})");
}

TEST_CASE("every field has its place") {
  nexus_event event = smallest();
  event.subject = text("order \"7\"");
  event.key = text("buyer-1");
  event.correlation_id = text("c-1");
  event.causation_id = *parse_uuid("0198f0a3-2b00-7abc-8def-000000000001");
  event.trace_id = *parse_uuid("0af76519-16cd-43dd-8448-eb211c80319c");
  const uint8_t span[8] = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};
  std::memcpy(event.span_id, span, 8);
  event.trace_flags = 1;
  event.expires_unix_ns = kNoon + 500'000'000;
  event.priority = -5;
  event.schema_version = 3;
  const Bytes data = *json_to_cbor(R"({"total":12.5})");
  event.data_format = NEXUS_DATA_CBOR;
  event.data = bytes(data);
  const Bytes metadata = Value({{"region", "eu"},
                                {"attempt", 2},
                                {"dry", true},
                                {"user_id", "u1"},
                                {"ratio", 0.5},
                                {"big", int64_t{1} << 40}})
                             .encode();
  event.metadata = bytes(metadata);
  CHECK(cloudevent_json(event) ==
        R"({"specversion":"1.0","id":"0198f0a3-2b00-7abc-8def-0123456789ab","source":"com.example.orders",)"
        R"("type":"order.created","time":"2026-08-01T12:00:00Z","subject":"order \"7\"","correlationid":"c-1",)"
        R"("causationid":"0198f0a3-2b00-7abc-8def-000000000001","partitionkey":"buyer-1",)"
        R"("expirytime":"2026-08-01T12:00:00.5Z",)"
        R"("traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","nexuspriority":-5,)"
        R"("nexusschemaversion":3,"region":"eu","attempt":2,"dry":true,)"
        R"("nexusmetadata":"{\"user_id\":\"u1\",\"ratio\":0.5,\"big\":1099511627776}",)"
        R"("datacontenttype":"application/json","data":{"total":12.5}})");
}

TEST_CASE("data of every format") {
  nexus_event event = smallest();
  const auto tail = [&event] {
    const std::string json = cloudevent_json(event);
    const size_t at = json.find(",\"datacontenttype\"");
    return at == std::string::npos ? std::string() : json.substr(at + 1);
  };
  Bytes data = {0xFF, 0x00};
  event.data = bytes(data);
  event.data_format = NEXUS_DATA_BYTES;
  CHECK(tail() == R"("datacontenttype":"application/octet-stream","data_base64":"/wA="})");
  event.data_format = 77;
  CHECK(tail() == R"("datacontenttype":"application/octet-stream","data_base64":"/wA="})");
  event.data_format = NEXUS_DATA_CBOR;  // and not well-formed
  CHECK(tail() == R"("datacontenttype":"application/cbor","data_base64":"/wA="})");
  event.data_format = NEXUS_DATA_JSON;  // and no JSON
  CHECK(tail() == R"("datacontenttype":"application/json","data_base64":"/wA="})");

  const std::string_view json = "{\r\n \"a\": [1e2]\n}";
  data.assign(json.begin(), json.end());
  event.data = bytes(data);
  CHECK(tail() == R"("datacontenttype":"application/json","data":{   "a": [1e2] }})");

  const Bytes metadata = Value({{"datacontenttype", "text/plain"}, {"dataschema", "urn:x"}}).encode();
  event.metadata = bytes(metadata);
  event.data_format = NEXUS_DATA_BYTES;
  const std::string_view plain = "hello \"you\"";
  data.assign(plain.begin(), plain.end());
  event.data = bytes(data);
  CHECK(tail() == R"("datacontenttype":"text/plain","data":"hello \"you\""})");
  CHECK_THAT(cloudevent_json(event), ContainsSubstring(R"("dataschema":"urn:x")"));
  data.back() = 0xFF;
  CHECK(tail() == R"("datacontenttype":"text/plain","data_base64":"aGVsbG8gInlvdf8="})");
  event.data_format = NEXUS_DATA_NONE;
  CHECK(tail() == R"("datacontenttype":"text/plain"})");
  event.metadata = {nullptr, 0};
  event.data_format = NEXUS_DATA_CBOR;
  event.data = {nullptr, 0};
  CHECK(tail().empty());
}

TEST_CASE("metadata that is broken, or stands for other attributes, does no harm") {
  nexus_event event = smallest();
  const std::string plain = cloudevent_json(event);
  for (const Bytes& broken : {Bytes{0xFF}, Bytes{0x01}, Bytes{0xA1, 0x61}, Bytes{0x80}, Bytes{0xA1, 0x01, 0x01}}) {
    event.metadata = bytes(broken);
    CHECK(cloudevent_json(event) == plain);
  }
  const Bytes names =
      Value({{"id", "x"}, {"type", "y"}, {"data", 1}, {"nexuspriority", 9}, {"Upper", 1}, {"", 1}}).encode();
  event.metadata = bytes(names);
  const CloudEvent back = parsed(cloudevent_json(event));
  CHECK(back.type == "order.created");
  CHECK(back.priority == 0);
  CHECK(metadata_of(back) == Value::decode(names));
  // A key that stands twice, which JSON readers would disagree about: the first counts.
  const Bytes twice = {0xA2, 0x61, 'a', 0x01, 0x61, 'a', 0x02};
  event.metadata = bytes(twice);
  CHECK(metadata_of(parsed(cloudevent_json(event))) == Value({{"a", 1}}));
}

TEST_CASE("the example of the CloudEvents specification") {
  const CloudEvent event = parsed(R"({
    "specversion" : "1.0", "type" : "com.github.pull_request.opened",
    "source" : "https://github.com/cloudevents/spec/pull", "subject" : "123", "id" : "A234-1234-1234",
    "time" : "2018-04-05T17:31:00Z", "comexampleextension1" : "value", "comexampleothervalue" : 5,
    "datacontenttype" : "text/xml", "data" : "<much wow=\"xml\"/>" })");
  CHECK(event.type == "com.github.pull_request.opened");
  CHECK(event.source == "https://github.com/cloudevents/spec/pull");
  CHECK(event.subject == "123");
  CHECK(event.time_unix_ns == 1'522'949'460'000'000'000);
  CHECK(event.data_format == NEXUS_DATA_BYTES);
  CHECK(std::string(event.data.begin(), event.data.end()) == "<much wow=\"xml\"/>");
  CHECK((event.id == uuid_v5("https://github.com/cloudevents/spec/pull", "A234-1234-1234")));
  CHECK(metadata_of(event) == Value({{"comexampleextension1", "value"},
                                     {"comexampleothervalue", 5},
                                     {"originalid", "A234-1234-1234"},
                                     {"datacontenttype", "text/xml"}}));
}

TEST_CASE("an id that is a UUID is kept, in its canonical form") {
  const char* const kMembers = R"(,"specversion":"1.0","source":"s","type":"a.b"})";
  const CloudEvent lower = parsed(std::string(R"({"id":"0198f0a3-2b00-7abc-8def-0123456789ab")") + kMembers);
  const CloudEvent upper = parsed(std::string(R"({"id":"0198F0A3-2B00-7ABC-8DEF-0123456789AB")") + kMembers);
  CHECK(uuid_text(lower.id) == "0198f0a3-2b00-7abc-8def-0123456789ab");
  CHECK((lower.id == upper.id));
  CHECK(lower.metadata.empty());
  // The nil id stands for "none" inside, so it cannot be an event's.
  const CloudEvent nil = parsed(std::string(R"({"id":"00000000-0000-0000-0000-000000000000")") + kMembers);
  CHECK_FALSE(is_nil(nil.id));
  CHECK(metadata_of(nil).find("originalid") != nullptr);
}

TEST_CASE("data comes in as CBOR, text or bytes") {
  CHECK(parsed(with("")).data_format == NEXUS_DATA_NONE);
  const auto data_of = [](std::string_view members) {
    const CloudEvent event = parsed(with(members));
    return std::pair(event.data_format, event.data);
  };
  const Bytes object = *json_to_cbor(R"({"a":[1,2.5]})");
  CHECK(data_of(R"("data":{"a":[1,2.5]})") == std::pair(NEXUS_DATA_CBOR, object));
  CHECK(data_of(R"("data":{"a":[1,2.5]},"datacontenttype":"application/json")") == std::pair(NEXUS_DATA_CBOR, object));
  CHECK(data_of(R"("data":{"a":[1,2.5]},"datacontenttype":"application/vnd.x+json; charset=utf-8")") ==
        std::pair(NEXUS_DATA_CBOR, object));
  CHECK(data_of(R"("data":{"a":[1,2.5]},"datacontenttype":"application/xml")") == std::pair(NEXUS_DATA_CBOR, object));
  CHECK(data_of(R"("data":null)") == std::pair(NEXUS_DATA_CBOR, Bytes{0xF6}));
  CHECK(data_of(R"("data":"hi")") == std::pair(NEXUS_DATA_CBOR, Bytes{0x62, 'h', 'i'}));
  CHECK(data_of(R"("data":"hi","datacontenttype":"text/plain")") == std::pair(NEXUS_DATA_BYTES, Bytes{'h', 'i'}));
  CHECK(data_of(R"("data_base64":"/wA=")") == std::pair(NEXUS_DATA_BYTES, Bytes{0xFF, 0}));
  CHECK(data_of(R"("data_base64":"AQ==","datacontenttype":"application/cbor")") ==
        std::pair(NEXUS_DATA_CBOR, Bytes{1}));
  CHECK(data_of(R"("data_base64":"/wA=","datacontenttype":"application/cbor")") ==
        std::pair(NEXUS_DATA_BYTES, Bytes{0xFF, 0}));
  CHECK(data_of(R"("data_base64":"WzFd","datacontenttype":"application/json")") ==
        std::pair(NEXUS_DATA_CBOR, Bytes{0x81, 1}));
  CHECK(data_of(R"("data_base64":"WzFd")") == std::pair(NEXUS_DATA_BYTES, Bytes{'[', '1', ']'}));
}

TEST_CASE("extensions of ours") {
  const CloudEvent event = parsed(
      with(R"("correlationid":"c","causationid":"0198f0a3-2b00-7abc-8def-000000000001",)"
           R"("partitionkey":"k","expirytime":"2026-08-01T14:00:00+02:00","nexuspriority":100,)"
           R"("nexusschemaversion":"4","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")"));
  CHECK(event.correlation_id == "c");
  CHECK(uuid_text(event.causation_id) == "0198f0a3-2b00-7abc-8def-000000000001");
  CHECK(event.key == "k");
  CHECK(event.expires_unix_ns == kNoon);
  CHECK(event.priority == 100);
  CHECK(event.schema_version == 4);
  CHECK(uuid_text(event.trace_id) == "0af76519-16cd-43dd-8448-eb211c80319c");
  CHECK(event.span_id[7] == 0x31);
  CHECK(event.trace_flags == 1);
  CHECK((parsed(with(R"("causationid":"B-1")")).causation_id == uuid_v5("/mycontext", "B-1")));
  CHECK(parsed(with(R"("subject":null,"time":null,"ext":null)")).subject.empty());
}

TEST_CASE("a traceparent that is not valid is passed over") {
  for (const char* value : {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
                            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    INFO(value);
    CHECK(is_nil(parsed(with("\"traceparent\":\"" + std::string(value) + "\"")).trace_id));
  }
  CHECK_FALSE(
      is_nil(parsed(with(R"("traceparent":"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more")")).trace_id));
}

TEST_CASE("what is wrong is named by its attribute") {
  const auto message = [](std::string_view json, int32_t code) {
    const Error error = refused(json);
    CHECK(error.code == code);
    return error.message;
  };
  CHECK_THAT(message(R"({"id":"1","source":"s","type":"a"})", NEXUS_E_SCHEMA),
             ContainsSubstring("\"specversion\": is missing"));
  CHECK_THAT(message(R"({"specversion":"1.0","source":"s","type":"a"})", NEXUS_E_SCHEMA),
             ContainsSubstring("\"id\": is missing"));
  CHECK_THAT(message(R"({"specversion":"1.0","id":"1","type":"a"})", NEXUS_E_SCHEMA),
             ContainsSubstring("\"source\": is missing"));
  CHECK_THAT(message(R"({"specversion":"1.0","id":"1","source":"s"})", NEXUS_E_SCHEMA),
             ContainsSubstring("\"type\": is missing"));
  CHECK_THAT(message(R"({"specversion":"0.3","id":"1","source":"s","type":"a"})", NEXUS_E_SCHEMA),
             ContainsSubstring("must be \"1.0\""));
  CHECK_THAT(message(R"({"specversion":"1.0","id":"","source":"s","type":"a"})", NEXUS_E_SCHEMA),
             ContainsSubstring("\"id\": must not be empty"));
  CHECK_THAT(message(R"({"specversion":"1.0","id":null,"source":"s","type":"a"})", NEXUS_E_SCHEMA),
             ContainsSubstring("\"id\": is missing"));
  CHECK_THAT(message(R"({"specversion":1.0,"id":"1","source":"s","type":"a"})", NEXUS_E_SCHEMA),
             ContainsSubstring("\"specversion\": must be a string"));
  CHECK_THAT(message(R"({"specversion":"1.0","id":"1","source":"s","type":"A b"})", NEXUS_E_TYPE_NAME),
             ContainsSubstring("event type"));
  CHECK_THAT(message(R"({"specversion":"1.0","id":"1","source":"s","type":"a.*"})", NEXUS_E_TYPE_NAME),
             ContainsSubstring("wildcard"));
  CHECK_THAT(message(with(R"("time":"yesterday")"), NEXUS_E_SCHEMA), ContainsSubstring("\"time\""));
  CHECK_THAT(message(with(R"("expirytime":5)"), NEXUS_E_SCHEMA), ContainsSubstring("\"expirytime\""));
  CHECK_THAT(message(with(R"("nexuspriority":2147483648)"), NEXUS_E_SCHEMA), ContainsSubstring("\"nexuspriority\""));
  CHECK_THAT(message(with(R"("nexuspriority":1.5)"), NEXUS_E_SCHEMA), ContainsSubstring("\"nexuspriority\""));
  CHECK_THAT(message(with(R"("nexuspriority":"1x")"), NEXUS_E_SCHEMA), ContainsSubstring("\"nexuspriority\""));
  CHECK_THAT(message(with(R"("nexusschemaversion":-1)"), NEXUS_E_SCHEMA), ContainsSubstring("\"nexusschemaversion\""));
  CHECK_THAT(message(with(R"("ext":{"a":1})"), NEXUS_E_SCHEMA), ContainsSubstring("\"ext\""));
  CHECK_THAT(message(with(R"("ext":1.5)"), NEXUS_E_SCHEMA), ContainsSubstring("\"ext\""));
  CHECK_THAT(message(with(R"("ext":[])"), NEXUS_E_SCHEMA), ContainsSubstring("\"ext\""));
  CHECK_THAT(message(with(R"("my_ext":1)"), NEXUS_E_SCHEMA), ContainsSubstring("\"my_ext\": names are"));
  CHECK_THAT(message(with(R"("\n":1)"), NEXUS_E_SCHEMA), ContainsSubstring("\"?\""));
  CHECK_THAT(message(with(R"("data":1,"data_base64":"AQ==")"), NEXUS_E_SCHEMA), ContainsSubstring("data_base64"));
  CHECK_THAT(message(with(R"("data_base64":"AQ")"), NEXUS_E_SCHEMA), ContainsSubstring("base64"));
  CHECK_THAT(message(with(R"("data_base64":7)"), NEXUS_E_SCHEMA), ContainsSubstring("must be a string"));
  CHECK_THAT(message(with(R"("nexusmetadata":"[1]")"), NEXUS_E_SCHEMA), ContainsSubstring("JSON object"));
  CHECK_THAT(message(with(R"("nexusmetadata":"{")"), NEXUS_E_SCHEMA), ContainsSubstring("line 1"));
  CHECK_THAT(message(with("\"partitionkey\":\"" + std::string(256, 'k') + "\""), NEXUS_E_SCHEMA),
             ContainsSubstring("255"));
  CHECK_THAT(message(with(R"("type":"twice")"), NEXUS_E_JSON), ContainsSubstring("stands twice"));
  CHECK_THAT(message("[]", NEXUS_E_SCHEMA), ContainsSubstring("object"));
  CHECK_THAT(message("7", NEXUS_E_SCHEMA), ContainsSubstring("object"));
  CHECK_THAT(message("{", NEXUS_E_JSON), ContainsSubstring("line 1"));
}

TEST_CASE("batches") {
  CHECK(parse_cloudevents("[]")->empty());
  CHECK(parse_cloudevents(with(""))->size() == 1);
  const auto two = parse_cloudevents("[" + with("") + "," + with(R"("subject":"s")") + "]");
  REQUIRE(two.has_value());
  REQUIRE(two->size() == 2);
  CHECK((*two)[1].subject == "s");
  const auto bad = parse_cloudevents("[" + with("") + ",{}]");
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error().message == "event 1: CloudEvents attribute \"specversion\": is missing");
}

TEST_CASE("an event comes back from its CloudEvent") {
  CHECK(rc::check([] {
    const auto letters = [] {
      return *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string("az09 \"\\\n~"))));
    };
    CloudEvent event;
    for (uint8_t& byte : event.id.bytes) byte = *rc::gen::inRange<uint8_t>(1, 255);
    event.type = "order.created";
    event.source = letters();
    event.time_unix_ns = *rc::gen::arbitrary<int64_t>();
    event.priority = *rc::gen::arbitrary<int32_t>();
    event.schema_version = *rc::gen::arbitrary<uint32_t>();
    if (*rc::gen::arbitrary<bool>()) event.subject = letters();
    if (*rc::gen::arbitrary<bool>()) event.key = letters();
    if (*rc::gen::arbitrary<bool>()) event.correlation_id = letters();
    if (*rc::gen::arbitrary<bool>()) event.expires_unix_ns = *rc::gen::arbitrary<int64_t>();
    if (*rc::gen::arbitrary<bool>()) {
      event.causation_id.bytes[3] = 7;
      event.trace_id.bytes[0] = 1;
      event.span_id[7] = 9;
      event.trace_flags = *rc::gen::arbitrary<uint8_t>();
    }
    event.data_format = *rc::gen::elementOf(std::vector<uint32_t>{NEXUS_DATA_CBOR, NEXUS_DATA_NONE, NEXUS_DATA_BYTES});
    if (event.data_format == NEXUS_DATA_BYTES) event.data = *rc::gen::arbitrary<Bytes>();
    if (event.data_format == NEXUS_DATA_CBOR) event.data = *json_to_cbor(R"({"a":[1,2.0,"x",null]})");
    if (*rc::gen::arbitrary<bool>()) {
      Value metadata = Value::map();
      metadata["ext"] = letters();
      metadata["number"] = *rc::gen::arbitrary<int32_t>();
      metadata["with_underscore"] = Value::array({1, 2.5, "three"});
      event.metadata = metadata.encode();
    }
    const std::string json = cloudevent_json(view(event));
    boost::json::error_code ec;
    boost::json::parse(json, ec);
    RC_ASSERT(!ec.failed());
    RC_ASSERT(json.find('\n') == std::string::npos);
    const auto back = parse_cloudevent(json);
    RC_ASSERT(back.has_value());
    RC_ASSERT(cloudevent_json(view(*back)) == json);
    RC_ASSERT(back->data == event.data);
    RC_ASSERT(back->data_format == event.data_format);
    RC_ASSERT(back->metadata == event.metadata);
    RC_ASSERT(back->time_unix_ns == event.time_unix_ns);
    RC_ASSERT(back->expires_unix_ns == event.expires_unix_ns);
    RC_ASSERT(back->key == event.key);
    RC_ASSERT(back->priority == event.priority);
  }));
}
