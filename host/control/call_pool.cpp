#include "host/control/call_pool.hpp"

#include <algorithm>

#include "host/base/os/thread_name.hpp"

namespace nexus::host {

CallPool::~CallPool() { stop(); }

// Threads that have ended by themselves; they are about to return, so the join does not wait.
void CallPool::join_finished(std::unique_lock<std::mutex>& lock) {
  std::vector<std::thread> gone;
  for (const std::thread::id id : finished_) {
    const auto found = std::find_if(threads_.begin(), threads_.end(), [&](const auto& t) { return t.get_id() == id; });
    if (found == threads_.end()) continue;
    gone.push_back(std::move(*found));
    threads_.erase(found);
  }
  finished_.clear();
  lock.unlock();
  for (std::thread& thread : gone) thread.join();
  lock.lock();
}

bool CallPool::submit(std::function<void()> work) {
  std::unique_lock lock(mutex_);
  if (stopping_) return false;
  if (!finished_.empty()) join_finished(lock);
  queue_.push_back(std::move(work));
  if (idle_ < queue_.size() && threads_.size() - finished_.size() < threads_max_)
    threads_.emplace_back([this] { loop(); });
  wake_.notify_one();
  return true;
}

void CallPool::stop() {
  std::vector<std::thread> all;
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    all.swap(threads_);
  }
  wake_.notify_all();
  for (std::thread& thread : all)
    if (thread.joinable()) thread.join();
}

size_t CallPool::thread_count() const {
  std::lock_guard guard(mutex_);
  return threads_.size() - finished_.size();
}

void CallPool::loop() {
  os::name_thread("nexus-call");
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    const bool woken = wake_.wait_for(lock, idle_max_, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) {
      if (woken || stopping_) return;
      finished_.push_back(std::this_thread::get_id());
      return;
    }
    const std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace nexus::host
