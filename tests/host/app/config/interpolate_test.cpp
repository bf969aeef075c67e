// `${NAME}`, `${NAME:-default}` and `file:/path`.
#include <catch2/catch_test_macros.hpp>

#include "host/app/config/document.hpp"
#include "host/app/config/faces.hpp"
#include "host/base/secret.hpp"
#include "tests/host/app/config/fake_surroundings.hpp"

using namespace nexus::host;
using namespace nexus::host::config;

namespace {

// What host.name comes to; "error: …" where it does not.
std::string name_of(const std::string& text, const std::map<std::string, std::string>& environment = {},
                    const std::map<std::string, std::string>& files = {}) {
  FakeSurroundings machine = machine_with("[host]\nname = '''" + text + "'''\n");
  machine.environment = environment;
  machine.files.insert(files.begin(), files.end());
  const Loaded loaded = read_from(machine);
  return loaded.ok() ? loaded.config.host.name : "error: " + loaded.diagnostics[0].message;
}

}  // namespace

TEST_CASE("references are replaced by what they stand for") {
  CHECK(name_of("${A}", {{"A", "x"}}) == "x");
  CHECK(name_of("-${A}-${B}-", {{"A", "x"}, {"B", "y"}}) == "-x-y-");
  CHECK(name_of("${A:-d}") == "d");
  CHECK(name_of("${A:-d}", {{"A", ""}}) == "d");
  CHECK(name_of("${A:-d}", {{"A", "x"}}) == "x");
  CHECK(name_of("n${A}", {{"A", ""}}) == "n");
  CHECK(name_of("n${A:-}") == "n");
  CHECK(name_of("${A:-${B:-${C}}}", {{"C", "c"}}) == "c");
  CHECK(name_of("${A:-a:-b}") == "a:-b");
  CHECK(name_of("$${A}") == "${A}");
  CHECK(name_of("$A $ $$ 5$ {x} }") == "$A $ $$ 5$ {x} }");
}

TEST_CASE("what a variable holds is not looked into again") {
  CHECK(name_of("${A}", {{"A", "${B}"}, {"B", "b"}}) == "${B}");
  CHECK(name_of("${A}", {{"A", "file:/x"}}, {{"/x", "content"}}) == "file:/x");
  FakeSurroundings machine = machine_with("[host]\ndata_dir = \"${A}\"\n");
  machine.environment["A"] = "/d/${B}";
  const Loaded loaded = read_from(machine);
  REQUIRE(render(loaded.diagnostics) == "");
  CHECK(loaded.config.host.data_dir == "/d/${B}");
  CHECK(loaded.config.store.sqlite_path == "/d/${B}/events.db");
}

