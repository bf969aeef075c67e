// Marks a thread while it is inside a function of a plugin's module (create, start, quiesce, ...), so that the plugin's
// calls back into the host can be told from those of its own threads. Any thread; each sees only its own mark.
#pragma once

#include <cstdint>

namespace nexus::host {

class LifecycleCall {
 public:
  LifecycleCall() { ++depth_; }
  ~LifecycleCall() { --depth_; }
  LifecycleCall(const LifecycleCall&) = delete;
  LifecycleCall& operator=(const LifecycleCall&) = delete;

  static bool is_running() { return depth_ != 0; }

 private:
  static constinit inline thread_local uint32_t depth_ = 0;
};

}  // namespace nexus::host
