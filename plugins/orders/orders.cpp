// The documentation's order example: conditions, priorities and correlated events.
#include <nexus/events.hpp>
#include <nexus/plugin.hpp>

namespace shop {

using nexus::events::OrderCreated;

// An order is large enough for a person to look at.
struct ReviewOpened {
  std::string order_id;
  double total_amount = 0;
};
NEXUS_EVENT(ReviewOpened, "order.review_opened", order_id, total_amount)

// Payment for an order begins.
struct PaymentProcessing {
  std::string order_id;
  double amount = 0;
  std::string payment_method = "card";
};
NEXUS_EVENT(PaymentProcessing, "payment.processing", order_id, amount, payment_method)

struct OrdersConfig {
  double review_above = 100;  // total_amount from which an order is reviewed
};
NEXUS_CONFIG(OrdersConfig, review_above)

class Orders final : public nexus::Plugin {
  void start() override {
    created_ = counter("orders_created", "Orders seen.");
    amount_ = counter("orders_amount", "Sum of the orders' total amounts, whatever their currency.");
    log().info("taking orders", {{"review_above", config_.review_above}});
  }

  // Before all others: what failed later is still on record.
  NEXUS_ON(record, .priority = 10)
  void record(const OrderCreated& order) {
    if (order.order_id.empty()) throw nexus::Reject("an order without an order_id");
    created_.add();
    if (order.total_amount > 0) amount_.add(order.total_amount);
    log().debug("new order", {{"order_id", order.order_id}, {"total_amount", order.total_amount}});
  }

  NEXUS_ON(review, .priority = 5, .when = [](const OrderCreated& order) { return order.total_amount > 100; })
  void review(const OrderCreated& order) {
    if (order.total_amount > config_.review_above)
      emit(ReviewOpened{order.order_id, order.total_amount}, {.priority = 100, .key = order.order_id});
  }

  // In the same correlation as the order, by being emitted while it is handled.
  NEXUS_ON(pay)
  void pay(const OrderCreated& order) {
    emit(PaymentProcessing{order.order_id, order.total_amount}, {.key = order.order_id});
  }

  const OrdersConfig config_ = config<OrdersConfig>();
  nexus::Counter created_, amount_;
};

NEXUS_PLUGIN(Orders, "com.example.orders", "1.0.0", .name = "Orders",
             .description = "The documentation's order example")

}  // namespace shop
