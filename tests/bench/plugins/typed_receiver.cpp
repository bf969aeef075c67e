// The receiving plugin of J7, written with the C++ SDK: the handler gets the struct.
#include "tests/bench/plugins/bench_abi.h"
#include "tests/bench/plugins/order.hpp"

namespace nexus::bench {

class TypedReceiver final : public nexus::Plugin {
 public:
  void expect(uint64_t deliveries, bench_done_fn done, void* user) {
    count_ = 0;
    expected_ = deliveries;
    done_ = done;
    done_user_ = user;
  }
  uint64_t checksum() const { return sum_; }

 private:
  NEXUS_ON(created)
  void created(const OrderCreated& order) {
    sum_ += static_cast<uint64_t>(order.quantity) + order.order_id.size();
    if (++count_ == expected_) done_(done_user_);
  }

  const void* provide(std::string_view interface_id) override {
    static constexpr bench_receiver kReceiver{
        [](void*, nexus_string, int32_t, int32_t) -> int32_t { return NEXUS_OK; },  // NEXUS_ON has subscribed
        [](void* instance, uint64_t deliveries, bench_done_fn done, void* user) {
          nexus::plugin_cast<TypedReceiver>(instance).expect(deliveries, done, user);
        },
        [](void* instance) { return nexus::plugin_cast<TypedReceiver>(instance).checksum(); }};
    return interface_id == BENCH_RECEIVER_ID ? &kReceiver : nullptr;
  }

  uint64_t count_ = 0, expected_ = 0, sum_ = 0;
  bench_done_fn done_ = nullptr;
  void* done_user_ = nullptr;
};
NEXUS_PLUGIN(TypedReceiver, "com.example.bench-typed-receiver", "1.0.0")

}  // namespace nexus::bench
