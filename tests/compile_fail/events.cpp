// Events and configs whose description does not fit their struct.
// expect 1: cannot be an event's type; write lower-case words joined by dots
// expect 2: cannot be an event's type
// expect 3: totl
// expect 4: a field of this type cannot travel in an event
// expect 5: schema versions count from 1
// expect 6: this type is no config: write NEXUS_CONFIG
#include <nexus/plugin.hpp>

struct Money {
  long cents = 0;
};

struct OrderCreated {
  int total = 0;
#if MISUSE == 4
  Money* money = nullptr;
#endif
};
#if MISUSE == 1
NEXUS_EVENT(OrderCreated, "Order.Created", total)
#elif MISUSE == 2
NEXUS_EVENT(OrderCreated, "order.*", total)
#elif MISUSE == 3
NEXUS_EVENT(OrderCreated, "order.created", totl)
#elif MISUSE == 4
NEXUS_EVENT(OrderCreated, "order.created", total, money)
#elif MISUSE == 5
NEXUS_EVENT_V(OrderCreated, "order.created", 0, total)
#else
NEXUS_EVENT(OrderCreated, "order.created", total)
#endif

struct Config {
  int limit = 10;
};
#if MISUSE == 6
#else
NEXUS_CONFIG(Config, limit)
#endif

class Orders final : public nexus::Plugin {
  NEXUS_ON(record)
  void record(const OrderCreated&) {}

  Config config_ = config<Config>();
};
NEXUS_PLUGIN(Orders, "com.example.orders", "1.0.0")
