#include "host/app/bus_driver.hpp"

#include <atomic>
#include <cstdlib>

#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include "host/base/clock.hpp"
#include "host/bus/bus.hpp"

using namespace nexus::host;

namespace {

constexpr int64_t kSecond = 1'000'000'000;

// A machine whose time passes by its readings, 20 ns each, and by what a test adds. Any thread.
class SteppedMachine final : public TickSource {
 public:
  bool steady() override { return true; }
  uint64_t ticks() override { return static_cast<uint64_t>(pass(20)) * 2; }
  int64_t unix_ns() override { return pass(20) + unix_offset_ns_.load(); }
  int64_t monotonic_ns() override { return pass(20); }
  int64_t pass(int64_t ns) { return now_ns_.fetch_add(ns) + ns; }
  void set_unix_later_by(int64_t ns) { unix_offset_ns_.fetch_add(ns); }
  int64_t true_unix_ns() const { return now_ns_.load() + unix_offset_ns_.load(); }

 private:
  std::atomic<int64_t> now_ns_{50 * kSecond};
  std::atomic<int64_t> unix_offset_ns_{1'700'000'000 * kSecond};
};

struct DriverRig {
  DriverRig() {
    BusOptions options;
    options.worker_count = 1;
    bus = Bus::create(options, clock);
    driver = std::make_unique<BusDriver>(io, *bus, clock, [this] { ++seconds; });
  }
  ~DriverRig() {
    driver.reset();
    bus->stop();
  }
  // Runs the I/O thread's work until that many seconds have been told.
  void run_until(int wanted) {
    while (seconds < wanted) io.run_one();
  }

  SteppedMachine machine;
  FastClock clock{machine};
  boost::asio::io_context io;
  int seconds = 0;
  std::unique_ptr<Bus> bus;
  std::unique_ptr<BusDriver> driver;
};

class Flag final : public Task {
 public:
  explicit Flag(std::atomic<bool>& to) : to_(to) {}
  void run() noexcept override {
    to_ = true;
    to_.notify_all();
  }

 private:
  std::atomic<bool>& to_;
};

}  // namespace

TEST_CASE("once a second the fast clock is brought into step with the system's") {
  DriverRig rig;
  REQUIRE(rig.clock.is_fast());
  rig.run_until(1);
  // The administrator sets the clock an hour ahead; the cycle counter does not tell.
  rig.machine.set_unix_later_by(3600 * kSecond);
  CHECK(std::abs(rig.machine.true_unix_ns() - rig.clock.unix_ns()) > 3000 * kSecond);
  rig.machine.pass(kSecond);
  rig.run_until(2);
  CHECK(std::abs(rig.machine.true_unix_ns() - rig.clock.unix_ns()) < 1'000'000);
}

TEST_CASE("timers that are due run, and after the stop nothing does") {
  DriverRig rig;
  std::atomic<bool> ran = false;
  const auto participant = rig.bus->participants().front();
  REQUIRE(rig.bus->timers().add(participant, rig.clock.monotonic_ns(), std::make_unique<Flag>(ran)).has_value());
  rig.run_until(1);
  ran.wait(false);
  rig.driver->stop();
  rig.machine.pass(10 * kSecond);
  rig.io.run();  // ends, for nothing is waited for any more
  CHECK(rig.seconds == 1);
}
