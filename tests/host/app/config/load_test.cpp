#include <catch2/catch_test_macros.hpp>

#include "host/app/config/document.hpp"
#include "host/app/config/keys.hpp"
#include "tests/host/app/config/fake_surroundings.hpp"

using namespace nexus::host;
using namespace nexus::host::config;

namespace {

std::string origin_of(const Config& config, std::string_view path) {
  const Node* const node = config.document->at(path);
  return node ? config.document->origin(node->place).text() : "nowhere";
}

}  // namespace

TEST_CASE("without a file everything has its default") {
  FakeSurroundings machine;
  machine.environment["HOME"] = "/home/ann";
  machine.environment["XDG_RUNTIME_DIR"] = "/run/user/7";
  const Loaded loaded = read_from(machine, "");
  REQUIRE(render(loaded.diagnostics) == "");
  const Config& config = loaded.config;
  CHECK(config.file.empty());
  CHECK(config.host.data_dir == "/home/ann/.local/share/nexus");
  CHECK(config.host.shutdown_deadline == 30.0);
  CHECK(config.control.socket == "/run/user/7/nexus.sock");
  CHECK(config.plugins.directories == std::vector<std::string>{"/here/plugins"});
  CHECK(config.plugins.watch);
  CHECK(config.store.sqlite_path == "/home/ann/.local/share/nexus/events.db");
}

TEST_CASE("the defaults of the bus are those that the page names") {
  const Loaded loaded = read_text("");
  REQUIRE(loaded.ok());
  const EventsConfig& events = loaded.config.events;
  CHECK(events.backend == "memory");
  CHECK(events.max_queue_size == 10000);
  CHECK(events.worker_count == 4);
  CHECK(events.retry_attempts == 3);
  CHECK(events.retry_delay == 1.0);
  CHECK(events.exponential_backoff);
  CHECK_FALSE(events.persist_events);
  CHECK(events.event_retention_days == 30);
  CHECK(events.batch_size == 100);
  CHECK(events.flush_interval == 1.0);
  CHECK(events.enable_metrics);
  CHECK(events.enable_tracing);
  CHECK(events.redis.host == "localhost");
  CHECK(events.redis.port == 6379);
  CHECK(events.redis.database == 0);
  CHECK_FALSE(events.redis.ssl);
  CHECK(events.redis.pool_size == 10);
  CHECK(events.redis.channel_prefix == "nexus:events");
  CHECK(events.redis.stream_name == "nexus:event_stream");
  CHECK(events.redis.consumer_group == "nexus:processors");
  CHECK(events.redis.max_stream_length == 100000);
}

TEST_CASE("the file sets values, and what it leaves out keeps its default") {
  const Loaded loaded = read_text(R"(
[events]
worker_count = 8
overflow = "drop_oldest"
retry_delay = 2
[events.redis]
port = 6380
[plugins]
directory = ["a", "/b/", "../c/./d"]
[[events.rules]]
match = "order.*"
persist = true
expires = 60.0
[[events.rules]]
match = "*.error"
durability = "relaxed"
)");
  REQUIRE(render(loaded.diagnostics) == "");
  const Config& config = loaded.config;
  CHECK(config.file == kMainFile);
  CHECK(config.events.worker_count == 8);
  CHECK(config.events.overflow == "drop_oldest");
  CHECK(config.events.retry_delay == 2.0);
  CHECK(config.events.retry_attempts == 3);
  CHECK(config.events.redis.port == 6380);
  CHECK(config.events.redis.host == "localhost");
  CHECK(config.plugins.directories == std::vector<std::string>{"/etc/nexus/a", "/b", "/etc/c/d"});
  REQUIRE(config.events.rules.size() == 2);
  CHECK(config.events.rules[0].match == "order.*");
  CHECK(config.events.rules[0].persist == true);
  CHECK(config.events.rules[0].expires == 60.0);
  CHECK_FALSE(config.events.rules[0].durability.has_value());
  CHECK(config.events.rules[1].durability == "relaxed");
}

TEST_CASE("plugins have settings of their own") {
  const Loaded loaded = read_text(R"(
[plugins."com.example.orders"]
enabled = false
thread = "own"
permissions = { emit = ["order.*"], subscribe = ["*"], control = true }
[plugins."com.example.orders".config]
anything = { nested = [1, 2] }
)");
  REQUIRE(render(loaded.diagnostics) == "");
  const PluginConfig& plugin = loaded.config.plugins.of("com.example.orders");
  CHECK_FALSE(plugin.enabled);
  CHECK(plugin.thread == "own");
  CHECK(plugin.permissions.emit == std::vector<std::string>{"order.*"});
  CHECK(plugin.permissions.subscribe == std::vector<std::string>{"*"});
  CHECK(plugin.permissions.control);
  CHECK_FALSE(plugin.permissions.forward);
  const PluginConfig& other = loaded.config.plugins.of("com.example.other");
  CHECK(other.enabled);
  CHECK(other.thread == "shared");
  CHECK_FALSE(other.permissions.emit.has_value());
}

