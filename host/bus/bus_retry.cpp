// Deliveries that failed and are tried again, by timer: a waiting one holds no worker and no slot. See bus.hpp.
#include <memory>
#include <string>
#include <utility>

#include "host/bus/bus.hpp"
#include "host/bus/thread_state.hpp"
#include "host/event/block.hpp"

namespace nexus::host {

// Waits for its time in the timer queue. When its plugin is swapped or goes it is dropped, which makes it due at once:
// its successor may well do better.
class Bus::RetryTask final : public Task {
 public:
  RetryTask(Bus& bus, uint64_t id) : bus_(bus), id_(id) { bus_.retrying_.fetch_add(1, std::memory_order_relaxed); }
  ~RetryTask() override {
    if (bus_.waiting_retries_.take(id_)) bus_.retrying_.fetch_sub(1, std::memory_order_relaxed);
  }
  void run() noexcept override { bus_.end_retry(id_); }
  void drop() noexcept override { bus_.end_retry(id_); }

 private:
  Bus& bus_;
  const uint64_t id_;
};

bool Bus::retry(EventBlock* event, const Target& target, const Entry& entry, int64_t after_ns,
                std::string_view error_type, std::string_view message) {
  const Subscription& subscription = *entry.subscription;
  if (entry.attempt > subscription.retry.attempts || !subscription.active.load(std::memory_order_relaxed)) return false;
  static thread_local FastRandom random(system_random());
  const int64_t delay = after_ns > 0 ? after_ns : subscription.retry.delay_after(entry.attempt, random);
  // Later ones with the same key wait until this has ended.
  const std::string_view key = to_view(event->event.key);
  const bool holds_key = (event->host_flags & EventBlock::kHostKeyed) != 0;
  if (holds_key) entry.subscription->backlog.block(key);
  std::shared_ptr<const DeliveryPast> past = target.past;
  if (past == nullptr) past = std::make_shared<DeliveryPast>(DeliveryPast{clock_.unix_ns(), nullptr, {}});
  const int64_t due = TimerQueue::due_after(clock_.monotonic_ns(), delay);
  WaitingRetries::Row row;
  row.event = EventRef(event);
  row.target = router_.make_retry(target, entry, std::move(past), holds_key ? Entry::kHoldsKey : 0);
  row.due_monotonic_ns = due;
  row.error_type = error_type;
  row.error_message = message;
  const uint64_t id = waiting_retries_.add(std::move(row));
  const auto participant = target.mailbox->owner().shared_from_this();
  auto timer = timers_.add(participant, due, std::make_unique<RetryTask>(*this, id));
  if (!timer) {
    if (holds_key && (entry.minds.load(std::memory_order_relaxed) & Entry::kHoldsKey) == 0)
      release(entry.subscription->backlog.next_of(key), Entry::kHoldsKey);
    return false;
  }
  if (traces_ != nullptr)
    traces_->note_error(
        {event->event.id, entry.id, entry.attempt, delay, std::string(error_type), std::string(message)});
  if (!waiting_retries_.set_timer(id, timer.value())) static_cast<void>(timers_.cancel(*participant, timer.value()));
  if (failure_log_)
    failure_log_(event->event, subscription, error_type,
                 std::string(message) + "; attempt " + std::to_string(entry.attempt) + " of " +
                     std::to_string(subscription.retry.attempts + 1) + ", the next in " +
                     std::to_string(delay / 1'000'000) + " ms");
  return true;
}

void Bus::end_retry(uint64_t id) {
  const std::optional<WaitingRetries::Row> row = waiting_retries_.take(id);
  if (!row) return;
  if (row->decision == WaitingRetries::Decision::kKill)
    kill(*row);
  else
    redeliver(*row);
  retrying_.fetch_sub(1, std::memory_order_relaxed);
}

// The place in the mailbox is not bounded: the event was accepted long ago.
void Bus::redeliver(const WaitingRetries::Row& row) {
  EventBlock* event = row.event.get();
  Target* target = row.target.get();
  event->retain();
  deliver_or_redirect(event, target, target->mailbox->push_forced(event, target));
}

// The timer, cancelled, drops its task, which carries the decision out, here and now. One that is just running finds
// the decision by itself.
bool Bus::end_wait_for_retry(uint64_t id, WaitingRetries::Decision decision) {
  const std::optional<WaitingRetries::Row> row = waiting_retries_.decide(id, decision);
  if (!row) return false;
  if (row->timer != 0) static_cast<void>(timers_.cancel(row->target->mailbox->owner(), row->timer));
  return true;
}

}  // namespace nexus::host
