// Deliveries whose handlers answered LATER and that wait for their completion. A token names one; the completion may
// come from any thread, even before the handler has returned. Each delivery is taken out exactly once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/bus/target.hpp"
#include "host/bus/thread_state.hpp"
#include "nexus/abi/event.h"

namespace nexus::host {

// What complete() was told, in copies.
struct Completion {
  int32_t verdict = NEXUS_DONE;
  int64_t retry_after_ns = 0;
  std::string error_type, error_text, reply_type;
  uint32_t reply_format = NEXUS_DATA_CBOR;
  std::vector<uint8_t> reply;
};

struct DeferredDelivery {
  EventBlock* event = nullptr;  // retained
  std::shared_ptr<Target> target;
  uint32_t entry = 0;          // index in the target
  bool holds_stage = false;    // the next stage waits for it
  bool holds_key = false;      // others with its key wait for it
  bool reported = false;       // as overdue
  int64_t deadline_ns = 0;     // monotonic
  std::vector<HeldEmit> held;  // what the handler emitted

  Entry& handler() const { return target->entries[entry]; }
};

using DeferredPointer = std::unique_ptr<DeferredDelivery>;

class DeferredDeliveries {
 public:
  enum class Found : uint8_t { kTaken, kEarly, kStale };

  // Keeps the delivery until it is taken. False when its completion had come before: then both are the caller's.
  bool keep(uint64_t token, DeferredPointer& delivery, Completion* completion);
  // Takes the delivery of a completion. Where its handler has not returned yet, as `is_running` tells, the completion
  // is kept for keep(). Only deliveries to `participant` are found.
  Found take(uint64_t token, const Participant& participant, Completion& completion,
             const std::function<bool(uint64_t token)>& is_running, DeferredPointer* delivery);
  std::vector<DeferredPointer> take_all(const Participant& participant);
  // Visits those over their deadline that were not reported before.
  void each_overdue(int64_t now_monotonic_ns, const std::function<void(const DeferredDelivery&)>& visit);
  size_t size() const;

 private:
  struct Early {
    const Participant* participant;
    Completion completion;
  };
  // When there are so many, those whose handlers have returned another answer than LATER are thrown away.
  static constexpr size_t kEarlyMany = 64;

  mutable std::mutex mutex_;  // guards all below
  std::unordered_map<uint64_t, DeferredPointer> waiting_;
  std::unordered_map<uint64_t, Early> early_;
};

}  // namespace nexus::host
