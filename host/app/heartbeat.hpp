// Proof that events are still being dispatched, for the service manager's watchdog: a task goes through a mailbox and a
// worker. It is late without blame while deliveries make progress, or while handlers may still be within their deadline,
// after which the bus tops its workers up. One thread calls beat().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "host/bus/bus.hpp"

namespace nexus::host {

class Heartbeat {
 public:
  explicit Heartbeat(Bus& bus);

  // Whether dispatch is alive as far as can be told; sends the next task when the last one has come through.
  bool beat();

 private:
  Bus& bus_;
  std::shared_ptr<std::atomic<uint64_t>> returned_;  // tasks that have come through
  uint64_t sent_ = 0;
  int64_t sent_at_ns_ = 0;
  uint64_t progress_ = 0;
};

}  // namespace nexus::host
