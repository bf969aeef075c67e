// The event bus: takes events from participants, routes them into mailboxes and has workers run the handlers, so that
// every accepted event is handled, waiting, or counted. Emits, subscriptions and posts may come from any thread;
// participants are added, activated, swapped and removed on the control thread. No lock is held while a handler runs.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.hpp"
#include "host/base/error.hpp"
#include "host/bus/dead_letters.hpp"
#include "host/bus/dedup.hpp"
#include "host/bus/deferred.hpp"
#include "host/bus/dispatcher.hpp"
#include "host/bus/participant.hpp"
#include "host/bus/router.hpp"
#include "host/bus/scheduler.hpp"
#include "host/bus/task.hpp"
#include "host/bus/timer_queue.hpp"
#include "host/bus/waiters.hpp"
#include "host/bus/waiting_retries.hpp"
#include "nexus/abi/bus.h"

namespace nexus::events {
struct PluginError;
}

namespace nexus::host {

struct BusOptions {
  uint32_t worker_count = 4;
  uint32_t max_queue_size = 10000;  // per mailbox; emits from handlers may go to ten times that
  Overflow overflow = Overflow::kBlock;
  int64_t block_timeout_ns = 5'000'000'000;      // how long an emitter waits for room when overflow is kBlock
  RetryPolicy retry;                             // of subscriptions that have none of their own
  int64_t handler_deadline_ns = 30'000'000'000;  // a handler running longer is reported
  uint32_t event_size_max = 16u << 20;           // bytes of data in one event
  int64_t dedup_window_ns = 86'400'000'000'000;  // how long ids that emitters chose are remembered
  std::vector<TypeRule> rules;                   // the first that matches a type holds
  bool tracing = false;                          // records the recent past, for explain and trace
  DeadLetterLimits dead_letters;                 // of the store in memory
  bool dead_letter_dropped = false;              // what drop_oldest drops becomes a dead letter too
};

// What the bus has counted since it was made. emitted = accepted; every delivery is in exactly one of the other sums,
// or still waits.
struct BusTotals {
  uint64_t accepted = 0;   // emits answered OK
  uint64_t rejected = 0;   // emits answered with a 3xx code
  uint64_t invalid = 0;    // emits that named no valid type, or were malformed
  uint64_t unrouted = 0;   // accepted, and nobody listened
  uint64_t withdrawn = 0;  // accepted inside a handler that failed afterwards: they never left
  SubscriptionTotals deliveries;
  uint64_t waiting = 0;  // in mailboxes, and for another attempt
  uint64_t expired = 0;  // of those discarded: their event's time had passed
  uint64_t delayed = 0;  // accepted, and not yet on their way
  uint64_t handler_timeouts = 0;
  uint64_t redriven = 0;  // deliveries made of dead letters, on top of those of emits
  DeadLetterTotals dead_letters;
};

// The same of one event type; the name lives as long as the bus.
struct TypeTotals {
  std::string_view type;
  uint64_t accepted = 0;
  uint64_t rejected = 0;
  uint64_t handled = 0;
};

class Bus final : private DeliveryPort {
 public:
  static constexpr uint16_t kHopsMax = 32;

  // `clock` must outlive the bus.
  // Without a store of its own it keeps dead letters in memory.
  static std::unique_ptr<Bus> create(const BusOptions& options, const Clock& clock,
                                     std::unique_ptr<DeadLetterStore> dead_letters = nullptr);
  ~Bus() override;

  // ---- Participants, control thread -------------------------------------------------------------------------------
  // Inactive: it may emit and subscribe, but nothing is delivered to it before activate.
  std::shared_ptr<Participant> add_participant(ParticipantOptions options);
  void activate(Participant& participant);
  bool pause(Participant& participant, int64_t deadline_monotonic_ns);
  void resume(Participant& participant);
  // Ends its subscriptions for new events, and waits until what it has is handled. False at the deadline.
  bool drain(Participant& participant, int64_t deadline_monotonic_ns);
  // Both are paused. Routes switch in one step, and what waits moves over; the number moved. What the new one has no
  // handler for is discarded and counted.
  size_t hand_over(Participant& old_one, Participant& new_one);
  // Ends its subscriptions, timers and tasks, discards what waits (counted), and lets it go once no thread can see it.
  void remove(const std::shared_ptr<Participant>& participant);

