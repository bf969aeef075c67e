// The fake host's metrics: every value is kept as it is, so that a test can ask for it. [any-thread]
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nexus/abi/metrics.h"
#include "nexus/errors.hpp"

namespace nexus::testing::detail {

class MetricStore {
 public:
  using Labels = std::map<std::string, std::string>;

  std::int32_t define(const nexus_metric_options& options, nexus_handle& handle, nexus_error* error) {
    const std::string name(nexus::detail::from_abi(options.name));
    if (!is_name(name) || name.starts_with("nexus_")) {
      return nexus::detail::write_error(error, NEXUS_E_ARGUMENT, name + " is no name for a plugin's metric");
    }
    Labels labels;
    for (std::uint64_t i = 0; i < options.label_count; ++i) {
      labels[std::string(nexus::detail::from_abi(options.labels[i].name))] =
          nexus::detail::from_abi(options.labels[i].value);
    }
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
      if (metrics_[i].name != name) continue;
      if (metrics_[i].kind != options.kind) {
        return nexus::detail::write_error(error, NEXUS_E_CONFLICT, name + " is a metric of another kind already");
      }
      if (metrics_[i].labels == labels) {
        handle = i + 1;
        return NEXUS_OK;
      }
    }
    metrics_.push_back({name, options.kind, std::move(labels), 0, {}});
    handle = metrics_.size();
    return NEXUS_OK;
  }

  std::int32_t record(nexus_handle handle, double value) {
    const std::lock_guard lock(mutex_);
    if (handle == 0 || handle > metrics_.size()) return NEXUS_E_HANDLE;
    Metric& metric = metrics_[handle - 1];
    if (metric.kind == NEXUS_METRIC_COUNTER && value < 0) return NEXUS_E_ARGUMENT;
    if (metric.kind == NEXUS_METRIC_HISTOGRAM) {
      metric.observed.push_back(value);
    } else {
      metric.value += value;
    }
    return NEXUS_OK;
  }

  std::int32_t set(nexus_handle handle, double value) {
    const std::lock_guard lock(mutex_);
    if (handle == 0 || handle > metrics_.size()) return NEXUS_E_HANDLE;
    if (metrics_[handle - 1].kind != NEXUS_METRIC_GAUGE) return NEXUS_E_ARGUMENT;
    metrics_[handle - 1].value = value;
    return NEXUS_OK;
  }

  // The value of a counter or gauge; 0 where there is none.
  double value(std::string_view name, const Labels& labels) const {
    const std::lock_guard lock(mutex_);
    const Metric* found = find(name, labels);
    return found == nullptr ? 0 : found->value;
  }

  // What a histogram has observed, in order.
  std::vector<double> observed(std::string_view name, const Labels& labels) const {
    const std::lock_guard lock(mutex_);
    const Metric* found = find(name, labels);
    return found == nullptr ? std::vector<double>{} : found->observed;
  }

 private:
  struct Metric {
    std::string name;
    std::uint32_t kind;
    Labels labels;
    double value;
    std::vector<double> observed;
  };

  static bool is_name(std::string_view name) {
    if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
    for (const char c : name) {
      const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
      if (!good) return false;
    }
    return true;
  }

  const Metric* find(std::string_view name, const Labels& labels) const {
    for (const Metric& metric : metrics_) {
      if (metric.name == name && metric.labels == labels) return &metric;
    }
    return nullptr;
  }

  mutable std::mutex mutex_;  // guards metrics_
  std::vector<Metric> metrics_;
};

}  // namespace nexus::testing::detail
