// Who waits for an event: requests, which wait for an event that theirs has caused, and waits for a pattern. A waiter
// is called exactly once, in its participant's mailbox: with the event, at its timeout, or when it is cancelled; unless
// the participant goes first. Any thread; the mutex is held for table work only.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/uuid.hpp"
#include "host/event/pattern.hpp"
#include "nexus/abi/bus.h"

namespace nexus::host {

class Participant;
struct EventBlock;

struct Waiter : std::enable_shared_from_this<Waiter> {
  std::shared_ptr<Participant> participant;
  nexus_waiter_fn call = nullptr;
  void* user = nullptr;
  std::optional<Pattern> pattern;  // of a request: what the reply's type must match; absent: any
  // Of a wait: asked before it is called.
  nexus_condition_fn condition = nullptr;
  void* condition_user = nullptr;

  // Set by the bus, and under the mutex of Waiters.
  nexus_handle handle = 0;
  Uuid cause{};                   // of a request: its event's id; else nil
  nexus_handle timer = 0;         // 0: it waits for ever
  nexus_handle subscription = 0;  // of a wait
};

using WaiterPointer = std::shared_ptr<Waiter>;

class Waiters {
 public:
  // Unanswered requests and waits of one participant.
  static constexpr size_t kMaxPerParticipant = 100'000;

  // Gives it a handle; from now on it can be taken. NEXUS_E_TOO_LARGE.
  Result<nexus_handle> add(const WaiterPointer& waiter);
  // Notes what ends it beside an event. False when it has been taken already: then the caller ends these itself.
  bool set_timer(const WaiterPointer& waiter, nexus_handle timer);
  bool set_subscription(const WaiterPointer& waiter, nexus_handle subscription);

  // Each of these takes a waiter out for whoever calls it: exactly one caller gets it, the others null or false. An
  // empty type stands for every one.
  bool take(const WaiterPointer& waiter);
  WaiterPointer take(nexus_handle handle, const Participant& participant);
  WaiterPointer take_caused_by(const Uuid& cause, std::string_view type);
  std::vector<WaiterPointer> take_all(const Participant& participant);

  size_t size() const;

 private:
  void erase_locked(const Waiter& waiter);

  mutable std::mutex mutex_;  // guards all below
  std::unordered_map<nexus_handle, WaiterPointer> by_handle_;
  std::unordered_map<Uuid, WaiterPointer, UuidHash, UuidEqual> by_cause_;
  std::unordered_map<const Participant*, size_t> count_;
  nexus_handle next_handle_ = 1;
};

}  // namespace nexus::host
