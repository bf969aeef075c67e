// The smallest plugin, tested as its author would: through the fake host, and by calling its method.
#include <catch2/catch_test_macros.hpp>
#include <nexus/testing.hpp>

#include "plugins/hello/hello.cpp"

TEST_CASE("hello answers whoever asks") {
  nexus::testing::Host host;
  auto hello = host.load<Hello>();
  CHECK(host.logged("hello"));

  const auto answer = host.request<Greeting>(Greet{"Ada"});
  REQUIRE(answer);
  CHECK(answer->text == "Hello, Ada!");
  CHECK(host.failures().empty());
}

TEST_CASE("hello greets the world when no name is given") {
  nexus::testing::Host host;
  auto hello = host.load<Hello>();
  host.emit("hello.greet", nexus::cbor::Value::map());
  host.run();
  REQUIRE(host.emitted<Greeting>().size() == 1);
  CHECK(host.emitted<Greeting>().front().text == "Hello, world!");
}

TEST_CASE("hello refuses a name that is no text") {
  nexus::testing::Host host;
  auto hello = host.load<Hello>();
  host.emit("hello.greet", {{"name", 7}});
  host.run();
  CHECK(host.emitted<Greeting>().empty());
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures().front().error_type == "schema_error");
  CHECK(host.failures().front().dead_lettered);
}
