// The one thread on which plugins are loaded, swapped and stopped. Work is queued from any thread and runs in order, one
// piece at a time; a piece that throws is logged and the thread goes on. After stop nothing queued runs any more.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "host/base/error.hpp"

namespace nexus::host {

class ControlThread {
 public:
  // As a patience: longer than any host lives, and short enough to be added to a time.
  static constexpr std::chrono::milliseconds kForever = std::chrono::hours(24 * 3650);

  ControlThread();
  ~ControlThread();  // stops
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  // False when the thread has been stopped; the work is then dropped.
  bool post(std::function<void()> work);

  // Queues the work and waits until it has run. NEXUS_E_THREAD on the thread itself, NEXUS_E_STOPPING after stop.
  // NEXUS_E_TIMEOUT when it has not begun within `patience`: then it will not run at all.
  Result<void> run(const std::function<void()>& work, std::chrono::milliseconds patience);

  bool is_current() const { return std::this_thread::get_id() == thread_.get_id(); }
  // Whether nothing runs or waits.
  bool is_idle() const;

  // Finishes the piece that runs, drops the rest, and joins.
  void stop();

 private:
  void loop();

  mutable std::mutex mutex_;  // guards all below but the thread
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool running_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace nexus::host
