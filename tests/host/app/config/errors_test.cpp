// What is wrong with a config, and how it is said.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "host/app/config/convert.hpp"
#include "host/app/config/keys.hpp"
#include "tests/host/app/config/fake_surroundings.hpp"

using namespace nexus::host;
using namespace nexus::host::config;

namespace {

std::string with_key(const Key& key, const std::string& value) {
  const auto dot = key.path.rfind('.');
  return "[" + std::string(key.path.substr(0, dot)) + "]\n" + std::string(key.path.substr(dot + 1)) + " = " + value +
         "\n";
}

bool is_text(const Key& key) { return key.type >= Type::string && key.type <= Type::pattern; }

// Values of every type of TOML that the key does not take.
std::vector<std::string> wrong_values(const Key& key) {
  std::vector<std::string> out{"{ a = 1 }", "1979-05-27", "1979-05-27T07:32:00Z", "07:32:00", "[[1]]"};
  if (key.type != Type::boolean) out.insert(out.end(), {"true", "false"});
  if (key.type != Type::integer && key.type != Type::number) out.push_back("77");
  if (key.type != Type::number) out.push_back("77.5");
  if (key.type == Type::number) out.insert(out.end(), {"nan", "inf", "-inf"});
  if (!is_text(key) && key.type != Type::paths) out.insert(out.end(), {"\"\"", "\"word\"", "\"77\"", "\"true\""});
  if (key.type != Type::paths && key.type != Type::patterns) out.push_back("[\"a\"]");
  return out;
}

}  // namespace

TEST_CASE("every key refuses every wrong type, at its place") {
  for (const Key& key : host_keys()) {
    for (const std::string& value : wrong_values(key)) {
      const Loaded loaded = read_text(with_key(key, value));
      INFO(key.path << " = " << value << "\n" << render(loaded.diagnostics));
      REQUIRE(loaded.diagnostics.size() == 1);
      const Diagnostic& error = loaded.diagnostics[0];
      CHECK(error.key == key.path);
      CHECK(error.line == 2);
      CHECK(error.column >= key.name().size() + 4);
      CHECK(error.message.find(key.path) == 0);
      CHECK(error.message.find(" must be ") != std::string::npos);
    }
  }
}

TEST_CASE("every bounded key takes its bounds and nothing beyond") {
  for (const Key& key : host_keys()) {
    if (!key.bounded()) continue;
    for (const double bound : {key.low, key.high}) {
      // A delay must not be above its own maximum, which is another key's business.
      if (key.path == "events.retry_delay" || key.path == "events.retry_delay_max") continue;
      INFO(key.path << " = " << bound);
      CHECK(render(read_text(with_key(key, number_text(bound))).diagnostics) == "");
    }
    for (const double beyond : {key.low - 1, key.high + 1}) {
      const Loaded loaded = read_text(with_key(key, number_text(beyond)));
      INFO(key.path << " = " << beyond << "\n" << render(loaded.diagnostics));
      REQUIRE_FALSE(loaded.ok());
      CHECK(loaded.diagnostics[0].key == key.path);
      CHECK(loaded.diagnostics[0].message.find("allowed is " + number_text(key.low) + " to " + number_text(key.high)) !=
            std::string::npos);
    }
  }
}

TEST_CASE("every choice is taken, and no other word") {
  for (const Key& key : host_keys()) {
    if (key.type != Type::choice) continue;
    for (const std::string_view choice : split(key.choices, '|')) {
      CHECK(render(read_text(with_key(key, "\"" + std::string(choice) + "\"")).diagnostics) == "");
    }
    CHECK_FALSE(read_text(with_key(key, "\"other\"")).ok());
    CHECK_FALSE(read_text(with_key(key, "\"\"")).ok());
  }
}

TEST_CASE("every key's misspelling names the key") {
  for (const Key& key : host_keys()) {
    const std::string name(key.name());
    for (const std::string& wrong : {name + "x", name.substr(0, name.size() - 1), name.substr(1)}) {
      if (name.size() < 4) continue;
      const auto dot = key.path.rfind('.');
      const std::string toml = "[" + std::string(key.path.substr(0, dot)) + "]\n" + wrong + " = 1\n";
      const Loaded loaded = read_text(toml);
      INFO(toml << render(loaded.diagnostics));
      REQUIRE(loaded.diagnostics.size() == 1);
      CHECK(loaded.diagnostics[0].help == "did you mean '" + name + "'?");
    }
  }
}

