#include "host/base/clock.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <thread>

namespace nexus::host {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kCalibrationNs = 2'000'000;
constexpr int64_t kResyncIntervalNsMin = 10'000'000;
// The kernel slews its clocks by 500 ppm at most; what differs more is the counter's fault.
constexpr double kUnevenRatio = 0.002;
constexpr int kUnevenInARowMax = 3;
// Further ahead of the system than this, the counter has jumped (the machine slept): not an error of rate to be
// worked off, but a new distance between both clocks.
constexpr int64_t kJumpNs = 100'000'000;
// Two readings of the real-time offset differ by this much from the cost of reading alone.
constexpr int64_t kOffsetNoiseNs = 2'000;
// No further apart than this many readings; the closest pair wins, so that one preemption does no harm.
constexpr int kSampleTries = 8;

int64_t read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<int64_t>(now.tv_sec) * kSecond + now.tv_nsec;
}

}  // namespace

int64_t SystemClock::unix_ns() const { return read_clock(CLOCK_REALTIME); }
int64_t SystemClock::monotonic_ns() const { return read_clock(CLOCK_MONOTONIC); }

FastClock& FastClock::instance() {
  static FastClock clock;
  return clock;
}

FastClock::FastClock() { start(); }
FastClock::FastClock(TickSource& source) : source_(&source) { start(); }

int64_t FastClock::system_unix_ns() const { return source_ ? source_->unix_ns() : read_clock(CLOCK_REALTIME); }
int64_t FastClock::system_monotonic_ns() const {
  return source_ ? source_->monotonic_ns() : read_clock(CLOCK_MONOTONIC);
}

int64_t FastClock::slow_unix_ns() const { return system_unix_ns(); }
int64_t FastClock::slow_monotonic_ns() const {
  return system_monotonic_ns() + monotonic_shift_ns_.load(std::memory_order_acquire);
}

void FastClock::wait_for_writer() { std::this_thread::yield(); }

FastClock::Sample FastClock::sample() const {
  Sample best{};
  uint64_t best_gap = std::numeric_limits<uint64_t>::max();
  for (int i = 0; i < kSampleTries; ++i) {
    const uint64_t before = ticks();
    const int64_t ns = system_monotonic_ns();
    const uint64_t gap = ticks() - before;
    if (gap >= best_gap) continue;
    best_gap = gap;
    best.ticks = before + gap / 2;
    best.monotonic_ns = ns;
  }
  int64_t best_span = std::numeric_limits<int64_t>::max();
  for (int i = 0; i < kSampleTries; ++i) {
    const int64_t before = system_monotonic_ns();
    const int64_t unix_time = system_unix_ns();
    const int64_t span = system_monotonic_ns() - before;
    if (span >= best_span) continue;
    best_span = span;
    best.unix_offset_ns = unix_time - (before + span / 2);
  }
  const int64_t shift = monotonic_shift_ns_.load(std::memory_order_relaxed);
  best.monotonic_ns += shift;
  best.unix_offset_ns -= shift;
  return best;
}

void FastClock::start() {
  if (!(source_ ? source_->steady() : os::has_steady_ticks())) return;
  const Sample first = sample();
  Sample second = first;
  while (second.monotonic_ns - first.monotonic_ns < kCalibrationNs) second = sample();
  if (second.ticks <= first.ticks) return;
  ns_per_tick_ =
      static_cast<double>(second.monotonic_ns - first.monotonic_ns) / static_cast<double>(second.ticks - first.ticks);
  // A counter below 10 MHz would make a coarser clock than the system's own.
  if (ns_per_tick_ <= 0 || ns_per_tick_ > 100) return;
  last_ = second;
  base_ticks_.store(second.ticks, std::memory_order_relaxed);
  base_ns_.store(second.monotonic_ns, std::memory_order_relaxed);
  unix_offset_ns_.store(second.unix_offset_ns, std::memory_order_relaxed);
  rate_.store(static_cast<uint64_t>(std::ldexp(ns_per_tick_, kRateShift)), std::memory_order_relaxed);
  fast_.store(true, std::memory_order_release);
}

