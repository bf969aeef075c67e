#include <catch2/catch_test_macros.hpp>
#include <nexus/testing.hpp>

#include "plugins/orders/orders.cpp"

using namespace shop;

TEST_CASE("every order is recorded and paid for, in its own correlation") {
  nexus::testing::Host host;
  auto orders = host.load<Orders>();
  host.emit(OrderCreated{"A-1", "u-7", 20, "EUR", {}});
  host.run();
  REQUIRE(host.emitted<PaymentProcessing>().size() == 1);
  CHECK(host.emitted<PaymentProcessing>().front().order_id == "A-1");
  CHECK(host.emitted<PaymentProcessing>().front().amount == 20);
  CHECK(host.emitted<ReviewOpened>().empty());
  CHECK(host.failures().empty());
}

TEST_CASE("only orders above the limit are reviewed") {
  nexus::testing::Host host;
  auto orders = host.load<Orders>({{"review_above", 500}});
  for (const double amount : {100.0, 100.5, 500.0, 500.5}) host.emit(OrderCreated{"A", "u", amount, "EUR", {}});
  host.run();
  REQUIRE(host.emitted<ReviewOpened>().size() == 1);
  CHECK(host.emitted<ReviewOpened>().front().total_amount == 500.5);
}

TEST_CASE("an order without a number is rejected for good, and nothing else stops") {
  nexus::testing::Host host;
  auto orders = host.load<Orders>();
  host.emit(OrderCreated{"", "u", 1, "EUR", {}});
  host.run();
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures().front().dead_lettered);
}

TEST_CASE("a config with an unknown key is refused") {
  nexus::testing::Host host;
  CHECK_THROWS(host.load<Orders>({{"review_abov", 500}}));
  CHECK_THROWS(host.load<Orders>({{"review_above", "much"}}));
}
