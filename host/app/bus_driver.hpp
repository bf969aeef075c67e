// Moves the bus's time on the I/O thread: runs timers when they are due, ticks, and keeps the fast clock in step with
// the system. Made before the I/O thread runs and destroyed after it has ended; all else happens on it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "host/base/clock.hpp"
#include "host/bus/bus.hpp"

namespace nexus::host {

class BusDriver {
 public:
  static constexpr std::chrono::milliseconds kTick{20};

  // All outlive the driver. `each_second` is called about once a second.
  BusDriver(boost::asio::io_context& io, Bus& bus, FastClock& clock, std::function<void()> each_second);
  ~BusDriver();
  BusDriver(const BusDriver&) = delete;
  BusDriver& operator=(const BusDriver&) = delete;

  // From now on the bus is left alone. On the I/O thread.
  void stop();

 private:
  void tick();
  void run_timers();
  void wait_for_timers(int64_t due_ns);

  boost::asio::io_context& io_;
  Bus& bus_;
  FastClock& clock_;
  const std::function<void()> each_second_;
  boost::asio::steady_timer tick_;
  boost::asio::steady_timer due_;
  int64_t due_ns_;
  int64_t next_second_ns_ = 0;
  bool stopped_ = false;
};

}  // namespace nexus::host
