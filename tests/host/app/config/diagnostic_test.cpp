// How a diagnostic looks, and that it gives no secret away.
#include <catch2/catch_test_macros.hpp>

#include "host/app/config/nearest.hpp"
#include "tests/host/app/config/fake_surroundings.hpp"

using namespace nexus::host;
using namespace nexus::host::config;

namespace {

Diagnostic at(std::string line, uint32_t column, uint32_t length) {
  Diagnostic out;
  out.file = "f.toml";
  out.line = 12;
  out.column = column;
  out.length = length;
  out.message = "wrong";
  out.source_line = std::move(line);
  return out;
}

}  // namespace

TEST_CASE("the caret stands below what it means") {
  CHECK(render(at("abc = 1", 1, 3)) == "f.toml:12:1: error: wrong\n   12 | abc = 1\n      | ^~~\n");
  CHECK(render(at("\tabc = 1", 2, 3)) == "f.toml:12:2: error: wrong\n   12 |  abc = 1\n      |  ^~~\n");
  CHECK(render(at("\xc3\xa4\xc3\xb6 = 1", 6, 1)) ==
        "f.toml:12:6: error: wrong\n   12 | \xc3\xa4\xc3\xb6 = 1\n      |      ^\n");
  CHECK(render(at("abc", 4, 1)) == "f.toml:12:4: error: wrong\n   12 | abc\n      |    ^\n");
  CHECK(render(at("abc", 900, 900)) == "f.toml:12:900: error: wrong\n   12 | abc\n      |    ^\n");
  CHECK(render(at("a\x1b"
                  "b",
                  3, 1)) == "f.toml:12:3: error: wrong\n   12 | a\\x1bb\n      |      ^\n");
}

TEST_CASE("of a long line the part around the caret is shown") {
  const std::string text = render(at(std::string(500, 'x') + "!" + std::string(500, 'y'), 501, 1));
  CHECK(text.size() < 600);
  CHECK(text.find("x!y") != std::string::npos);
  const auto bang = text.find('!');
  const auto line_begin = text.rfind('\n', bang);
  const auto caret = text.find('^');
  const auto caret_line = text.rfind('\n', caret);
  CHECK(bang - line_begin == caret - caret_line);
}

TEST_CASE("colours are for those who ask for them") {
  Diagnostic diagnostic = at("abc", 1, 1);
  diagnostic.help = "do this";
  CHECK(render(diagnostic).find('\x1b') == std::string::npos);
  CHECK(render(diagnostic, true).find("\x1b[1;31merror: ") != std::string::npos);
  diagnostic.severity = Severity::warning;
  CHECK(render(diagnostic).find("f.toml:12:1: warning: wrong") == 0);
  CHECK(error_count({diagnostic}) == 0);
}

TEST_CASE("the value of a secret's line is cut") {
  CHECK(cut_secrets("password = \"hunter2\"") == "password = ***");
  CHECK(cut_secrets("  'api-token' = 'x' # y") == "  'api-token' = ***");
  CHECK(cut_secrets("redis = { host = \"h\", password = \"x\", port = 1 }") ==
        "redis = { host = \"h\", password = ***");
  CHECK(cut_secrets("redis.password=\"x\"") == "redis.password= ***");
  CHECK(cut_secrets("url = \"amqp://u:pw@h/\"") == "url = \"amqp://u:***@h/\"");
  CHECK(cut_secrets("password = \"${REDIS_PASSWORD}\"") == "password = \"${REDIS_PASSWORD}\"");
  CHECK(cut_secrets("password = \"file:/run/s\"") == "password = \"file:/run/s\"");
  CHECK(cut_secrets("password = \"${A:-hunter2}\"") == "password = ***");
  CHECK(cut_secrets("limit = 5") == "limit = 5");
}

TEST_CASE("no error shows a secret") {
  FakeSurroundings machine;
  for (const std::string toml : {
           "[events.redis]\npassword = 918273645\n",
           "[events.redis]\npassword = [\"918273645\"]\n",
           "[events.redis]\npassword = [\n\"918273645\"]\n",
           "[events.redis]\npassword = { a = \"918273645\" }\n",
           "[events.redis]\npassword = \"918273645\n",
           "[events.redis]\npassword = \"\"\"\n918273645 \\q\n\"\"\"\n",
           "[events.redis]\npasword = \"918273645\"\n",
           "[events]\nredis = { password = \"918273645\", prt = 1 }\n",
           "[events.rabbitmq]\nurl = \"http://u:918273645@h\"\n",
           "[store.postgresql]\ndsn = 918273645\n",
           "[log]\nlevel = \"postgres://u:918273645@h\"\n",
           "[plugins.\"com.example.a\"]\ntoken = \"918273645\"\n",
       }) {
    machine.files[kMainFile] = toml;
    const Loaded loaded = read_from(machine);
    INFO(toml << render(loaded.diagnostics));
    CHECK_FALSE(loaded.ok());
    CHECK(render(loaded.diagnostics).find("918273645") == std::string::npos);
  }
  machine.files[kMainFile] = "";
  machine.environment = {{"NEXUS_EVENTS__REDIS__PASWORD", "918273645"}, {"NEXUS_EVENTS__REDIS__PASSWORD", "a\0b"}};
  CHECK(render(read_from(machine).diagnostics).find("918273645") == std::string::npos);
}

TEST_CASE("the nearest name") {
  const std::vector<std::string_view> names{"worker_count", "retry_delay", "retry_delay_max", "port", "host", "ssl"};
  CHECK(nearest("worker_cuont", names) == "worker_count");
  CHECK(nearest("workerCount", names) == "worker_count");
  CHECK(nearest("WORKER-COUNT", names) == "worker_count");
  CHECK(nearest("workers", names) == "worker_count");
  CHECK(nearest("retry_dely", names) == "retry_delay");
  CHECK(nearest("prot", names) == "port");
  CHECK(nearest("ss", names) == "ssl");
  CHECK(nearest("x", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(nearest("completely_different", names).empty());
  CHECK(nearest(std::string(100'000, 'x'), names).empty());
  CHECK(did_you_mean("prot", names) == "did you mean 'port'?");
}
