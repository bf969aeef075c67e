// What goes through a plugin's mailbox and is no event: a function of the plugin's (a posted task or a timer), and one
// of the host's. Dropping the first does nothing, for the plugin may be gone by then.
#pragma once

#include <functional>
#include <utility>

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

class HostTask final : public Task {
 public:
  explicit HostTask(std::function<void()> function) : function_(std::move(function)) {}
  void run() noexcept override {
    try {
      function_();
    } catch (...) {  // for want of memory: whoever waits sees the function go
    }
  }

 private:
  const std::function<void()> function_;
};

}  // namespace nexus::host
