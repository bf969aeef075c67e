#include "host/observe/instruments.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nexus::host {

void Counter::add_double(double amount) noexcept {
  constexpr double kExactMax = 9007199254740992.0;  // 2^53: every whole double up to here is exact
  if (!(amount > 0) || std::isinf(amount)) return;
  if (amount <= kExactMax && amount == std::floor(amount)) {
    add(static_cast<uint64_t>(amount));
  } else {
    add_to_cell(cells_ + 1, amount);
  }
}

bool Buckets::valid(std::span<const double> bounds) {
  if (bounds.empty() || bounds.size() > kBoundsMax) return false;
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (!std::isfinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1])) return false;
  }
  return true;
}

Buckets::Buckets(std::span<const double> bounds) : bounds_(bounds.begin(), bounds.end()) {
  constexpr double kNsMax = 9.2e18;
  for (const double bound : bounds_) {
    const double ns = std::round(bound * 1e9);
    bounds_ns_.push_back(ns >= kNsMax ? std::numeric_limits<int64_t>::max() : ns <= 0 ? 0 : static_cast<int64_t>(ns));
  }
  for (size_t bits = 0; bits < start_.size(); ++bits) {
    // The smallest time of that many bits.
    const uint64_t least = bits == 0 ? 0 : uint64_t{1} << (bits - 1);
    size_t i = 0;
    while (i < bounds_ns_.size() && least > static_cast<uint64_t>(bounds_ns_[i])) ++i;
    start_[bits] = static_cast<uint8_t>(i);
  }
}

const std::shared_ptr<const Buckets>& Buckets::latency() {
  static constexpr double kSeconds[] = {1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3,
                                        1e-2, 2.5e-2, 5e-2, 0.1,  0.25,   0.5,  1,    2.5,    5,    10,   30,     60};
  static const auto shared = std::make_shared<const Buckets>(kSeconds);
  return shared;
}

HistogramSnapshot Histogram::snapshot() const {
  HistogramSnapshot shot;
  shot.buckets = buckets_;
  shot.counts.resize(buckets_->count());
  for (size_t i = 0; i < shot.counts.size(); ++i) {
    shot.counts[i] = sum_cells(cells_ + i);
    shot.count += shot.counts[i];
  }
  shot.sum = sum_cells_as_double(sum_);
  return shot;
}

double HistogramSnapshot::quantile(double q) const {
  if (count == 0 || !buckets) return 0;
  const std::span<const double> bounds = buckets->bounds();
  const double wanted = std::clamp(q, 0.0, 1.0) * static_cast<double>(count);
  double below = 0;
  for (size_t i = 0; i < bounds.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (here > 0 && below + here >= wanted) {
      const double lower = i > 0 ? bounds[i - 1] : std::min(0.0, bounds[0]);
      return lower + (bounds[i] - lower) * (wanted - below) / here;
    }
    below += here;
  }
  return bounds.back();
}

}  // namespace nexus::host
