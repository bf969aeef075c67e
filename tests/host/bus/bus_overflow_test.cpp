// Full mailboxes: each policy, and that the sums add up.
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

TEST_CASE("reject: the emit fails when the mailbox is full, and the sums add up") {
  BusOptions options;
  options.max_queue_size = 10;
  options.overflow = Overflow::kReject;
  Rig rig(options);
  auto shop = rig.add("com.example.shop");
  Gate gate;
  Probe probe;
  probe.answer = [&](const nexus_delivery&, nexus_outcome&) { return gate.wait(), NEXUS_DONE; };
  rig.subscribe(*shop, "order.created", probe);
  REQUIRE(rig.emit(*shop, "order.created") == NEXUS_OK);
  gate.await(1);
  int accepted = 0, rejected = 0;
  for (int i = 0; i < 100; ++i) (rig.emit(*shop, "order.created") == NEXUS_OK ? accepted : rejected)++;
  CHECK(accepted == 10);
  CHECK(rejected == 90);
  gate.open();
  REQUIRE(rig.settle());
  const BusTotals totals = rig.bus->totals();
  CHECK(totals.accepted == 11);
  CHECK(totals.rejected == 90);
  CHECK(totals.deliveries.handled == 11);
}

TEST_CASE("a batch is accepted up to the event that finds no room, and the sums add up") {
  BusOptions options;
  options.max_queue_size = 10;
  options.overflow = Overflow::kReject;
  Rig rig(options);
  auto shop = rig.add("com.example.shop"), mail = rig.add("com.example.mail"), other = rig.add("com.example.other");
  Probe probe, others;
  rig.subscribe(*mail, "order.*", probe);
  rig.subscribe(*other, "stock.changed", others);
  REQUIRE(rig.bus->pause(*mail, in_seconds(10)));
  const uint64_t created = rig.bus->intern(*shop, "order.created").value();
  const uint64_t paid = rig.bus->intern(*shop, "order.paid").value();
  const uint64_t stock = rig.bus->intern(*shop, "stock.changed").value();
  nexus_emit_options urgent{};
  urgent.size = sizeof urgent;
  urgent.priority = 7;
  std::vector<nexus_emit_item> items;
  std::vector<std::string> data;
  for (int i = 0; i < 20; ++i) data.push_back(std::to_string(i));
  for (size_t i = 0; i < 20; ++i)
    items.push_back({i % 5 == 2   ? stock
                     : i % 2 == 0 ? created
                                  : paid,
                     i == 4 ? &urgent : nullptr,
                     {reinterpret_cast<const uint8_t*>(data[i].data()), data[i].size()}});
  uint64_t accepted = 0;
  nexus_uuid ids[20] = {};
  CHECK(rig.bus->emit_batch(*shop, items.data(), items.size(), &accepted, ids, nullptr) == NEXUS_E_QUEUE_FULL);
  // Of the first 13 three go elsewhere (2, 7, 12); the eleventh for the full mailbox is refused.
  CHECK(accepted == 13);
  rig.bus->resume(*mail);
  REQUIRE(rig.settle());
  CHECK(probe.copy() == std::vector<std::string>{"4", "0", "1", "3", "5", "6", "8", "9", "10", "11"});
  CHECK(others.copy() == std::vector<std::string>{"2", "7", "12"});
  CHECK(rig.bus->totals().accepted == 13);
  CHECK(rig.bus->totals().rejected == 1);
  for (size_t i = 1; i < 13; ++i) CHECK(std::memcmp(ids[i - 1].bytes, ids[i].bytes, sizeof ids[i].bytes) < 0);
  accepted = 0;
  CHECK(rig.bus->emit_batch(*shop, items.data() + 13, 7, &accepted, nullptr, nullptr) == NEXUS_OK);
  CHECK(accepted == 7);
  REQUIRE(rig.settle());
}

