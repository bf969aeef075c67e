// Handlers whose signature says nothing that the bus could give them.
// expect 1: NEXUS_ON: a handler takes const T& with a T declared by NEXUS_EVENT, or const nexus::Event&, or both
// expect 2: NEXUS_ON: a handler takes const T& with a T declared by NEXUS_EVENT
// expect 3: NEXUS_ON: a handler takes an event by const reference or by value: events never change
// expect 4: NEXUS_ON: a handler takes const T& with a T declared by NEXUS_EVENT
// expect 5: NEXUS_ON: a handler takes const T& with a T declared by NEXUS_EVENT
// expect 6: NEXUS_ON: a handler returns void, a reply whose type is declared by NEXUS_EVENT, or nexus::Later
// expect 7: NEXUS_ON names a member function of the plugin, one that is neither static nor a template
// expect 8: NEXUS_ON(recrod): the class has no method of that name, or more than one
// expect 9: NEXUS_ON(record): the class has no method of that name, or more than one
// expect 10: NEXUS_ON: a handler takes const T& with a T declared by NEXUS_EVENT
#include <nexus/plugin.hpp>

struct OrderCreated {
  int number = 0;
};
NEXUS_EVENT(OrderCreated, "order.created", number)

struct NotAnEvent {
  int number = 0;
};

class Orders final : public nexus::Plugin {
#if MISUSE == 1
  NEXUS_ON(record)
  void record(const NotAnEvent&) {}
#elif MISUSE == 2
  NEXUS_ON(record)
  void record(NotAnEvent) {}
#elif MISUSE == 3
  NEXUS_ON(record)
  void record(OrderCreated& order) { order.number = 1; }
#elif MISUSE == 4
  NEXUS_ON(record)
  void record() {}
#elif MISUSE == 5
  NEXUS_ON(record)
  void record(const nexus::Event&, const OrderCreated&) {}
#elif MISUSE == 6
  NEXUS_ON(record)
  int record(const OrderCreated& order) { return order.number; }
#elif MISUSE == 7
  NEXUS_ON(record)
  static void record(const OrderCreated&) {}
#elif MISUSE == 8
  NEXUS_ON(recrod)
  void record(const OrderCreated&) {}
#elif MISUSE == 9
  NEXUS_ON(record)
  void record(const OrderCreated&) {}
  void record(int) {}
#elif MISUSE == 10
  NEXUS_ON(record)
  void record(int) {}
#else
  NEXUS_ON(record)
  void record(const OrderCreated&) {}
#endif
};
NEXUS_PLUGIN(Orders, "com.example.orders", "1.0.0")
