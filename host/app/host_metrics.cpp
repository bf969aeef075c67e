#include "host/app/host_metrics.hpp"

#include <algorithm>

#include "host/control/process_stats.hpp"
#include "host/event/block.hpp"

namespace nexus::host {
namespace {

double number(uint64_t value) { return static_cast<double>(value); }

std::string owner_of(const std::string& plugin) { return "nexus.host/" + plugin; }

}  // namespace

HostMetrics::HostMetrics(Bus& bus, Registry& metrics, std::string_view version, int64_t started_unix_ns)
    : bus_(bus), metrics_(metrics) {
  add_totals();
  add_gauges(version, started_unix_ns);
  metrics_.before_collect([this] { refresh(); });
}

void HostMetrics::add_totals() {
  metrics_.add_callback(metric::kEventsEmitted, {}, [this] { return number(bus_.totals().accepted); });
  for (const ErrorText& row : error_table()) {
    if (row.code < 300 || row.code >= 400) continue;
    metrics_.add_callback(metric::kEventsRejected, {{"reason", std::string(row.name)}},
                          [this, code = row.code] { return number(bus_.rejected(code)); });
  }
  metrics_.add_callback(metric::kEventsRejected, {{"reason", "invalid"}},
                        [this] { return number(bus_.totals().invalid); });
  metrics_.add_callback(metric::kEventsUnmatched, {}, [this] { return number(bus_.totals().unrouted); });
  metrics_.add_callback(metric::kDeliveries, {}, [this] {
    const BusTotals totals = bus_.totals();
    const SubscriptionTotals& ended = totals.deliveries;
    return number(ended.handled + ended.failed + ended.filtered + ended.discarded + totals.waiting);
  });
  metrics_.add_callback(metric::kRetries, {}, [this] { return number(bus_.totals().deliveries.retried); });
  metrics_.add_callback(metric::kDeliveriesFiltered, {}, [this] { return number(bus_.totals().deliveries.filtered); });
  metrics_.add_callback(metric::kDeliveriesDiscarded, {{"reason", "expired"}},
                        [this] { return number(bus_.totals().expired); });
  metrics_.add_callback(metric::kDeliveriesDiscarded, {{"reason", "other"}}, [this] {
    const BusTotals totals = bus_.totals();
    return number(totals.deliveries.discarded - totals.expired);
  });
  add_dead_letters();
}

void HostMetrics::add_dead_letters() {
  for (size_t i = 0; i < kDeadLetterReasons; ++i)
    metrics_.add_callback(metric::kDeadLetters,
                          {{"reason", std::string(reason_name(static_cast<DeadLetterReason>(i)))}},
                          [this, i] { return number(bus_.dead_letters().totals().given_up[i]); });
  metrics_.add_callback(metric::kDeadLettersHeld, {}, [this] { return number(bus_.dead_letters().totals().held); });
  metrics_.add_callback(metric::kDeadLettersDropped, {},
                        [this] { return number(bus_.dead_letters().totals().dropped); });
  metrics_.add_callback(metric::kDeadLettersRedriven, {}, [this] { return number(bus_.totals().redriven); });
}

void HostMetrics::add_gauges(std::string_view version, int64_t started_unix_ns) {
  metrics_.add_callback(metric::kActiveSubscriptions, {},
                        [this] { return number(bus_.router().active_subscriptions()); });
  metrics_.add_callback(metric::kEventTypes, {}, [this] { return number(bus_.router().type_count()); });
  metrics_.add_callback(metric::kEventMemoryBytes, {}, [] { return number(block_bytes_in_use()); });
  metrics_.add_callback(metric::kWorkers, {}, [this] { return number(bus_.worker_count()); });
  metrics_.add_callback(metric::kTimersPending, {}, [this] { return number(bus_.timers().pending()); });
  metrics_.add_callback(metric::kProcessResidentBytes, {}, [] { return number(read_process_stats().resident_bytes); });
  metrics_.add_callback(metric::kProcessCpuSeconds, {}, [] { return read_process_stats().cpu_seconds; });
  metrics_.add_callback(metric::kProcessOpenFds, {}, [] { return number(read_process_stats().open_descriptors); });
  metrics_.gauge(metric::kStartTimeSeconds).set(static_cast<double>(started_unix_ns) / 1e9);
  metrics_
      .gauge(metric::kBuildInfo, {{"version", std::string(version)},
                                  {"abi", std::to_string(NEXUS_ABI_MAJOR) + "." + std::to_string(NEXUS_ABI_MINOR)}})
      .set(1);
}

void HostMetrics::add_type(uint32_t index) {
  if (index == kTypesMax) {
    metrics_.add_callback(metric::kEventsProcessed, {{"event_type", "other"}}, [this] {
      uint64_t sum = 0;
      for (uint32_t i = kTypesMax; i < bus_.router().type_count(); ++i)
        sum += bus_.router().handled(bus_.router().type(i));
      return number(sum);
    });
  }
  if (index >= kTypesMax) return;
  const TypeEntry& type = bus_.router().type(index);
  metrics_.add_callback(metric::kEventsProcessed, {{"event_type", type.name}},
                        [this, &type] { return number(bus_.router().handled(type)); });
}

// Two instances of one plugin, during a swap, are one series.
void HostMetrics::add_plugin(const std::string& id) {
  const auto over_mailboxes = [this, id](auto measure) {
    return [this, id, measure] {
      double value = 0;
      for (const auto& participant : bus_.participants()) {
        if (participant->id() != id) continue;
        value = measure(value, participant->mailbox());
        if (const Mailbox* parallel = participant->parallel_mailbox()) value = measure(value, *parallel);
      }
      return value;
    };
  };
  metrics_.add_callback(
      metric::kMailboxDepth, {{"plugin", id}},
      over_mailboxes([](double sum, const Mailbox& mailbox) { return sum + number(mailbox.depth()); }), owner_of(id));
  metrics_.add_callback(metric::kMailboxStuck, {{"plugin", id}},
                        over_mailboxes([](double stuck, const Mailbox& mailbox) {
                          return std::max(stuck, mailbox.is_stuck() ? 1.0 : 0.0);
                        }),
                        owner_of(id));
}

void HostMetrics::refresh() {
  const std::lock_guard guard(refresh_mutex_);
  for (const uint32_t count = bus_.router().type_count(); types_seen_ < count; ++types_seen_) add_type(types_seen_);
  std::set<std::string> now;
  for (const auto& participant : bus_.participants()) now.insert(participant->id());
  for (const std::string& id : now)
    if (!plugins_.contains(id)) add_plugin(id);
  for (const std::string& id : plugins_)
    if (!now.contains(id)) metrics_.remove_owner(owner_of(id));
  if (now != plugins_) {
    metrics_.gauge(metric::kPluginsLoaded)
        .set(static_cast<double>(std::count_if(
            now.begin(), now.end(), [](const std::string& id) { return id != "nexus" && !id.starts_with("nexus."); })));
    plugins_ = std::move(now);
  }
  // A bucket holds times between half its bound and its bound; three quarters of it stand for them all.
  Histogram& histogram = metrics_.histogram(metric::kEventProcessingSeconds);
  for (size_t i = 0; i < HandlerTimes::kBuckets; ++i) {
    const uint64_t count = bus_.handler_times().count(i);
    if (count == times_seen_[i]) continue;
    histogram.observe_ns(HandlerTimes::bound_ns(i) * 3 / 4, (count - times_seen_[i]) * HandlerTimes::kSample);
    times_seen_[i] = count;
  }
}

}  // namespace nexus::host
