// Events through the real host: emit, tap and stat as their own processes, plugins from real files.
#include <catch2/catch_test_macros.hpp>

#include <csignal>
#include <future>

#include "tests/system/host_process.hpp"

using namespace nexus::system_test;
using nexus::cbor::Value;

namespace {

const fs::path kPlugins = TEST_PLUGINS;
const fs::path kTreePlugins = TREE_PLUGINS;

uint64_t number(const Value& value, std::string_view path) { return value.at(path).get<uint64_t>(); }

const Value* row_of(const Value& list, std::string_view key, std::string_view name) {
  for (const Value& row : list.items())
    if (row.at(key).get<std::string>() == name) return &row;
  return nullptr;
}

}  // namespace

TEST_CASE("an event goes from emit to tap with all that it was given") {
  Host host;
  host.start();
  auto tap = host.begin({"tap", "order.*", "--count", "2", "--json"});
  tap->wait_for_error_line("listening for order.*");
  const Outcome emitted =
      host.nexus({"emit", "order.created", "--data", R"({"order_id":"A-1","total_amount":120.5})", "--priority", "7",
                  "--correlation", "c-1", "--key", "k", "--subject", "s", "--metadata", "environment=test", "--json"});
  CHECK(emitted.status == 0);
  CHECK(emitted.output.find("\"status\":\"ok\"") != std::string::npos);
  CHECK(host.nexus({"emit", "user.created"}).status == 0);
  CHECK(host.nexus({"emit", "order.paid"}).status == 0);
  CHECK(tap->wait() == 0);
  const auto lines = lines_of(tap->rest_of_output());
  REQUIRE(lines.size() == 2);
  for (const char* part :
       {R"("type":"order.created")", R"("source":"nexus.control")", R"("correlationid":"c-1")", R"("partitionkey":"k")",
        R"("subject":"s")", R"("nexuspriority":7)", R"("specversion":"1.0")", R"("environment":"test")",
        R"("data":{"order_id":"A-1","total_amount":120.5})"})
    CHECK(lines[0].find(part) != std::string::npos);
  CHECK(lines[1].find("order.paid") != std::string::npos);
  CHECK(host.stop() == 0);
}

TEST_CASE("tap prints lines of the user's own") {
  Host host;
  host.start();
  auto tap = host.begin({"tap", "order.*", "--count", "2", "--format",
                         R"({{{type}}}\t{data.id} {data.lines.0} {data.sum} {data.no} {data})"});
  tap->wait_for_error_line("listening");
  CHECK(host.nexus({"emit", "order.created", "--data", R"({"id":"A\n1","lines":["x"],"sum":1.5})"}).status == 0);
  CHECK(host.nexus({"emit", "order.paid"}).status == 0);
  CHECK(tap->wait() == 0);
  CHECK(tap->rest_of_output() ==
        "{order.created}\tA\\n1 x 1.5  {\"id\":\"A\\n1\",\"lines\":[\"x\"],\"sum\":1.5}\n{order.paid}\t    \n");
  for (const char* wrong : {"{", "}", "{type", "a{}"}) {
    const Outcome refused = host.nexus({"tap", "--format", wrong});
    CHECK(refused.status == 64);
    CHECK(refused.errors.find("--format, character ") != std::string::npos);
  }
  CHECK(host.nexus({"tap", "--format", "{type}", "--json"}).status == 64);
  CHECK(host.stop() == 0);
}

TEST_CASE("what tap prints, emit takes back: the same events again") {
  Host host;
  host.start();
  auto tap = host.begin({"tap", "*.happened", "--count", "3", "--json"});
  tap->wait_for_error_line("listening");
  std::string input;
  for (int i = 0; i < 3; ++i)
    input += "{\"type\":\"it.happened\",\"data\":{\"n\":" + std::to_string(i) + "},\"key\":\"k\"}\n";
  CHECK(host.nexus({"emit", "--send-on", "newline", "--quiet"}, input).status == 0);
  const std::string recorded = tap->rest_of_output();
  REQUIRE(lines_of(recorded).size() == 3);
  auto again = host.begin({"tap", "it.happened", "--count", "3", "--json"});
  again->wait_for_error_line("listening");
  CHECK(host.nexus({"emit", "--send-on", "newline", "--quiet"}, recorded).status == 0);
  CHECK(again->rest_of_output() == recorded);
  CHECK(host.stop() == 0);
}

