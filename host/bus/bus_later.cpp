// Deliveries that are finished later than their handler returns. See bus.hpp and deferred.hpp.
#include <utility>

#include "host/bus/bus.hpp"
#include "host/bus/thread_state.hpp"
#include "host/bus/trace.hpp"
#include "host/event/block.hpp"

namespace nexus::host {

// Brings a completion into the mailbox, where fates are decided. A mailbox that is closed runs nothing any more, so
// that it can be decided right there.
class Bus::CompletionTask final : public Task {
 public:
  CompletionTask(Bus& bus, DeferredPointer delivery, Completion completion)
      : bus_(bus), delivery_(std::move(delivery)), completion_(std::move(completion)) {}
  void run() noexcept override { bus_.finish_deferred(*delivery_, completion_); }
  void drop() noexcept override { run(); }

 private:
  Bus& bus_;
  const DeferredPointer delivery_;
  const Completion completion_;
};

void Bus::defer(uint64_t token, EventBlock* event, Target& target, Entry& entry, RunningCallback& running) {
  auto delivery = std::make_unique<DeferredDelivery>();
  event->retain();
  delivery->event = event;
  delivery->target = target.shared_from_this();
  delivery->entry = static_cast<uint32_t>(&entry - target.entries.get());
  delivery->deadline_ns = clock_.monotonic_ns() + entry.subscription->deadline_ns;
  delivery->held = std::exchange(running.held, {});
  *running.holds = 0;
  if (!target.is_retry && event->route != nullptr) {
    delivery->holds_stage = true;
    event->stage_left.fetch_add(1, std::memory_order_relaxed);
  }
  if ((event->host_flags & EventBlock::kHostKeyed) != 0) {
    delivery->holds_key = true;
    entry.subscription->backlog.block(to_view(event->event.key));
  }
  // It counts as waiting, so that max_queue_size bounds these too.
  target.mailbox->reserve_forced();
  Completion completion;
  if (!deferred_.keep(token, delivery, &completion)) post_completion(std::move(delivery), std::move(completion));
}

int32_t Bus::complete(const Participant& participant, uint64_t token, Completion completion) {
  if (completion.verdict < NEXUS_DONE || completion.verdict > NEXUS_SKIP) return NEXUS_E_ARGUMENT;
  const auto is_running = [&](uint64_t wanted) {
    bool found = false;
    const auto look = [&](const WorkerActivity& activity) {
      found = found || Dispatcher::is_running(activity, wanted);
    };
    scheduler_->each_worker(look);
    if (participant.own_scheduler_ != nullptr) participant.own_scheduler_->each_worker(look);
    return found;
  };
  DeferredPointer delivery;
  switch (deferred_.take(token, participant, completion, is_running, &delivery)) {
    case DeferredDeliveries::Found::kStale:
      return NEXUS_E_HANDLE;
    case DeferredDeliveries::Found::kEarly:
      return NEXUS_OK;
    case DeferredDeliveries::Found::kTaken:
      break;
  }
  post_completion(std::move(delivery), std::move(completion));
  return NEXUS_OK;
}

void Bus::post_completion(DeferredPointer delivery, Completion completion) {
  Mailbox& mailbox = *delivery->target->mailbox;
  auto task = std::make_unique<CompletionTask>(*this, std::move(delivery), std::move(completion));
  if (mailbox.push_task(task.get()) == Mailbox::Push::kAccepted)
    static_cast<void>(task.release());
  else
    task->drop();
}

void Bus::finish_deferred(DeferredDelivery& delivery, const Completion& completion) {
  // As in the callback that deferred it: replies are caused by its event, and leave with what it had emitted.
  RunningCallback running;
  uint64_t holds = 1;
  running.event = delivery.event;
  running.participant = &delivery.target->mailbox->owner();
  running.holds = &holds;
  running.held = std::move(delivery.held);
  std::swap(running, thread_state().running);
  HandlerAnswer answer;
  answer.verdict = completion.verdict;
  answer.retry_after_ns = completion.retry_after_ns;
  answer.error_type = completion.error_type;
  answer.error_text = completion.error_text;
  answer.reply_type = to_abi(completion.reply_type);
  answer.reply_format = completion.reply_format;
  answer.reply = {completion.reply.data(), completion.reply.size()};
  const bool ended =
      dispatcher_.settle(thread_state().running, delivery.event, *delivery.target, delivery.handler(), answer);
  std::swap(running, thread_state().running);
  trace(*delivery.event, &delivery.handler(), kind_of(completion.verdict, ended));
  if (delivery.holds_key) follow(delivery.event, delivery.handler(), Entry::kHoldsKey, ended);
  give_up_deferred(delivery);
}

// Lets go of what a deferred delivery holds.
void Bus::give_up_deferred(DeferredDelivery& delivery) {
  withdraw(delivery.held);
  if (delivery.holds_stage) first_attempt_done(delivery.event);
  delivery.target->mailbox->unreserve();
  delivery.event->release();
}

// Its plugin was swapped before it completed them: its successor gets them as another attempt.
void Bus::redeliver_deferred(Participant& participant) {
  for (const DeferredPointer& delivery : deferred_.take_all(participant)) {
    const std::shared_ptr<Target> again = router_.make_retry(
        *delivery->target, delivery->handler(), delivery->target->past, delivery->holds_key ? Entry::kHoldsKey : 0);
    delivery->event->retain();
    deliver_or_redirect(delivery->event, again.get(), Mailbox::Push::kClosed);
    give_up_deferred(*delivery);
  }
}

void Bus::discard_deferred(Participant& participant) {
  for (const DeferredPointer& delivery : deferred_.take_all(participant)) {
    delivery->handler().discarded.fetch_add(1, std::memory_order_relaxed);
    if (delivery->target->is_retry) retry_discarded(*delivery->target);
    give_up_deferred(*delivery);
  }
}

}  // namespace nexus::host
