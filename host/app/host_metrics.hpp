// Feeds the host's metrics from what the bus counts anyway: values are asked for when somebody reads them, so that the
// path of an event pays nothing. refresh() runs before each reading, and now and then between them, on any thread;
// everything else at the start.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "host/bus/bus.hpp"
#include "host/observe/metrics.hpp"

namespace nexus::host {

class HostMetrics {
 public:
  // Event types with a series of their own; what is beyond counts as "other".
  static constexpr uint32_t kTypesMax = 1000;

  // Both outlive this, and this every read of the metrics.
  HostMetrics(Bus& bus, Registry& metrics, std::string_view version, int64_t started_unix_ns);

  // Takes up new event types and plugins, lets gone plugins go, and adds handler times.
  void refresh();

 private:
  void add_totals();
  void add_dead_letters();
  void add_gauges(std::string_view version, int64_t started_unix_ns);
  void add_type(uint32_t index);
  void add_plugin(const std::string& id);

  Bus& bus_;
  Registry& metrics_;
  std::mutex refresh_mutex_;  // guards what follows
  uint32_t types_seen_ = 0;
  std::set<std::string> plugins_;
  std::array<uint64_t, HandlerTimes::kBuckets> times_seen_{};
};

}  // namespace nexus::host
