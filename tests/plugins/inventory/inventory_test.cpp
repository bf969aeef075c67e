#include <catch2/catch_test_macros.hpp>
#include <nexus/testing.hpp>

#include "plugins/inventory/inventory.cpp"

using namespace inventory;
using nexus::cbor::Value;

namespace {

InventoryReservation reservation(const std::string& order, const std::string& sku, int quantity) {
  return {order, {{{"sku", sku}, {"quantity", quantity}}}};
}

// How many orders have been answered with either event.
struct Answers {
  std::size_t reserved, failed;
  bool operator==(const Answers&) const = default;
};
Answers answers(const nexus::testing::Host& host) {
  return {host.emitted<InventoryReserved>().size(), host.emitted<InventoryFailed>().size()};
}

}  // namespace

TEST_CASE("items are set aside while there are enough, and put back when the order is cancelled") {
  nexus::testing::Host host;
  auto plugin = host.load<Inventory>({{"stock", {{"tea", 3}}}, {"stock_of_others", 1}});
  host.emit(reservation("A", "tea", 2));
  host.run();
  CHECK(answers(host) == Answers{1, 0});
  host.emit(reservation("B", "tea", 2));
  host.run();
  CHECK(answers(host) == Answers{1, 1});
  CHECK(host.emitted<InventoryFailed>().front().reason == "out_of_stock: tea");
  host.emit(OrderCancelled{"A", "payment_failed"});
  host.emit(OrderCancelled{"B", "inventory_failed"});  // nothing was set aside for it
  host.emit(reservation("C", "tea", 3));
  host.emit(reservation("D", "tea", 1));
  host.run();
  CHECK(answers(host) == Answers{2, 2});
  // What is handed out does not come back.
  host.emit(OrderConfirmed{"C"});
  host.emit(OrderCancelled{"C", "too late"});
  host.emit(reservation("E", "tea", 1));
  host.emit(reservation("F", "milk", 1));
  host.emit(reservation("G", "milk", 1));
  host.run();
  CHECK(answers(host) == Answers{3, 4});
  CHECK(host.failures().empty());
}

TEST_CASE("an order gets all of its items or none, and the same answer when it is asked twice") {
  nexus::testing::Host host;
  auto plugin = host.load<Inventory>({{"stock", {{"tea", 2}, {"cup", 0}}}});
  host.emit(InventoryReservation{"A", {{{"sku", "tea"}, {"quantity", 2}}, {{"sku", "cup"}}}});
  host.emit(InventoryReservation{"B", {{{"sku", "tea"}}, {{"sku", "tea"}}}});
  host.emit(InventoryReservation{"B", {{{"sku", "tea"}}, {{"sku", "tea"}}}});
  host.emit(InventoryReservation{"C", {}});
  host.run();
  CHECK(answers(host) == Answers{3, 1});
  CHECK(host.emitted<InventoryFailed>().front().order_id == "A");
}

TEST_CASE("an item without a sku is rejected") {
  nexus::testing::Host host;
  auto plugin = host.load<Inventory>();
  host.emit(InventoryReservation{"A", {{{"quantity", 2}}}});
  host.run();
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures().front().dead_lettered);
}