TEST_CASE("an empty list of permissions grants nothing, an absent one all") {
  const Loaded loaded = read_text("[plugins.\"com.example.a\"]\npermissions.emit = []\n");
  REQUIRE(render(loaded.diagnostics) == "");
  const auto& permissions = loaded.config.plugins.of("com.example.a").permissions;
  REQUIRE(permissions.emit.has_value());
  CHECK(permissions.emit->empty());
  CHECK_FALSE(permissions.subscribe.has_value());
}

TEST_CASE("conf.d is laid over the main file in the order of its names") {
  FakeSurroundings machine = machine_with(
      "[events]\nworker_count = 1\nbatch_size = 1\nretry_attempts = 1\n[[events.rules]]\nmatch = \"a.*\"\n");
  machine.files["/etc/nexus/conf.d/20-b.toml"] = "[events]\nworker_count = 3\n[[events.rules]]\nmatch = \"c.*\"\n";
  machine.files["/etc/nexus/conf.d/10-a.toml"] =
      "[events]\nworker_count = 2\nbatch_size = 2\n[[events.rules]]\nmatch = \"b.*\"\n[plugins]\ndirectory = \"x\"\n";
  machine.files["/etc/nexus/conf.d/README.md"] = "= not TOML =";
  machine.files["/etc/nexus/conf.d/.hidden.toml"] = "= not TOML =";
  const Loaded loaded = read_from(machine);
  REQUIRE(render(loaded.diagnostics) == "");
  const Config& config = loaded.config;
  CHECK(config.events.worker_count == 3);
  CHECK(config.events.batch_size == 2);
  CHECK(config.events.retry_attempts == 1);
  REQUIRE(config.events.rules.size() == 3);
  CHECK(config.events.rules[1].match == "b.*");
  CHECK(config.events.rules[2].match == "c.*");
  // Paths start at the main file's folder wherever they are written.
  CHECK(config.plugins.directories == std::vector<std::string>{"/etc/nexus/x"});
  CHECK(origin_of(config, "events.worker_count") == "/etc/nexus/conf.d/20-b.toml:2");
  CHECK(origin_of(config, "events.batch_size") == "/etc/nexus/conf.d/10-a.toml:3");
  CHECK(origin_of(config, "events.retry_attempts") == "/etc/nexus/nexus.toml:4");
  CHECK(origin_of(config, "events.retry_delay") == "default");
}

TEST_CASE("variables are stronger than files, the command line is stronger than all") {
  FakeSurroundings machine = machine_with("[events]\nworker_count = 2\nbatch_size = 2\n[log]\nlevel = \"warn\"\n");
  machine.environment = {{"NEXUS_EVENTS__WORKER_COUNT", "8"},
                         {"NEXUS_EVENTS__BATCH_SIZE", "16"},
                         {"NEXUS_EVENTS__PERSIST_EVENTS", "yes"},
                         {"NEXUS_EVENTS__RETRY_DELAY", "0.25"},
                         {"NEXUS_EVENTS__REDIS__PASSWORD", "${not a reference"},
                         {"NEXUS_PLUGINS__DIRECTORY", "p,/q"},
                         {"NEXUS_PORT_8080_TCP", "tcp://10.0.0.1"},
                         {"NEXUS_CONFIG", "ignored"},
                         {"OTHER__THING", "1"}};
  LoadOptions options;
  options.file = kMainFile;
  options.surroundings = &machine;
  options.overrides = {{"events.worker_count", "3", "--workers"}};
  const Loaded loaded = read(options);
  REQUIRE(render(loaded.diagnostics) == "");
  const Config& config = loaded.config;
  CHECK(config.events.worker_count == 3);
  CHECK(config.events.batch_size == 16);
  CHECK(config.events.persist_events);
  CHECK(config.events.retry_delay == 0.25);
  CHECK(config.events.redis.password == "${not a reference");
  CHECK(config.log.level == "warn");
  // What is typed into a shell starts where the shell stands.
  CHECK(config.plugins.directories == std::vector<std::string>{"/here/p", "/q"});
  CHECK(origin_of(config, "events.worker_count") == "command line --workers");
  CHECK(origin_of(config, "events.batch_size") == "environment NEXUS_EVENTS__BATCH_SIZE");
}

TEST_CASE("a list in a variable may be TOML") {
  FakeSurroundings machine = machine_with("");
  machine.environment["NEXUS_PLUGINS__DIRECTORY"] = R"(["/a,b", "/c"])";
  const Loaded loaded = read_from(machine);
  REQUIRE(render(loaded.diagnostics) == "");
  CHECK(loaded.config.plugins.directories == std::vector<std::string>{"/a,b", "/c"});
}

