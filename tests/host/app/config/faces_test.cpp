// show, schema, init, reference and diff, and that config/ is in step with them.
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <catch2/catch_test_macros.hpp>

#include "host/app/config/faces.hpp"
#include "host/app/config/keys.hpp"
#include "host/event/json.hpp"
#include "nexus/cbor.hpp"
#include "tests/host/app/config/fake_surroundings.hpp"

using namespace nexus::host;
using namespace nexus::host::config;
namespace cbor = nexus::cbor;

namespace {

cbor::Value json_value(const std::string& json) {
  const auto bytes = json_to_cbor(json);
  INFO(json);
  REQUIRE(bytes.has_value());
  return cbor::Value::decode(*bytes);
}

std::string file_of(const std::string& name) {
  std::ifstream in(std::string(NEXUS_CONFIG_FOLDER) + "/" + name, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  REQUIRE(in.good());
  return out.str();
}

// The text with every commented assignment and header put into force.
std::string uncommented(const std::string& toml) {
  std::istringstream in(toml);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    const bool assignment =
        line.compare(0, 2, "# ") == 0 && line.find(" = ") != std::string::npos && line.find(' ', 2) == line.find(" = ");
    const bool header = line.compare(0, 3, "# [") == 0 && line.back() == ']';
    out += (assignment || header ? line.substr(2) : line) + '\n';
  }
  return out;
}

constexpr const char* kRich = R"(
[events]
backend = "kafka"
worker_count = 8
[events.kafka]
brokers = ["a"]
[events.redis]
password = "redis-word-1"
[events.rabbitmq]
url = "amqp://u:rabbit-word-2@h/"
[plugins."com.example.orders"]
enabled = false
permissions = { subscribe = ["*"] }
[plugins."com.example.orders".config]
api_token = "token-word-3"
"odd key" = 1
limit = inf
[[events.rules]]
match = "a.*"
[[events.rules]]
match = "b.*"
persist = true
)";

}  // namespace

TEST_CASE("show is TOML that loads again to the same") {
  const Loaded first = read_text(kRich);
  REQUIRE(render(first.diagnostics) == "");
  for (const bool origin : {false, true}) {
    const std::string text = show(first.config, {origin, false});
    const Loaded second = read_text(text);
    INFO(text << render(second.diagnostics));
    REQUIRE(second.ok());
    CHECK(show(second.config) == show(first.config));
    for (const Change& change : diff(first.config, second.config)) {
      // Only what is a secret is not the same.
      CHECK((change.from.find("***") != std::string::npos && change.to.find("***") != std::string::npos));
    }
  }
}

TEST_CASE("show tells where each value is from") {
  FakeSurroundings machine = machine_with(kRich);
  machine.environment["NEXUS_EVENTS__BATCH_SIZE"] = "7";
  const std::string text = show(read_from(machine).config, {true, false});
  const auto has_line = [&](const std::string& begin, const std::string& end) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      if (line.compare(0, begin.size(), begin) == 0 && line.size() > end.size() &&
          line.compare(line.size() - end.size(), end.size(), end) == 0) {
        return true;
      }
    }
    return false;
  };
  INFO(text);
  CHECK(has_line("worker_count = 8 ", "# /etc/nexus/nexus.toml:4"));
  CHECK(has_line("batch_size = 7 ", "# environment NEXUS_EVENTS__BATCH_SIZE"));
  CHECK(has_line("retry_attempts = 3 ", "# default"));
  CHECK(has_line("enabled = false ", "# /etc/nexus/nexus.toml:12"));
  CHECK(has_line("thread = \"shared\" ", "# default"));
  CHECK(has_line("api_token = \"***\" ", "# /etc/nexus/nexus.toml:15"));
  CHECK(has_line("brokers = [\"a\"] ", "# /etc/nexus/nexus.toml:6"));
  CHECK(has_line("match = \"b.*\" ", "# /etc/nexus/nexus.toml:21"));
}