// A sanitizer takes its time, and finds what it finds in fewer.
#ifdef NEXUS_SANITIZED
constexpr uint64_t kOrders = 10'000;
constexpr const char* kOrdersWord = "10,000";
#else
constexpr uint64_t kOrders = 100'000;
constexpr const char* kOrdersWord = "100,000";
#endif

TEST_CASE("100,000 orders go through conditions and priorities, and stat adds up exactly") {
  Host host;
  host.add_plugin(kTreePlugins / "orders.so");
  host.start();
  uint64_t large = 0;
  std::string input;
  for (uint64_t i = 0; i < kOrders; ++i) {
    large += i % 200 > 100 ? 1 : 0;
    input += "{\"order_id\":\"A-" + std::to_string(i) + "\",\"user_id\":\"u-" + std::to_string(i % 97) +
             "\",\"total_amount\":" + std::to_string(i % 200) + "}\n";
  }
  const Outcome sent = host.nexus({"emit", "order.created", "--send-on", "newline"}, input);
  CHECK(sent.status == 0);
  const std::string word = kOrdersWord;
  CHECK(sent.errors.find(word + " events: " + word + " accepted, 0 rejected") != std::string::npos);
  static_cast<void>(host.wait_for_stat([](const Value& now) {
    return number(now, "deliveries.handled") + number(now, "deliveries.filtered") == 3 * kOrders;
  }));
  // That one was read while the last events passed; in this one nothing moves any more.
  const Value stat = host.wait_for_stat([](const Value&) { return true; });

  // Each order: recorded, begun as a saga, and either reviewed or left aside; each asks for payment, the large ones for
  // a review.
  CHECK(number(stat, "deliveries.handled") == 2 * kOrders + large);
  CHECK(number(stat, "deliveries.filtered") == kOrders - large);
  CHECK(number(stat, "deliveries.failed") == 0);
  CHECK(number(stat, "deliveries.discarded") == 0);
  CHECK(number(stat, "emitted.rejected") == 0);
  CHECK(number(stat, "emitted.invalid") == 0);
  CHECK(number(stat, "emitted.withdrawn") == 0);
  const auto accepted_of = [&](std::string_view type) {
    const Value* row = row_of(stat.at("types"), "type", type);
    return row == nullptr ? 0 : number(*row, "accepted");
  };
  CHECK(accepted_of("order.created") == kOrders);
  CHECK(accepted_of("payment.request") == kOrders);
  CHECK(accepted_of("order.review_opened") == large);
  uint64_t by_type = 0, by_plugin = 0, handled = 0;
  for (const Value& row : stat.at("types").items()) by_type += number(row, "accepted");
  for (const Value& row : stat.at("plugins").items()) {
    by_plugin += number(row, "accepted");
    handled += number(row, "handled");
  }
  CHECK(by_type == number(stat, "emitted.accepted"));
  CHECK(by_plugin == number(stat, "emitted.accepted"));
  CHECK(handled == number(stat, "deliveries.handled"));
  // Nobody listens to payments, reviews and the host's own two events.
  CHECK(number(stat, "emitted.unrouted") == number(stat, "emitted.accepted") - kOrders);

  // The metrics say the same.
  const std::string metrics = host.nexus({"stat", "--metrics", "prometheus"}).output;
  CHECK(metrics.find("\nnexus_events_emitted_total " + std::to_string(number(stat, "emitted.accepted")) + "\n") !=
        std::string::npos);
  CHECK(host.nexus({"stat"}).output.find(kOrdersWord) != std::string::npos);
  CHECK(host.stop() == 0);
}

