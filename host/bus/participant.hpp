// One that emits and subscribes: a plugin instance, or the host itself. It owns its mailboxes and, per event type that
// it emits, a port: the number that intern gave out and the counts of what went through it. Made and removed by the
// bus; ports may be looked up from any thread without a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "host/base/append_table.hpp"
#include "host/base/spin_lock.hpp"
#include "host/bus/mailbox.hpp"
#include "host/bus/route.hpp"
#include "host/event/block.hpp"
#include "host/event/pattern.hpp"

namespace nexus::host {

class Bus;
struct TypeEntry;
struct ThreadState;
class Scheduler;

// A count that one thread adds to without a locked instruction, and others with one: nearly always a plugin emits a
// type from one thread.
class SharedCount {
 public:
  void add(const ThreadState& thread, uint64_t n = 1) {
    if (owner_.load(std::memory_order_relaxed) == &thread) [[likely]] {
      mine_.add(n);
      return;
    }
    add_slow(thread, n);
  }
  uint64_t get() const { return mine_.get() + others_.load(std::memory_order_relaxed); }

 private:
  void add_slow(const ThreadState& thread, uint64_t n) {
    const ThreadState* none = nullptr;
    if (owner_.load(std::memory_order_relaxed) == nullptr &&
        owner_.compare_exchange_strong(none, &thread, std::memory_order_relaxed)) {
      mine_.add(n);
      return;
    }
    others_.fetch_add(n, std::memory_order_relaxed);
  }

  std::atomic<const ThreadState*> owner_{nullptr};
  OwnedCount mine_;
  std::atomic<uint64_t> others_{0};
};

// One participant's way into one event type.
struct alignas(64) Port {
  TypeEntry* type = nullptr;
  SharedCount accepted;
  EventBlock prototype{};  // what is the same in every event that goes through, and what most have in common
  std::atomic<uint64_t> rejected{0};
};

struct ParticipantOptions {
  std::string id;            // the plugin's id; the source of its events
  std::string version;       // the plugin's
  bool own_thread = false;   // a worker of its own
  bool may_forward = false;  // may pass on foreign sources, ids and times
  bool is_host = false;      // may emit system.* and plugin.*
  std::optional<Overflow>
      overflow;  // of its mailbox; absent: the bus's. Drop_oldest for one that must slow nobody down
};

class Participant : public std::enable_shared_from_this<Participant> {
 public:
  static constexpr uint32_t kPortsMax = 64 * 256;

  Participant(Bus& bus, ParticipantOptions options, uint32_t number, std::string_view source);
  ~Participant();
  Participant(const Participant&) = delete;
  Participant& operator=(const Participant&) = delete;

  Bus& bus() const { return bus_; }
  const std::string& id() const { return options_.id; }
  const ParticipantOptions& options() const { return options_; }
  uint32_t number() const { return number_; }          // unique in the life of the bus, from 1
  std::string_view source() const { return source_; }  // the id, interned for the life of the process
  Mailbox& mailbox() const { return *mailbox_; }
  Mailbox* parallel_mailbox() const { return parallel_.load(std::memory_order_acquire); }

  // The port of a number that intern gave out; null for any other number. Any thread.
  Port* port(uint64_t handle) const { return ports_.find(handle - 1); }
  // The number of the port for a type, made at the first call; 0 when there are too many. Any thread.
  uint64_t port_for(TypeEntry& type);
  // The number of the port for a type name that port_for has seen, or 0. Any thread.
  uint64_t find_port(std::string_view type) const;

  template <class Visit>
  void each_port(Visit visit) const {
    for (size_t i = 0; i < ports_.size(); ++i)
      if (const Port* port = ports_.find(i)) visit(*port);
  }

  uint64_t emitted() const;

  // After a hot swap: who gets what was still on its way to this one. Null before.
  Participant* successor() const { return successor_.load(std::memory_order_acquire); }

  // Counted apart from ports: emits that named no valid one.
  std::atomic<uint64_t> invalid_emits{0};

 private:
  friend class Bus;

  Bus& bus_;
  const ParticipantOptions options_;
  const uint32_t number_;
  const std::string_view source_;
  std::unique_ptr<Mailbox> mailbox_;
  std::atomic<Mailbox*> parallel_{nullptr};
  std::unique_ptr<Mailbox> parallel_owned_;
  std::unique_ptr<Scheduler> own_scheduler_;

  std::atomic<Participant*> successor_{nullptr};
  const uint64_t stamps_;  // the first of its ports' stamps
  AppendTable<Port, 64, kPortsMax / 64> ports_;
  mutable SpinLock ports_lock_;
  std::unordered_map<std::string_view, uint64_t> ports_by_name_;  // guarded by ports_lock_
};

}  // namespace nexus::host
