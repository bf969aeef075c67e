#include "host/bus/scheduler.hpp"

#include <utility>

#include "host/base/os/thread_name.hpp"
#include "host/bus/thread_state.hpp"
#include "host/observe/trace_ring.hpp"

namespace nexus::host {

Worker::~Worker() {
  if (trace != nullptr) trace->give_back();
}

Scheduler::Scheduler(TurnRunner& runner, uint32_t workers, std::string name) : runner_(runner), name_(std::move(name)) {
  parked_.reserve(64);
  for (uint32_t i = 0; i < workers; ++i) add_worker();
}

Scheduler::~Scheduler() { stop(); }

void Scheduler::add_worker() {
  std::lock_guard guard(workers_mutex_);
  // Those that have retired are joined here, on the thread that makes new ones.
  std::erase_if(workers_, [](const std::unique_ptr<Worker>& worker) {
    if (!worker->finished_.load(std::memory_order_acquire)) return false;
    worker->thread_.join();
    return true;
  });
  if (stopping_.load(std::memory_order_relaxed)) return;
  auto worker = std::make_unique<Worker>(*this);
  Worker* raw = worker.get();
  worker_count_.fetch_add(1, std::memory_order_relaxed);
  raw->thread_ = std::thread([this, raw] { run(*raw); });
  workers_.push_back(std::move(worker));
}

void Scheduler::retire_worker() {
  Worker* idle = nullptr;
  {
    std::lock_guard guard(lock_);
    ++retiring_;
    idle = unpark_one_locked();
  }
  wake(idle);
}

void Scheduler::stop() {
  std::vector<Worker*> idle;
  stopping_.store(true, std::memory_order_seq_cst);
  {
    std::lock_guard guard(lock_);
    idle.swap(parked_);
  }
  for (Worker* worker : idle) wake(worker);
  std::lock_guard guard(workers_mutex_);
  for (const auto& worker : workers_)
    if (worker->thread_.joinable()) worker->thread_.join();
  workers_.clear();
}

void Scheduler::wake(Worker* worker) {
  if (worker == nullptr) return;
  worker->wake_.store(1, std::memory_order_release);
  worker->wake_.notify_one();
}

Worker* Scheduler::unpark_one_locked() {
  if (parked_.empty()) return nullptr;
  Worker* worker = parked_.back();
  parked_.pop_back();
  return worker;
}

void Scheduler::schedule(Mailbox& mailbox, int32_t level) {
  Worker* idle = nullptr;
  {
    std::lock_guard guard(lock_);
    mailbox.run_next = nullptr;
    mailbox.run_level = level;
    if (last_ == nullptr)
      first_ = &mailbox;
    else
      last_->run_next = &mailbox;
    last_ = &mailbox;
    if (level != 0) ++raised_;
    queued_.store(queued_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (spinning_.load(std::memory_order_relaxed) == 0) idle = unpark_one_locked();
  }
  wake(idle);
}

Mailbox* Scheduler::pop_locked() {
  if (first_ == nullptr) return nullptr;
  Mailbox* before = nullptr;
  Mailbox* picked = first_;
  if (raised_ != 0 && ++picks_ % kFairPick != 0) {
    for (Mailbox* previous = first_; previous->run_next != nullptr; previous = previous->run_next) {
      if (previous->run_next->run_level > picked->run_level) {
        before = previous;
        picked = previous->run_next;
      }
    }
  }
  return unlink_locked(before);
}

// Takes out the one behind `before`; null: the first.
Mailbox* Scheduler::unlink_locked(Mailbox* before) {
  Mailbox* const picked = before == nullptr ? first_ : before->run_next;
  if (before == nullptr)
    first_ = picked->run_next;
  else
    before->run_next = picked->run_next;
  if (last_ == picked) last_ = before;
  if (picked->run_level != 0) --raised_;
  queued_.store(queued_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  return picked;
}

bool Scheduler::run_one(uint64_t choice, uint32_t deliveries) {
  Mailbox* mailbox = nullptr;
  {
    std::lock_guard guard(lock_);
    const uint64_t count = queued_.load(std::memory_order_relaxed);
    if (count == 0) return false;
    Mailbox* before = nullptr;
    for (uint64_t i = choice % count; i > 0; --i) before = before == nullptr ? first_ : before->run_next;
    mailbox = unlink_locked(before);
  }
  if (driven_ == nullptr) {
    driven_ = std::make_unique<Worker>(*this);
    driven_->is_driven = true;
  }
  driven_->turn_max = deliveries;
  ThreadState& thread = thread_state();
  thread.is_worker = true;
  runner_.run_turn(*mailbox, *driven_);
  thread.is_worker = false;
  return true;
}

Mailbox* Scheduler::next(Worker& worker) {
  bool spins = false;
  for (;;) {
    uint32_t nobody = 0;
    spins = spinning_.compare_exchange_strong(nobody, 1, std::memory_order_relaxed);
    for (int i = 0; spins && i < kSpins && !has_work() && !is_stopping(); ++i) relax();
    Mailbox* mailbox = nullptr;
    Worker* helper = nullptr;
    bool parked = false;
    bool leave = false;
    {
      std::lock_guard guard(lock_);
      if (spins) spinning_.store(0, std::memory_order_relaxed);
      if (is_stopping()) return nullptr;
      mailbox = pop_locked();
      if (mailbox != nullptr) {
        // While this one spun nobody was woken; if there is more, somebody has to be now.
        if (first_ != nullptr) helper = unpark_one_locked();
      } else if (retiring_ > 0) {
        --retiring_;
        leave = true;
      } else {
        worker.wake_.store(0, std::memory_order_relaxed);
        parked_.push_back(&worker);
        parked = true;
      }
    }
    wake(helper);
    if (mailbox != nullptr) return mailbox;
    if (leave) return nullptr;
    if (parked) worker.wake_.wait(0, std::memory_order_acquire);
  }
}

void Scheduler::run(Worker& worker) {
  os::name_thread(name_);
  thread_state().is_worker = true;
  while (Mailbox* mailbox = next(worker)) {
    worker.activity.mailbox.store(mailbox, std::memory_order_relaxed);
    runner_.run_turn(*mailbox, worker);
    worker.activity.subscription.store(0, std::memory_order_relaxed);
    worker.activity.mailbox.store(nullptr, std::memory_order_relaxed);
  }
  worker_count_.fetch_sub(1, std::memory_order_relaxed);
  worker.finished_.store(true, std::memory_order_release);
}

}  // namespace nexus::host
