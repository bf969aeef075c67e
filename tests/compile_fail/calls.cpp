// Calls of the plugin's own that cannot be meant.
// expect 1: emit() takes a type that was declared with NEXUS_EVENT
// expect 2: subscribe<T>() takes a function of const T&, or of const T& and const nexus::Event&
// expect 3: subscribe(pattern, ...) takes a function of const nexus::Event&
// expect 4: then(f) takes a function object whose parameter type is written out, not auto
// expect 5: then(f) takes a function of const T& with a T declared by NEXUS_EVENT
// expect 6: Event::as<T>() takes a type that was declared with NEXUS_EVENT
// expect 7: nodiscard
// expect 8: nodiscard
#include <nexus/plugin.hpp>

// What is wrong here is often how it stands on its line.
// clang-format off
struct OrderCreated {
  int number = 0;
};
NEXUS_EVENT(OrderCreated, "order.created", number)

struct NotAnEvent {
  int number = 0;
};

// Some compilers only warn of a dropped scope; nobody builds a plugin without reading its warnings.
#if MISUSE == 7 || MISUSE == 8
#pragma GCC diagnostic error "-Wunused-result"
#endif

class Orders final : public nexus::Plugin {
  void start() override {
    using namespace std::chrono_literals;
#if MISUSE == 1
    emit(NotAnEvent{});
#elif MISUSE == 2
    auto live = subscribe<OrderCreated>([](int) {});
#elif MISUSE == 3
    auto live = subscribe("order.*", [](const OrderCreated&) {});
#elif MISUSE == 4
    request(OrderCreated{}, 5s).then([](const auto&) {});
#elif MISUSE == 5
    request(OrderCreated{}, 5s).then([](int) {});
#elif MISUSE == 7
    after(5s, [] {});
#elif MISUSE == 8
    subscribe<OrderCreated>([](const OrderCreated&) {});
#else
    emit(OrderCreated{});
    auto live = subscribe("order.*", [](const nexus::Event&) {});
    request(OrderCreated{}, 5s).then([](const OrderCreated&) {});
#endif
  }
  NEXUS_ON(watch, .topic = "*")
  void watch(const nexus::Event& event) {
#if MISUSE == 6
    (void)event.as<NotAnEvent>();
#else
    (void)event.as<OrderCreated>();
#endif
  }
};
NEXUS_PLUGIN(Orders, "com.example.orders", "1.0.0")
