// Requests and waits through the real host: the command line asks, real plugins answer.
#include <catch2/catch_test_macros.hpp>

#include "tests/system/host_process.hpp"

using namespace nexus::system_test;
using nexus::cbor::Value;

namespace {

const fs::path kPlugins = TEST_PLUGINS;

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("nexus request prints the reply's data, or the whole reply") {
  Host host;
  host.add_plugin(kPlugins / "versioned_1.0.0.so");
  host.start();
  const Outcome asked = host.nexus({"request", "version.ask", "--data", R"({"number":7})"});
  CHECK(asked.status == 0);
  CHECK(asked.output == "{\"number\":7,\"version\":\"1.0.0\"}\n");
  const Outcome whole = host.nexus({"request", "version.ask", "--data", R"({"number":8})", "--reply", "*.told",
                                    "--correlation", "c-1", "--timeout", "50", "--json"});
  CHECK(whole.status == 0);
  for (const char* part : {R"("type":"version.told")", R"("source":"test.versioned")", R"("correlationid":"c-1")",
                           R"("specversion":"1.0")", R"("number":8)"})
    CHECK(holds(whole.output, part));
  CHECK(host.stop() == 0);
}

TEST_CASE("nexus request tells who does not answer: nobody there 69, nobody in time 75") {
  Host host;
  host.add_plugin(kPlugins / "versioned_1.0.0.so");
  host.start();
  const Outcome unheard = host.nexus({"request", "user.validate", "--data", "{}"});
  CHECK(unheard.status == 69);
  CHECK(unheard.output.empty());
  CHECK(holds(unheard.errors, "nobody listens to user.validate"));
  const Outcome late = host.nexus({"request", "version.ask", "--reply", "no.such", "--timeout", "0.05"});
  CHECK(late.status == 75);
  CHECK(holds(late.errors, "no reply to version.ask came in time"));
  CHECK(host.nexus({"request", "Version.Ask"}).status == 65);
  CHECK(host.nexus({"request", "version.ask", "--data", "{"}).status == 65);
  CHECK(host.nexus({"request", "version.ask", "--reply", "a..b"}).status == 65);
  CHECK(host.nexus({"request", "version.ask", "--timeout", "0"}).status == 64);
  CHECK(host.nexus({"request"}).status == 64);
  CHECK(host.stop() == 0);
  CHECK(host.nexus({"request", "version.ask"}).status == 69);
}

TEST_CASE("nexus wait ends with the events that it waited for, or with 75") {
  Host host;
  host.start();
  auto waiting = host.begin({"wait", "order.*", "--count", "2", "--json"});
  waiting->wait_for_error_line("waiting for order.*");
  for (const char* type : {"user.created", "order.one", "order.two", "order.three"})
    CHECK(host.nexus({"emit", type}).status == 0);
  CHECK(waiting->wait() == 0);
  const auto lines = lines_of(waiting->rest_of_output());
  REQUIRE(lines.size() == 2);
  CHECK(holds(lines[0], "order.one"));
  CHECK(holds(lines[1], "order.two"));
  const Outcome late = host.nexus({"wait", "order.*", "--timeout", "0.05"});
  CHECK(late.status == 75);
  CHECK(holds(late.errors, "no event came in time"));
  CHECK(host.nexus({"wait", "order.**.."}).status == 65);
  CHECK(host.nexus({"wait", "a.b", "--count", "0"}).status == 64);
  // A wait that goes on when the host stops has no host any more.
  auto open = host.begin({"wait", "never.comes"});
  open->wait_for_error_line("waiting for never.comes");
  CHECK(host.stop() == 0);
  CHECK(open->wait() != 0);
}

TEST_CASE("emit can delay, expire, order and repeat") {
  Host host;
  host.start();
  auto waiting = host.begin({"wait", "*.later", "--json"});
  waiting->wait_for_error_line("waiting");
  CHECK(host.nexus({"emit", "do.later", "--delay", "0.01", "--key", "k-1", "--expires", "3600"}).status == 0);
  CHECK(waiting->wait() == 0);
  const std::string event = waiting->rest_of_output();
  CHECK(holds(event, R"("partitionkey":"k-1")"));
  CHECK(holds(event, R"("expirytime":")"));
  const std::vector<std::string> once = {
      "emit", "order.created", "--data", "{\"n\":1}", "--id", "01890a5d-ac96-774b-bcce-b302099a8057", "--json"};
  const Outcome first = host.nexus(once), again = host.nexus(once);
  CHECK(first.status == 0);
  CHECK(holds(first.output, R"("status":"ok")"));
  CHECK(again.status == 0);
  CHECK(holds(again.output, R"("status":"duplicate")"));
  std::vector<std::string> other = once;
  other[3] = "{\"n\":2}";
  const Outcome conflict = host.nexus(other);
  CHECK(conflict.status == 1);
  CHECK(holds(conflict.output, R"("reason":"conflict")"));
  CHECK(host.nexus({"emit", "a.b", "--expires", "0"}).status == 64);
  CHECK(host.stop() == 0);
}