TEST_CASE("the words of an error") {
  CHECK(only_error("[events]\nworker_cuont = 8\n") ==
        "/etc/nexus/nexus.toml:2:1: error: unknown key 'worker_cuont' in [events]\n"
        "    2 | worker_cuont = 8\n"
        "      | ^~~~~~~~~~~~\n"
        "      = help: did you mean 'worker_count'?\n");
  CHECK(only_error("[events]\nworker_count = \"four\"\n") ==
        "/etc/nexus/nexus.toml:2:16: error: events.worker_count must be an integer from 1 to 1024 threads, found the "
        "string \"four\"\n"
        "    2 | worker_count = \"four\"\n"
        "      |                ^~~~~~\n");
  CHECK(only_error("[events]\nworker_count = \"4\"\n").find("help: write it without quotes") != std::string::npos);
  CHECK(only_error("[events]\npersist_events = \"true\"\n").find("help: write true or false, without quotes") !=
        std::string::npos);
  CHECK(only_error("[log]\nlevel = \"dbug\"\n").find("help: did you mean 'debug'?") != std::string::npos);
  CHECK(only_error("[log]\ndirectory = \"x\"\n").find("help: 'directory' belongs to [plugins]") != std::string::npos);
  CHECK(only_error("worker_count = 4\n").find("unknown key 'worker_count' outside of any table") != std::string::npos);
  CHECK(only_error("events = 4\n").find("events must be a table, found the integer 4") != std::string::npos);
  CHECK(only_error("[events]\nredis = []\n").find("events.redis must be a table, found an array") != std::string::npos);
  CHECK(only_error("[[events]]\nworker_count = 1\n").find("events must be a table, found an array") !=
        std::string::npos);
  CHECK(only_error("[events]\nretry_delay = 400\n").find("which is more than events.retry_delay_max, 300") !=
        std::string::npos);
  CHECK(only_error("[control]\nsocket = \"/" + std::string(107, 'x') + "\"\n").find("too long for a Unix socket") !=
        std::string::npos);
  CHECK(only_error("[events.rabbitmq]\nurl = \"http://h\"\n").find("must begin with amqp:// or amqps://") !=
        std::string::npos);
  CHECK(only_error("[host]\nname = \"\"\n").find("host.name must not be empty") != std::string::npos);
  CHECK(only_error("[host]\ndata_dir = \"a\\u0000b\"\n").find("must not hold a zero character") != std::string::npos);
}

TEST_CASE("columns count characters, not bytes") {
  CHECK(only_error("[host]\n\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\" = 1\n") ==
        "/etc/nexus/nexus.toml:2:1: error: unknown key '\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80' in [host]\n"
        "    2 | \"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\" = 1\n"
        "      | ^~~~~\n");
  CHECK(only_error("[plugins.\"com.example.a\"]\npermissions = { emit = [\"\xc3\xa4\"], subscribe = [\"a\"] }\n")
            .find(":2:25: error:") != std::string::npos);
  CHECK(only_error("[plugins]\ndirectory = [\"\xc3\xa4\xc3\xb6\", 5]\n").find("      |                    ^\n") !=
        std::string::npos);
}

TEST_CASE("plugins' tables are checked like the host's") {
  const std::string head = "[plugins.\"com.example.a\"]\n";
  CHECK(only_error(head + "enabeld = true\n").find("did you mean 'enabled'?") != std::string::npos);
  CHECK(only_error(head + "limit = 5\n").find("stand in [plugins.\"com.example.a\".config]") != std::string::npos);
  CHECK(only_error(head + "thread = \"mine\"\n").find("allowed is shared or own") != std::string::npos);
  CHECK(only_error(head + "config = 5\n").find(".config must be a table") != std::string::npos);
  CHECK(only_error(head + "permissions = [1]\n").find(".permissions must be a table") != std::string::npos);
  CHECK(only_error(head + "permissions.subscibe = []\n").find("did you mean 'subscribe'?") != std::string::npos);
  CHECK(only_error(head + "permissions.emit = [\"a..b\"]\n").find("permissions.emit: pattern \"a..b\"") !=
        std::string::npos);
  CHECK(only_error(head + "permissions.emit = \"a\"\n").find("must be an array of patterns") != std::string::npos);
  CHECK(only_error("[plugins.com.example.a]\nenabled = true\n")
            .find("a plugin's id is put in quotes: [plugins.\"com.example.a\"]") != std::string::npos);
  CHECK(only_error("[plugins.\"Com Example\"]\n").find("is no plugin id") != std::string::npos);
  CHECK(only_error("[plugins]\nwacth = true\n").find("did you mean 'watch'?") != std::string::npos);
}

