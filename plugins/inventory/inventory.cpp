// A stock of items: sets aside what an order asks for, all of it or nothing, until the order is confirmed or cancelled.
#include <cstdint>
#include <map>
#include <string>

#include <nexus/events.hpp>
#include <nexus/plugin.hpp>

namespace inventory {

using namespace nexus::events;

struct InventoryConfig {
  std::map<std::string, std::uint64_t> stock;  // by sku
  std::uint64_t stock_of_others = 100;         // of each item that is not named
};
NEXUS_CONFIG(InventoryConfig, stock, stock_of_others)

using Quantities = std::map<std::string, std::uint64_t>;  // by sku

// The sum for each item of an order. An item is {sku, quantity}, the quantity 1 where it is not said.
Quantities quantities_of(const InventoryReservation& order) {
  Quantities sum;
  for (const auto& item : order.items) {
    const auto sku = item.find("sku");
    if (sku == item.end() || !sku->second.is_text())
      throw nexus::Reject("order " + order.order_id + " has an item without a sku");
    const auto quantity = item.find("quantity");
    sum[sku->second.get<std::string>()] += quantity == item.end() ? 1 : quantity->second.get<std::uint32_t>();
  }
  return sum;
}

class Inventory final : public nexus::Plugin {
  void start() override {
    reserved_ = counter("inventory_reserved", "Orders whose items were set aside.");
    failed_ = counter("inventory_failed", "Orders of which an item was missing.");
  }

  NEXUS_ON(reserve)
  void reserve(const InventoryReservation& order) {
    if (!set_aside_.contains(order.order_id)) {
      const Quantities wanted = quantities_of(order);
      for (const auto& [sku, quantity] : wanted) {
        if (stock_of(sku) >= quantity) continue;
        failed_.add();
        emit(InventoryFailed{order.order_id, "out_of_stock: " + sku}, {.key = order.order_id});
        return;
      }
      for (const auto& [sku, quantity] : wanted) stock_of(sku) -= quantity;
      set_aside_[order.order_id] = wanted;
      reserved_.add();
    }
    emit(InventoryReserved{order.order_id}, {.key = order.order_id});
  }

  NEXUS_ON(hand_out)
  void hand_out(const OrderConfirmed& order) { set_aside_.erase(order.order_id); }

  // Whatever the reason; an order of which nothing was set aside gives nothing back.
  NEXUS_ON(put_back)
  void put_back(const OrderCancelled& order) {
    const auto found = set_aside_.find(order.order_id);
    if (found == set_aside_.end()) return;
    for (const auto& [sku, quantity] : found->second) stock_of(sku) += quantity;
    set_aside_.erase(found);
  }

  std::uint64_t& stock_of(const std::string& sku) {
    return stock_.try_emplace(sku, config_.stock_of_others).first->second;
  }

  const InventoryConfig config_ = config<InventoryConfig>();
  Quantities stock_ = config_.stock;
  std::map<std::string, Quantities> set_aside_;  // by order; ends with the order
  nexus::Counter reserved_, failed_;
};

NEXUS_PLUGIN(Inventory, "com.example.inventory", "1.0.0", .name = "Inventory",
             .description = "Sets items aside, for the order saga")

}  // namespace inventory
