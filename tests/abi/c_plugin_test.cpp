// A plugin in C does its work in a host in C++, through nothing but the ABI.
#include <catch2/catch_test_macros.hpp>

#include "nexus/testing.hpp"

namespace {

struct Up {};
NEXUS_EVENT(Up, "counter.up")

struct CounterValue {
  int n = 0;
};
NEXUS_EVENT(CounterValue, "counter.value", n)

TEST_CASE("a plugin in C answers") {
  nexus::testing::Host host;
  auto counter = host.load_module(*nexus_module_v1());
  CHECK(host.request<CounterValue>(Up{})->n == 1);
  CHECK(host.request<CounterValue>(Up{})->n == 2);
  CHECK(host.delivered() == 2);
}

TEST_CASE("its refusals arrive with code, sentence and type") {
  nexus::testing::Host host;
  auto counter = host.load_module(*nexus_module_v1());
  host.emit("counter.up", {{"by", 5}});
  host.run();
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures()[0].code == NEXUS_E_SCHEMA);
  CHECK(host.failures()[0].message == "counter.up takes an empty map");
  CHECK(host.failures()[0].error_type == "not_empty");
  CHECK(host.failures()[0].handler == "count_up");
  CHECK_THROWS_AS(host.load_module(*nexus_module_v1(), {{"limit", 1}}), nexus::Error);
}

}  // namespace