TEST_CASE("rules are checked like the rest") {
  CHECK(only_error("[[events.rules]]\npersist = true\n").find("events.rules[0].match is missing") != std::string::npos);
  CHECK(only_error("[events.rules]\nmatch = \"a\"\n").find("begin each rule with [[events.rules]]") !=
        std::string::npos);
  CHECK(only_error("[events]\nrules = [1]\n").find("must be an array of tables") != std::string::npos);
  CHECK(only_error("[[events.rules]]\nmatch = \"a\"\nexpire = 1.0\n").find("did you mean 'expires'?") !=
        std::string::npos);
  CHECK(only_error("[[events.rules]]\nmatch = \"A\"\n").find("events.rules[0].match: pattern") != std::string::npos);
  CHECK(only_error("[[events.rules]]\nmatch = \"a\"\nexpires = 0\n").find("allowed is 0.001 to") != std::string::npos);
}

TEST_CASE("variables' errors name the variable") {
  FakeSurroundings machine = machine_with("");
  machine.environment = {
      {"NEXUS_EVENTS__WORKERCOUNT", "1"}, {"NEXUS_EVENTS__RULES__0", "x"}, {"NEXUS_LOG__LEVEL", "loud"}};
  const std::string text = render(read_from(machine).diagnostics);
  CHECK(
      text ==
      "environment variable NEXUS_EVENTS__RULES__0: error: this variable names no config key\n"
      "      = help: rules are set in the file only\n"
      "environment variable NEXUS_EVENTS__WORKERCOUNT: error: this variable names no config key\n"
      "      = help: did you mean 'NEXUS_EVENTS__WORKER_COUNT'?\n"
      "environment variable NEXUS_LOG__LEVEL: error: log.level is \"loud\"; allowed is trace, debug, info, warn, error "
      "or off\n");
}

TEST_CASE("a variable that lacks an underscore is warned of, unless the file uses it") {
  FakeSurroundings machine = machine_with("");
  machine.environment = {{"NEXUS_LOG_FILE", "/x"}};
  const Loaded loaded = read_from(machine);
  CHECK(loaded.ok());
  CHECK(render(loaded.diagnostics).find("warning: this variable has no effect") != std::string::npos);
  CHECK(loaded.diagnostics[0].help.find("NEXUS_LOG__FILE") != std::string::npos);
  machine.files[kMainFile] = "[plugins.\"com.example.tail\".config]\npath = \"${NEXUS_LOG_FILE}\"\n";
  CHECK(read_from(machine).diagnostics.empty());
}

TEST_CASE("a variable's text is typed by its key") {
  for (const auto& [name, value] : std::map<std::string, std::string>{{"NEXUS_EVENTS__WORKER_COUNT", "four"},
                                                                      {"NEXUS_EVENTS__WORKER_COUNT", ""},
                                                                      {"NEXUS_EVENTS__WORKER_COUNT", "4.5"},
                                                                      {"NEXUS_EVENTS__WORKER_COUNT", "1\n[log]"},
                                                                      {"NEXUS_EVENTS__RETRY_DELAY", "nan"},
                                                                      {"NEXUS_EVENTS__PERSIST_EVENTS", "perhaps"},
                                                                      {"NEXUS_PLUGINS__DIRECTORY", "[1"},
                                                                      {"NEXUS_PLUGINS__DIRECTORY", "a,,b"}}) {
    FakeSurroundings machine = machine_with("");
    machine.environment[name] = value;
    INFO(name << "=" << value);
    CHECK(read_from(machine).diagnostics.size() == 1);
  }
}

TEST_CASE("an override of an unknown key is an error that names the option") {
  FakeSurroundings machine;
  LoadOptions options;
  options.surroundings = &machine;
  options.overrides = {{"plugins.dir", "x", "--plugins-dir"}};
  CHECK(render(read(options).diagnostics) == "command line --plugins-dir: error: 'plugins.dir' is no config key\n");
}

TEST_CASE("all errors of all files are told at once, in the order of the text") {
  FakeSurroundings machine = machine_with("[events]\nworker_count = 0\nbatch_size = \n[log]\nlevel = 1\nformat = \n");
  machine.files["/etc/nexus/conf.d/a.toml"] = "[evnts]\n";
  const Loaded loaded = read_from(machine);
  std::vector<std::pair<std::string, uint32_t>> places;
  for (const auto& diagnostic : loaded.diagnostics) places.emplace_back(diagnostic.file, diagnostic.line);
  CHECK(places == std::vector<std::pair<std::string, uint32_t>>{
                      {kMainFile, 2}, {kMainFile, 3}, {kMainFile, 5}, {kMainFile, 6}, {"/etc/nexus/conf.d/a.toml", 1}});
}

TEST_CASE("there is an end to the errors that are shown") {
  std::string toml;
  for (int i = 0; i < 5000; ++i) toml += "key" + std::to_string(i) + " = 1\n";
  const Loaded loaded = read_text(toml);
  CHECK(loaded.diagnostics.size() == kDiagnosticsMax + 1);
  CHECK(loaded.diagnostics.back().message == "too many errors; the rest is not shown");
}
