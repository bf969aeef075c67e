// What an operator does about deliveries that fail: the real host, a plugin that fails, and the command line.
#include <catch2/catch_test_macros.hpp>

#include "tests/system/host_process.hpp"

using namespace nexus::system_test;
using nexus::cbor::Value;

namespace {

const fs::path kPlugins = TEST_PLUGINS;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The field of a line of JSON, which is text.
std::string field(const std::string& line, const std::string& name) {
  const std::string key = "\"" + name + "\":\"";
  const size_t at = line.find(key);
  REQUIRE(at != std::string::npos);
  return line.substr(at + key.size(), line.find('"', at + key.size()) - at - key.size());
}

void emit_jobs(const Host& host, int count) {
  std::string input;
  for (int i = 0; i < count; ++i) input += "{\"number\":" + std::to_string(i) + "}\n";
  REQUIRE(host.nexus({"emit", "job.wanted", "--send-on", "newline", "--quiet"}, input).status == 0);
}

uint64_t held(const Value& stat) { return stat.at("dead_letters.held").get<uint64_t>(); }

}  // namespace

TEST_CASE("dead letters are found, kept until the cause is mended, sent again, exported and removed") {
  Host host("[events]\nretry_attempts = 0\n");
  host.add_plugin(kPlugins / "failing_1.0.0.so", "failing.so");
  host.start();
  auto told = host.begin({"tap", "event.dead_lettered", "--json"});
  told->wait_for_error_line("listening");
  CHECK(has(host.nexus({"dlq", "ls"}).errors, "no dead letters"));
  emit_jobs(host, 5);
  CHECK(held(host.wait_for_stat([](const Value& stat) { return held(stat) == 5; })) == 5);
  const std::string report = told->wait_for_output_line("event.dead_lettered");
  CHECK(has(report, "\"plugin_id\":\"test.failing\""));
  CHECK(has(report, "\"reason\":\"attempts\""));

  const Outcome list = host.nexus({"dlq", "ls"});
  CHECK(list.status == 0);
  CHECK(has(list.output, "test.failing/work"));
  CHECK(has(list.output, "no room for job 4"));
  CHECK(lines_of(list.output).size() == 6);
  const auto rows = lines_of(host.nexus({"dlq", "ls", "--json", "--limit", "2", "--offset", "3"}).output);
  REQUIRE(rows.size() == 2);
  CHECK(field(rows[0], "type") == "job.wanted");
  CHECK(field(rows[0], "version") == "1.0.0");
  const std::string fingerprint = field(rows[0], "fingerprint");
  CHECK(field(rows[1], "fingerprint") == fingerprint);
  const auto groups = lines_of(host.nexus({"dlq", "ls", "--groups", "--json"}).output);
  REQUIRE(groups.size() == 1);
  CHECK(has(groups[0], "\"count\":5"));
  CHECK(has(host.nexus({"dlq", "ls", "--groups"}).output, fingerprint));

  const Outcome shown = host.nexus({"dlq", "show", "2"});
  CHECK(shown.status == 0);
  CHECK(has(shown.output, "no room for job 1"));
  CHECK(has(shown.output, "\"data\":{\"number\":1}"));
  CHECK(host.nexus({"dlq", "show", "77"}).status == 1);

  CHECK(host.nexus({"dlq", "retry"}).status == 64);
  CHECK(host.nexus({"dlq", "rm"}).status == 64);
  const Outcome dry = host.nexus({"dlq", "retry", "--fingerprint", fingerprint, "--dry-run"});
  CHECK(dry.status == 0);
  CHECK(lines_of(dry.output).size() == 5);
  CHECK(has(dry.errors, "5 would be sent again"));
  CHECK(host.call("stat").at("dead_letters.redriven").get<int>() == 0);

  // Not mended: the same letter again, with one more replay.
  CHECK(host.nexus({"dlq", "retry", "1", "--note", "is it mended?"}).status == 0);
  CHECK(held(host.wait_for_stat([](const Value& stat) {
          return held(stat) == 5 && stat.at("dead_letters.redriven").get<int>() == 1;
        })) == 5);
  const std::string again = host.nexus({"dlq", "show", "1"}).output;
  CHECK(has(again, "is it mended?"));
  CHECK(has(again, "replays"));

  auto loaded = host.begin({"tap", "plugin.loaded", "--json"});
  loaded->wait_for_error_line("listening");
  auto done = host.begin({"tap", "job.done", "--json", "--count", "4"});
  done->wait_for_error_line("listening");
  host.add_plugin(kPlugins / "failing_2.0.0.so", "failing.so");
  CHECK(has(loaded->wait_for_output_line("plugin.loaded"), "\"plugin_version\":\"2.0.0\""));
  const Outcome exported = host.nexus({"dlq", "export", "5"});
  CHECK(exported.status == 0);
  const auto events = lines_of(exported.output);
  REQUIRE(events.size() == 1);
  CHECK(field(events[0], "type") == "job.wanted");
  CHECK(field(events[0], "dlqplugin") == "test.failing");
  CHECK(has(events[0], "\"data\":{\"number\":4}"));
  const Outcome removed = host.nexus({"dlq", "rm", "--id", "5", "--note", "a test"});
  CHECK(removed.status == 0);
  CHECK(has(removed.errors, "1 removed"));
  const Outcome retried = host.nexus({"dlq", "retry", "--plugin", "test.failing", "--pace", "1000", "--json"});
  CHECK(retried.status == 0);
  CHECK(lines_of(retried.output).size() == 4);
  CHECK(has(retried.output, "\"status\":\"done\""));
  CHECK(has(retried.errors, "4 sent again"));
  CHECK(done->wait() == 0);
  CHECK(has(host.nexus({"dlq", "retry", "--all"}).errors, "no dead letter matches"));

  // What was exported and removed is taken back by emit, as a new event.
  auto last = host.begin({"tap", "job.done", "--json", "--count", "1"});
  last->wait_for_error_line("listening");
  CHECK(host.nexus({"emit", "--send-on", "newline", "--quiet"}, exported.output).status == 0);
  CHECK(has(last->wait_for_output_line("job.done"), "\"data\":{\"number\":4}"));
  const Value stat = host.call("stat");
  CHECK(held(stat) == 0);
  CHECK(stat.at("dead_letters.removed").get<int>() == 1);
  CHECK(stat.at("dead_letters.redriven").get<int>() == 5);
  CHECK(stat.at("dead_letters.by_reason.attempts").get<int>() == 6);
  CHECK(stat.at("deliveries.failed").get<int>() == 6);
  CHECK(has(host.nexus({"stat", "--metrics", "prometheus"}).output, "nexus_dead_letters_total{reason=\"attempts\"} 6"));
  CHECK(host.stop() == 0);
}

