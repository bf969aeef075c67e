// Subscriptions and participants that come, go and are swapped.
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

TEST_CASE("unsubscribing inside the handler, and from elsewhere, ends it; what waits is counted as discarded") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe once, other;
  nexus_handle handle = 0;
  once.answer = [&](const nexus_delivery&, nexus_outcome&) {
    must(rig.bus->unsubscribe(*shop, handle).has_value());
    return NEXUS_DONE;
  };
  REQUIRE(rig.bus->pause(*shop, in_seconds(10)));
  handle = rig.subscribe(*shop, "order.created", once);
  rig.subscribe(*shop, "order.created", other);
  for (int i = 0; i < 10; ++i) rig.emit(*shop, "order.created");
  rig.bus->resume(*shop);
  REQUIRE(rig.settle());
  CHECK(once.count() == 1);
  CHECK(other.count() == 10);
  CHECK(rig.bus->totals().deliveries.discarded == 9);
  CHECK(rig.bus->unsubscribe(*shop, handle).error().code == NEXUS_E_HANDLE);
}

TEST_CASE("a subscription of another plugin cannot be ended") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), other = rig.add("com.example.other");
  Probe probe;
  const nexus_handle handle = rig.subscribe(*shop, "order.created", probe);
  CHECK(rig.bus->unsubscribe(*other, handle).error().code == NEXUS_E_HANDLE);
  CHECK(rig.bus->unsubscribe(*shop, 0).error().code == NEXUS_E_HANDLE);
}

TEST_CASE("subscribing inside a handler works from the next event on") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  Probe first, second;
  first.answer = [&](const nexus_delivery&, nexus_outcome&) {
    if (first.count() == 1) rig.subscribe(*shop, "order.created", second);
    return NEXUS_DONE;
  };
  rig.subscribe(*shop, "order.created", first);
  rig.emit(*shop, "order.created");
  REQUIRE(rig.settle());
  rig.emit(*shop, "order.created");
  REQUIRE(rig.settle());
  CHECK(first.count() == 2);
  CHECK(second.count() == 1);
}

TEST_CASE("a hot swap moves what waits to the new instance, in order, and loses nothing") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), old_one = rig.add("com.example.mail");
  Probe old_probe, new_probe, unwanted;
  rig.subscribe(*old_one, "order.created", old_probe, 0, NEXUS_CONCURRENCY_SERIAL, "on_order");
  rig.subscribe(*old_one, "user.created", unwanted, 0, NEXUS_CONCURRENCY_SERIAL, "on_user");
  REQUIRE(rig.bus->pause(*old_one, in_seconds(10)));
  for (int i = 0; i < 100; ++i) rig.emit(*shop, "order.created", std::to_string(i), i % 2);
  rig.emit(*shop, "user.created");
  ParticipantOptions options;
  options.id = "com.example.mail";
  auto new_one = rig.bus->add_participant(options);
  rig.subscribe(*new_one, "order.*", new_probe, 0, NEXUS_CONCURRENCY_SERIAL, "on_order");
  CHECK(rig.bus->hand_over(*old_one, *new_one) == 100);
  for (int i = 100; i < 200; ++i) rig.emit(*shop, "order.created", std::to_string(i), i % 2);
  rig.bus->activate(*new_one);
  rig.bus->remove(old_one);
  REQUIRE(rig.settle());
  const auto seen = new_probe.copy();
  REQUIRE(seen.size() == 200);
  int last_odd = -1, last_even = -1;
  for (const auto& text : seen) {
    const int number = std::stoi(text);
    int& last = number % 2 == 0 ? last_even : last_odd;
    CHECK(number > last);
    last = number;
  }
  CHECK(old_probe.count() == 0);
  CHECK(rig.bus->totals().deliveries.discarded == 1);  // the new version does not want user.created
}

TEST_CASE("hot swaps under load lose no event") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  auto current = rig.add("com.example.mail");
  Probe probe;
  rig.subscribe(*current, "order.created", probe, 0, NEXUS_CONCURRENCY_SERIAL, "on_order");
  std::atomic<bool> stop{false};
  std::atomic<size_t> sent{0};
  std::thread load([&] {
    while (!stop) {
      if (rig.emit(*shop, "order.created", "x") == NEXUS_OK) ++sent;
    }
  });
  for (int i = 0; i < 50; ++i) {
    ParticipantOptions options;
    options.id = "com.example.mail";
    auto next = rig.bus->add_participant(options);
    rig.subscribe(*next, "order.created", probe, 0, NEXUS_CONCURRENCY_SERIAL, "on_order");
    REQUIRE(rig.bus->pause(*current, in_seconds(20)));
    rig.bus->hand_over(*current, *next);
    rig.bus->activate(*next);
    rig.bus->remove(current);
    current = next;
    rig.bus->tick();
  }
  stop = true;
  load.join();
  REQUIRE(rig.settle());
  CHECK(probe.count() == sent);
  CHECK(rig.bus->totals().deliveries.discarded == 0);
}

TEST_CASE("a removed participant gets nothing more, and what waited for it is counted") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), gone = rig.add("com.example.gone");
  Probe probe;
  rig.subscribe(*gone, "order.created", probe);
  REQUIRE(rig.bus->pause(*gone, in_seconds(10)));
  for (int i = 0; i < 10; ++i) rig.emit(*shop, "order.created");
  rig.bus->remove(gone);
  gone.reset();
  rig.bus->tick();
  CHECK(rig.emit(*shop, "order.created") == NEXUS_OK);
  REQUIRE(rig.settle());
  CHECK(probe.count() == 0);
  CHECK(rig.bus->totals().deliveries.discarded == 10);
  CHECK(rig.bus->totals().unrouted == 1);
}

TEST_CASE("many emitters and subscribers that come and go: every accepted event is accounted for") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), mail = rig.add("com.example.mail"), rest = rig.add("com.example.rest");
  Probe steady, all, fleeting;
  rig.subscribe(*mail, "order.created", steady);
  rig.subscribe(*rest, "*", all, -3);
  std::atomic<bool> stop{false};
  std::thread churn([&] {
    while (!stop) {
      const nexus_handle handle = rig.subscribe(*rest, "order.*", fleeting, 7);
      std::this_thread::yield();
      static_cast<void>(rig.bus->unsubscribe(*rest, handle));
      rig.bus->tick();
    }
  });
  std::vector<std::thread> emitters;
  for (int t = 0; t < 3; ++t)
    emitters.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        if (rig.emit(*shop, "order.created", "x", i % 3) != NEXUS_OK) std::abort();
      }
    });
  for (auto& emitter : emitters) emitter.join();
  stop = true;
  churn.join();
  REQUIRE(rig.settle());
  rig.bus->tick();
  const BusTotals totals = rig.bus->totals();
  CHECK(totals.accepted == 15000);
  CHECK(steady.count() == 15000);
  CHECK(all.count() == 15000);
  CHECK(totals.deliveries.handled == steady.count() + all.count() + fleeting.count());
  CHECK(totals.deliveries.failed == 0);
  CHECK(totals.waiting == 0);
}