TEST_CASE("reject is all or nothing when an event has several mailboxes") {
  BusOptions options;
  options.max_queue_size = 4;
  options.overflow = Overflow::kReject;
  Rig rig(options);
  auto shop = rig.add("com.example.shop"), slow = rig.add("com.example.slow");
  Gate gate;
  Probe fast, stuck, later;
  stuck.answer = [&](const nexus_delivery&, nexus_outcome&) { return gate.wait(), NEXUS_DONE; };
  rig.subscribe(*shop, "order.created", fast);
  rig.subscribe(*slow, "order.created", stuck);
  rig.subscribe(*shop, "order.created", later, -10);
  int accepted = 0;
  for (int i = 0; i < 50; ++i) accepted += rig.emit(*shop, "order.created") == NEXUS_OK ? 1 : 0;
  gate.open();
  REQUIRE(rig.settle());
  CHECK(accepted >= 2);  // each takes two places in the mailbox of com.example.shop
  CHECK(fast.count() == static_cast<size_t>(accepted));
  CHECK(stuck.count() == static_cast<size_t>(accepted));
  CHECK(later.count() == static_cast<size_t>(accepted));
  CHECK(rig.bus->totals().waiting == 0);
}

TEST_CASE("drop_oldest: the newest stay, what was dropped is counted") {
  BusOptions options;
  options.max_queue_size = 10;
  options.overflow = Overflow::kDropOldest;
  Rig rig(options);
  auto shop = rig.add("com.example.shop");
  Gate gate;
  Probe probe;
  probe.answer = [&](const nexus_delivery&, nexus_outcome&) { return gate.wait(), NEXUS_DONE; };
  rig.subscribe(*shop, "order.created", probe);
  REQUIRE(rig.emit(*shop, "order.created", "running") == NEXUS_OK);
  gate.await(1);
  for (int i = 0; i < 100; ++i) REQUIRE(rig.emit(*shop, "order.created", std::to_string(i)) == NEXUS_OK);
  gate.open();
  REQUIRE(rig.settle());
  const auto seen = probe.copy();
  const BusTotals totals = rig.bus->totals();
  CHECK(totals.accepted == 101);
  CHECK(seen.size() == 11);
  CHECK(seen.back() == "99");
  CHECK(totals.deliveries.handled == 11);
  CHECK(totals.deliveries.discarded == 90);
}

TEST_CASE("block: the emitter waits for room, and gives up at its deadline") {
  BusOptions options;
  options.max_queue_size = 4;
  Rig rig(options);
  auto shop = rig.add("com.example.shop");
  Gate gate;
  Probe probe;
  probe.answer = [&](const nexus_delivery&, nexus_outcome&) { return gate.wait(), NEXUS_DONE; };
  rig.subscribe(*shop, "order.created", probe);
  REQUIRE(rig.emit(*shop, "order.created") == NEXUS_OK);
  gate.await(1);
  for (int i = 0; i < 4; ++i) REQUIRE(rig.emit(*shop, "order.created") == NEXUS_OK);
  CHECK(rig.emit(*shop, "order.created", "", 0, 1'000'000) == NEXUS_E_QUEUE_FULL);
  CHECK(rig.emit(*shop, "order.created", "", 0, -1) == NEXUS_E_QUEUE_FULL);
  std::atomic<int> code{-1};
  std::thread waiting([&] { code = rig.emit(*shop, "order.created", "", 0, 30'000'000'000); });
  gate.open();
  waiting.join();
  CHECK(code == NEXUS_OK);
  REQUIRE(rig.settle());
  CHECK(probe.count() == 6);
}

TEST_CASE("emits of handlers never block: they are admitted up to ten times the size, then rejected") {
  BusOptions options;
  options.max_queue_size = 5;
  Rig rig(options);
  auto shop = rig.add("com.example.shop"), slow = rig.add("com.example.slow");
  Gate gate;
  Probe burst, stuck;
  std::atomic<int> accepted{0}, rejected{0};
  stuck.answer = [&](const nexus_delivery&, nexus_outcome&) { return gate.wait(), NEXUS_DONE; };
  burst.answer = [&](const nexus_delivery&, nexus_outcome&) {
    for (int i = 0; i < 100; ++i) ++(rig.emit(*shop, "mail.wanted") == NEXUS_OK ? accepted : rejected);
    gate.open();
    return NEXUS_DONE;
  };
  rig.subscribe(*shop, "order.created", burst);
  rig.subscribe(*slow, "mail.wanted", stuck);
  rig.emit(*shop, "order.created");
  REQUIRE(rig.settle());
  CHECK(accepted == 50);
  CHECK(rejected == 50);
  CHECK(stuck.count() == 50);
}
