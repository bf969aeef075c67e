// What the bus keeps per thread: its id generator, its epoch slot, and, while a worker runs a callback, whose callback
// and for which event, so that an emit inside inherits correlation and causation and waits for the handler's success.
// Made at a thread's first call, reused by later threads; only its own thread touches it.
#pragma once

#include <vector>

#include "host/base/clock.hpp"
#include "host/base/uuid.hpp"
#include "host/bus/epoch.hpp"
#include "host/bus/route.hpp"
#include "host/event/block.hpp"

namespace nexus::host {

class Participant;

// An event that a handler has emitted and that leaves when the handler succeeds. Room for it has been reserved.
struct HeldEmit {
  EventBlock* event;
  const Route* route;  // retained; null when nobody listens, or it is delayed
  int64_t delay_ns;
};

// The callback that this thread runs.
struct RunningCallback {
  EventBlock* event = nullptr;  // null in a task
  Participant* participant = nullptr;
  uint32_t delivery_flags = 0;
  uint64_t* holds = nullptr;  // where to note that `held` has something; the dispatcher looks after every callback
  std::vector<HeldEmit> held;
};

struct ThreadState {
  UuidGenerator ids;
  FastClock::Cache clock;  // of the process's FastClock
  EpochSlot* epoch = nullptr;
  bool is_worker = false;
  bool in_callback = false;
  RunningCallback running;
};

namespace detail {
extern constinit thread_local ThreadState* thread_state_pointer;
ThreadState& make_thread_state();
}  // namespace detail

// Null on a thread that has not called thread_state yet.
inline ThreadState* existing_thread_state() { return detail::thread_state_pointer; }

inline ThreadState& thread_state() {
  ThreadState* state = detail::thread_state_pointer;
  return state != nullptr ? *state : detail::make_thread_state();
}

// Marks this thread as one that reads routes.
class RouteReader {
 public:
  explicit RouteReader(ThreadState& state) : slot_(*state.epoch) { Epochs::instance().enter(slot_); }
  ~RouteReader() { Epochs::instance().leave(slot_); }
  RouteReader(const RouteReader&) = delete;
  RouteReader& operator=(const RouteReader&) = delete;

 private:
  EpochSlot& slot_;
};

}  // namespace nexus::host
