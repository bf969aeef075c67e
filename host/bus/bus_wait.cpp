// Requests and waits: how a waiter begins, and the ways in which it ends. See bus.hpp and waiters.hpp.
#include <string>
#include <utility>

#include "host/bus/bus.hpp"
#include "host/bus/thread_state.hpp"
#include "host/event/block.hpp"

namespace nexus::host {

// Calls a waiter that has been taken, in its mailbox. What it emits is caused by the event, and leaves when it is done.
class Bus::WaiterTask final : public Task {
 public:
  WaiterTask(WaiterPointer waiter, int32_t code, EventBlock* event)
      : waiter_(std::move(waiter)), code_(code), event_(event) {
    if (event_ != nullptr) event_->retain();
  }
  ~WaiterTask() override {
    if (event_ != nullptr) event_->release();
  }
  void run() noexcept override {
    thread_state().running.event = event_;
    call(*waiter_, code_, event_ != nullptr ? &event_->event : nullptr);
  }

  // The SDK's waiters let no exception out; one that does must not end the host.
  static void call(const Waiter& waiter, int32_t code, const nexus_event* event) noexcept {
    try {
      waiter.call(waiter.user, code, event);
    } catch (...) {
    }
  }

 private:
  const WaiterPointer waiter_;
  const int32_t code_;
  EventBlock* const event_;
};

class Bus::TimeoutTask final : public Task {
 public:
  TimeoutTask(Bus& bus, WaiterPointer waiter) : bus_(bus), waiter_(std::move(waiter)) {}
  void run() noexcept override {
    if (!bus_.waiters_.take(waiter_)) return;
    bus_.end_wait(*waiter_);
    WaiterTask::call(*waiter_, NEXUS_E_TIMEOUT, nullptr);
  }

 private:
  Bus& bus_;
  const WaiterPointer waiter_;
};

Result<nexus_handle> Bus::begin_wait(const WaiterPointer& waiter, int64_t timeout_ns) {
  auto handle = waiters_.add(waiter);
  if (!handle || timeout_ns <= 0) return handle;
  const int64_t due = TimerQueue::due_after(clock_.monotonic_ns(), timeout_ns);
  auto timer = timers_.add(waiter->participant, due, std::make_unique<TimeoutTask>(*this, waiter));
  if (!timer) {
    waiters_.take(waiter);
    return timer.error();
  }
  if (!waiters_.set_timer(waiter, timer.value())) end_wait(*waiter);
  return handle;
}

// Of a waiter that has been taken: what would have ended it otherwise.
void Bus::end_wait(const Waiter& waiter) {
  if (waiter.timer != 0) static_cast<void>(timers_.cancel(*waiter.participant, waiter.timer));
  if (waiter.subscription != 0) static_cast<void>(router_.remove(waiter.subscription, *waiter.participant));
}

void Bus::call_waiter(const WaiterPointer& waiter, int32_t code, EventBlock* event) {
  end_wait(*waiter);
  auto task = std::make_unique<WaiterTask>(waiter, code, event);
  if (waiter->participant->mailbox().push_task(task.get()) == Mailbox::Push::kAccepted)
    static_cast<void>(task.release());
}

// An event that a request may be waiting for has been published.
void Bus::answer_request(EventBlock* event) {
  if (const WaiterPointer waiter = waiters_.take_caused_by(event->event.causation_id, to_view(event->event.type)))
    call_waiter(waiter, NEXUS_OK, event);
}

// Nobody listens to this request: its asker need not wait for the timeout.
void Bus::answer_unrouted(const EventBlock& event) {
  if (const WaiterPointer waiter = waiters_.take_caused_by(event.event.id, {}))
    call_waiter(waiter, NEXUS_E_UNKNOWN, nullptr);
}

int32_t Bus::request(Participant& from, uint64_t port_number, const nexus_emit_options* options, nexus_bytes data,
                     const WaiterPointer& waiter, int64_t timeout_ns, nexus_error* error) noexcept {
  try {
    Port* port = from.port(port_number);
    if (port == nullptr) return refuse_port(from, error);
    ThreadState& thread = thread_state();
    nexus_emit_options with_id{};
    if (options != nullptr) with_id = *options;
    with_id.size = sizeof with_id;
    const int64_t time = now(thread);
    if ((with_id.flags & NEXUS_EMIT_HAS_ID) == 0) with_id.id = thread.ids.next(time);
    // At once: a question that waits for its asker's success would be answered too late.
    const bool has_own_id = (with_id.flags & NEXUS_EMIT_HAS_ID) != 0;
    with_id.flags |= NEXUS_EMIT_HAS_ID | NEXUS_EMIT_NOW;
    waiter->cause = with_id.id;
    if (auto begun = begin_wait(waiter, timeout_ns); !begun) return write_error(error, begun.error());
    EmitCall call{from, *port, &with_id, thread, thread.running.event, time, error};
    call.host_flags = EventBlock::kHostAwaited;
    call.is_fresh_id = !has_own_id;
    const int32_t code = emit_one(call, data, nullptr);
    if (code != NEXUS_OK && code != NEXUS_OK_DUPLICATE && waiters_.take(waiter)) end_wait(*waiter);
    return code;
  } catch (...) {
    return write_exception(error);
  }
}

namespace {

int32_t ask_waiter(void* user, const nexus_event* event) {
  const auto& waiter = *static_cast<Waiter*>(user);
  return waiter.condition(waiter.condition_user, event);
}

}  // namespace

// The handler of a wait's subscription. It ends its own subscription, and so is called for one event only.
int32_t Bus::awaited_has_come(void* user, const nexus_delivery* delivery, nexus_outcome*) {
  const WaiterPointer waiter = static_cast<Waiter*>(user)->shared_from_this();
  Bus& bus = waiter->participant->bus();
  if (!bus.waiters_.take(waiter)) return NEXUS_SKIP;
  bus.end_wait(*waiter);
  WaiterTask::call(*waiter, NEXUS_OK, delivery->event);
  return NEXUS_DONE;
}

Result<nexus_handle> Bus::wait_for(std::string_view pattern, const WaiterPointer& waiter, int64_t timeout_ns) {
  auto parsed = Pattern::parse(pattern);
  if (!parsed) return parsed.error();
  auto subscription = std::make_shared<Subscription>(std::move(parsed.value()));
  subscription->participant = waiter->participant.get();
  subscription->mailbox = &waiter->participant->mailbox();
  subscription->is_wait = true;
  subscription->deadline_ns = options_.handler_deadline_ns;
  subscription->handler = &awaited_has_come;
  if (waiter->condition != nullptr) subscription->condition = &ask_waiter;
  subscription->user = waiter.get();
  subscription->keeps = waiter;
  auto handle = begin_wait(waiter, timeout_ns);
  if (!handle) return handle;
  router_.add(subscription);
  if (!waiters_.set_subscription(waiter, subscription->id))
    static_cast<void>(router_.remove(subscription->id, *waiter->participant));
  return handle;
}

Result<void> Bus::cancel_wait(const Participant& participant, nexus_handle handle) {
  const WaiterPointer waiter = waiters_.take(handle, participant);
  if (waiter == nullptr) return make_error(NEXUS_E_HANDLE, "no such wait is pending");
  call_waiter(waiter, NEXUS_E_CANCELLED, nullptr);
  return {};
}

}  // namespace nexus::host
