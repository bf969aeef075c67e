// The plugins of the tree in the real host, on real input.
#include <catch2/catch_test_macros.hpp>

#include <fstream>

#include "tests/system/host_process.hpp"

using namespace nexus::system_test;

namespace {

const fs::path kTree = TREE_PLUGINS;

bool holds(const std::string& line, std::initializer_list<const char*> parts) {
  for (const char* part : parts) {
    UNSCOPED_INFO(part);
    if (line.find(part) == std::string::npos) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a web server's access log becomes events, through a partial line and a rotation") {
  const Folder logs;
  const auto append = [&](const std::string& text) {
    std::ofstream(logs / "access.log", std::ios::app | std::ios::binary) << text;
  };
  append("192.0.2.1 - - [24/Nov/2026:08:00:00 +0000] \"GET /before HTTP/1.1\" 200 7\n");
  Host host("[plugins.\"nexus.log-tail\".config]\npaths = [\"" + (logs / "access.log").string() +
            "\"]\nfrom = \"beginning\"\npoll_seconds = 0.01\n");
  host.start();
  auto tap = host.begin({"tap", "*", "--json"});
  tap->wait_for_error_line("listening");
  host.add_plugin(kTree / "log_tail.so");
  const std::string common = tap->wait_for_output_line("http.request.completed");
  CHECK(holds(common, {"\"status_code\":200", "\"response_size\":7", "\"method\":\"GET\"", "\"path\":\"/before\"",
                       "\"client_ip\":\"192.0.2.1\"", "\"source\":\"nexus.log-tail\""}));

  append(
      "2001:db8::1 - ada [24/Nov/2026:08:00:01 +0000] \"POST /orders HTTP/2.0\" 404 123 \"-\" \"curl/8.0\"\nhalf a li");
  CHECK(holds(tap->wait_for_output_line("http.request.completed"),
              {"\"status_code\":404", "\"path\":\"/orders\"", "\"user_agent\":\"curl/8.0\""}));
  append("ne\n");
  CHECK(holds(tap->wait_for_output_line("log.line"), {"\"line\":\"half a line\"", "\"truncated\":false"}));

  fs::rename(logs / "access.log", logs / "access.log.1");
  std::ofstream(logs / "access.log.1", std::ios::app) << "the old file's last\n";
  append("the new file's first\n");
  CHECK(holds(tap->wait_for_output_line("log.line"), {"the old file's last"}));
  CHECK(holds(tap->wait_for_output_line("log.line"), {"the new file's first", "\"offset\":0"}));
  CHECK(host.stop() == 0);
}

TEST_CASE("whoever registers gets one mail, and the audit log tells it unbroken") {
  Host host("[plugins.\"nexus.audit-log\"]\npermissions = { subscribe = [\"*\"] }\n");
  const std::string name_below = "data/plugin-data/nexus.audit-log/audit.jsonl";
  const std::string audit = (host.folder() / name_below).string();
  for (const char* name : {"audit_log.so", "welcome_mail.so", "hello.so", "hello_c.so"}) host.add_plugin(kTree / name);
  host.start();
  auto tap = host.begin({"tap", "*", "--json"});
  tap->wait_for_error_line("listening");
  const auto registers = [&](const std::string& name, const std::string& source) {
    return host
        .nexus({"emit", "user.registered", "--correlation", "c-" + name, "--data",
                R"({"user_id":"u","username":")" + name + R"(","email":"a@example.com","registration_source":")" +
                    source + "\"}"})
        .status;
  };
  CHECK(registers("ada", "web") == 0);
  CHECK(holds(tap->wait_for_output_line("mail.requested"), {"Welcome, ada!\"", "\"correlationid\":\"c-ada\""}));
  CHECK(registers("bob", "mobile") == 0);
  CHECK(holds(tap->wait_for_output_line("mail.requested"), {"Welcome, bob! Our app", "\"correlationid\":\"c-bob\""}));
  for (const char* count : {"\"greetings\":1", "\"greetings\":2"}) {
    CHECK(host.nexus({"emit", "hello.greet", "--data", "{}"}).status == 0);
    CHECK(holds(tap->wait_for_output_line("hello.counted"), {count}));
  }
  CHECK(host.stop() == 0);

  const Outcome good = run_nexus({"audit", "verify", audit});
  CHECK(good.status == 0);
  CHECK(good.output.find("unbroken") != std::string::npos);
  std::string text = host.folder().read(name_below);
  const size_t at = text.find("Welcome, ada!");
  REQUIRE(at != std::string::npos);
  text[at] = 'w';
  host.folder().write(name_below, text);
  const Outcome changed = run_nexus({"audit", "verify", audit});
  CHECK(changed.status != 0);
  CHECK((changed.output + changed.errors).find("line") != std::string::npos);
}
