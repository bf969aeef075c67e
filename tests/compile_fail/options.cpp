// Options of a handler that make no sense.
// expect 1: NEXUS_ON: a handler that takes const nexus::Event& needs .topic
// expect 2: NEXUS_ON: .topic is no pattern; write lower-case segments joined by dots
// expect 3: NEXUS_ON: .topic is no pattern
// expect 4: NEXUS_ON: .when takes a function of the handler's const T&, or of const nexus::Event&, that returns bool
// expect 5: NEXUS_ON: .when takes a function of the handler's const T&
// expect 6: type_is() takes a pattern like user.* or *.error
// expect 7: NEXUS_ON: .durable must name the handler with
// expect 8: NEXUS_ON: .deadline and the delays of .retry cannot be negative
// expect 9: order
// expect 10: prio
// expect 11: NEXUS_ON: two handlers have one name
// expect 12: NEXUS_ON_stands_on_a_line_of_its_own
// expect 13: NEXUS_ON must stand within the first 4095 lines of its file
// expect 14: where(f) takes a function of const nexus::Event& that returns bool
// expect 15: NEXUS_ON: .when takes a lambda without captures
#include <nexus/plugin.hpp>

// What is wrong here is often how it stands on its line.
// clang-format off
#if defined(__clang__)  // clang takes options in any order, and only warns
#pragma clang diagnostic error "-Wreorder-init-list"
#endif

struct OrderCreated {
  int number = 0;
};
NEXUS_EVENT(OrderCreated, "order.created", number)

class Orders final : public nexus::Plugin {
#if MISUSE == 1
  NEXUS_ON(watch)
#elif MISUSE == 2
  NEXUS_ON(watch, .topic = "order..*")
#elif MISUSE == 3
  NEXUS_ON(watch, .topic = "Order*")
#else
  NEXUS_ON(watch, .topic = "order.*")
#endif
  void watch(const nexus::Event&) {}

#if MISUSE == 4
  NEXUS_ON(record, .when = [](int number) { return number > 0; })
#elif MISUSE == 5
  NEXUS_ON(record, .when = [](const OrderCreated&) {})
#elif MISUSE == 6
  NEXUS_ON(record, .filter = type_is("order*"))
#elif MISUSE == 7
  NEXUS_ON(record, .durable = "a name with spaces")
#elif MISUSE == 8
  NEXUS_ON(record, .deadline = -1s)
#elif MISUSE == 9
  NEXUS_ON(record, .topic = "order.*", .priority = 5)
#elif MISUSE == 10
  NEXUS_ON(record, .prio = 5)
#elif MISUSE == 11
  NEXUS_ON(record)
  NEXUS_ON(record, .topic = "order.*")
#elif MISUSE == 12
  NEXUS_ON(record) NEXUS_ON(other)
#elif MISUSE == 13
#line 5000
  NEXUS_ON(record)
#elif MISUSE == 14
  NEXUS_ON(record, .filter = where([](const OrderCreated&) { return true; }))
#elif MISUSE == 15
  NEXUS_ON(record, .when = [limit = 5](const OrderCreated& o) { return o.number > limit; })
#else
  NEXUS_ON(record, .priority = 5, .when = [](const OrderCreated& o) { return o.number > 0; }, .deadline = 1s)
#endif
  void record(const OrderCreated&) {}
  void other(const OrderCreated&) {}
};
NEXUS_PLUGIN(Orders, "com.example.orders", "1.0.0")
