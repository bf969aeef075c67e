// The emitting plugin of J7, written with the C++ SDK: a struct in, the SDK encodes it.
#include "tests/bench/plugins/bench_abi.h"
#include "tests/bench/plugins/order.hpp"

namespace nexus::bench {

class TypedEmitter final : public nexus::Plugin {
 public:
  uint64_t run(const bench_plan& plan) {
    OrderCreated order{.order_id = "order-004711", .user_id = "user-42", .total_amount = 99.5};
    uint64_t accepted = 0;
    for (uint64_t i = 0; i < plan.events; ++i) {
      order.quantity = static_cast<int64_t>(i);
      accepted += try_emit(order).ok() ? 1u : 0u;
    }
    return accepted;
  }

 private:
  const void* provide(std::string_view interface_id) override {
    static constexpr bench_emitter kEmitter{
        [](void*, const nexus_string*, uint64_t) -> int32_t { return NEXUS_OK; },  // the SDK interns at first use
        [](void* instance, const bench_plan* plan) { return nexus::plugin_cast<TypedEmitter>(instance).run(*plan); }};
    return interface_id == BENCH_EMITTER_ID ? &kEmitter : nullptr;
  }
};
NEXUS_PLUGIN(TypedEmitter, "com.example.bench-typed-emitter", "1.0.0")

}  // namespace nexus::bench
