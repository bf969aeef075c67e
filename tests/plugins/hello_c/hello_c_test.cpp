#include <catch2/catch_test_macros.hpp>
#include <nexus/testing.hpp>

TEST_CASE("the plugin in C counts greetings") {
  nexus::testing::Host host;
  host.load_module(*nexus_module_v1());
  std::vector<nexus::cbor::Value> counted;
  for (int i = 0; i < 3; ++i) host.emit("hello.greet", {{"name", "Ada"}});
  host.run();
  CHECK(host.logged("greeted"));
  CHECK(host.failures().empty());
}