TEST_CASE("a letter of a plugin that is not there stays, and the command says why") {
  Host host("[events]\nretry_attempts = 0\n");
  host.add_plugin(kPlugins / "failing_1.0.0.so", "failing.so");
  host.start();
  emit_jobs(host, 1);
  CHECK(held(host.wait_for_stat([](const Value& stat) { return held(stat) == 1; })) == 1);
  CHECK(host.nexus({"plugins", "disable", "test.failing"}).status == 0);
  const Outcome retried = host.nexus({"dlq", "retry", "--all"});
  CHECK(retried.status == 1);
  CHECK(has(retried.errors, "test.failing has no handler work"));
  CHECK(has(retried.errors, "1 could not be"));
  CHECK(held(host.call("stat")) == 1);
  CHECK(host.stop() == 0);
}

TEST_CASE("what waits for another attempt is listed, tried now and given up") {
  Host host(
      "[events]\nretry_attempts = 3\nretry_delay = 3600.0\nretry_delay_max = 3600.0\nexponential_backoff = false\n");
  host.add_plugin(kPlugins / "failing_1.0.0.so", "failing.so");
  host.start();
  CHECK(has(host.nexus({"retries", "ls"}).errors, "nothing waits"));
  emit_jobs(host, 3);
  const auto wait_for_retried = [&](int count) {
    CHECK(host.wait_for_stat([&](const Value& stat) { return stat.at("deliveries.retried").get<int>() == count; })
              .at("deliveries.retried")
              .get<int>() == count);
  };
  wait_for_retried(3);
  const Outcome list = host.nexus({"retries", "ls"});
  CHECK(lines_of(list.output).size() == 4);
  CHECK(has(list.output, "test.failing/work"));
  CHECK(has(list.output, "no room for job 2"));
  const auto rows = lines_of(host.nexus({"retries", "ls", "--json"}).output);
  REQUIRE(rows.size() == 3);
  CHECK(host.nexus({"retries", "now"}).status == 64);
  CHECK(host.nexus({"retries", "kill"}).status == 64);
  CHECK(host.nexus({"retries", "now", field(rows[0], "event_id")}).status == 0);
  wait_for_retried(4);
  const Outcome killed = host.nexus({"retries", "kill", "--plugin", "test.failing"});
  CHECK(killed.status == 0);
  CHECK(has(killed.errors, "3 given up"));
  CHECK(has(host.nexus({"dlq", "show", "1"}).output, "killed"));
  CHECK(lines_of(host.nexus({"dlq", "ls", "--reason", "rejected", "--json"}).output).size() == 3);
  CHECK(host.call("stat").at("deliveries.waiting").get<int>() == 0);
  CHECK(host.stop() == 0);
}
