// The bus's own workers and the queue of mailboxes that have work. A mailbox is queued only when it turns non-empty, so
// the queue's lock is seldom taken; a worker that finds nothing spins briefly (one at a time) and then parks. Higher
// levels are picked first, but every sixteenth pick takes the one that has waited longest. A plugin with a thread of
// its own has a scheduler of its own, with one worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host/base/spin_lock.hpp"
#include "host/bus/mailbox.hpp"

namespace nexus::host {

class Scheduler;
class TraceShard;

// What a worker runs at the moment, for the watch over deadlines. Written by the worker, read by any thread.
struct WorkerActivity {
  std::atomic<uint64_t> sequence{0};      // rises with every event and every task that begins; of other
                                          // workers by far
  std::atomic<uint64_t> subscription{0};  // whose handler runs; 0: none
  std::atomic<Mailbox*> mailbox{nullptr};
};

class Worker {
 public:
  explicit Worker(Scheduler& scheduler) : scheduler_(scheduler) {
    static std::atomic<uint64_t> number{0};
    activity.sequence.store(number.fetch_add(1, std::memory_order_relaxed) << 40, std::memory_order_relaxed);
  }
  ~Worker();
  WorkerActivity activity;
  Batch batch;
  static constexpr uint32_t kTurnMax = 1024;
  uint32_t turn_max = kTurnMax;  // a turn ends after this many deliveries when other mailboxes wait
  bool is_driven = false;        // by Scheduler::run_one: it waits for nothing
  TraceShard* trace = nullptr;   // where its deliveries are recorded; the dispatcher's
  Scheduler& scheduler() const { return scheduler_; }

 private:
  friend class Scheduler;
  Scheduler& scheduler_;
  std::atomic<uint32_t> wake_{0};
  std::atomic<bool> finished_{false};
  std::thread thread_;
};

// What a worker does with a mailbox: takes batches until the turn ends.
class TurnRunner {
 public:
  virtual ~TurnRunner() = default;
  virtual void run_turn(Mailbox& mailbox, Worker& worker) = 0;
};

class Scheduler final : public MailboxRunner {
 public:
  // `name` is what the threads are called, at most 12 characters. `runner` must outlive the scheduler.
  Scheduler(TurnRunner& runner, uint32_t workers, std::string name);
  ~Scheduler() override;  // stops

  void schedule(Mailbox& mailbox, int32_t level) override;

  // One worker more, for one that does not come back from a handler; `retire_worker` lets one go when it is idle.
  void add_worker();
  void retire_worker();
  // Lets every worker finish its turn and joins them. What is still queued is not run. Not from a worker.
  void stop();

  // For a simulation, where there are no workers: runs one of the mailboxes that have work, right here, for about so
  // many deliveries. `choice` picks which. False when none has work.
  bool run_one(uint64_t choice, uint32_t deliveries);

  // Whether another mailbox waits for a worker; a hint.
  bool has_work() const { return queued_.load(std::memory_order_relaxed) != 0; }
  bool is_stopping() const { return stopping_.load(std::memory_order_relaxed); }
  // Visits the activity of every live worker.
  template <class Visit>
  void each_worker(Visit visit) {
    std::lock_guard guard(workers_mutex_);
    for (const auto& worker : workers_) visit(worker->activity);
  }
  uint32_t worker_count() const { return worker_count_.load(std::memory_order_relaxed); }

 private:
  static constexpr int kSpins = 3000;  // of relax(): some microseconds
  static constexpr uint32_t kFairPick = 16;

  void run(Worker& worker);
  Mailbox* next(Worker& worker);
  Mailbox* pop_locked();
  Mailbox* unlink_locked(Mailbox* before);
  Worker* unpark_one_locked();
  static void wake(Worker* worker);

  TurnRunner& runner_;
  const std::string name_;
  alignas(64) SpinLock lock_;
  Mailbox* first_ = nullptr;     // guarded by lock_
  Mailbox* last_ = nullptr;      // guarded by lock_
  uint32_t raised_ = 0;          // guarded by lock_: queued ones whose level is not 0
  uint32_t picks_ = 0;           // guarded by lock_
  std::vector<Worker*> parked_;  // guarded by lock_
  uint32_t retiring_ = 0;        // guarded by lock_
  std::atomic<uint32_t> queued_{0};
  std::atomic<uint32_t> spinning_{0};
  std::atomic<bool> stopping_{false};

  std::mutex workers_mutex_;
  std::vector<std::unique_ptr<Worker>> workers_;  // guarded by workers_mutex_
  std::atomic<uint32_t> worker_count_{0};
  std::unique_ptr<Worker> driven_;  // of run_one
};

}  // namespace nexus::host
