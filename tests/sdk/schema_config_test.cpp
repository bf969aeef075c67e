#include <catch2/catch_test_macros.hpp>

#include <map>

#include "nexus/schema.hpp"
#include "tests/sdk/cbor_hex.hpp"

using namespace nexus;
using cbor::Value;

namespace mail {

enum class Mode { plain, html };
NEXUS_ENUM(Mode, plain, html)

struct Server {
  std::string host = "localhost";
  std::uint16_t port = 25;
};
NEXUS_STRUCT(Server, host, port)

struct Config {
  std::int32_t limit = 10;
  std::string sender = "noreply";
  Mode mode = Mode::html;
  Server server;
  std::vector<Server> fallbacks;
  std::map<std::string, std::string> headers;
  std::optional<double> rate;
  std::chrono::milliseconds timeout{2500};
  bool enabled = true;
};
NEXUS_CONFIG(Config, limit, sender, mode, server, fallbacks, headers, rate, timeout, enabled)

struct Nothing {};
NEXUS_CONFIG(Nothing)

}  // namespace mail

namespace {

struct Refusal {
  std::string what = "no error";
  std::string path;
  std::string nearest;
};

template <class T = mail::Config>
Refusal refusal(const Bytes& data) {
  Refusal result;
  T config;
  try {
    ConfigTraits<T>::read(std::span<const std::uint8_t>(data), config);
  } catch (const ConfigError& error) {
    result = {error.what(), error.path(), error.nearest()};
  }
  return result;
}

std::string what(const Value& data) { return refusal(data.encode()).what; }

}  // namespace

TEST_CASE("a config is filled by key, and keeps the rest") {
  const Value data = {{"server", {{"port", 587}}}, {"limit", 3},
                      {"mode", "plain"},           {"headers", {{"X-A", "1"}, {"any key.at:all", "2"}}},
                      {"timeout", 0.25},           {"fallbacks", Value::array({Value{{"host", "b"}}})}};
  mail::Config config;
  ConfigTraits<mail::Config>::read(data.encode(), config);
  CHECK(config.limit == 3);
  CHECK(config.sender == "noreply");
  CHECK(config.mode == mail::Mode::plain);
  CHECK(config.server.port == 587);
  CHECK(config.server.host == "localhost");
  CHECK(config.fallbacks.at(0).host == "b");
  CHECK(config.headers.size() == 2);
  CHECK(config.timeout == std::chrono::milliseconds(250));
  CHECK_FALSE(config.rate.has_value());
}

TEST_CASE("no config at all is every default") {
  mail::Config config;
  ConfigTraits<mail::Config>::read(nexus_bytes{nullptr, 0}, config);
  CHECK(config.limit == 10);
  CHECK(refusal<mail::Nothing>({}).what == "no error");
  CHECK(refusal<mail::Nothing>(Value::map().encode()).what == "no error");
}

TEST_CASE("an unknown key is refused with the nearest right one") {
  CHECK(what(Value{{"limt", 3}}) == "unknown key limt; did you mean limit?");
  CHECK(what(Value{{"snedre", 3}}) == "unknown key snedre; did you mean sender?");
  CHECK(what(Value{{"Limit", 3}}) == "unknown key Limit; did you mean limit?");
  CHECK(what(Value{{"server", {{"prot", 1}}}}) == "unknown key server.prot; did you mean server.port?");
  CHECK(what(Value{{"fallbacks", Value::array({Value::map(), Value{{"hots", 1}}})}}) ==
        "unknown key fallbacks[1].hots; did you mean fallbacks[1].host?");
  CHECK(what(Value{{"colour", 1}}) ==
        "unknown key colour; known are limit, sender, mode, server, fallbacks, headers, rate, timeout, enabled");
  CHECK(refusal<mail::Nothing>(Value{{"a", 1}}.encode()).what == "unknown key a; there are no keys here");
  const Refusal limit = refusal(Value{{"limt", 3}}.encode());
  CHECK(limit.path == "limt");
  CHECK(limit.nearest == "limit");
  CHECK(refusal(Value{{"server", {{"prot", 1}}}}.encode()).nearest == "server.port");
}

