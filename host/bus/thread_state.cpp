#include "host/bus/thread_state.hpp"

namespace nexus::host::detail {

constinit thread_local ThreadState* thread_state_pointer = nullptr;

namespace {

struct Owner {
  ThreadState state;
  Owner() {
    state.epoch = Epochs::instance().acquire_slot();
    thread_state_pointer = &state;
  }
  ~Owner() {
    thread_state_pointer = nullptr;
    Epochs::instance().release_slot(state.epoch);
  }
};

}  // namespace

ThreadState& make_thread_state() {
  static thread_local Owner owner;
  if (thread_state_pointer == nullptr) {
    // A callback of another thread_local's destructor, after ours: the slot has to be taken again, and is not given
    // back; that costs 128 bytes for a thread that does this.
    auto* late = new ThreadState;
    late->epoch = Epochs::instance().acquire_slot();
    thread_state_pointer = late;
  }
  return *thread_state_pointer;
}

}  // namespace nexus::host::detail