void FastClock::resync() {
  const std::unique_lock lock(resync_mutex_, std::try_to_lock);
  if (!lock.owns_lock() || !is_fast()) return;
  const Sample now = sample();
  const int64_t elapsed_ns = now.monotonic_ns - last_.monotonic_ns;
  if (elapsed_ns < kResyncIntervalNsMin) return;
  double rate = 0;
  if (now.ticks > last_.ticks) {
    rate = static_cast<double>(elapsed_ns) / static_cast<double>(now.ticks - last_.ticks);
  }
  if (std::abs(rate / ns_per_tick_ - 1) <= kUnevenRatio) {
    ns_per_tick_ = rate;
    uneven_in_a_row_ = 0;
  } else if (++uneven_in_a_row_ >= kUnevenInARowMax) {
    give_up();
    return;
  }
  last_ = now;
  last_.monotonic_ns += publish(now);
}

// Returns by how much this clock's monotonic time was set further apart from the system's, usually 0. Readers wait
// while the sequence is odd. The new base is read from the counter only then, so that no reader can have seen a later
// time at the old rate than the new base starts from.
int64_t FastClock::publish(const Sample& now) {
  const uint64_t old_base_ticks = base_ticks_.load(std::memory_order_relaxed);
  const int64_t old_base_ns = base_ns_.load(std::memory_order_relaxed);
  const uint64_t old_rate = rate_.load(std::memory_order_relaxed);
  const int64_t old_offset = unix_offset_ns_.load(std::memory_order_relaxed);

  sequence_.fetch_add(1, std::memory_order_seq_cst);
  const uint64_t base_ticks = std::max(ticks(), now.ticks);
  const auto old_elapsed = static_cast<int64_t>(base_ticks - old_base_ticks);
  const int64_t shown_ns = old_base_ns + (old_elapsed > 0 ? scale(static_cast<uint64_t>(old_elapsed), old_rate) : 0);
  int64_t true_ns = now.monotonic_ns + static_cast<int64_t>(static_cast<double>(base_ticks - now.ticks) * ns_per_tick_);
  int64_t offset = now.unix_offset_ns;
  int64_t further = 0;
  if (shown_ns - true_ns > kJumpNs) {
    further = shown_ns - true_ns;
    monotonic_shift_ns_.fetch_add(further, std::memory_order_relaxed);
    true_ns += further;
    offset -= further;
  }
  // Behind: step forward. Ahead: run slower, so as to meet the truth in a second; never step back.
  const int64_t ahead_ns = std::max<int64_t>(shown_ns - true_ns, 0);
  const double slowed = ns_per_tick_ * (1 - static_cast<double>(ahead_ns) / static_cast<double>(kSecond));
  if (std::abs(offset - old_offset) < kOffsetNoiseNs) offset = old_offset;

  base_ticks_.store(base_ticks, std::memory_order_release);
  base_ns_.store(std::max(shown_ns, true_ns), std::memory_order_release);
  rate_.store(static_cast<uint64_t>(std::ldexp(slowed, kRateShift)), std::memory_order_release);
  unix_offset_ns_.store(offset, std::memory_order_release);
  sequence_.fetch_add(1, std::memory_order_release);
  return further;
}

void FastClock::give_up() {
  const int64_t shown = monotonic_ns();
  const int64_t system = system_monotonic_ns() + monotonic_shift_ns_.load(std::memory_order_relaxed);
  if (shown > system) monotonic_shift_ns_.fetch_add(shown - system, std::memory_order_acq_rel);
  fast_.store(false, std::memory_order_release);
  sequence_.fetch_add(2, std::memory_order_release);  // no cache matches any more
}

bool FastClock::refill(Cache& cache) const {
  for (;;) {
    if (!fast_.load(std::memory_order_acquire) || source_ != nullptr) return false;
    const uint32_t before = sequence_.load(std::memory_order_acquire);
    cache.base_ticks_ = base_ticks_.load(std::memory_order_acquire);
    cache.rate_ = rate_.load(std::memory_order_acquire);
    cache.base_unix_ns_ = base_ns_.load(std::memory_order_acquire) + unix_offset_ns_.load(std::memory_order_acquire);
    if (sequence_.load(std::memory_order_relaxed) == before && (before & 1u) == 0) {
      cache.sequence_ = before;
      return true;
    }
    wait_for_writer();
  }
}

}  // namespace nexus::host
