#include "host/app/heartbeat.hpp"

#include "host/bus/task.hpp"

namespace nexus::host {
namespace {

class Beat final : public Task {
 public:
  explicit Beat(std::shared_ptr<std::atomic<uint64_t>> returned) : returned_(std::move(returned)) {}
  void run() noexcept override { returned_->fetch_add(1, std::memory_order_relaxed); }

 private:
  const std::shared_ptr<std::atomic<uint64_t>> returned_;
};

// How much longer than a handler's deadline dispatch may stand still: the bus has added a worker by then.
constexpr int64_t kGraceNs = 5'000'000'000;

uint64_t progress_of(const Bus& bus) {
  const SubscriptionTotals totals = bus.totals().deliveries;
  return totals.handled + totals.failed + totals.filtered + totals.discarded;
}

}  // namespace

Heartbeat::Heartbeat(Bus& bus) : bus_(bus), returned_(std::make_shared<std::atomic<uint64_t>>(0)) {}

bool Heartbeat::beat() {
  const int64_t now = bus_.clock().monotonic_ns();
  const uint64_t progress = progress_of(bus_);
  const bool moves = progress != progress_;
  progress_ = progress;
  if (returned_->load(std::memory_order_relaxed) == sent_) {
    ++sent_;
    sent_at_ns_ = now;
    if (!bus_.post(bus_.host(), std::make_unique<Beat>(returned_))) --sent_;
    return true;
  }
  return moves || now - sent_at_ns_ < bus_.options().handler_deadline_ns + kGraceNs;
}

}  // namespace nexus::host