  // ---- Emitting and subscribing, any thread -----------------------------------------------------------------------
  // The number of a type for emits of this participant. NEXUS_E_TYPE_NAME, NEXUS_E_RESERVED, NEXUS_E_TOO_LARGE.
  Result<uint64_t> intern(Participant& from, std::string_view type);

  // `options` may be null; its size has been checked and its unknown tail zeroed. Returns NEXUS_OK or a code; the
  // sentence goes to `error`, which may be null.
  static int32_t emit(Participant& from, uint64_t port, const nexus_emit_options* options, nexus_bytes data,
                      nexus_uuid* id, nexus_error* error) noexcept;
  // The same for options of which is_simple holds.
  static int32_t emit_simple(Participant& from, uint64_t port, const nexus_emit_options* options, nexus_bytes data,
                             nexus_uuid* id, nexus_error* error) noexcept;
  // Whether the options say nothing but a priority, a version of the schema, and how long to wait.
  static bool is_simple(const nexus_emit_options& options) {
    const auto bits = [](const auto& field) {
      uint64_t halves[sizeof field / sizeof(uint64_t)];
      std::memcpy(halves, &field, sizeof field);
      return sizeof field == sizeof(uint64_t) ? halves[0] : halves[0] | halves[sizeof field / sizeof(uint64_t) - 1];
    };
    return (options.flags | options.data_format | options.subject.size | options.key.size |
            options.correlation_id.size | options.metadata.size | bits(options.expires_unix_ns) |
            bits(options.delay_ns) | bits(options.causation_id) | bits(options.trace_id) |
            bits(options.parent_span_id) | options.trace_flags) == 0;
  }
  static int32_t emit_batch(Participant& from, const nexus_emit_item* items, uint64_t count, uint64_t* accepted,
                            nexus_uuid* ids, nexus_error* error) noexcept;

  Result<nexus_handle> subscribe(Participant& participant, std::string_view pattern,
                                 const nexus_subscribe_options& options, nexus_handler_fn handler, void* user);
  Result<void> unsubscribe(const Participant& participant, nexus_handle subscription);
  // Deliveries of a paused subscription wait, in the order they came, until it is resumed. NEXUS_E_HANDLE.
  Result<void> pause_subscription(nexus_handle subscription);
  Result<void> resume_subscription(nexus_handle subscription);

  // Emits, and has the waiter called with the first event that it causes, of a type that the waiter's pattern matches.
  // Where nobody listens to it the waiter is called with NEXUS_E_UNKNOWN. The waiter's handle is set. Codes as emit.
  int32_t request(Participant& from, uint64_t port, const nexus_emit_options* options, nexus_bytes data,
                  const WaiterPointer& waiter, int64_t timeout_ns, nexus_error* error) noexcept;
  // Has the waiter called with the first event from now on that matches. A timeout of 0 is none.
  Result<nexus_handle> wait_for(std::string_view pattern, const WaiterPointer& waiter, int64_t timeout_ns);
  // The waiter is called with NEXUS_E_CANCELLED, unless it has been called already: NEXUS_E_HANDLE.
  Result<void> cancel_wait(const Participant& participant, nexus_handle handle);
  // Finishes a delivery that was answered LATER. NEXUS_E_HANDLE for a stale token, NEXUS_E_ARGUMENT.
  int32_t complete(const Participant& participant, uint64_t token, Completion completion);

