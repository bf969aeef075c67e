// Threads for control calls, made when a call finds all of them busy and gone again after a while without work, so that
// a call that waits (for room in a queue, for the control thread) never holds up another connection's. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace nexus::host {

class CallPool {
 public:
  CallPool(size_t threads_max, std::chrono::milliseconds idle_max) : threads_max_(threads_max), idle_max_(idle_max) {}
  ~CallPool();  // stops

  // Work must not throw. False after stop; the work is then dropped.
  bool submit(std::function<void()> work);
  // Runs what was submitted and joins. Not from the pool.
  void stop();
  size_t thread_count() const;

 private:
  void loop();
  void join_finished(std::unique_lock<std::mutex>& lock);

  const size_t threads_max_;
  const std::chrono::milliseconds idle_max_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  std::vector<std::thread::id> finished_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace nexus::host
