// A folder of plugins under a running host: files that come, change, go and are broken.
#include <catch2/catch_test_macros.hpp>

#include <csignal>
#include <fstream>
#include <set>

#include "tests/system/host_process.hpp"

using namespace nexus::system_test;
using nexus::cbor::Value;

namespace {

const fs::path kPlugins = TEST_PLUGINS;

std::string state_of(const Host& host, const std::string& id) {
  const Value list = host.call("plugins.list");
  for (const Value& row : list.at("plugins").items())
    if (row.at("id").get<std::string>() == id) return row.at("state").get<std::string>();
  return "";
}

}  // namespace

TEST_CASE("a file that is dropped in is loaded, replaced by its next version, and unloaded when it goes") {
  Host host;
  host.start();
  auto tap = host.begin({"tap", "plugin.*", "--json"});
  tap->wait_for_error_line("listening");
  host.add_plugin(kPlugins / "versioned_1.0.0.so", "versioned.so");
  CHECK(tap->wait_for_output_line("plugin.loaded").find("\"plugin_version\":\"1.0.0\"") != std::string::npos);
  CHECK(state_of(host, "test.versioned") == "running");

  host.add_plugin(kPlugins / "versioned_2.0.0.so", "versioned.so");
  CHECK(tap->wait_for_output_line("plugin.loaded").find("\"plugin_version\":\"2.0.0\"") != std::string::npos);

  host.remove_plugin("versioned.so");
  CHECK(tap->wait_for_output_line("plugin.unloaded").find("test.versioned") != std::string::npos);
  CHECK(state_of(host, "test.versioned").empty());
  CHECK(host.stop() == 0);
}

TEST_CASE("no event is lost while versions replace each other under load") {
  Host host;
  host.add_plugin(kPlugins / "versioned_1.0.0.so", "versioned.so");
  host.start();
  auto tap = host.begin({"tap", "version.told", "--json"});
  tap->wait_for_error_line("listening");
  auto loaded = host.begin({"tap", "plugin.loaded", "--json"});
  loaded->wait_for_error_line("listening");
  auto emit = host.begin({"emit", "version.ask", "--send-on", "newline", "--quiet"});
  constexpr int kRounds = 4, kPerRound = 2000;
  int sent = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string input;
    for (int i = 0; i < kPerRound; ++i) input += "{\"number\":" + std::to_string(sent++) + "}\n";
    host.add_plugin(kPlugins / (round % 2 == 0 ? "versioned_2.0.0.so" : "versioned_1.0.0.so"), "versioned.so");
    emit->write_input(input);
    loaded->wait_for_output_line("plugin.loaded");
  }
  emit->close_input();
  CHECK(emit->wait() == 0);
  std::set<int> answered;
  std::set<std::string> versions;
  while (answered.size() < static_cast<size_t>(kRounds * kPerRound)) {
    const std::string line = tap->wait_for_output_line("version.told");
    const size_t at = line.find("\"number\":") + 9;
    answered.insert(std::stoi(line.substr(at)));
    versions.insert(line.substr(line.find("\"version\":\"") + 11, 5));
  }
  CHECK(answered.size() == static_cast<size_t>(sent));
  CHECK(versions == std::set<std::string>{"1.0.0", "2.0.0"});
  CHECK(host.call("stat").at("deliveries.discarded").get<int>() == 0);
  CHECK(host.stop() == 0);
}

TEST_CASE("a new version that does not start leaves the old one in service") {
  Host host;
  host.add_plugin(kPlugins / "versioned_1.0.0.so", "versioned.so");
  host.start();
  host.add_plugin(kPlugins / "versioned_broken.so", "versioned.so");
  const std::string line = host.process().wait_for_error_line("the version before runs on");
  CHECK(line.find("does not start") != std::string::npos);
  auto tap = host.begin({"tap", "version.told", "--count", "1", "--json"});
  tap->wait_for_error_line("listening");
  host.nexus({"emit", "version.ask"});
  CHECK(tap->rest_of_output().find("1.0.0") != std::string::npos);
  const Outcome info = host.nexus({"plugins", "info", "test.versioned"});
  CHECK(info.output.find("running") != std::string::npos);
  CHECK(info.output.find("does not start") != std::string::npos);
  CHECK(host.stop() == 0);
}

TEST_CASE("a broken file is refused with file, reason and help; the host goes on") {
  Host host;
  std::ofstream(host.folder() / "plugins" / "broken.so") << "this is no library";
  host.add_plugin(kPlugins / "versioned_1.0.0.so");
  host.start();
  const Outcome list = host.nexus({"plugins", "ls"});
  CHECK(list.status == 0);
  CHECK(list.output.find("refused") != std::string::npos);
  CHECK(list.output.find("NX0402") != std::string::npos);
  const Outcome json = host.nexus({"plugins", "ls", "--json"});
  CHECK(lines_of(json.output).size() == 2);
  CHECK(state_of(host, "test.versioned") == "running");
  CHECK(host.nexus({"stat", "--metrics", "prometheus"})
            .output.find("nexus_plugin_refusals_total{reason=\"load_format\"} 1") != std::string::npos);
  CHECK(host.stop() == 0);
}

TEST_CASE("plugins are reloaded, disabled and enabled by hand") {
  Host host;
  host.add_plugin(kPlugins / "versioned_1.0.0.so");
  host.start();
  CHECK(host.nexus({"plugins", "reload", "test.versioned"}).status == 0);
  CHECK(host.call("plugins.info", {{"id", "test.versioned"}}).at("generation").get<int>() == 2);
  CHECK(host.nexus({"plugins", "disable", "test.versioned"}).status == 0);
  CHECK(state_of(host, "test.versioned") == "disabled");
  CHECK(host.nexus({"plugins", "enable", "test.versioned"}).status == 0);
  CHECK(state_of(host, "test.versioned") == "running");
  const Outcome unknown = host.nexus({"plugins", "reload", "test.versiond"});
  CHECK(unknown.status == 1);
  CHECK(unknown.errors.find("did you mean 'test.versioned'?") != std::string::npos);
  CHECK(host.stop() == 0);
}

TEST_CASE("a plugin's wrong config is a refusal that points into the file") {
  Host host("[plugins.\"test.versioned\".config]\nwrod = \"x\"\n");
  host.add_plugin(kPlugins / "versioned_1.0.0.so");
  host.start();
  CHECK(state_of(host, "test.versioned") == "refused");
  const Outcome info = host.nexus({"plugins", "info", "test.versioned"});
  CHECK(info.output.find("nexus.toml:6:1") != std::string::npos);
  CHECK(info.output.find("did you mean 'word'") != std::string::npos);
  CHECK(host.stop() == 0);
}
