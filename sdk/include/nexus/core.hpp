// The plugin's end of the connection to its host: the interfaces that the host gave, the numbers of the event types,
// and every callback that is still registered. One per instance; shared by the plugin and by its scopes (Subscription,
// Timer, ...), so that a scope which outlives the plugin does nothing instead of harm. All methods may be called from
// any thread. Not for plugin authors.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <typeinfo>
#include <utility>
#include <vector>

#if __has_include(<cxxabi.h>)
#include <cxxabi.h>
#endif

#include "nexus/abi/bus.h"
#include "nexus/abi/control.h"
#include "nexus/abi/data.h"
#include "nexus/abi/host.h"
#include "nexus/abi/metrics.h"
#include "nexus/abi/timer.h"
#include "nexus/cbor.hpp"
#include "nexus/errors.hpp"
#include "nexus/known_type.hpp"

namespace nexus::detail {

class Core;

// A callback that the host may still call. Owned by the core; freed by discard(), or with the core.
struct CallNode {
  CallNode() = default;
  CallNode(const CallNode&) = delete;
  CallNode& operator=(const CallNode&) = delete;
  virtual ~CallNode() = default;

  Core* core = nullptr;
  CallNode* previous = nullptr;
  CallNode* next = nullptr;
};

// One call of a plugin's own thread that waits until another thread ends it.
class BlockedCall {
 public:
  virtual ~BlockedCall() = default;
  // The instance is being stopped. Any thread.
  virtual void give_up() = 0;
};

class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(const nexus_host* host, nexus_bytes config)
      : host_(host),
        config_(config.size == 0 ? Bytes() : Bytes(config.data, config.data + config.size)),
        bus_(interface<nexus_bus>(NEXUS_BUS_ID)),
        timer_(interface<nexus_timer>(NEXUS_TIMER_ID)),
        metrics_(interface<nexus_metrics>(NEXUS_METRICS_ID)),
        type_count_(known_type_count()),
        types_(new std::atomic<std::uint64_t>[type_count_ + 1] {}) {}
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core() {
    while (nodes_ != nullptr) discard(nodes_);
  }

  const nexus_host* host() const { return host_; }
  const nexus_bus* bus() const { return bus_; }
  const nexus_timer* timer() const { return timer_; }
  const nexus_metrics* metrics() const { return metrics_; }

  // The CBOR map that create was given, or empty.
  std::span<const std::uint8_t> config() const { return config_; }

  template <class T>
  const T* interface(const char* id) const {
    return static_cast<const T*>(host_->query(host_->ctx, id));
  }

  std::int64_t now_unix_ns() const { return host_->now_unix_ns(host_->ctx); }

  // After this nothing calls the host any more: its side of the instance is gone.
  void close() { closed_.store(true, std::memory_order_release); }
  bool closed() const { return closed_.load(std::memory_order_acquire); }

  // The host's number for a type; asks once per type. NEXUS_OK or the host's code.
  std::int32_t type_handle(const KnownType& type, std::uint64_t& handle, nexus_error* error) {
    if (type.index < type_count_) {
      handle = types_[type.index].load(std::memory_order_relaxed);
      if (handle != 0) return NEXUS_OK;
    }
    const std::int32_t code = bus_->intern(bus_->ctx, to_abi(type.type), &handle, error);
    if (code == NEXUS_OK && type.index < type_count_) types_[type.index].store(handle, std::memory_order_relaxed);
    return code;
  }

  // The same for a name that is known only when running.
  std::int32_t type_handle(std::string_view type, std::uint64_t& handle, nexus_error* error) {
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(type);
    if (found != names_.end()) {
      handle = found->second;
      return NEXUS_OK;
    }
    const std::int32_t code = bus_->intern(bus_->ctx, to_abi(type), &handle, error);
    if (code == NEXUS_OK && names_.size() < kNamesMax) names_.emplace(type, handle);
    return code;
  }