TEST_CASE("bad lines in a stream are named, counted, and stop none of the good ones") {
  Host host;
  host.start();
  const std::string input =
      "{\"type\":\"good.one\"}\n"
      "\n"
      "{\"type\":\"Bad.Type\"}\n"
      "{not json\n"
      "{\"type\":\"good.two\",\"colour\":\"red\"}\n"
      "{\"type\":\"system.started\"}\n"
      "{\"data\":5}\n"
      "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\"}\n"
      "{\"type\":\"good.three\",\"data\":[1,2]}";
  const Outcome outcome = host.nexus({"emit", "--send-on", "newline"}, input);
  CHECK(outcome.status == 65);
  CHECK(outcome.errors.find("8 events: 2 accepted, 0 rejected, 6 invalid") != std::string::npos);
  for (const char* line :
       {"line 3: type_name:", "line 4: json:", "line 5: schema:", "line 6: reserved:", "line 7: ", "line 8: "})
    CHECK(outcome.errors.find(line) != std::string::npos);
  const Outcome json = host.nexus({"emit", "--send-on", "newline", "--json", "--quiet"}, input);
  CHECK(json.status == 65);
  CHECK(lines_of(json.output).size() == 8);
  CHECK(number(host.call("stat"), "emitted.accepted") == 4 + 1);
  CHECK(host.stop() == 0);
}

TEST_CASE("a stream that comes slowly is sent as it comes, not when a batch is full") {
  Host host;
  host.start();
  auto tap = host.begin({"tap", "drip.*"});
  tap->wait_for_error_line("listening");
  auto emit = host.begin({"emit", "drip.drop", "--send-on", "newline", "--json"});
  for (int i = 0; i < 3; ++i) {
    emit->write_input("{\"n\":" + std::to_string(i) + "}\n");
    tap->wait_for_output_line("{\"n\":" + std::to_string(i) + "}");
    emit->wait_for_output_line("\"status\":\"ok\"");
  }
  emit->close_input();
  CHECK(emit->wait() == 0);
  CHECK(host.stop() == 0);
}

TEST_CASE("a full queue slows the emitter down and loses nothing") {
  Host host("[events]\nmax_queue_size = 16\nworker_count = 1\n");
  host.add_plugin(kPlugins / "stubborn.so");
  host.start();
  std::string input;
  for (int i = 0; i < 500; ++i) input += "{\"milliseconds\":1}\n";
  const Outcome sent = host.nexus({"emit", "stubborn.slow", "--send-on", "newline", "--timeout", "60"}, input);
  CHECK(sent.status == 0);
  CHECK(sent.errors.find("500 accepted, 0 rejected") != std::string::npos);
  const Value stat = host.wait_for_stat([](const Value& now) { return number(now, "deliveries.handled") == 500; });
  CHECK(number(stat, "deliveries.handled") == 500);
  CHECK(number(stat, "deliveries.waiting") == 0);
  CHECK(host.stop() == 0);
}

TEST_CASE("with overflow = reject each refused event is told and counted, and the status says so") {
  Host host("[events]\nmax_queue_size = 4\noverflow = \"reject\"\n");
  host.add_plugin(kPlugins / "stubborn.so");
  host.start();
  host.nexus({"emit", "stubborn.hang"});
  host.process().wait_for_error_line("hanging");
  std::string input;
  for (int i = 0; i < 20; ++i) input += "{}\n";
  const Outcome sent = host.nexus({"emit", "stubborn.slow", "--send-on", "newline", "--json", "--quiet"}, input);
  CHECK(sent.status == 1);
  size_t full = 0;
  for (const std::string& line : lines_of(sent.output))
    full += line.find("\"reason\":\"queue_full\"") != std::string::npos;
  CHECK(full == 16);
  const Value stat = host.call("stat");
  CHECK(number(stat, "emitted.rejected") == 16);
  CHECK(number(stat, "emitted.rejected_by_reason.queue_full") == 16);
  host.process().signal(SIGKILL);
}

TEST_CASE("a tap that does not read slows nobody down and is told what it missed") {
  Host host;
  host.start();
  auto tap = host.begin({"tap", "flood.*", "--json"});
  tap->wait_for_error_line("listening");
  tap->signal(SIGSTOP);
  std::string input;
  const std::string padding(400, 'x');
  constexpr int kEvents = 60'000;
  for (int i = 0; i < kEvents; ++i) input += "{\"n\":" + std::to_string(i) + ",\"padding\":\"" + padding + "\"}\n";
  CHECK(host.nexus({"emit", "flood.item", "--send-on", "newline", "--quiet"}, input).status == 0);
  CHECK(host.nexus({"emit", "flood.last"}).status == 0);
  tap->signal(SIGCONT);
  auto shown = std::async(std::launch::async, [&] { return tap->rest_of_output(); });
  tap->wait_for_error_line("events were left out here: this reader is too slow");
  CHECK(host.stop() == 0);
  const size_t lines = lines_of(shown.get()).size();
  CHECK(lines > 1000);
  CHECK(lines < kEvents);
}