TEST_CASE("a file stands for what it holds, without its last newline") {
  CHECK(name_of("file:/s", {}, {{"/s", "content-1\n"}}) == "content-1");
  CHECK(name_of("file:/s", {}, {{"/s", "content-1\r\n"}}) == "content-1");
  CHECK(name_of("file:/s", {}, {{"/s", "a\nb\n\n"}}) == "a\nb\n");
  CHECK(name_of("file:/s", {}, {{"/s", "${A}"}}) == "${A}");
  CHECK(name_of("file:///s") == "file:///s");
  CHECK(name_of("file:s") == "file:s");
  CHECK(name_of("x file:/s") == "x file:/s");
  CHECK(name_of("file:/s") == "error: host.name: cannot read /s: no such file");
  CHECK(name_of("file:/s", {}, {{"/s", std::string(100'000, 'x')}}).find("too large") != std::string::npos);
}

TEST_CASE("a variable's own value may be a file reference") {
  FakeSurroundings machine = machine_with("");
  machine.environment["NEXUS_EVENTS__REDIS__PASSWORD"] = "file:/run/secrets/redis";
  machine.files["/run/secrets/redis"] = "hunter2\n";
  CHECK(read_from(machine).config.events.redis.password == "hunter2");
}

TEST_CASE("what cannot be replaced is an error that names key and variable") {
  CHECK(name_of("${A}") == "error: host.name: the environment variable A is not set");
  CHECK(name_of("${A:-${B}}") == "error: host.name: the environment variable B is not set");
  CHECK(name_of("${A") == "error: host.name: a \"${\" is not closed");
  CHECK(name_of("${${A}") == "error: host.name: a \"${\" is not closed");
  CHECK(name_of("${}") == "error: host.name: \"${}\" names no variable");
  CHECK(name_of("${1A}") == "error: host.name: \"${1A}\" names no variable");
  CHECK(name_of("${A B}") == "error: host.name: \"${A B}\" names no variable");
  CHECK(name_of("${A-d}") == "error: host.name: \"${A-d}\" names no variable");
  CHECK(name_of("${log.level}") == "error: host.name: \"${log.level}\" names no variable");
  std::string deep = "x";
  for (int i = 0; i < 12; ++i) deep = "${A:-" + deep + "}";
  CHECK(name_of(deep) == "error: host.name: defaults are nested more than 8 deep");
  CHECK(only_error("[events.redis]\npassword = \"${NOT_SET}\"\n") ==
        "/etc/nexus/nexus.toml:2:13: error: events.redis.password: the environment variable NOT_SET is not set\n"
        "    2 | password = \"${NOT_SET}\"\n"
        "      |             ^~~~~~~~~~\n"
        "      = help: set it, or give a default: ${NOT_SET:-default}\n");
}

TEST_CASE("a text can grow to a megabyte, not beyond") {
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "${A}";
  CHECK(name_of(many, {{"A", std::string(1000, 'x')}}).find("longer than 1 MiB") != std::string::npos);
}

TEST_CASE("numbers and booleans may come from variables") {
  FakeSurroundings machine = machine_with(
      "[events]\nworker_count = \"${W}\"\nretry_delay = \"${D:-0.5}\"\npersist_events = \"${P:-true}\"\n"
      "[plugins]\ndirectory = \"${DIRS}\"\n");
  machine.environment = {{"W", "12"}, {"DIRS", "a,b"}};
  const Loaded loaded = read_from(machine);
  REQUIRE(render(loaded.diagnostics) == "");
  CHECK(loaded.config.events.worker_count == 12);
  CHECK(loaded.config.events.retry_delay == 0.5);
  CHECK(loaded.config.events.persist_events);
  CHECK(loaded.config.plugins.directories == std::vector<std::string>{"/etc/nexus/a", "/etc/nexus/b"});
  machine.environment["W"] = "many";
  CHECK(read_from(machine).diagnostics.size() == 1);
}

TEST_CASE("references work in lists, rules and plugins' own tables") {
  FakeSurroundings machine = machine_with(
      "[plugins]\ndirectory = [\"${A}\", \"x/${A}\"]\n[[events.rules]]\nmatch = \"${A}.*\"\n"
      "[plugins.\"com.example.a\".config]\ntoken = \"${A}\"\nlist = [{ deep = \"${A}\" }]\n");
  machine.environment["A"] = "value";
  const Loaded loaded = read_from(machine);
  REQUIRE(render(loaded.diagnostics) == "");
  CHECK(loaded.config.plugins.directories == std::vector<std::string>{"/etc/nexus/value", "/etc/nexus/x/value"});
  CHECK(loaded.config.events.rules[0].match == "value.*");
  CHECK(show(loaded.config).find("list = [{deep = \"value\"}]") != std::string::npos);
  machine.environment.clear();
  CHECK(read_from(machine).diagnostics.size() == 5);
}

TEST_CASE("secrets are known to the log once they are read") {
  FakeSurroundings machine = machine_with(
      "[events.redis]\npassword = \"direct-secret-1\"\n[events.rabbitmq]\nurl = \"amqp://u:url-secret-2@h/\"\n"
      "[store.postgresql]\ndsn = \"host=h password=dsn-secret-3 user=u\"\n"
      "[plugins.\"com.example.a\".config]\napi_token = \"token-secret-4\"\nplain = \"file:/s\"\n"
      "backup = \"https://u:url-secret-6@h/\"\nnested.credentials.value = \"deep-secret-7\"\nmine = "
      "\"${MY_PASSWORD}\"\n"
      "harmless = \"not-a-secret\"\n");
  machine.files["/s"] = "file-secret-5\n";
  machine.environment["MY_PASSWORD"] = "env-secret-8";
  const Loaded loaded = read_from(machine);
  REQUIRE(render(loaded.diagnostics) == "");
  for (const std::string secret : {"direct-secret-1", "url-secret-2", "dsn-secret-3", "token-secret-4", "file-secret-5",
                                   "url-secret-6", "deep-secret-7", "env-secret-8"}) {
    INFO(secret);
    CHECK(redact("a " + secret + " b") == "a *** b");
    for (const bool origin : {false, true}) {
      for (const bool json : {false, true}) {
        CHECK(show(loaded.config, {origin, json}).find(secret) == std::string::npos);
      }
    }
  }
  CHECK(redact("not-a-secret") == "not-a-secret");
  CHECK(show(loaded.config).find("harmless = \"not-a-secret\"") != std::string::npos);
}
