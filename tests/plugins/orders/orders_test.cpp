#include <catch2/catch_test_macros.hpp>
#include <nexus/testing.hpp>

#include "plugins/orders/orders.cpp"

// Those that answer it, in the same program.
#undef NEXUS_PLUGIN
#define NEXUS_PLUGIN NEXUS_PLUGIN_INFO
#include "plugins/inventory/inventory.cpp"
#include "plugins/payment/payment.cpp"

using namespace shop;
using namespace std::chrono_literals;

namespace {

OrderCreated order(const std::string& id, double amount, const std::string& sku = "tea") {
  return {id, "u-7", amount, "EUR", {{{"sku", sku}, {"quantity", 2}}}};
}

// The types of the events of one correlation, in order.
std::vector<std::string> story(const nexus::testing::Host& host, std::string_view correlation) {
  std::vector<std::string> types;
  for (const auto& event : host.events())
    if (event->correlation_id == correlation) types.push_back(event->type);
  return types;
}

using Story = std::vector<std::string>;

struct Shop {
  nexus::testing::Host host;
  nexus::testing::Loaded<OrderSaga> orders = host.load<OrderSaga>();
  nexus::testing::Loaded<payment::Payment> payments = host.load<payment::Payment>();
  nexus::testing::Loaded<inventory::Inventory> stock = host.load<inventory::Inventory>({{"stock", {{"unicorn", 0}}}});

  Story place(const OrderCreated& created) {
    host.emit(created, {.correlation = "c"});
    host.run();
    return story(host, "c");
  }
};

}  // namespace

TEST_CASE("every order is recorded, and its payment asked for in its own correlation") {
  nexus::testing::Host host;
  auto orders = host.load<OrderSaga>();
  host.emit(order("A-1", 20), {.correlation = "c-7"});
  host.run();
  REQUIRE(host.emitted<PaymentRequest>().size() == 1);
  CHECK(host.emitted<PaymentRequest>().front().order_id == "A-1");
  CHECK(host.emitted<PaymentRequest>().front().amount == 20);
  CHECK(host.emitted("payment.request").front()->correlation_id == "c-7");
  CHECK(host.emitted("payment.request").front()->key == "A-1");
  CHECK(host.emitted<ReviewOpened>().empty());
  CHECK(host.metric("orders_created") == 1);
  CHECK(host.metric("orders_amount") == 20);
  CHECK(host.failures().empty());
}

TEST_CASE("only orders above the limit are reviewed") {
  nexus::testing::Host host;
  auto orders = host.load<OrderSaga>({{"review_above", 500}});
  for (const double amount : {100.0, 100.5, 500.0, 500.5}) host.emit(order("A", amount));
  host.run();
  REQUIRE(host.emitted<ReviewOpened>().size() == 1);
  CHECK(host.emitted<ReviewOpened>().front().total_amount == 500.5);
}

TEST_CASE("an order without a number is rejected for good, and nothing else stops") {
  nexus::testing::Host host;
  auto orders = host.load<OrderSaga>();
  host.emit(order("", 1));
  host.emit(order("A", 1));
  host.run();
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures().front().dead_lettered);
  CHECK(host.emitted<PaymentRequest>().size() == 1);
}

TEST_CASE("a config with an unknown key is refused") {
  nexus::testing::Host host;
  CHECK_THROWS(host.load<OrderSaga>({{"review_abov", 500}}));
  CHECK_THROWS(host.load<OrderSaga>({{"review_above", "much"}}));
}

TEST_CASE("an order that can be paid and delivered is confirmed") {
  Shop shop;
  CHECK(shop.place(order("A", 25)) == Story{"order.created", "payment.request", "payment.processing",
                                            "payment.completed", "inventory.reservation", "inventory.reserved",
                                            "order.confirmed"});
  CHECK(shop.host.failures().empty());
  CHECK(shop.host.metric("saga_active") == 0);
}

TEST_CASE("an order that cannot be paid is cancelled") {
  Shop shop;
  CHECK(shop.place(order("A", 2500)) == Story{"order.created", "order.review_opened", "payment.request",
                                              "payment.processing", "payment.failed", "order.cancelled"});
  CHECK(shop.host.emitted<OrderCancelled>().front().reason == "payment_failed");
}

TEST_CASE("an order that is paid but not in stock is cancelled and refunded") {
  Shop shop;
  CHECK(shop.place(order("A", 25, "unicorn")) == Story{"order.created", "payment.request", "payment.processing",
                                                       "payment.completed", "inventory.reservation", "inventory.failed",
                                                       "order.cancelled", "payment.refund", "payment.refunded"});
  CHECK(shop.host.emitted<OrderCancelled>().front().reason == "inventory_failed");
  CHECK(shop.host.emitted<PaymentRefunded>().front().amount == 25);
}

TEST_CASE("a payment that does not answer cancels the order, and one that comes later is a case for a person") {
  Shop shop;
  shop.place(order("A", 25000));
  CHECK(shop.host.emitted<OrderCancelled>().empty());
  shop.host.advance(15min);
  REQUIRE(shop.host.emitted<OrderCancelled>().size() == 1);
  CHECK(shop.host.emitted<OrderCancelled>().front().reason == "payment_timeout");
  CHECK(shop.host.emitted("order.cancelled").front()->correlation_id == "c");
  CHECK(shop.host.failures().empty());
  shop.host.emit(PaymentCompleted{"A", 25000});
  shop.host.run();
  REQUIRE(shop.host.failures().size() == 1);
  CHECK(shop.host.failures().front().error_type == "saga_not_found");
}

TEST_CASE("a stock that does not answer cancels the order and gives the money back") {
  nexus::testing::Host host;
  auto orders = host.load<OrderSaga>({{"inventory_timeout", 1.5}});
  auto payments = host.load<payment::Payment>();
  host.emit(order("A", 25));
  host.advance(1500ms);
  REQUIRE(host.emitted<OrderCancelled>().size() == 1);
  CHECK(host.emitted<OrderCancelled>().front().reason == "inventory_timeout");
  CHECK(host.emitted<PaymentRefunded>().size() == 1);
}

TEST_CASE("beyond the limit of open orders one more is rejected, with a reason") {
  nexus::testing::Host host;
  auto orders = host.load<OrderSaga>({{"open_orders_max", 1}});
  host.emit(order("A", 25));
  host.emit(order("B", 25));
  host.run();
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures().front().error_type == "saga_full");
}
