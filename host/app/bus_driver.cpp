#include "host/app/bus_driver.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>

namespace nexus::host {
namespace asio = boost::asio;

BusDriver::BusDriver(asio::io_context& io, Bus& bus, FastClock& clock, std::function<void()> each_second)
    : io_(io),
      bus_(bus),
      clock_(clock),
      each_second_(std::move(each_second)),
      tick_(io),
      due_(io),
      due_ns_(TimerQueue::kNever) {
  bus_.timers().on_earlier([this](int64_t due_ns) {
    asio::post(io_, [this, due_ns] {
      if (!stopped_ && due_ns < due_ns_) wait_for_timers(due_ns);
    });
  });
  asio::post(io_, [this] {
    tick();
    run_timers();
  });
}

BusDriver::~BusDriver() { bus_.timers().on_earlier({}); }

// A timer that is due has its handler queued already, which cancelling does not take back: hence the flag.
void BusDriver::stop() {
  stopped_ = true;
  tick_.cancel();
  due_.cancel();
}

void BusDriver::tick() {
  if (stopped_) return;
  bus_.tick();
  const int64_t now = clock_.monotonic_ns();
  if (now >= next_second_ns_) {
    next_second_ns_ = now + 1'000'000'000;
    clock_.resync();
    each_second_();
  }
  tick_.expires_after(kTick);
  tick_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) tick();
  });
}

void BusDriver::run_timers() {
  if (stopped_) return;
  wait_for_timers(bus_.timers().run_due(clock_.monotonic_ns()));
}

void BusDriver::wait_for_timers(int64_t due_ns) {
  due_ns_ = due_ns;
  due_.cancel();
  if (due_ns == TimerQueue::kNever) return;
  // Never more than a minute at once: the wait is by the system's clock, the due time by the fast one.
  constexpr int64_t kWaitMax = 60'000'000'000;
  const int64_t wait = std::clamp<int64_t>(due_ns - clock_.monotonic_ns(), 0, kWaitMax);
  due_.expires_after(std::chrono::nanoseconds(wait));
  due_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) run_timers();
  });
}

}  // namespace nexus::host