  // ---- Deliveries that failed, any thread -------------------------------------------------------------------------
  DeadLetterStore& dead_letters() { return *dead_letters_; }
  const DeadLetterStore& dead_letters() const { return *dead_letters_; }
  // Gives a dead letter to the handler that failed, and to no other, as a first attempt. NEXUS_E_UNKNOWN when there is
  // no such letter, NEXUS_E_STATE when its plugin or handler is not there: the letter stays.
  Result<void> redrive(uint64_t letter, std::string_view note = {});
  // Whether redrive would find the handler.
  Result<void> check_redrive(uint64_t letter);
  // Removes a dead letter for good; a key that it parks goes on. NEXUS_E_UNKNOWN.
  Result<void> remove_letter(uint64_t letter);
  // What waits for another attempt, in the order in which it failed.
  std::vector<WaitingRetry> waiting_retries() const { return waiting_retries_.list(); }
  // Ends the wait: by the attempt, or by giving the delivery up as a dead letter that was rejected. False when there is
  // no such one any more.
  bool retry_now(uint64_t retry) { return end_wait_for_retry(retry, WaitingRetries::Decision::kNow); }
  bool kill_retry(uint64_t retry) { return end_wait_for_retry(retry, WaitingRetries::Decision::kKill); }

  // Takes the task in every case.
  Result<void> post(Participant& participant, std::unique_ptr<Task> task);

  // ---- The host ---------------------------------------------------------------------------------------------------
  // From now on emits from outside handlers are rejected; the host's own go on.
  void refuse_outside_emits() {
    stopping_.store(true, std::memory_order_relaxed);
    plain_size_end_.store(0, std::memory_order_relaxed);
  }
  // Waits until all mailboxes are empty; false at the deadline.
  bool drain_all(int64_t deadline_monotonic_ns);
  // Joins the workers. Nothing is delivered afterwards.
  void stop();
  // To be called every 20 ms or so: watches deadlines and frees what no thread sees any more.
  void tick();

  // Where worker_count is 0, for a simulation: see Scheduler::run_one.
  bool run_one(uint64_t choice, uint32_t deliveries) { return scheduler_->run_one(choice, deliveries); }

  Participant& host() { return *host_; }
  Router& router() { return router_; }
  TimerQueue& timers() { return timers_; }
  const Clock& clock() const { return clock_; }
  // For those who show what the recent past says.
  std::string_view type_name(uint32_t index) const {
    return index < router_.type_count() ? std::string_view(router_.type(index).name) : std::string_view();
  }
  std::shared_ptr<Subscription> find_subscription(nexus_handle id) const { return router_.find(id); }
  // The recent past; null when tracing is off.
  const TraceRing* traces() const { return traces_.get(); }
  const BusOptions& options() const { return options_; }
  BusTotals totals() const;
  std::vector<TypeTotals> type_totals() const;  // by the number of the type
  std::vector<std::shared_ptr<Participant>> participants() const;
  uint64_t rejected(int32_t code) const;
  // Sampled durations of handlers, in ns; see HandlerTimes.
  const HandlerTimes& handler_times() const { return dispatcher_.times(); }
  uint32_t worker_count() const { return scheduler_->worker_count(); }

  // A host's own event, data already encoded. Never waits.
  int32_t emit_host_event(std::string_view type, nexus_bytes data, const EventBlock* cause = nullptr);

  // Told of each failed handler and each overdue one, for the log; on the thread that noticed. Set before any emit.
  using FailureLog = std::function<void(const nexus_event&, const Subscription&, std::string_view error_type,
                                        std::string_view message)>;
  using OverdueLog = std::function<void(const Subscription&, std::string_view message)>;
  void set_logs(FailureLog failure, OverdueLog overdue) {
    failure_log_ = std::move(failure);
    overdue_log_ = std::move(overdue);
  }

 private:
  Bus(const BusOptions& options, const Clock& clock, std::unique_ptr<DeadLetterStore> dead_letters);

