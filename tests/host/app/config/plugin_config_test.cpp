// The tables that only plugins understand.
#include <catch2/catch_test_macros.hpp>

#include "host/app/config/plugin_config.hpp"
#include "nexus/cbor.hpp"
#include "tests/host/app/config/fake_surroundings.hpp"

using namespace nexus::host;
using namespace nexus::host::config;
namespace cbor = nexus::cbor;

namespace {

constexpr const char* kId = "com.example.orders";

constexpr const char* kSchema = R"({
  "type": "object", "additionalProperties": false, "required": ["limit"],
  "properties": {
    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
    "ratio": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "mode": {"type": "string", "enum": ["fast", "safe"]},
    "name": {"type": "string", "minLength": 2, "maxLength": 4},
    "active": {"type": "boolean"},
    "list": {"type": "array", "items": {"$ref": "#/definitions/entry"}, "minItems": 1, "maxItems": 2},
    "limits": {"type": "object", "additionalProperties": {"type": "integer"}},
    "either": {"type": ["string", "integer"]},
    "fixed": {"const": 7},
    "free": {}
  },
  "definitions": {"entry": {"type": "object", "additionalProperties": false, "properties": {"id": {"type": "string"}}}}
})";

Config config_of(const std::string& own, const std::map<std::string, std::string>& environment = {}) {
  FakeSurroundings machine = machine_with("[plugins.\"com.example.orders\".config]\n" + own);
  machine.environment = environment;
  Loaded loaded = read_from(machine);
  INFO(render(loaded.diagnostics));
  REQUIRE(loaded.ok());
  return std::move(loaded.config);
}

std::string complaint(const std::string& own, const char* schema = kSchema) {
  return render(plugin_diagnostics(config_of(own), kId, schema));
}

bool complains(const std::string& own, const std::string& words) {
  const std::string text = complaint("limit = 1\n" + own + "\n");
  INFO(text);
  return text.find(words) != std::string::npos;
}

cbor::Value value_of(const std::vector<uint8_t>& bytes) { return cbor::Value::decode(bytes); }

}  // namespace

TEST_CASE("a plugin's table is handed out as CBOR") {
  const auto bytes = plugin_config(
      config_of(
          "text = \"a\"\nnumber = 1.5\nwhole = -3\nyes = true\nlist = [1, \"b\"]\nwhen = 1979-05-27\nsub.deep = {}\n"),
      kId);
  REQUIRE(bytes.has_value());
  CHECK(value_of(*bytes) == cbor::Value{{"text", "a"},
                                        {"number", 1.5},
                                        {"whole", -3},
                                        {"yes", true},
                                        {"list", cbor::Value::array({1, "b"})},
                                        {"when", "1979-05-27"},
                                        {"sub", cbor::Value{{"deep", cbor::Value::map()}}}});
}

TEST_CASE("a plugin without a table gets the empty map") {
  const auto bytes = plugin_config(config_of(""), "com.example.other");
  REQUIRE(bytes.has_value());
  CHECK(*bytes == std::vector<uint8_t>{0xa0});
  CHECK(*plugin_config(Config{}, kId) == std::vector<uint8_t>{0xa0});
}

TEST_CASE("a good table passes its schema") {
  CHECK(
      complaint("limit = 100\nratio = 0.5\nmode = \"safe\"\nname = \"\xc3\xa4\xc3\xb6\xc3\xbc\"\nactive = false\n"
                "list = [{ id = \"a\" }]\nlimits = { a = 1, b = 2 }\neither = 5\nfixed = 7\nfree = [1, { x = 2 }]\n") ==
      "");
  CHECK(check_plugin_config(config_of("limit = 1"), kId, kSchema).has_value());
  CHECK(check_plugin_config(config_of("whatever = 1"), kId, "").has_value());
}

TEST_CASE("an error points into the file and names the nearest key") {
  const auto checked = check_plugin_config(config_of("limit = 1\nlimt = 2\n"), kId, kSchema);
  REQUIRE(checked.has_error());
  CHECK(checked.error().code == NEXUS_E_LOAD_CONFIG);
  CHECK(checked.error().message ==
        "/etc/nexus/nexus.toml:3:1: error: unknown key 'limt' in [plugins.\"com.example.orders\".config]\n"
        "    3 | limt = 2\n"
        "      | ^~~~\n"
        "      = help: did you mean 'limit'?");
}

