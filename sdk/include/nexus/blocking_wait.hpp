// The waiting of a plugin's own threads, until a request is answered or an awaited event has come. It holds no lock of
// the plugin's, and ends with NEXUS_E_CANCELLED when the plugin is stopped. Not for plugin authors.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "nexus/abi/bus.h"
#include "nexus/core.hpp"
#include "nexus/errors.hpp"
#include "nexus/event.hpp"
#include "nexus/filter.hpp"

namespace nexus::detail {

inline const char* wait_failure(std::int32_t code) {
  return code == NEXUS_E_TIMEOUT     ? "no answer came in time"
         : code == NEXUS_E_CANCELLED ? "the wait was cancelled"
         : code == NEXUS_E_UNKNOWN   ? "nobody listens to this request"
                                     : "the wait failed";
}

// Throws where a wait would hold up those who could end it.
inline void check_may_block(const Core& core) {
  const nexus_host* host = core.host();
  const std::uint32_t kind = host->thread_kind(host->ctx);
  if (kind == NEXUS_THREAD_WORKER)
    throw Error(NEXUS_E_THREAD,
                "wait() would block a worker of the host; in handlers, timers and tasks use then(), and return the "
                "Later that it gives");
  if (kind != NEXUS_THREAD_OWN)
    throw Error(NEXUS_E_THREAD,
                "wait() would block the host, which is in the constructor, start() or stop() of the plugin; use "
                "then(), or a thread of the plugin's own");
}

// Shared by the thread that waits and the waiter that ends it; the first of reply, failure and give_up counts.
class BlockedWait final : public BlockedCall {
 public:
  void replied(const nexus_bus& bus, const nexus_event& event) {
    const std::lock_guard lock(mutex_);
    if (done_) return;
    event_ = KeptEvent(bus, event);
    done_ = true;
    changed_.notify_one();
  }
  void failed(std::int32_t code) {
    const std::lock_guard lock(mutex_);
    if (done_) return;
    code_ = code;
    done_ = true;
    changed_.notify_one();
  }
  void give_up() override { failed(NEXUS_E_CANCELLED); }

  // The code, and the event with NEXUS_OK.
  std::int32_t wait(KeptEvent& event) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
    event = std::move(event_);
    return code_;
  }

 private:
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  bool done_ = false;
  std::int32_t code_ = NEXUS_OK;
  KeptEvent event_;
};

struct BlockedNode final : CallNode {
  explicit BlockedNode(Filter condition) : filter(std::move(condition)) {}

  static void run(void* user, std::int32_t code, const nexus_event* event) noexcept {
    auto* node = static_cast<BlockedNode*>(user);
    Core& owner = *node->core;
    if (event != nullptr)
      node->blocked->replied(*owner.bus(), *event);
    else
      node->blocked->failed(code);
    owner.discard(node);
  }

  Filter filter;
  std::shared_ptr<BlockedWait> blocked = std::make_shared<BlockedWait>();
};

// Registers by `register_with(node, handle, error)`, which calls the ABI, and waits. Throws Rejected, Error.
template <class Register>
KeptEvent block(Core& core, Filter filter, Register register_with) {
  check_may_block(core);
  BlockedNode* node = core.adopt(std::make_unique<BlockedNode>(std::move(filter)));
  const std::shared_ptr<BlockedWait> blocked = node->blocked;
  if (!core.add_blocked(blocked)) {
    core.discard(node);
    throw Error(NEXUS_E_CANCELLED, "the plugin is being stopped");
  }
  nexus_handle handle = 0;
  ErrorBuffer error;
  const std::int32_t code = register_with(*node, &handle, error.get());
  if (code != NEXUS_OK && code != NEXUS_OK_DUPLICATE) {
    core.remove_blocked(blocked);
    core.discard(node);
    throw Rejected(code, error.sentence(code));
  }
  KeptEvent event;
  const std::int32_t ended = blocked->wait(event);
  core.remove_blocked(blocked);
  if (ended != NEXUS_OK) throw Error(ended, wait_failure(ended));
  return event;
}

}  // namespace nexus::detail
