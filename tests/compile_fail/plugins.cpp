// Plugin classes and descriptions that no host could load.
// expect 1: NEXUS_PLUGIN takes a class that derives publicly from nexus::Plugin
// expect 2: NEXUS_PLUGIN takes a class that derives publicly from nexus::Plugin
// expect 3: NEXUS_PLUGIN: the class has pure virtual methods
// expect 4: NEXUS_PLUGIN: the id must be two or more segments joined by dots
// expect 5: NEXUS_PLUGIN: the id must be two or more segments joined by dots
// expect 6: NEXUS_PLUGIN: the version must be semantic
// expect 7: vnedor
// expect 8: private
// expect 9: NEXUS_PLUGIN: each of .requirements names a plugin by its id and a range of versions
// expect 10: NEXUS_PLUGIN: each of .requirements names a plugin by its id and a range of versions
// expect 11: NEXUS_PLUGIN: the class needs a public constructor without arguments
#include <nexus/plugin.hpp>

struct OrderCreated {
  int number = 0;
};
NEXUS_EVENT(OrderCreated, "order.created", number)

#if MISUSE == 1
class Orders final {};
#elif MISUSE == 2
class Orders final : nexus::Plugin {};
#elif MISUSE == 3
class Orders : public nexus::Plugin {
  virtual void missing() = 0;
};
#elif MISUSE == 11
class Orders final : public nexus::Plugin {
 public:
  explicit Orders(int) {}
};
#else
class Orders final : public nexus::Plugin {
#if MISUSE == 8
  static constexpr auto handlers() { return std::tuple{nexus::on<&Orders::record>()}; }
#else
 public:
  static constexpr auto handlers() { return std::tuple{nexus::on<&Orders::record>()}; }

 private:
#endif
  void record(const OrderCreated&) {}
};
#endif

#if MISUSE == 4
NEXUS_PLUGIN(Orders, "orders", "1.0.0")
#elif MISUSE == 5
NEXUS_PLUGIN(Orders, "com.Example.orders", "1.0.0")
#elif MISUSE == 6
NEXUS_PLUGIN(Orders, "com.example.orders", "1.0")
#elif MISUSE == 7
NEXUS_PLUGIN(Orders, "com.example.orders", "1.0.0", .vnedor = "Example")
#elif MISUSE == 9
NEXUS_PLUGIN(Orders, "com.example.orders", "1.0.0", .requirements = {{"users", "^1.0"}})
#elif MISUSE == 10
NEXUS_PLUGIN(Orders, "com.example.orders", "1.0.0", .requirements = {{"com.example.users", "newest"}})
#else
NEXUS_PLUGIN(Orders, "com.example.orders", "1.0.0", .requirements = {{"com.example.users", ">=1.2 <2.0"}})
#endif