TEST_CASE("each rule of the schema is heeded") {
  CHECK(complaint("").find("config.limit is missing") != std::string::npos);
  CHECK(complaint("limit = 0\n").find("config.limit is 0; allowed is 1 to 100") != std::string::npos);
  CHECK(complaint("limit = 101\n").find("allowed is 1 to 100") != std::string::npos);
  CHECK(complaint("limit = 1.5\n").find("must be an integer, found the number 1.5") != std::string::npos);
  CHECK(complaint("limit = \"5\"\n").find("must be an integer, found the string \"5\"") != std::string::npos);
  CHECK(complains("ratio = 0", "allowed is more than 0"));
  CHECK(complains("ratio = 1.0", "allowed is less than 1"));
  CHECK(complains("ratio = nan", "allowed is"));
  CHECK(complains("mode = \"saef\"", "did you mean 'safe'?"));
  CHECK(complains("mode = 5", "must be a string, found the integer 5"));
  CHECK(complains("name = \"a\"", "too short"));
  CHECK(complains("name = \"abcde\"", "too long"));
  CHECK(complains("active = \"yes\"", "must be true or false"));
  CHECK(complains("list = []", "at least 1 items"));
  CHECK(complains("list = [{}, {}, {}]", "at most 2 items"));
  CHECK(complains("list = [{ id = 5 }]", "config.list[0].id must be a string"));
  CHECK(complains("list = [{}, { ix = 5 }]", "unknown key 'ix' in [plugins.\"com.example.orders\".config.list[1]]"));
  CHECK(complains("list = 5", "must be an array"));
  CHECK(complains("limits = { a = \"x\" }", "config.limits.a must be an integer"));
  CHECK(complains("either = true", "must be a string or an integer, found true"));
  CHECK(complains("fixed = 8", "must be 7, found the integer 8"));
  CHECK(complains("zzzzz = 1", "known keys are limit, ratio"));
}

TEST_CASE("all errors of a table are told at once") {
  CHECK(plugin_diagnostics(config_of("limit = 0\nmode = 1\nlits = []\n"), kId, kSchema).size() == 3);
}

TEST_CASE("texts from variables take the type that the schema wants") {
  const std::map<std::string, std::string> environment{
      {"LIMIT", "42"}, {"ACTIVE", "true"}, {"NAME", "42"}, {"BAD", "x"}};
  const Config config = config_of("limit = \"${LIMIT}\"\nactive = \"${ACTIVE}\"\nname = \"${NAME}\"\n", environment);
  const auto bytes = plugin_config(config, kId, kSchema);
  REQUIRE(bytes.has_value());
  CHECK(value_of(*bytes) == cbor::Value{{"limit", 42}, {"active", true}, {"name", "42"}});
  CHECK(plugin_config(config_of("limit = \"${BAD}\"\n", environment), kId, kSchema).has_error());
}

TEST_CASE("a secret of a plugin is not in its error") {
  const Config config = config_of("limit = 1\npassword = \"918273645x\"\ntoken = 5\n");
  const std::string text = render(plugin_diagnostics(
      config, kId, R"({"properties": {"password": {"type": "integer"}, "token": {"type": "string"}}})"));
  INFO(text);
  CHECK(text.find("password must be an integer") != std::string::npos);
  CHECK(text.find("918273645x") == std::string::npos);
}

TEST_CASE("a schema that is none is the plugin's fault, and does no harm") {
  CHECK(complaint("", "{").find("brings cannot be used") != std::string::npos);
  CHECK(complaint("", "[]").find("it is no JSON object") != std::string::npos);
  CHECK(complaint("limit = 1\n", "{}") == "");
  for (const char* odd :
       {R"({"type": 5, "properties": 7, "required": "x", "enum": {}, "additionalProperties": "no"})",
        R"({"$ref": "#"})", R"({"$ref": "http://elsewhere/"})", R"({"$ref": "#/definitions/none"})",
        R"({"properties": {"limit": {"$ref": "#/definitions/a"}}, "definitions": {"a": {"$ref": "#/definitions/a"}}})",
        R"({"properties": {"limit": {"minimum": "x", "type": [1, 2]}}, "required": [1]})"}) {
    INFO(odd);
    CHECK(complaint("limit = 1\n", odd) == "");
  }
  CHECK(complaint("a = { a = { a = 1 } }\n", R"({"additionalProperties": {"$ref": "#"}, "type": "object"})")
            .find("a.a.a must be a table") != std::string::npos);
}

TEST_CASE("backends and stores get their table with the defaults filled in") {
  FakeSurroundings machine = machine_with(
      "[events]\nbackend = \"kafka\"\n[events.kafka]\nbrokers = [\"a\"]\n[events.redis]\npassword = \"a-password\"\n");
  machine.environment["NEXUS_EVENTS__REDIS__PORT"] = "6380";
  const Loaded loaded = read_from(machine);
  REQUIRE(loaded.ok());
  const cbor::Value redis = value_of(table_config(loaded.config, "events.redis"));
  CHECK(redis.size() == 10);
  CHECK(*redis.find("host") == cbor::Value("localhost"));
  CHECK(*redis.find("port") == cbor::Value(6380));
  CHECK(*redis.find("password") == cbor::Value("a-password"));
  CHECK(*redis.find("ssl") == cbor::Value(false));
  CHECK(value_of(table_config(loaded.config, "events.kafka")) == cbor::Value{{"brokers", cbor::Value::array({"a"})}});
  CHECK(value_of(table_config(loaded.config, "events.none")).size() == 0);
  CHECK(value_of(table_config(loaded.config, "store.sqlite")).find("path") != nullptr);
}