  template <class Node>
  Node* adopt(std::unique_ptr<Node> node) {
    const std::lock_guard lock(mutex_);
    Node* raw = node.release();
    raw->core = this;
    raw->next = nodes_;
    if (nodes_ != nullptr) nodes_->previous = raw;
    nodes_ = raw;
    return raw;
  }

  void discard(CallNode* node) {
    {
      const std::lock_guard lock(mutex_);
      if (node->previous != nullptr) node->previous->next = node->next;
      if (node->next != nullptr) node->next->previous = node->previous;
      if (nodes_ == node) nodes_ = node->next;
    }
    delete node;  // without the lock: it may hold scopes of its own
  }

  // Frees a node that a call may still be using: behind everything that runs in the mailbox now. Where that cannot be
  // promised (the host stops, or calls of it may overlap), it waits for the end of the instance.
  void retire(CallNode* node, bool overlapping) {
    if (overlapping || closed()) return;
    bus_->post(
        bus_->ctx,
        [](void* user) {
          auto* retired = static_cast<CallNode*>(user);
          retired->core->discard(retired);
        },
        node);
  }

  // A readable name of an exception's type that lives as long as the instance.
  nexus_string type_text(const std::type_info& type) {
    const std::lock_guard lock(mutex_);
    std::string& text = type_texts_[type.name()];
    if (text.empty()) text = readable(type.name());
    return to_abi(text);
  }

  // A copy of a short text out of a small set that lives as long as the instance.
  nexus_string known_text(std::string_view text) {
    const std::lock_guard lock(mutex_);
    return to_abi(*texts_.emplace(text).first);
  }

  // Where a reply lies until the host has copied it: one buffer for each thread that runs overlapping handlers.
  cbor::Buffer& thread_buffer() {
    const std::lock_guard lock(mutex_);
    return buffers_[std::this_thread::get_id()];
  }

  // Notes a call that blocks, so that stopping the instance ends it. False when the instance is being stopped already.
  bool add_blocked(const std::shared_ptr<BlockedCall>& call) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    blocked_.insert(call);
    return true;
  }
  void remove_blocked(const std::shared_ptr<BlockedCall>& call) {
    const std::lock_guard lock(mutex_);
    blocked_.erase(call);
  }
  // From now on no call blocks, so that stop() can join the threads that did.
  void end_blocked() {
    std::set<std::shared_ptr<BlockedCall>> ended;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      ended.swap(blocked_);
    }
    for (const std::shared_ptr<BlockedCall>& call : ended) call->give_up();
  }

  void log(std::int32_t level, std::string_view message) {
    if (!closed()) host_->log(host_->ctx, level, to_abi(message), nullptr, 0);
  }

 private:
  static constexpr std::size_t kNamesMax = 4096;  // distinct names emitted by text that are worth remembering

  static std::string readable(const char* name) {
#if __has_include(<cxxabi.h>)
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                           &std::free);
    if (status == 0 && text != nullptr) return text.get();
#endif
    return name;
  }

  const nexus_host* host_;
  Bytes config_;
  const nexus_bus* bus_;
  const nexus_timer* timer_;
  const nexus_metrics* metrics_;
  std::atomic<bool> closed_{false};
  std::uint32_t type_count_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> types_;  // by KnownType::index; 0: not asked yet

  std::mutex mutex_;  // guards everything below
  CallNode* nodes_ = nullptr;
  std::map<std::string, std::uint64_t, std::less<>> names_;
  std::map<std::string, std::string, std::less<>> type_texts_;
  std::set<std::string, std::less<>> texts_;
  std::map<std::thread::id, cbor::Buffer> buffers_;
  std::set<std::shared_ptr<BlockedCall>> blocked_;
  bool stopping_ = false;
};

// The core of the instance that is being made on this thread; how a plugin's constructor finds its host.
inline constinit thread_local Core* current_core = nullptr;

}  // namespace nexus::detail