TEST_CASE("show as JSON is nested without origins and flat with them") {
  const Loaded loaded = read_text(kRich);
  const cbor::Value nested = json_value(show(loaded.config, {false, true}));
  CHECK(nested.at("events").at("worker_count") == cbor::Value(8));
  CHECK(nested.at("events").at("redis").at("password") == cbor::Value("***"));
  CHECK(nested.at("events").at("rabbitmq").at("url") == cbor::Value("amqp://u:***@h/"));
  CHECK(nested.at("events").at("rules").items().at(1).at("persist") == cbor::Value(true));
  CHECK(nested.at("plugins").find("com.example.orders")->at("config").at("odd key") == cbor::Value(1));
  CHECK(nested.at("plugins").find("com.example.orders")->at("permissions").at("subscribe").size() == 1);
  const cbor::Value flat = json_value(show(loaded.config, {true, true}));
  CHECK(flat.find("events.worker_count")->at("value") == cbor::Value(8));
  CHECK(flat.find("events.worker_count")->at("origin") == cbor::Value("/etc/nexus/nexus.toml:4"));
  CHECK(flat.find("log.level")->at("origin") == cbor::Value("default"));
}

TEST_CASE("show of a config without a document shows its values") {
  const Config config;
  CHECK(show(config).find("worker_count = 0") != std::string::npos);
  CHECK(diff(config, config).empty());
}

TEST_CASE("the schema knows every key") {
  const cbor::Value root = json_value(schema());
  CHECK(root.at("$schema") == cbor::Value("http://json-schema.org/draft-07/schema#"));
  const auto described = [&](std::span<const Key> keys, const cbor::Value& top) {
    for (const Key& key : keys) {
      const cbor::Value* at = &top;
      INFO(key.path);
      for (const std::string_view name : split(key.path, '.')) {
        at = at->at("properties").find(name);
        REQUIRE(at);
      }
      CHECK(at->at("description").get<std::string>().find(key.text) == 0);
      CHECK((at->find("default") == nullptr) == key.default_value.empty());
      CHECK((at->find("minimum") != nullptr) == key.bounded());
    }
  };
  described(host_keys(), root);
  described(plugin_keys(), root.at("definitions").at("plugin"));
  described(rule_keys(), root.at("definitions").at("rule"));
}

TEST_CASE("a first nexus.toml sets nothing, and all it mentions is right") {
  CHECK(render(read_text(init()).diagnostics) == "");
  CHECK(diff(read_text("").config, read_text(init()).config).empty());
  const Loaded all = read_text(uncommented(init()));
  INFO(uncommented(init()) << render(all.diagnostics));
  REQUIRE(all.ok());
  for (const Change& change : diff(read_text("").config, all.config)) {
    // The defaults are the defaults; only the examples are new.
    INFO(change.key);
    CHECK((change.key.find("plugins.\"com.example.orders\"") == 0 || change.key == "events.rules"));
  }
}

TEST_CASE("the table of keys is sound") {
  std::set<std::string_view> seen;
  for (const Key& key : host_keys()) {
    INFO(key.path);
    CHECK(seen.insert(key.path).second);
    CHECK_FALSE(key.default_value.empty());
    CHECK(key.text.back() == '.');
    CHECK((key.type == Type::choice) == !key.choices.empty());
    const bool number = key.type == Type::integer || key.type == Type::number;
    CHECK(number == key.bounded());
    const auto section = key.path.substr(0, key.path.rfind('.'));
    CHECK(std::any_of(sections().begin(), sections().end(), [&](const Section& s) { return s.path == section; }));
  }
}

TEST_CASE("the reference in config/README.md is in step with the table") {
  const std::string text = file_of("README.md");
  const std::string begin =
      "<!-- reference: from the table of keys; `NEXUS_REWRITE=1 config_test` writes it anew -->\n";
  const std::string end = "<!-- end of reference -->\n";
  const auto from = text.find(begin);
  const auto to = text.find(end);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  if (std::getenv("NEXUS_REWRITE")) {
    std::ofstream(std::string(NEXUS_CONFIG_FOLDER) + "/README.md", std::ios::binary)
        << text.substr(0, from + begin.size()) << reference() << text.substr(to);
    return;
  }
  CHECK(text.substr(from + begin.size(), to - from - begin.size()) == reference());
}

