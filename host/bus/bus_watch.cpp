// The watch over handlers that run too long: reports them, and keeps the pool at its strength. See Bus::tick.
#include <algorithm>
#include <string>
#include <vector>

#include "host/bus/bus.hpp"
#include "nexus/events.hpp"

namespace nexus::host {

// A handler whose start was seen at one tick and which still runs at a later one has run for at least the time between.
void Bus::watch_deadlines() {
  const int64_t time = clock_.monotonic_ns();
  std::vector<Watched> seen;
  std::vector<std::shared_ptr<Subscription>> overdue;
  const auto look = [&](const WorkerActivity& activity) {
    const uint64_t handle = activity.subscription.load(std::memory_order_relaxed);
    const uint64_t sequence = activity.sequence.load(std::memory_order_relaxed);
    const auto known = std::find_if(watched_.begin(), watched_.end(), [&](const Watched& w) {
      return w.activity == &activity && w.sequence == sequence && w.subscription == handle;
    });
    Watched watch =
        known != watched_.end() && handle != 0 ? *known : Watched{&activity, sequence, handle, time, nullptr};
    if (handle != 0 && watch.stuck == nullptr) {
      const std::shared_ptr<Subscription> subscription = router_.find(handle);
      if (subscription != nullptr && time - watch.since_ns >= subscription->deadline_ns) {
        watch.stuck = subscription->mailbox;
        overdue.push_back(subscription);
      }
    }
    if (handle != 0) seen.push_back(watch);
  };
  uint32_t stuck = 0;
  scheduler_->each_worker(look);
  for (const Watched& watch : seen) stuck += watch.stuck != nullptr ? 1 : 0;
  const std::vector<std::shared_ptr<Participant>> all = participants();
  for (const auto& participant : all)
    if (participant->own_scheduler_ != nullptr) participant->own_scheduler_->each_worker(look);
  watched_ = std::move(seen);
  for (const auto& participant : all) {
    const auto is_stuck = [&](const Mailbox* mailbox) {
      return mailbox != nullptr && std::any_of(watched_.begin(), watched_.end(),
                                               [&](const Watched& watch) { return watch.stuck == mailbox; });
    };
    participant->mailbox().mark_stuck(is_stuck(&participant->mailbox()) || is_stuck(participant->parallel_mailbox()));
  }
  // One worker more for each that does not come back, and one less when it has.
  for (; extra_workers_ < stuck; ++extra_workers_) scheduler_->add_worker();
  for (; extra_workers_ > stuck; --extra_workers_) scheduler_->retire_worker();
  deferred_.each_overdue(time,
                         [&](const DeferredDelivery& delivery) { overdue.push_back(delivery.handler().subscription); });
  for (const auto& subscription : overdue) {
    handler_timeouts_.fetch_add(1, std::memory_order_relaxed);
    events::PluginError report;
    report.plugin_id = subscription->participant->id();
    report.error_type = "handler_timeout";
    report.error_message = "the handler " +
                           (subscription->name.empty() ? subscription->pattern.text() : subscription->name) +
                           " has run for more than " + std::to_string(subscription->deadline_ns / 1'000'000) + " ms";
    if (overdue_log_) overdue_log_(*subscription, report.error_message);
    emit_report(report, nullptr);
  }
}

}  // namespace nexus::host