TEST_CASE("an unknown key may be anything, and of any length") {
  CHECK(what(Value{{"", 1}}).starts_with("unknown key \"\"; known are "));
  CHECK(what(Value{{"a b", 1}}).starts_with("unknown key \"a b\"; known are "));
  const std::string long_key(100'000, 'x');
  CHECK(what(Value{{long_key, 1}}).size() < 400);
}

TEST_CASE("a wrong type names the key and the type") {
  CHECK(what(Value{{"limit", "3"}}) == "key limit must be a whole number, is text");
  CHECK(what(Value{{"limit", 2.5}}) == "key limit must be a whole number, is one with a fraction");
  CHECK(what(Value{{"server", 1}}) == "key server must be a map, is a whole number");
  CHECK(what(Value{{"server", {{"port", 65536}}}}) == "key server.port must be a whole number from 0 to 65535");
  CHECK(what(Value{{"mode", "pdf"}}) == "key mode must be one of plain, html, is \"pdf\"");
  CHECK(what(Value{{"headers", {{"X-A", 1}}}}) == "key headers.X-A must be text, is a whole number");
  CHECK(what(Value{{"timeout", "1s"}}) == "key timeout must be a number of seconds, is text");
  CHECK(what(Value{{"enabled", 1}}) == "key enabled must be true or false, is a whole number");
  CHECK(what(Value(1)) == "the config must be a map, is a whole number");
  CHECK(refusal(Value{{"server", {{"port", "x"}}}}.encode()).path == "server.port");
}

TEST_CASE("a config that is broken, or has keys that are no text, is refused") {
  CHECK(refusal(testing::from_hex("a1 01 02")).what == "the config must be a map with text keys, is a whole number");
  CHECK(refusal(testing::from_hex("a1 656c696d6974")).what ==
        "the config: the data is cut short, at byte 7, in key limit");
  CHECK(refusal(testing::from_hex("a0 00")).what == "the config: bytes follow after the item, at byte 1");
  CHECK(refusal(testing::from_hex("a2 656c696d6974 01 656c696d6974 02")).what ==
        "key limit must come once, but comes twice");
}

TEST_CASE("nearness is counted in edits, a swap being one") {
  CHECK(schema::edit_distance("", "") == 0);
  CHECK(schema::edit_distance("abc", "") == 3);
  CHECK(schema::edit_distance("", "abc") == 3);
  CHECK(schema::edit_distance("limit", "limit") == 0);
  CHECK(schema::edit_distance("limt", "limit") == 1);
  CHECK(schema::edit_distance("ilmit", "limit") == 1);
  CHECK(schema::edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the JSON Schema of a config has defaults and no other keys") {
  CHECK(ConfigTraits<mail::Config>::schema() ==
        R"({"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{)"
        R"("limit":{"type":"integer","minimum":-2147483648,"maximum":2147483647,"default":10},)"
        R"("sender":{"type":"string","default":"noreply"},)"
        R"("mode":{"type":"string","enum":["plain","html"],"default":"html"},)"
        R"("server":{"type":"object","properties":{"host":{"type":"string","default":"localhost"},)"
        R"("port":{"type":"integer","minimum":0,"maximum":65535,"default":25}},"additionalProperties":false},)"
        R"("fallbacks":{"type":"array","items":{"type":"object","properties":{)"
        R"("host":{"type":"string","default":"localhost"},)"
        R"("port":{"type":"integer","minimum":0,"maximum":65535,"default":25}},"additionalProperties":false},)"
        R"("default":[]},"headers":{"type":"object","additionalProperties":{"type":"string"},"default":{}},)"
        R"("rate":{"type":"number"},"timeout":{"type":"number","description":"seconds","default":2.5},)"
        R"("enabled":{"type":"boolean","default":true}},"additionalProperties":false})");
  CHECK(ConfigTraits<mail::Nothing>::schema() ==
        R"({"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{},)"
        R"("additionalProperties":false})");
}