TEST_CASE("a plugin's settings can come from variables, whose names have no dots") {
  FakeSurroundings machine = machine_with("[plugins.\"com.example.mail-er\"]\n");
  machine.environment = {{"NEXUS_PLUGINS__COM_EXAMPLE_MAIL_ER__ENABLED", "false"},
                         {"NEXUS_PLUGINS__COM_EXAMPLE_MAIL_ER__CONFIG__LIMIT", "7"},
                         {"NEXUS_PLUGINS__COM_EXAMPLE_NEW__THREAD", "own"},
                         {"NEXUS_PLUGINS__com.example.dotted__THREAD", "own"}};
  const Loaded loaded = read_from(machine);
  REQUIRE(render(loaded.diagnostics) == "");
  const auto& plugins = loaded.config.plugins;
  CHECK_FALSE(plugins.of("com.example.mail-er").enabled);
  CHECK(plugins.of("com.example.new").thread == "own");
  CHECK(plugins.of("com.example.dotted").thread == "own");
  const Node* const all = loaded.config.document->at("plugins");
  const Node& config = all->find("com.example.mail-er")->node.find("config")->node;
  CHECK(config.find("limit")->node.kind == Node::Kind::integer);
}

TEST_CASE("a backend that a plugin provides has a table of its own") {
  FakeSurroundings machine = machine_with("[events]\nbackend = \"kafka\"\n[events.kafka]\nbrokers = [\"a:1\"]\n");
  machine.environment["NEXUS_EVENTS__KAFKA__LINGER"] = "5";
  const Loaded loaded = read_from(machine);
  REQUIRE(render(loaded.diagnostics) == "");
  CHECK(loaded.config.document->at("events.kafka.linger")->integer == 5);
  CHECK_FALSE(read_text("[events.kafka]\nbrokers = []\n").ok());
}

TEST_CASE("the file is found where it is told, or at the known places") {
  FakeSurroundings machine;
  machine.environment["HOME"] = "/home/ann";
  CHECK(find_file("given.toml", &machine) == "given.toml");
  CHECK(find_file("", &machine) == "");
  machine.files["/etc/nexus/nexus.toml"] = "";
  CHECK(find_file("", &machine) == "/etc/nexus/nexus.toml");
  machine.files["/home/ann/.config/nexus/nexus.toml"] = "";
  CHECK(find_file("", &machine) == "/home/ann/.config/nexus/nexus.toml");
  machine.files["nexus.toml"] = "";
  CHECK(find_file("", &machine) == "nexus.toml");
  machine.environment["NEXUS_CONFIG"] = "/x.toml";
  CHECK(find_file("", &machine) == "/x.toml");
}

TEST_CASE("load gives the config, or one error with all that is wrong") {
  FakeSurroundings machine = machine_with("[events]\nworker_count = 0\nbatch_size = 0\n");
  LoadOptions options;
  options.file = kMainFile;
  options.surroundings = &machine;
  const auto bad = load(options);
  REQUIRE(bad.has_error());
  CHECK(bad.error().code == NEXUS_E_SCHEMA);
  CHECK(bad.error().message.find("worker_count") != std::string::npos);
  CHECK(bad.error().message.find("batch_size") != std::string::npos);
  machine.files[kMainFile] = "[events]\nworker_count = 1\n";
  const auto good = load(options);
  REQUIRE(good.has_value());
  CHECK(good->events.worker_count == 1);
}

TEST_CASE("a file that is missing or too large is an error, not a default") {
  CHECK(render(read_from(FakeSurroundings{}).diagnostics) ==
        "/etc/nexus/nexus.toml: error: cannot read /etc/nexus/nexus.toml: no such file\n");
  CHECK_FALSE(read_text(std::string(2 << 20, '\n')).ok());
}

TEST_CASE("values in other notations of TOML are the same values") {
  const Loaded loaded = read_text(
      "events = { worker_count = 0x10, max_queue_size = 20_000 }\nlog.level = '''debug'''\n"
      "host.\"name\" = \"\"\"n\\u0031\"\"\"\n");
  REQUIRE(render(loaded.diagnostics) == "");
  CHECK(loaded.config.events.worker_count == 16);
  CHECK(loaded.config.events.max_queue_size == 20000);
  CHECK(loaded.config.log.level == "debug");
  CHECK(loaded.config.host.name == "n1");
}

TEST_CASE("a byte order mark and carriage returns change nothing") {
  const Loaded loaded = read_text("\xef\xbb\xbf[events]\r\nworker_count = 5\r\n# end\r\n");
  REQUIRE(render(loaded.diagnostics) == "");
  CHECK(loaded.config.events.worker_count == 5);
  CHECK(only_error("\xef\xbb\xbf[evnts]\r\n") ==
        "/etc/nexus/nexus.toml:1:2: error: unknown table [evnts]\n"
        "    1 | [evnts]\n"
        "      |  ^~~~~\n"
        "      = help: did you mean 'events'?\n");
}
