#include <catch2/catch_test_macros.hpp>
#include <nexus/testing.hpp>

#include "plugins/payment/payment.cpp"

using namespace payment;

TEST_CASE("what an order costs decides: paid, refused, or no answer") {
  nexus::testing::Host host;
  auto plugin = host.load<Payment>({{"approve_up_to", 50}, {"answer_up_to", 500}});
  host.emit(PaymentRequest{"A", 50});
  host.emit(PaymentRequest{"B", 50.5});
  host.emit(PaymentRequest{"C", 500.5});
  host.run();
  REQUIRE(host.emitted<PaymentCompleted>().size() == 1);
  CHECK(host.emitted<PaymentCompleted>().front().order_id == "A");
  CHECK(host.emitted<PaymentCompleted>().front().amount == 50);
  REQUIRE(host.emitted<PaymentFailed>().size() == 1);
  CHECK(host.emitted<PaymentFailed>().front().order_id == "B");
  CHECK(host.emitted<PaymentFailed>().front().reason == "above_limit");
  REQUIRE(host.emitted<PaymentProcessing>().size() == 3);
  CHECK(host.emitted<PaymentProcessing>().front().payment_method == "card");
  CHECK(host.metric("payments_completed") == 1);
  CHECK(host.metric("payments_failed") == 1);
}

TEST_CASE("a refund is answered") {
  nexus::testing::Host host;
  auto plugin = host.load<Payment>();
  host.emit(PaymentRefund{"A", 7});
  host.run();
  REQUIRE(host.emitted<PaymentRefunded>().size() == 1);
  CHECK(host.emitted<PaymentRefunded>().front().amount == 7);
  CHECK(host.metric("payments_refunded") == 1);
}