TEST_CASE("a failing handler is tried again as the config says, and then logged, counted, and told as plugin.error") {
  Host host("[events]\nretry_attempts = 2\nretry_delay = 0.02\nexponential_backoff = false\n");
  host.add_plugin(kPlugins / "stubborn.so");
  host.start();
  auto tap = host.begin({"tap", "plugin.error", "--count", "1", "--json"});
  tap->wait_for_error_line("listening");
  host.nexus({"emit", "stubborn.fail", "--data", "{\"text\":\"on purpose\"}", "--correlation", "c-9"});
  const std::string line = host.process().wait_for_error_line("handler failed");
  for (const char* part : {"test.stubborn", "stubborn.fail", "on purpose", "c-9", "attempt 1 of 3, the next in 20 ms"})
    CHECK(line.find(part) != std::string::npos);
  CHECK(tap->wait() == 0);
  const std::string event = tap->rest_of_output();
  for (const char* part : {"test.stubborn", "on purpose", "c-9"}) CHECK(event.find(part) != std::string::npos);
  CHECK(number(host.call("stat"), "deliveries.failed") == 1);
  CHECK(number(host.call("stat"), "deliveries.retried") == 2);
  // The report may still wait for others than the tap.
  const auto idle = [](const nexus::cbor::Value& stat) { return number(stat, "deliveries.waiting") == 0; };
  CHECK(idle(host.wait_for_stat(idle)));
  const std::string metrics = host.nexus({"stat", "--metrics", "prometheus"}).output;
  CHECK(metrics.find("nexus_handler_errors_total{plugin=\"test.stubborn\"} 3") != std::string::npos);
  CHECK(metrics.find("nexus_retries_total 2") != std::string::npos);
  CHECK(host.stop() == 0);
}

TEST_CASE("the host's own events have the documented fields, and no secret in them") {
  Host host;
  const std::string log = (host.folder() / "audit.jsonl").string();
  host.folder().write(
      "nexus.toml",
      "[host]\ndata_dir = \"data\"\n[control]\nsocket = \"n.sock\"\n[events.redis]\npassword = \"correct-horse\"\n"
      "[plugins.\"nexus.audit-log\"]\npermissions = { subscribe = [\"*\"] }\n"
      "[plugins.\"nexus.audit-log\".config]\npath = \"" +
          log + "\"\n");
  host.add_plugin(kTreePlugins / "audit_log.so");
  host.start();
  host.add_plugin(kTreePlugins / "hello.so");
  host.process().wait_for_error_line("\"plugin loaded\",\"plugin_id\":\"com.example.hello\"");
  CHECK(host.stop() == 0);
  const std::string audit = host.folder().read("audit.jsonl");
  const auto line_with = [&](const std::string& text) {
    for (std::string& line : lines_of(audit))
      if (line.find(text) != std::string::npos) return line;
    return std::string();
  };
  const std::string started = line_with("system.started");
  CHECK(started.find("\"version\":\"") != std::string::npos);
  CHECK(started.find("\"worker_count\":4") != std::string::npos);
  CHECK(started.find("***") != std::string::npos);
  CHECK(audit.find("correct-horse") == std::string::npos);
  const std::string loaded = line_with("\"plugin_id\":\"com.example.hello\"");
  CHECK(loaded.find("plugin.loaded") != std::string::npos);
  CHECK(loaded.find("\"plugin_version\":\"1.0.0\"") != std::string::npos);
  CHECK(line_with("system.shutting_down").find("\"reason\":\"signal\"") != std::string::npos);
  CHECK(host.process().rest_of_errors().find("correct-horse") == std::string::npos);

  const Outcome intact = run_nexus({"audit", "verify", log});
  CHECK(intact.status == 0);
  std::string changed = audit;
  changed[changed.find("system.started")] = 'S';
  host.folder().write("audit.jsonl", changed);
  const Outcome broken = run_nexus({"audit", "verify", log});
  CHECK(broken.status == 65);
  CHECK(broken.errors.find("audit.jsonl:") != std::string::npos);
}
