// A plugin that another compiler built, in a host of this one: nothing but the C ABI is between them.
#include <catch2/catch_test_macros.hpp>

#include <utility>

#include "tests/system/host_process.hpp"

using namespace nexus::system_test;

namespace {

const fs::path kPlugins = TEST_PLUGINS;
const fs::path kForeign = FOREIGN_PLUGINS;
#if defined(__clang__)
const std::string kOther = "gcc";
#else
const std::string kOther = "clang";
#endif

}  // namespace

TEST_CASE("a plugin of another compiler is loaded, handles, fails and is unmapped") {
  Host host("[plugins.\"test.foreign\".config]\npattern = \"[A-Z]+\"\n");
  host.add_plugin(kForeign / "foreign.so");
  host.start();
  auto tap = host.begin({"tap", "*", "--json"});
  tap->wait_for_error_line("listening");
  CHECK(host.nexus({"emit", "foreign.ask", "--data", R"({"text": "AB cd EFG", "index": 1})"}).status == 0);
  const std::string told = tap->wait_for_output_line("foreign.told");
  CHECK(told.find("\"compiler\":\"" + kOther + "\"") != std::string::npos);
  CHECK(told.find("\"word\":\"EFG\"") != std::string::npos);
  CHECK(told.find(R"("lengths":{"AB":2,"EFG":3})") != std::string::npos);

  CHECK(host.nexus({"emit", "foreign.ask", "--data", R"({"text": "AB", "index": 1})"}).status == 0);
  const std::string error = tap->wait_for_output_line("plugin.error");
  CHECK(error.find("out_of_range") != std::string::npos);
  CHECK(error.find("test.foreign") != std::string::npos);

  host.remove_plugin("foreign.so");
  tap->wait_for_output_line("plugin.unloaded");
  CHECK(host.nexus({"plugins", "ls", "--json"}).output.find("test.foreign") == std::string::npos);
  CHECK(host.stop() == 0);
  CHECK(host.process().rest_of_errors().find("stays mapped") == std::string::npos);
}

TEST_CASE("a version of one compiler takes over from that of another") {
  Host host;
  host.add_plugin(kPlugins / "versioned_1.0.0.so", "versioned.so");
  host.start();
  auto tap = host.begin({"tap", "*", "--json"});
  tap->wait_for_error_line("listening");
  for (const auto& [file, version] :
       {std::pair(kForeign / "versioned_2.0.0.so", "2.0.0"), std::pair(kPlugins / "versioned_1.0.0.so", "1.0.0")}) {
    host.add_plugin(file, "versioned.so");
    tap->wait_for_output_line("plugin.loaded");
    CHECK(host.nexus({"emit", "version.ask", "--data", "{\"number\": 7}"}).status == 0);
    CHECK(tap->wait_for_output_line("version.told").find(version) != std::string::npos);
  }
  CHECK(host.stop() == 0);
  CHECK(host.process().rest_of_errors().find("stays mapped") == std::string::npos);
}