  // What one emit knows about itself.
  struct EmitCall {
    Participant& from;
    Port& port;
    const nexus_emit_options* options;
    ThreadState& thread;
    const EventBlock* cause;  // the event being handled, or null
    int64_t now;
    nexus_error* error;
    uint8_t host_flags = 0;    // for the event, beside the port's
    bool is_fresh_id = false;  // the id in the options is the bus's own
  };
  EventBlock* build(EmitCall& call, nexus_bytes data);
  int32_t publish(EmitCall& call, EventBlock* event);
  int32_t publish_to_many(EmitCall& call, EventBlock* event, const Route& route, std::shared_ptr<Mailbox>* full);
  int32_t hold(EmitCall& call, EventBlock* event);
  int32_t refuse(EmitCall& call, int32_t code, std::string_view sentence);
  static int32_t refuse_port(Participant& from, nexus_error* error);
  bool may_be_plain(const ThreadState& thread, nexus_bytes data) const;
  EventBlock* make_plain(Port& port, ThreadState& thread, int64_t time, const nexus_emit_options* options,
                         nexus_bytes data, nexus_uuid* id);
  uint32_t emit_run(Participant& from, ThreadState& thread, int64_t time, const nexus_emit_item* items, uint64_t count,
                    nexus_uuid* ids, EventBlock** refused);
  int32_t emit_plain(Participant& from, Port& port, ThreadState& thread, int64_t time,
                     const nexus_emit_options* options, nexus_bytes data, nexus_uuid* id, nexus_error* error);
  static int32_t emit_general(Participant& from, uint64_t port_number, const nexus_emit_options* options,
                              nexus_bytes data, nexus_uuid* id, nexus_error* error) noexcept;
  int32_t publish_plain(Participant& from, Port& port, int64_t time, const nexus_emit_options* options,
                        EventBlock* block, nexus_error* error);
  int32_t finish(EmitCall& call, EventBlock* event, int32_t code);
  int32_t emit_one(EmitCall& call, nexus_bytes data, nexus_uuid* id);
  int64_t now(ThreadState& thread) const {
    return fast_clock_ != nullptr ? fast_clock_->unix_ns(thread.clock) : clock_.unix_ns();
  }

  bool reserve_all(const Route& route, std::shared_ptr<Mailbox>* full, bool hard);
  void unreserve_all(const Route& route);
  void push_stage(EventBlock* event, const Route& route, uint32_t stage);
  Target* inherit(const EventBlock* event, const Target& old_one, Participant& successor);
  void deliver_or_redirect(EventBlock* event, Target* target, Mailbox::Push result);
  void discard(EventBlock* event, Target& target);
  void discard_slot(const Slot& slot);

  // DeliveryPort
  void commit(RunningCallback& running) override;
  void abort(RunningCallback& running) override;
  void first_attempt_done(EventBlock* event) override;
  bool retry(EventBlock* event, const Target& target, const Entry& entry, int64_t after_ns, std::string_view error_type,
             std::string_view message) override;
  void end_retry(uint64_t id);
  void redeliver(const WaitingRetries::Row& row);
  bool end_wait_for_retry(uint64_t retry, WaitingRetries::Decision decision);
  class RetryTask;
  bool handler_failed(EventBlock* event, const Target& target, Entry& entry, DeadLetterReason reason,
                      std::string_view error_type, std::string_view message) override;
  void retry_discarded(const Target& target) override;
  void kill(const WaitingRetries::Row& row);
  bool parks(const EventBlock& event, const Entry& entry) const;
  void unpark(const DeadLetter& letter);
  DeadLetter make_letter(const EventBlock& event, const Target& target, const Entry& entry, DeadLetter why);
  bool bury(const EventBlock& event, const Target& target, Entry& entry, DeadLetter why);
  void bury_dropped(const EventBlock& event, const Target& target);
  void drop_overflowed(const Slot& slot);
  int32_t refuse_loop(EmitCall& call, nexus_bytes data);
  uint64_t put_letter(DeadLetter letter);
  uint64_t keep(DeadLetter letter, const EventBlock* cause, const std::string& sentence);
  void reply(Participant& from, const HandlerAnswer& answer) override;
  void defer(uint64_t token, EventBlock* event, Target& target, Entry& entry, RunningCallback& running) override;
  bool is_expired(EventBlock* event, Target& target) override;
  bool hold_back(EventBlock* event, Target& target, Entry& entry) override;
  void follow(EventBlock* event, Entry& entry, uint32_t minds, bool ended) override;

