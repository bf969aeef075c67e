#include <catch2/catch_test_macros.hpp>

#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

TEST_CASE("a route is rebuilt only for the types that a change touches") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe probe;
  rig.subscribe(*shop, "order.created", probe);
  TypeEntry& order = *rig.bus->router().intern("order.created").value();
  TypeEntry& user = *rig.bus->router().intern("user.created").value();
  const Route* before = order.route.load();
  CHECK(user.route.load() == nullptr);
  rig.subscribe(*shop, "user.*", probe);
  CHECK(order.route.load() == before);
  CHECK(user.route.load() != nullptr);
}

TEST_CASE("handlers of one mailbox with several priorities are one target, in the order of priority") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe a, b, c;
  rig.subscribe(*shop, "order.created", a, 0);
  const nexus_handle high = rig.subscribe(*shop, "order.created", b, 10);
  rig.subscribe(*shop, "order.created", c, 0);
  const Route* route = rig.bus->router().intern("order.created").value()->route.load();
  REQUIRE(route->single != nullptr);
  REQUIRE(route->single->size == 3);
  CHECK(route->single->entries[0].id == high);
  CHECK(route->single->entries[1].user == &a);
  CHECK(route->single->entries[2].user == &c);
}

TEST_CASE("what is retired is freed once no thread can see it, and its counts stay") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe probe;
  for (int i = 0; i < 100; ++i) {
    const nexus_handle handle = rig.subscribe(*shop, "order.created", probe);
    REQUIRE(rig.emit(*shop, "order.created") == NEXUS_OK);
    REQUIRE(rig.settle());
    REQUIRE(rig.bus->unsubscribe(*shop, handle));
  }
  rig.bus->tick();
  CHECK(rig.bus->router().reclaim() == 0);
  CHECK(rig.bus->totals().deliveries.handled == 100);
  CHECK(rig.bus->router().handled(*rig.bus->router().intern("order.created").value()) == 100);
  CHECK(rig.bus->router().active_subscriptions() == 0);
}

TEST_CASE("the list of subscriptions tells the pattern, its meaning and the counts") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe probe;
  rig.subscribe(*shop, "order.*", probe, 7, NEXUS_CONCURRENCY_SERIAL, "on_order");
  rig.emit(*shop, "order.created");
  REQUIRE(rig.settle());
  const auto list = rig.bus->router().subscriptions(shop.get());
  REQUIRE(list.size() == 1);
  CHECK(list[0].name == "on_order");
  CHECK(list[0].pattern == "order.*");
  CHECK(list[0].priority == 7);
  CHECK_FALSE(list[0].explanation.empty());
  CHECK(list[0].totals.handled == 1);
}

TEST_CASE("a plugin that is not active gets nothing, and everything from its activation on") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  ParticipantOptions options;
  options.id = "com.example.late";
  auto late = rig.bus->add_participant(options);
  Probe probe;
  rig.subscribe(*late, "order.created", probe);
  rig.emit(*shop, "order.created", "before");
  rig.bus->activate(*late);
  rig.emit(*shop, "order.created", "after");
  REQUIRE(rig.settle());
  CHECK(probe.copy() == std::vector<std::string>{"after"});
}
