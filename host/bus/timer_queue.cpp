#include "host/bus/timer_queue.hpp"

#include <string>
#include <utility>
#include <vector>

#include "host/bus/mailbox.hpp"
#include "host/bus/participant.hpp"

namespace nexus::host {

// A timer on its way through the mailbox, where it can still be cancelled.
class TimerQueue::DueTask final : public Task {
 public:
  DueTask(TimerQueue& queue, nexus_handle handle, std::unique_ptr<Task> task)
      : queue_(queue), handle_(handle), task_(std::move(task)) {}
  void run() noexcept override {
    if (queue_.claim(handle_))
      task_->run();
    else
      task_->drop();
  }
  void drop() noexcept override { task_->drop(); }

 private:
  TimerQueue& queue_;
  const nexus_handle handle_;
  const std::unique_ptr<Task> task_;
};

bool TimerQueue::claim(nexus_handle handle) {
  std::lock_guard guard(mutex_);
  return due_.erase(handle) == 1;
}

Result<nexus_handle> TimerQueue::add(const std::shared_ptr<Participant>& participant, int64_t due_monotonic_ns,
                                     std::unique_ptr<Task> task) {
  std::function<void(int64_t)> tell;
  nexus_handle handle = 0;
  {
    std::lock_guard guard(mutex_);
    size_t& pending = pending_by_participant_[participant.get()];
    const size_t pending_max = participant->options().is_host ? kPendingMaxOfHost : kPendingMaxPerParticipant;
    if (pending >= pending_max)
      return make_error(NEXUS_E_TOO_LARGE,
                        "more than " + std::to_string(pending_max) + " timers of " + participant->id() + " are pending",
                        "cancel those that are not needed, or use one timer for many deadlines");
    ++pending;
    handle = next_handle_++;
    const auto at = queue_.emplace(due_monotonic_ns, Timer{handle, participant, participant.get(), std::move(task)});
    by_handle_.emplace(handle, at);
    if (due_monotonic_ns < told_) {
      told_ = due_monotonic_ns;
      tell = earlier_;
    }
  }
  if (tell) tell(due_monotonic_ns);
  return handle;
}

Result<void> TimerQueue::cancel(const Participant& participant, nexus_handle handle) {
  std::unique_ptr<Task> dropped;
  {
    std::lock_guard guard(mutex_);
    if (const auto due = due_.find(handle); due != due_.end() && due->second == &participant) {
      due_.erase(due);
      return {};
    }
    const auto known = by_handle_.find(handle);
    if (known == by_handle_.end() || known->second->second.owner != &participant)
      return make_error(NEXUS_E_HANDLE, "no such timer is pending");
    dropped = std::move(known->second->second.task);
    queue_.erase(known->second);
    by_handle_.erase(known);
    --pending_by_participant_[&participant];
  }
  dropped->drop();
  return {};
}

void TimerQueue::cancel_all(const Participant& participant) {
  std::vector<std::unique_ptr<Task>> dropped;
  {
    std::lock_guard guard(mutex_);
    for (auto at = queue_.begin(); at != queue_.end();) {
      if (at->second.owner != &participant) {
        ++at;
        continue;
      }
      dropped.push_back(std::move(at->second.task));
      by_handle_.erase(at->second.handle);
      at = queue_.erase(at);
    }
    pending_by_participant_.erase(&participant);
    std::erase_if(due_, [&](const auto& due) { return due.second == &participant; });
  }
  for (const auto& task : dropped) task->drop();
}

int64_t TimerQueue::run_due(int64_t now_monotonic_ns) {
  for (;;) {
    std::unique_ptr<Task> task;
    std::shared_ptr<Participant> participant;
    nexus_handle handle = 0;
    {
      std::lock_guard guard(mutex_);
      told_ = queue_.empty() ? kNever : queue_.begin()->first;
      if (told_ > now_monotonic_ns) return told_;
      const auto first = queue_.begin();
      task = std::make_unique<DueTask>(*this, first->second.handle, std::move(first->second.task));
      participant = first->second.participant.lock();
      due_.emplace(first->second.handle, first->second.owner);
      handle = first->second.handle;
      const auto pending = pending_by_participant_.find(first->second.owner);
      if (pending != pending_by_participant_.end()) --pending->second;
      by_handle_.erase(first->second.handle);
      queue_.erase(first);
    }
    if (participant == nullptr || participant->mailbox().push_task(task.get()) != Mailbox::Push::kAccepted) {
      claim(handle);
      task->drop();
      continue;
    }
    static_cast<void>(task.release());
  }
}

int64_t TimerQueue::next_due() const {
  std::lock_guard guard(mutex_);
  return queue_.empty() ? kNever : queue_.begin()->first;
}

size_t TimerQueue::pending() const {
  std::lock_guard guard(mutex_);
  return queue_.size();
}

void TimerQueue::on_earlier(std::function<void(int64_t)> earlier) {
  std::lock_guard guard(mutex_);
  earlier_ = std::move(earlier);
}

}  // namespace nexus::host
