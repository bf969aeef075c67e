// Something to run in a mailbox that is no event: a posted call, a timer, a continuation. Allocated by whoever posts
// it; exactly one of run or drop is called, then it is deleted by the bus.
#pragma once

namespace nexus::host {

class Task {
 public:
  virtual ~Task() = default;
  // On a worker, serially with the handlers of the mailbox.
  virtual void run() noexcept = 0;
  // The mailbox was closed before it came to it. Any thread.
  virtual void drop() noexcept {}
};

}  // namespace nexus::host
