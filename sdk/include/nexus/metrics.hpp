// The plugin's own metrics. A handle is a plain value of two words; updating it costs a few nanoseconds and may happen
// on any thread. The host adds the label plugin="<id>". Without metrics in the host every update does nothing.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "nexus/abi/metrics.h"
#include "nexus/core.hpp"
#include "nexus/errors.hpp"

namespace nexus {

struct Label {
  std::string_view name;
  std::string_view value;
};

namespace detail {

class Metric {
 public:
  Metric() = default;
  Metric(const nexus_metrics* metrics, nexus_handle handle) : metrics_(metrics), handle_(handle) {}

 protected:
  void record(double value) const {
    if (metrics_ != nullptr) metrics_->record(metrics_->ctx, handle_, value);
  }
  void set_to(double value) const {
    if (metrics_ != nullptr) metrics_->set(metrics_->ctx, handle_, value);
  }

 private:
  const nexus_metrics* metrics_ = nullptr;
  nexus_handle handle_ = 0;
};

}  // namespace detail

// Only ever grows; a negative amount is ignored by the host.
class Counter : public detail::Metric {
 public:
  using Metric::Metric;
  void add(double amount = 1) const { record(amount); }
};

class Gauge : public detail::Metric {
 public:
  using Metric::Metric;
  void set(double value) const { set_to(value); }
  void add(double amount) const { record(amount); }
};

class Histogram : public detail::Metric {
 public:
  using Metric::Metric;
  // In the unit that the metric's name ends with; times are seconds.
  void observe(double value) const { record(value); }
};

namespace detail {

// Registers a metric; the same name, kind and labels again give the same one. Throws Error where the host refuses.
template <class M>
M define_metric(const Core& core, std::uint32_t kind, std::string_view name, std::string_view help,
                std::initializer_list<Label> labels, std::initializer_list<double> bounds) {
  const nexus_metrics* metrics = core.metrics();
  if (metrics == nullptr) return M();
  std::vector<nexus_label> raw_labels;
  for (const Label& label : labels) raw_labels.push_back({to_abi(label.name), to_abi(label.value)});
  nexus_metric_options options{};
  options.size = sizeof options;
  options.kind = kind;
  options.name = to_abi(name);
  options.help = to_abi(help);
  options.labels = raw_labels.data();
  options.label_count = raw_labels.size();
  options.bounds = bounds.size() == 0 ? nullptr : bounds.begin();
  options.bound_count = bounds.size();
  nexus_handle handle = 0;
  ErrorBuffer error;
  const std::int32_t code = metrics->define(metrics->ctx, &options, &handle, error.get());
  if (code != NEXUS_OK) throw Error(code, error.sentence(code));
  return M(metrics, handle);
}

}  // namespace detail
}  // namespace nexus
