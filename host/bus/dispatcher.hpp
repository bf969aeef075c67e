// What a worker does with a mailbox: takes batches, asks conditions, calls handlers, and settles what they answer. The
// fate of a delivery is decided here and nowhere else; what follows from it (leaving emits, later stages, reports) is
// behind DeliveryPort, which the bus implements. Runs on workers; holds no lock while plugin code runs.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "host/base/clock.hpp"
#include "host/bus/dead_letters.hpp"
#include "host/bus/route.hpp"
#include "host/bus/scheduler.hpp"
#include "host/bus/thread_state.hpp"
#include "host/observe/trace_ring.hpp"

namespace nexus::host {

// What a handler, or who completed its delivery later, has said. The texts are borrowed.
struct HandlerAnswer {
  int32_t verdict = NEXUS_DONE;
  int64_t retry_after_ns = 0;
  std::string_view error_type, error_text;
  nexus_string reply_type{};
  uint32_t reply_format = NEXUS_DATA_CBOR;
  nexus_bytes reply{};
};

// Consequences of deliveries. Called on workers, between callbacks.
class DeliveryPort {
 public:
  virtual ~DeliveryPort() = default;
  // The handler succeeded: what it emitted leaves. Empties `held`.
  virtual void commit(RunningCallback& running) = 0;
  // It failed: nothing of it leaves. Empties `held`.
  virtual void abort(RunningCallback& running) = 0;
  // All handlers of one target have had their first attempt at an event that has stages.
  virtual void first_attempt_done(EventBlock* event) = 0;
  // It failed and may be tried again: true when that is arranged; the event is kept for it. Else it has failed for
  // good. `after_ns` is the delay that the handler asked for, or 0.
  virtual bool retry(EventBlock* event, const Target& target, const Entry& entry, int64_t after_ns,
                     std::string_view error_type, std::string_view message) = 0;
  // It will be completed by the token; what it emitted is kept with it.
  virtual void defer(uint64_t token, EventBlock* event, Target& target, Entry& entry, RunningCallback& running) = 0;
  // The event's time has passed: its deliveries are counted, and none is made.
  virtual bool is_expired(EventBlock* event, Target& target) = 0;
  // Whether the delivery has to wait behind others of its subscription; then it is kept.
  virtual bool hold_back(EventBlock* event, Target& target, Entry& entry) = 0;
  // After a delivery that others wait behind, as its `minds` say; `ended`: it will not come again.
  virtual void follow(EventBlock* event, Entry& entry, uint32_t minds, bool ended) = 0;
  // It has failed for good. True when its key waits until somebody decides about it.
  virtual bool handler_failed(EventBlock* event, const Target& target, Entry& entry, DeadLetterReason reason,
                              std::string_view error_type, std::string_view message) = 0;
  // One that was tried before is passed over: its handler is gone.
  virtual void retry_discarded(const Target& target) = 0;
  virtual void reply(Participant& from, const HandlerAnswer& answer) = 0;
};

// Durations of handlers, one in kSample measured, in buckets by powers of two of nanoseconds.
class HandlerTimes {
 public:
  static constexpr uint32_t kSample = 64;
  static constexpr size_t kBuckets = 40;
  void add(int64_t ns);
  uint64_t count(size_t bucket) const { return buckets_[bucket].load(std::memory_order_relaxed); }
  // The upper bound of a bucket in ns.
  static int64_t bound_ns(size_t bucket) { return int64_t{1} << bucket; }
  int64_t sum_ns() const { return sum_ns_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<int64_t> sum_ns_{0};
};

class Dispatcher final : public TurnRunner {
 public:
  // All must outlive it. With a ring every delivery is recorded there.
  Dispatcher(DeliveryPort& port, const Clock& clock, TraceRing* traces) : port_(port), clock_(clock), traces_(traces) {}

  void run_turn(Mailbox& mailbox, Worker& worker) override;
  // Decides about a delivery that was deferred, as about any other. In its mailbox, or when that is closed.
  // False when it will be tried again.
  bool settle(RunningCallback& running, EventBlock* event, Target& target, Entry& entry, const HandlerAnswer& answer);
  const HandlerTimes& times() const { return times_; }

  // The token of a delivery says which slot a worker ran, by the worker's sequence, and which handler of it.
  static constexpr int kTokenShift = 12;
  static bool is_running(const WorkerActivity& activity, uint64_t token) {
    return activity.sequence.load(std::memory_order_relaxed) == token >> kTokenShift;
  }

 private:
  struct Turn;
  template <bool kParallel, bool kTraced>
  void run_batch(Turn& turn);
  template <bool kParallel, bool kTimed, bool kMinding>
  [[gnu::always_inline]] void run_handlers(Turn& turn, EventBlock* event, Target& target);
  template <bool kParallel>
  void run_handlers_minding(Turn& turn, EventBlock* event, Target& target);
  void trace(Turn& turn, const EventBlock& event, const Entry& entry, TraceKind kind, int64_t duration_ns);
  template <bool kParallel>
  void run_handlers_timed(Turn& turn, EventBlock* event, Target& target);
  int32_t ask_and_call(Turn& turn, EventBlock* event, Target& target, Entry& entry, uint32_t minds);
  bool settle_followed(Turn& turn, EventBlock* event, Target& target, Entry& entry, int32_t verdict, uint32_t minds);
  static bool is_plain_success(const Turn& turn, int32_t verdict);
  static void clear_outcome(Turn& turn);
  static void count_one(const Target& target, OwnedCount& counter);
  static int32_t caught(Turn& turn);
  bool settle_unusual(Turn& turn, EventBlock* event, Target& target, Entry& entry, int32_t verdict);
  void run_task(Turn& turn, void* task);
  bool linger(Turn& turn);

  DeliveryPort& port_;
  const Clock& clock_;
  TraceRing* const traces_;
  HandlerTimes times_;
};

}  // namespace nexus::host
