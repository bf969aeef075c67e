// A payment service that only pretends: what an order costs decides whether it is paid, refused, or left without an
// answer, so that each way through the saga of `orders` can be tried.
#include <nexus/events.hpp>
#include <nexus/plugin.hpp>

namespace payment {

using namespace nexus::events;

struct PaymentConfig {
  double approve_up_to = 1000;  // a larger amount is refused
  double answer_up_to = 10000;  // a still larger one gets no answer at all, as if the service had gone away
};
NEXUS_CONFIG(PaymentConfig, approve_up_to, answer_up_to)

class Payment final : public nexus::Plugin {
  void start() override {
    completed_ = counter("payments_completed", "Payments that were approved.");
    failed_ = counter("payments_failed", "Payments that were refused.");
    refunded_ = counter("payments_refunded", "Payments that were given back.");
  }

  NEXUS_ON(pay)
  void pay(const PaymentRequest& request) {
    emit(PaymentProcessing{request.order_id, "card"}, {.key = request.order_id});
    if (request.amount > config_.answer_up_to) return;
    if (request.amount > config_.approve_up_to) {
      failed_.add();
      emit(PaymentFailed{request.order_id, "above_limit"}, {.key = request.order_id});
    } else {
      completed_.add();
      emit(PaymentCompleted{request.order_id, request.amount}, {.key = request.order_id});
    }
  }

  NEXUS_ON(refund)
  void refund(const PaymentRefund& request) {
    refunded_.add();
    emit(PaymentRefunded{request.order_id, request.amount}, {.key = request.order_id});
  }

  const PaymentConfig config_ = config<PaymentConfig>();
  nexus::Counter completed_, failed_, refunded_;
};

NEXUS_PLUGIN(Payment, "com.example.payment", "1.0.0", .name = "Payment",
             .description = "Pays what costs little, for the order saga")

}  // namespace payment
