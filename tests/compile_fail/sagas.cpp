// Sagas whose lines do not fit together, or whose methods do not fit their lines.
// expect 1: nexus::Saga<State>: describe the state below its struct
// expect 2: a saga needs a NEXUS_START: the event that begins an instance
// expect 3: leads to a state that no NEXUS_STEP or NEXUS_TIMEOUT leaves; is it misspelt?
// expect 4: stands in a state that nothing leads to; is it misspelt?
// expect 5: two NEXUS_STEP take the same event in the same state
// expect 6: a state has two NEXUS_TIMEOUT
// expect 7: NEXUS_COMPENSATE would never run
// expect 8: the method takes nothing, or the named event by const reference, or that and const nexus::Event&
// expect 9: the method returns void; what it has to say it emits
// expect 10: the method takes nothing and returns void; what it needs is in state()
// expect 11: NEXUS_STEP: the class has no method resreve, or more than one
// expect 12: stand in a class that derives from nexus::Saga<State>
// expect 13: NEXUS_SAGA_KEY(order_id): an event of this saga has no such field
// expect 14: a saga's key is a text or an integer
// expect 15: NEXUS_START and NEXUS_STEP take an event that is declared by NEXUS_EVENT
// expect 16: the states of a saga have names of a-z, 0-9, _ and -
// expect 17: the options of an event stand on its first line
// expect 18: .not_found is for steps
// expect 19: two NEXUS_START take the same event
// expect 20: NEXUS_TIMEOUT takes a duration such as 15min
// expect 21: NEXUS_ON_stands_on_a_line_of_its_own
// expect 22: name a member function of the saga, one that is neither static nor a template
#include <nexus/saga.hpp>

struct OrderCreated {
  std::string order_id;
  double total = 0;
};
NEXUS_EVENT(OrderCreated, "order.created", order_id, total)

struct Paid {
  std::string order_id;
};
NEXUS_EVENT(Paid, "payment.completed", order_id)

struct Late {
  std::string order;
};
NEXUS_EVENT(Late, "payment.late", order)

struct NotAnEvent {
  std::string order_id;
};

struct OrderState {
  double total = 0;
};
#if MISUSE == 1
#else
NEXUS_STATE(OrderState, total)
#endif

// The lines of the saga as they should be; each misuse has one of its own instead.
#define KEY NEXUS_SAGA_KEY(order_id)
#define START NEXUS_START(OrderCreated, ask, "payment")
#define STEP NEXUS_STEP("payment", Paid, reserve, "inventory")
#define STEP_2 NEXUS_STEP("inventory", Paid, reserve, nexus::done)
#define TIMEOUT NEXUS_TIMEOUT("payment", &Orders::patience, expire, nexus::undo)
#define TIMEOUT_2 NEXUS_TIMEOUT("inventory", 15min, expire, nexus::undo)
#define COMPENSATE NEXUS_COMPENSATE("payment", refund)
#define ASK \
  void ask(const OrderCreated& order, const nexus::Event&) { emit(Paid{order.order_id}); }
#define EXPIRE \
  void expire() {}
#define BASE nexus::Saga<OrderState>

#if MISUSE == 2
#undef START
#define START NEXUS_TIMEOUT("start", 15min, expire, "payment")
#elif MISUSE == 3
#undef START
#define START NEXUS_START(OrderCreated, ask, "paymnet")
#elif MISUSE == 4
#undef STEP_2
#define STEP_2 NEXUS_STEP("invnetory", Paid, reserve, nexus::done)
#elif MISUSE == 5
#undef STEP_2
#define STEP_2 NEXUS_STEP("payment", Paid, reserve, nexus::done)
#elif MISUSE == 6
#undef TIMEOUT_2
#define TIMEOUT_2 NEXUS_TIMEOUT("payment", 20min, expire, nexus::undo)
#elif MISUSE == 7
#undef COMPENSATE
#define COMPENSATE NEXUS_COMPENSATE("inventory", refund)
#elif MISUSE == 8
#undef ASK
#define ASK \
  void ask(const Paid&) {}
#elif MISUSE == 9
#undef ASK
#define ASK \
  bool ask(const OrderCreated&) { return true; }
#elif MISUSE == 10
#undef EXPIRE
#define EXPIRE \
  void expire(const OrderCreated&) {}
#elif MISUSE == 11
#undef STEP
#define STEP NEXUS_STEP("payment", Paid, resreve, "inventory")
#elif MISUSE == 12
#undef BASE
#define BASE nexus::Plugin
#elif MISUSE == 13
#undef STEP_2
#define STEP_2 NEXUS_STEP("inventory", Late, reserve, nexus::done)
#elif MISUSE == 14
#undef KEY
#define KEY NEXUS_SAGA_KEY(total)
#elif MISUSE == 15
#undef START
#define START NEXUS_START(NotAnEvent, ask, "payment")
#elif MISUSE == 16
#undef START
#define START NEXUS_START(OrderCreated, ask, "The payment")
#elif MISUSE == 17
#undef STEP_2
#define STEP_2 NEXUS_STEP("inventory", Paid, reserve, nexus::done, .priority = 5)
#elif MISUSE == 18
#undef START
#define START NEXUS_START(OrderCreated, ask, "payment", .not_found = nexus::dead_letter)
#elif MISUSE == 19
#undef STEP_2
#define STEP_2 NEXUS_START(OrderCreated, ask, "inventory")
#elif MISUSE == 20
#undef TIMEOUT
#define TIMEOUT NEXUS_TIMEOUT("payment", 900, expire, nexus::undo)
#elif MISUSE == 21
#undef STEP
#define STEP NEXUS_STEP("payment", Paid, reserve, "inventory") NEXUS_STEP("inventory", Late, reserve, nexus::done)
#elif MISUSE == 22
#undef ASK
#define ASK \
  static void ask(const OrderCreated&) {}
#endif

// clang-format off: it takes the lines of a saga for one statement
class Orders final : public BASE {
  KEY
  START
  ASK
  STEP
  STEP_2
  void reserve() {}
  TIMEOUT
  TIMEOUT_2
  EXPIRE
  std::chrono::seconds patience() const { return std::chrono::seconds(5); }
  COMPENSATE
  void refund() {}
};
// clang-format on
NEXUS_PLUGIN(Orders, "com.example.orders", "1.0.0")
