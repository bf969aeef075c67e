// `nexus explain` and `nexus trace` against a real host with real plugins.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "nexus/cbor.hpp"
#include "tests/system/host_process.hpp"

using namespace nexus::system_test;

namespace {

const std::filesystem::path kTestPlugins = TEST_PLUGINS;
const std::filesystem::path kTreePlugins = TREE_PLUGINS;

// The id that `nexus emit --json` printed.
std::string id_in(const std::string& line) {
  const size_t at = line.find("\"id\":\"");
  return at == std::string::npos ? std::string() : line.substr(at + 6, 36);
}

}  // namespace

TEST_CASE("explain shows who handled an event, who did not, and what it caused; trace shows all of it") {
  Host host("[events]\nretry_attempts = 0\n");
  host.add_plugin(kTreePlugins / "orders.so");
  host.add_plugin(kTestPlugins / "stubborn.so");
  host.start();
  const std::string small = id_in(host.nexus({"emit", "order.created", "--json", "--data",
                                              R"({"order_id":"o-1","user_id":"u","total_amount":5.0})"})
                                      .output);
  const std::string failing =
      id_in(host.nexus({"emit", "stubborn.fail", "--json", "--data", R"({"text":"on purpose"})"}).output);
  REQUIRE(small.size() == 36);
  host.wait_for_stat([](const nexus::cbor::Value& stat) { return stat.at("deliveries.waiting").get<uint64_t>() == 0; });
  const Outcome first = host.nexus({"explain", small});
  CHECK(first.status == 0);
  for (const char* part : {"order.created", "handled by com.example.orders", "filtered"})
    CHECK(first.output.find(part) != std::string::npos);
  const Outcome second = host.nexus({"explain", failing});
  for (const char* part : {"failed: test.stubborn", "on purpose", "plugin.error"})
    CHECK(second.output.find(part) != std::string::npos);
  CHECK(host.nexus({"trace", failing, "--json"}).output.find("\"depth\":1") != std::string::npos);
  const Outcome no_id = host.nexus({"explain", "no-id"});
  CHECK(no_id.status != 0);
  CHECK(no_id.errors.find("'no-id' is no id") != std::string::npos);
  const Outcome unknown = host.nexus({"explain", "01900000-0000-7000-8000-000000000000"});
  CHECK(unknown.status != 0);
  CHECK(unknown.errors.find("remembered") != std::string::npos);
  CHECK(host.stop() == 0);
}

TEST_CASE("without tracing explain says how to have it") {
  Host host("[events]\nenable_tracing = false\n");
  host.start();
  const Outcome outcome = host.nexus({"explain", "01900000-0000-7000-8000-000000000000"});
  CHECK(outcome.status != 0);
  CHECK(outcome.errors.find("events.enable_tracing = true") != std::string::npos);
  CHECK(host.stop() == 0);
}
