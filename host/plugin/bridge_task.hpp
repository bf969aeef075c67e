// A plugin's function on its way through a mailbox: a posted task or a timer. Dropping it does nothing, for the plugin
// may be gone by then.
#pragma once

#include "host/bus/task.hpp"
#include "nexus/abi/bus.h"

namespace nexus::host {

class PluginTask final : public Task {
 public:
  PluginTask(nexus_task_fn function, void* user) : function_(function), user_(user) {}
  void run() noexcept override {
    // The SDK's tasks let no exception out; one that does must not end the host.
    try {
      function_(user_);
    } catch (...) {
    }
  }

 private:
  const nexus_task_fn function_;
  void* const user_;
};

}  // namespace nexus::host
