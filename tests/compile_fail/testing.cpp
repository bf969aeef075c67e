// Tests of a plugin that leave out what they need.
// expect 1: needs the NEXUS_PLUGIN of T in sight
#include <nexus/testing.hpp>

class Orders final : public nexus::Plugin {};
#if MISUSE == 1
#else
NEXUS_PLUGIN(Orders, "com.example.orders", "1.0.0")
#endif

void use() {
  nexus::testing::Host host;
  auto orders = host.load<Orders>();
}
