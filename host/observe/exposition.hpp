// Metrics as text: Prometheus 0.0.4 and OpenMetrics 1.0, written from a snapshot of the registry. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/observe/instruments.hpp"
#include "host/observe/metric_table.hpp"

namespace nexus::host {

struct Label {
  std::string name;
  std::string value;
  friend bool operator==(const Label& a, const Label& b) { return a.name == b.name && a.value == b.value; }
};
using Labels = std::vector<Label>;

struct SeriesSnapshot {
  Labels labels;
  double value = 0;    // counter and gauge
  uint64_t whole = 0;  // counter: its exact value, when `exact`
  bool exact = false;
  HistogramSnapshot histogram;  // histogram
};

struct FamilySnapshot {
  std::string name;  // as in Prometheus text: a counter's ends in _total
  std::string help;
  MetricKind kind = MetricKind::kCounter;
  std::vector<SeriesSnapshot> series;
};

// Content-Type: text/plain; version=0.0.4; charset=utf-8
void write_prometheus(const std::vector<FamilySnapshot>& families, std::string& out);

// Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8
void write_openmetrics(const std::vector<FamilySnapshot>& families, std::string& out);

// A number as both formats write it: shortest form that reads back the same; NaN, +Inf, -Inf.
void append_number(std::string& out, double value);

// `name="value",...` with \, " and newline escaped; nothing for no labels.
std::string render_labels(const Labels& labels);

}  // namespace nexus::host
