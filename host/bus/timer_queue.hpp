// Timers that end in a mailbox, by due time on the monotonic clock. Any thread may add and cancel; one driver (the
// host's I/O thread, or a test with a virtual clock) runs what is due and is told when something earlier comes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "host/base/error.hpp"
#include "host/bus/task.hpp"
#include "nexus/abi/base.h"

namespace nexus::host {

class Participant;

class TimerQueue {
 public:
  static constexpr size_t kPendingMaxPerParticipant = 100'000;
  static constexpr size_t kPendingMaxOfHost = 1'000'000;  // all delayed emits among them
  static constexpr int64_t kNever = INT64_MAX;

  // When a wait ends that begins now; one that is not positive is over at once, one that is too long never ends.
  static int64_t due_after(int64_t now_monotonic_ns, int64_t wait_ns) {
    if (wait_ns <= 0) return now_monotonic_ns;
    return wait_ns > kNever - 1 - now_monotonic_ns ? kNever - 1 : now_monotonic_ns + wait_ns;
  }

  // Delivers `task` to the participant's mailbox at the due time. NEXUS_E_TOO_LARGE.
  Result<nexus_handle> add(const std::shared_ptr<Participant>& participant, int64_t due_monotonic_ns,
                           std::unique_ptr<Task> task);
  // The timer will not run, even if it is due and waits in the mailbox. NEXUS_E_HANDLE when it has begun to run, or is
  // another's.
  Result<void> cancel(const Participant& participant, nexus_handle handle);
  void cancel_all(const Participant& participant);

  // Posts what is due; returns the next due time, or kNever.
  int64_t run_due(int64_t now_monotonic_ns);
  int64_t next_due() const;
  size_t pending() const;
  // `earlier` is called, under no lock, by the thread that adds a timer due before all that the driver knows of.
  void on_earlier(std::function<void(int64_t due_monotonic_ns)> earlier);

 private:
  struct Timer {
    nexus_handle handle;
    std::weak_ptr<Participant> participant;
    const Participant* owner;
    std::unique_ptr<Task> task;
  };
  using Queue = std::multimap<int64_t, Timer>;
  class DueTask;

  bool claim(nexus_handle handle);

  mutable std::mutex mutex_;  // guards all below
  Queue queue_;
  std::unordered_map<nexus_handle, Queue::iterator> by_handle_;
  std::unordered_map<nexus_handle, const Participant*> due_;  // posted to a mailbox and not yet begun
  std::unordered_map<const Participant*, size_t> pending_by_participant_;
  nexus_handle next_handle_ = 1;
  std::function<void(int64_t)> earlier_;
  int64_t told_ = kNever;  // when the driver will look again, as far as it was told
};

}  // namespace nexus::host
