// The three instruments: counter, gauge, histogram. Made and owned by the registry (metrics.hpp); updated by any thread
// at any time, without a lock; read by any thread. What a reader sees is some moment's value of each cell, not one
// moment of all of them.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "host/observe/shards.hpp"

namespace nexus::host {

// Only ever rises.
class Counter {
 public:
  static constexpr size_t kCells = 2;
  explicit Counter(Cell* cells) : cells_(cells) {}

  void add(uint64_t n = 1) noexcept { add_to_cell(cells_, n); }

  // For plugins, whose counters may count seconds or bytes as doubles. Whole amounts stay exact. A negative amount or a
  // NaN is passed over.
  void add_double(double amount) noexcept;

  // The whole part; all of it unless add_double was given fractions.
  uint64_t value() const { return sum_cells(cells_); }
  double fraction() const { return sum_cells_as_double(cells_ + 1); }

 private:
  friend class Registry;
  Cell* cells_;
};

// Goes up and down.
class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) noexcept {
    double old = value_.load(std::memory_order_relaxed);
    while (!value_.compare_exchange_weak(old, old + amount, std::memory_order_relaxed)) {
    }
  }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  alignas(64) std::atomic<double> value_{0};
};

// Upper bounds of a histogram's buckets, with what it takes to find a bucket quickly. Immutable, shared.
class Buckets {
 public:
  static constexpr size_t kBoundsMax = 64;

  // `bounds` must be finite and strictly rising, 1 to kBoundsMax of them; see valid().
  explicit Buckets(std::span<const double> bounds);
  static bool valid(std::span<const double> bounds);

  // Seconds from 1 us to 60 s, three to a decade.
  static const std::shared_ptr<const Buckets>& latency();

  std::span<const double> bounds() const { return bounds_; }
  // One more than there are bounds: the last bucket has none.
  size_t count() const { return bounds_.size() + 1; }

  size_t index(double value) const {
    size_t i = 0;
    while (i < bounds_.size() && value > bounds_[i]) ++i;
    return i;
  }
  // The same for a time in nanoseconds, where bounds are seconds.
  size_t index_ns(int64_t ns) const {
    const uint64_t positive = ns > 0 ? static_cast<uint64_t>(ns) : 0;
    size_t i = start_[static_cast<size_t>(std::bit_width(positive))];
    while (i < bounds_ns_.size() && ns > bounds_ns_[i]) ++i;
    return i;
  }

 private:
  std::vector<double> bounds_;
  std::vector<int64_t> bounds_ns_;
  std::array<uint8_t, 65> start_{};  // by the number of bits of a time: the first bucket that it can be in
};

// What a histogram held at some moment.
struct HistogramSnapshot {
  std::shared_ptr<const Buckets> buckets;
  std::vector<uint64_t> counts;  // of each bucket alone, not cumulative
  uint64_t count = 0;
  double sum = 0;

  // An estimate of the q-quantile (0 to 1), linear within its bucket; 0 when nothing was observed; the highest bound
  // when it lies beyond.
  double quantile(double q) const;
};

// Counts observations by size, and adds them up.
class Histogram {
 public:
  Histogram(std::shared_ptr<const Buckets> buckets, Cell* cells)
      : buckets_(std::move(buckets)), cells_(cells), sum_(cells + buckets_->count()) {}

  static size_t cells_needed(const Buckets& buckets) { return buckets.count() + 1; }

  // An observation in the histogram's own unit; NaN is passed over.
  void observe(double value) noexcept {
    if (value != value) return;
    add_to_cell(cells_ + buckets_->index(value), uint64_t{1});
    add_to_cell(sum_, value);
  }

  // A time, for a histogram in seconds. `weight` is the number of observations that this one stands for, where only one
  // in so many is taken.
  void observe_ns(int64_t ns, uint64_t weight = 1) noexcept {
    add_to_cell(cells_ + buckets_->index_ns(ns), weight);
    add_to_cell(sum_, static_cast<double>(ns) * 1e-9 * static_cast<double>(weight));
  }

  HistogramSnapshot snapshot() const;

 private:
  friend class Registry;
  std::shared_ptr<const Buckets> buckets_;
  Cell* cells_;
  Cell* sum_;
};

}  // namespace nexus::host
