#include "host/observe/instruments.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

using namespace nexus::host;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Kit {
  CellArena arena;
  Counter counter() { return Counter(arena.allocate(Counter::kCells)); }
  Histogram histogram(std::vector<double> bounds) {
    const auto buckets = std::make_shared<const Buckets>(bounds);
    return Histogram(buckets, arena.allocate(Histogram::cells_needed(*buckets)));
  }
  Histogram latency() {
    return Histogram(Buckets::latency(), arena.allocate(Histogram::cells_needed(*Buckets::latency())));
  }
};

}  // namespace

TEST_CASE("a counter counts, whole amounts exactly") {
  Kit kit;
  Counter counter = kit.counter();
  counter.add();
  counter.add(41);
  counter.add_double(8);
  CHECK(counter.value() == 50);
  CHECK(counter.fraction() == 0);
  counter.add_double(0.25);
  CHECK(counter.value() == 50);
  CHECK(counter.fraction() == 0.25);
}

TEST_CASE("a counter never falls") {
  Kit kit;
  Counter counter = kit.counter();
  for (const double amount : {-1.0, -0.0, 0.0, kNan, kInfinity, -kInfinity}) counter.add_double(amount);
  CHECK(counter.value() == 0);
  CHECK(counter.fraction() == 0);
  counter.add_double(1e300);
  CHECK(counter.fraction() == 1e300);
}

TEST_CASE("a gauge is set, and adds from many threads") {
  Gauge gauge;
  gauge.set(10);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&gauge] {
      for (int k = 0; k < 5'000; ++k) gauge.add(0.5);
      for (int k = 0; k < 5'000; ++k) gauge.add(-0.25);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(gauge.value() == 10 + 4 * 5'000 * 0.25);
}

TEST_CASE("bounds must be finite and rise") {
  CHECK(Buckets::valid(std::vector<double>{1}));
  CHECK(Buckets::valid(std::vector<double>{-1, 0, 1e300}));
  for (const std::vector<double>& bounds :
       {std::vector<double>{}, {1, 1}, {2, 1}, {kNan}, {1, kInfinity}, {-kInfinity, 0}}) {
    CHECK_FALSE(Buckets::valid(bounds));
  }
  std::vector<double> many;
  for (size_t i = 0; i < Buckets::kBoundsMax; ++i) many.push_back(static_cast<double>(i));
  CHECK(Buckets::valid(many));
  many.push_back(1e9);
  CHECK_FALSE(Buckets::valid(many));
}

TEST_CASE("an observation falls into the first bucket whose bound is not below it") {
  Kit kit;
  Histogram histogram = kit.histogram({1, 2.5, 10});
  for (const double value : {0.0, 1.0, 1.0001, 2.5, 9.0, 10.0, 11.0, -3.0, kInfinity}) histogram.observe(value);
  histogram.observe(kNan);
  const HistogramSnapshot shot = histogram.snapshot();
  CHECK(shot.counts == std::vector<uint64_t>{3, 2, 2, 2});
  CHECK(shot.count == 9);
  CHECK(shot.sum == kInfinity);
}

TEST_CASE("a time in nanoseconds falls where the same time in seconds does") {
  const Buckets& buckets = *Buckets::latency();
  CHECK(rc::check([&buckets] {
    // Spread over all magnitudes.
    const int64_t ns = *rc::gen::arbitrary<int64_t>() >> *rc::gen::inRange(0, 63);
    RC_ASSERT(buckets.index_ns(ns) == buckets.index(static_cast<double>(ns) * 1e-9));
  }));
  for (size_t i = 0; i < buckets.bounds().size(); ++i) {
    const auto bound_ns = static_cast<int64_t>(std::llround(buckets.bounds()[i] * 1e9));
    INFO(bound_ns);
    CHECK(buckets.index_ns(bound_ns) == i);
    CHECK(buckets.index_ns(bound_ns + 1) == i + 1);
    CHECK(buckets.index_ns(bound_ns - 1) == i);
  }
  CHECK(buckets.index_ns(0) == 0);
  CHECK(buckets.index_ns(INT64_MIN) == 0);
  CHECK(buckets.index_ns(INT64_MAX) == buckets.bounds().size());
}

TEST_CASE("the quick search agrees with the slow one for any bounds") {
  CHECK(rc::check([] {
    auto bounds = *rc::gen::nonEmpty(rc::gen::unique<std::vector<double>>(rc::gen::map(
        rc::gen::inRange<int64_t>(0, 1'000'000'000), [](int64_t ns) { return static_cast<double>(ns) / 1e9; })));
    std::sort(bounds.begin(), bounds.end());
    bounds.resize(std::min(bounds.size(), Buckets::kBoundsMax));
    const Buckets buckets(bounds);
    const int64_t ns = *rc::gen::inRange<int64_t>(0, 1'100'000'000);
    size_t expected = 0;
    while (expected < bounds.size() && ns > std::llround(bounds[expected] * 1e9)) ++expected;
    RC_ASSERT(buckets.index_ns(ns) == expected);
  }));
}

TEST_CASE("a weight stands for as many observations") {
  Kit kit;
  Histogram histogram = kit.latency();
  histogram.observe_ns(2'000, 32);
  histogram.observe_ns(3'000'000'000);
  const HistogramSnapshot shot = histogram.snapshot();
  CHECK(shot.count == 33);
  CHECK(shot.counts[1] == 32);
  CHECK(std::abs(shot.sum - (32 * 2e-6 + 3)) < 1e-12);
}

TEST_CASE("a quantile lies in the bucket that holds it") {
  Kit kit;
  Histogram histogram = kit.histogram({1, 2, 4});
  CHECK(histogram.snapshot().quantile(0.5) == 0);
  for (int i = 0; i < 50; ++i) histogram.observe(0.5);
  for (int i = 0; i < 50; ++i) histogram.observe(3);
  const HistogramSnapshot shot = histogram.snapshot();
  CHECK(shot.quantile(0.25) == 0.5);
  CHECK(shot.quantile(0.5) == 1);
  CHECK(shot.quantile(0.75) == 3);
  CHECK(shot.quantile(1) == 4);
  CHECK(shot.quantile(7) == 4);
  CHECK(shot.quantile(-1) == 0);
  histogram.observe(100);
  CHECK(histogram.snapshot().quantile(1) == 4);
  CHECK(HistogramSnapshot{}.quantile(0.5) == 0);
}
