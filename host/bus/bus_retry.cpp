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
  RetryTask(Bus& bus, EventBlock* event, std::shared_ptr<Target> target)
      : bus_(bus), event_(event), target_(std::move(target)) {
    event_->retain();
    bus_.retrying_.fetch_add(1, std::memory_order_relaxed);
  }
  ~RetryTask() override {
    if (event_ == nullptr) return;
    bus_.retrying_.fetch_sub(1, std::memory_order_relaxed);
    event_->release();
  }
  void run() noexcept override { send(); }
  void drop() noexcept override { send(); }

 private:
  void send() {
    if (EventBlock* event = std::exchange(event_, nullptr)) bus_.redeliver(event, target_.get());
  }

  Bus& bus_;
  EventBlock* event_;
  const std::shared_ptr<Target> target_;
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
  auto task =
      std::make_unique<RetryTask>(*this, event, router_.make_retry(target, entry, holds_key ? Entry::kHoldsKey : 0));
  const auto participant = target.mailbox->owner().shared_from_this();
  if (auto added = timers_.add(participant, clock_.monotonic_ns() + delay, std::move(task)); !added) {
    if (holds_key && (entry.minds.load(std::memory_order_relaxed) & Entry::kHoldsKey) == 0)
      release(entry.subscription->backlog.next_of(key), Entry::kHoldsKey);
    return false;
  }
  if (traces_ != nullptr)
    traces_->note_error(
        {event->event.id, entry.id, entry.attempt, delay, std::string(error_type), std::string(message)});
  if (failure_log_)
    failure_log_(event->event, subscription, error_type,
                 std::string(message) + "; attempt " + std::to_string(entry.attempt) + " of " +
                     std::to_string(subscription.retry.attempts + 1) + ", the next in " +
                     std::to_string(delay / 1'000'000) + " ms");
  return true;
}

// Takes over the reference. The place in the mailbox is not bounded: the event was accepted long ago.
void Bus::redeliver(EventBlock* event, Target* target) {
  deliver_or_redirect(event, target, target->mailbox->push_forced(event, target));
  retrying_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace nexus::host