  void release(std::optional<HeldBack> held, uint32_t minds);
  void discard_backlog(Subscription& subscription);
  void release_next(Subscription& subscription, std::optional<HeldBack> held);
  void hand_over_backlogs(const std::vector<std::shared_ptr<Subscription>>& holding, Participant& new_one);

  // Of what no worker records: how an event or one of its deliveries ended. Does nothing when tracing is off.
  void trace(const EventBlock& event, const Entry* entry, TraceKind kind, int32_t code = NEXUS_OK);

  class DelayTask;
  static void apply_rules(const TypeEntry& type, EventBlock* event);
  int32_t check_id(EmitCall& call, EventBlock* event);
  int32_t publish_and_answer(EmitCall& call, EventBlock* event);
  int32_t delay(EventBlock* event, int64_t delay_ns);
  bool send_delayed(EventBlock* event);

  class WaiterTask;
  class TimeoutTask;
  Result<nexus_handle> begin_wait(const WaiterPointer& waiter, int64_t timeout_ns);
  void end_wait(const Waiter& waiter);
  void call_waiter(const WaiterPointer& waiter, int32_t code, EventBlock* event);
  void answer_request(EventBlock* event);
  void answer_unrouted(const EventBlock& event);
  static int32_t awaited_has_come(void* user, const nexus_delivery* delivery, nexus_outcome* outcome);

  class CompletionTask;
  void post_completion(DeferredPointer delivery, Completion completion);
  void finish_deferred(DeferredDelivery& delivery, const Completion& completion);
  void give_up_deferred(DeferredDelivery& delivery);
  void redeliver_deferred(Participant& participant);
  void discard_deferred(Participant& participant);
  void withdraw(std::vector<HeldEmit>& held);

  Mailbox& parallel_mailbox(Participant& participant);
  void emit_report(const events::PluginError& report, const EventBlock* cause);
  void watch_deadlines();
  void collect_removed();

  const BusOptions options_;
  const Clock& clock_;
  const FastClock* const fast_clock_;  // the process's, when clock_ is that: read through the thread's cache
  Router router_;
  const std::unique_ptr<DeadLetterStore> dead_letters_;
  WaitingRetries waiting_retries_;
  TimerQueue timers_;
  Waiters waiters_;
  DeferredDeliveries deferred_;
  DedupWindow dedup_;
  const std::unique_ptr<TraceRing> traces_;
  Dispatcher dispatcher_;
  std::unique_ptr<Scheduler> scheduler_;
  std::shared_ptr<Participant> host_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> plain_size_end_;  // above event_size_max; 0 once the bus is stopping
  std::atomic<uint64_t> retrying_{0};     // deliveries that wait for another attempt
  std::atomic<uint64_t> expired_{0}, delayed_{0};
  std::atomic<uint64_t> unrouted_{0}, withdrawn_{0}, handler_timeouts_{0}, redriven_{0};
  std::array<std::atomic<uint64_t>, 100> rejected_by_code_{};  // by code - 300

  mutable std::mutex mutex_;  // guards all below
  std::vector<std::shared_ptr<Participant>> participants_;
  std::vector<std::shared_ptr<Participant>> removed_;
  uint32_t next_number_ = 1;
  uint64_t accepted_before_ = 0, rejected_before_ = 0, invalid_before_ = 0;  // of participants that are gone
  struct Watched {
    const WorkerActivity* activity;
    uint64_t sequence;
    nexus_handle subscription;
    int64_t since_ns;
    const Mailbox* stuck;  // once reported: whose handler it is; only compared
  };
  std::vector<Watched> watched_;  // tick only
  uint32_t extra_workers_ = 0;    // tick only
  FailureLog failure_log_;
  OverdueLog overdue_log_;
};

}  // namespace nexus::host