TEST_CASE("config/nexus.toml names every key with its default, and loads") {
  const std::string text = file_of("nexus.toml");
  FakeSurroundings machine = machine_with(text);
  machine.environment["NEXUS_LOG_FILE"] = "/var/log/web.log";  // as ./dev run sets it
  const Loaded loaded = read_from(machine);
  CHECK(render(loaded.diagnostics) == "");
  CHECK(show(loaded.config).find("paths = [\"/var/log/web.log\"]") != std::string::npos);
  CHECK(show(loaded.config).find("path = \"/etc/build/data/audit.jsonl\"") != std::string::npos);
  for (const Key& key : host_keys()) {
    const std::string line = "# " + std::string(key.name()) + " = " + std::string(key.default_value) + "\n";
    INFO(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("the small files in config/ load, and do what they are for") {
  const auto loaded_from = [](const std::string& name, std::map<std::string, std::string> environment = {}) {
    FakeSurroundings machine = machine_with(file_of(name));
    machine.environment = std::move(environment);
    machine.files["/run/credentials/nexus/redis"] = "a-redis-word\n";
    Loaded loaded = read_from(machine);
    INFO(name << "\n" << render(loaded.diagnostics));
    REQUIRE(loaded.diagnostics.empty());
    return std::move(loaded.config);
  };
  const Config service = loaded_from("service.toml");
  CHECK(service.host.data_dir == "/var/lib/nexus");
  CHECK(service.control.socket == "/run/nexus/nexus.sock");
  const Config durable = loaded_from("durable.toml");
  CHECK(durable.events.persist_events);
  CHECK(durable.events.durability == "durable");
  const Config development = loaded_from("development.toml");
  CHECK(development.log.level == "debug");
  CHECK(development.plugins.unsafe_permissions);
  const Config redis = loaded_from("redis.toml", {{"REDIS_PASSWORD", "a-redis-word"}});
  CHECK(redis.events.backend == "redis");
  CHECK(redis.events.redis.password == "a-redis-word");
  const Config rabbitmq = loaded_from("rabbitmq.toml", {{"RABBITMQ_URL", "amqps://u:a-rabbit-word@h/"}});
  CHECK(rabbitmq.events.backend == "rabbitmq");
}

TEST_CASE("a changed config tells what changed and what needs a restart") {
  const Loaded before = read_text(kRich);
  FakeSurroundings machine = machine_with(R"(
[log]
level = "debug"
[events]
backend = "kafka"
worker_count = 9
[events.kafka]
brokers = ["b"]
[events.redis]
password = "redis-word-9"
[events.rabbitmq]
url = "amqp://u:rabbit-word-2@h/"
[plugins."com.example.orders"]
permissions = { subscribe = ["*"] }
[plugins."com.example.orders".config]
api_token = "token-word-8"
"odd key" = 1
limit = inf
[plugins."com.example.new"]
thread = "own"
)");
  const auto changes = diff(before.config, read_from(machine).config);
  std::map<std::string, Change> by_key;
  for (const Change& change : changes) by_key[change.key] = change;
  CHECK(by_key.size() == 8);
  CHECK(by_key.at("log.level").from == "\"info\"");
  CHECK(by_key.at("log.level").to == "\"debug\"");
  CHECK_FALSE(by_key.at("log.level").restart);
  CHECK(by_key.at("events.worker_count").restart);
  CHECK(by_key.at("events.redis.password").from == "\"***\"");
  CHECK(by_key.at("events.redis.password").to == "\"***\"");
  CHECK(by_key.at("events.kafka").to == "{brokers = [\"b\"]}");
  CHECK(by_key.at("events.rules").to.empty());
  const std::string plugin = "plugins.\"com.example.orders\".";
  CHECK(by_key.at(plugin + "enabled").plugin == "com.example.orders");
  CHECK_FALSE(by_key.at(plugin + "enabled").restart);
  CHECK(by_key.at(plugin + "config").to.find("api_token = \"***\"") != std::string::npos);
  CHECK(by_key.at("plugins.\"com.example.new\".thread").to == "\"own\"");
  for (const Change& change : changes) CHECK((change.from + change.to).find("word") == std::string::npos);
}
