// The documentation's order saga, payment and then stock, with the conditions and priorities of its other order
// examples beside it. What the plugins `payment` and `inventory` answer decides how an order ends.
#include <nexus/events.hpp>
#include <nexus/saga.hpp>

namespace shop {

using namespace nexus::events;

// An order is large enough for a person to look at.
struct ReviewOpened {
  std::string order_id;
  double total_amount = 0;
};
NEXUS_EVENT(ReviewOpened, "order.review_opened", order_id, total_amount)

// What an order's steps must know of it.
struct OrderState {
  double total_amount = 0;
  std::vector<std::map<std::string, nexus::cbor::Value>> items;
};
NEXUS_STATE(OrderState, total_amount, items)

struct OrdersConfig {
  double review_above = 100;  // total_amount from which an order is reviewed
  std::chrono::duration<double> payment_timeout = std::chrono::minutes(15);
  std::chrono::duration<double> inventory_timeout = std::chrono::minutes(5);
  std::uint64_t open_orders_max = 1'000'000;  // further ones are rejected
};
NEXUS_CONFIG(OrdersConfig, review_above, payment_timeout, inventory_timeout, open_orders_max)

class OrderSaga final : public nexus::Saga<OrderState> {
 public:
  OrderSaga() { set_instances_max(config_.open_orders_max); }

 private:
  void start() override {
    created_ = counter("orders_created", "Orders seen.");
    amount_ = counter("orders_amount", "Sum of the orders' total amounts, whatever their currency.");
    log().info("taking orders", {{"review_above", config_.review_above}});
  }

  // Before all others: what failed later is still on record.
  NEXUS_ON(record, .priority = 10)
  void record(const OrderCreated& order) {
    created_.add();
    if (order.total_amount > 0) amount_.add(order.total_amount);
    log().debug("new order", {{"order_id", order.order_id}, {"total_amount", order.total_amount}});
  }

  NEXUS_ON(
      review, .priority = 5, .when = [](const OrderCreated& order) { return order.total_amount > 100; })
  void review(const OrderCreated& order) {
    if (order.total_amount > config_.review_above)
      emit(ReviewOpened{order.order_id, order.total_amount}, {.priority = 100, .key = order.order_id});
  }

  // snippet: saga
  NEXUS_SAGA_KEY(order_id)

  NEXUS_START(OrderCreated, ask_payment, "payment")
  void ask_payment(const OrderCreated& order) {
    state() = {order.total_amount, order.items};
    tell(PaymentRequest{order.order_id, order.total_amount});
  }

  // Money that comes when its order is gone is a case for a person.
  NEXUS_STEP("payment", PaymentCompleted, reserve_stock, "inventory", .not_found = nexus::dead_letter)
  void reserve_stock() { tell(InventoryReservation{std::string(key()), state().items}); }

  NEXUS_COMPENSATE("payment", refund)
  void refund() { tell(PaymentRefund{std::string(key()), state().total_amount}); }

  NEXUS_STEP("payment", PaymentFailed, cancel_unpaid, nexus::done)
  void cancel_unpaid() { cancel("payment_failed"); }

  NEXUS_TIMEOUT("payment", &OrderSaga::payment_timeout, cancel_waiting, nexus::done)
  void cancel_waiting() { cancel("payment_timeout"); }

  NEXUS_STEP("inventory", InventoryReserved, confirm, nexus::done)
  void confirm() { tell(OrderConfirmed{std::string(key())}); }

  NEXUS_STEP("inventory", InventoryFailed, cancel_missing, nexus::undo)
  void cancel_missing() { cancel("inventory_failed"); }

  NEXUS_TIMEOUT("inventory", &OrderSaga::inventory_timeout, cancel_unanswered, nexus::undo)
  void cancel_unanswered() { cancel("inventory_timeout"); }
  // end snippet

  void cancel(const std::string& reason) { tell(OrderCancelled{std::string(key()), reason}); }

  // Events of one order stay in order.
  template <class T>
  void tell(const T& event) {
    emit(event, {.key = key()});
  }

  std::chrono::duration<double> payment_timeout() const { return config_.payment_timeout; }
  std::chrono::duration<double> inventory_timeout() const { return config_.inventory_timeout; }

  const OrdersConfig config_ = config<OrdersConfig>();
  nexus::Counter created_, amount_;
};

NEXUS_PLUGIN(OrderSaga, "com.example.orders", "2.0.0", .name = "Orders",
             .description = "The documentation's order saga")

}  // namespace shop
