// Time: an interface, the system's clock, a virtual one for tests, and FastClock, which reads the processor's cycle
// counter and costs half of what clock_gettime does. All clocks may be read from any thread at once.
// monotonic_ns never goes back, within one clock and across threads; unix_ns follows what the administrator sets.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "host/base/os/cpu.hpp"

namespace nexus::host {

class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since 1970-01-01 UTC.
  virtual int64_t unix_ns() const = 0;
  // Nanoseconds since some fixed moment; for intervals and deadlines.
  virtual int64_t monotonic_ns() const = 0;
};

// clock_gettime, 24 ns a reading.
class SystemClock final : public Clock {
 public:
  int64_t unix_ns() const override;
  int64_t monotonic_ns() const override;
};

// Stands still until it is told to move.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(int64_t unix_ns = 1'700'000'000'000'000'000, int64_t monotonic_ns = 1'000'000'000)
      : unix_ns_(unix_ns), monotonic_ns_(monotonic_ns) {}

  int64_t unix_ns() const override { return unix_ns_.load(std::memory_order_acquire); }
  int64_t monotonic_ns() const override { return monotonic_ns_.load(std::memory_order_acquire); }

  // Moves both forward by `ns`, which must not be negative.
  void advance(int64_t ns) {
    unix_ns_.fetch_add(ns, std::memory_order_acq_rel);
    monotonic_ns_.fetch_add(ns, std::memory_order_acq_rel);
  }
  // The administrator sets the time: unix_ns jumps, monotonic_ns does not.
  void set_unix(int64_t ns) { unix_ns_.store(ns, std::memory_order_release); }

 private:
  std::atomic<int64_t> unix_ns_;
  std::atomic<int64_t> monotonic_ns_;
};

// Where FastClock gets its truth from; replaced in tests.
class TickSource {
 public:
  virtual ~TickSource() = default;
  virtual bool steady() = 0;
  virtual uint64_t ticks() = 0;
  virtual int64_t unix_ns() = 0;
  virtual int64_t monotonic_ns() = 0;
};

// The system's time, interpolated by the cycle counter. Calibrated for two milliseconds at construction; resync() once
// a second keeps it within microseconds of the system and follows clock jumps. Where the counter cannot be trusted, or
// turns out to run unevenly, every reading is a clock_gettime.
class FastClock final : public Clock {
 public:
  // The process's own, made at first use.
  static FastClock& instance();

  FastClock();
  // With another truth; the clock reads `source` for ticks too, so this is for tests. `source` must outlive it.
  explicit FastClock(TickSource& source);
  FastClock(const FastClock&) = delete;
  FastClock& operator=(const FastClock&) = delete;

  int64_t unix_ns() const override {
    Reading r;
    return read(r) ? r.monotonic_ns + r.unix_offset_ns : slow_unix_ns();
  }
  int64_t monotonic_ns() const override {
    Reading r;
    return read(r) ? r.monotonic_ns : slow_monotonic_ns();
  }
  // What a thread remembers of the calibration, so that its next reading is one comparison and one product.
  class Cache {
    friend class FastClock;
    uint32_t sequence_ = UINT32_MAX;  // odd: matches nothing
    uint64_t base_ticks_ = 0;
    uint64_t rate_ = 0;
    int64_t base_unix_ns_ = 0;
  };
  // As unix_ns(), by means of the calling thread's cache of this clock. After a resync a reading that was under way may
  // still be at the old rate.
  int64_t unix_ns(Cache& cache) const {
    if (sequence_.load(std::memory_order_acquire) != cache.sequence_) [[unlikely]] {
      if (!refill(cache)) return slow_unix_ns();
    }
    const auto elapsed = static_cast<int64_t>(os::cpu_ticks() - cache.base_ticks_);
    return cache.base_unix_ns_ + (elapsed > 0 ? scale(static_cast<uint64_t>(elapsed), cache.rate_) : 0);
  }
  // Both by one reading of the counter: what an emit needs.
  struct Both {
    int64_t unix_ns;
    int64_t monotonic_ns;
  };
  Both both() const {
    Reading r;
    if (read(r)) return {r.monotonic_ns + r.unix_offset_ns, r.monotonic_ns};
    return {slow_unix_ns(), slow_monotonic_ns()};
  }

  // Compares with the system's clocks and corrects rate and offset; to be called about once a second, by any thread.
  // Seldom calls cost accuracy, frequent ones nothing: a call within 10 ms of the last is passed over.
  void resync();

  // False when readings are clock_gettime.
  bool is_fast() const { return fast_.load(std::memory_order_relaxed); }

 private:
  struct Reading {
    int64_t monotonic_ns;
    int64_t unix_offset_ns;
  };
  // One moment as the system sees it, ticks and monotonic time read as close together as the machine allows.
  struct Sample {
    uint64_t ticks;
    int64_t monotonic_ns;
    int64_t unix_offset_ns;
  };

  // A sequence lock: the loads are acquiring ones instead of fences, which ThreadSanitizer does not understand and
  // which cost nothing more on x86.
  bool read(Reading& out) const {
    if (!fast_.load(std::memory_order_relaxed)) return false;
    for (;;) {
      const uint32_t before = sequence_.load(std::memory_order_acquire);
      const uint64_t base_ticks = base_ticks_.load(std::memory_order_acquire);
      const int64_t base_ns = base_ns_.load(std::memory_order_acquire);
      const uint64_t rate = rate_.load(std::memory_order_acquire);
      out.unix_offset_ns = unix_offset_ns_.load(std::memory_order_acquire);
      const auto elapsed = static_cast<int64_t>(ticks() - base_ticks);
      if (sequence_.load(std::memory_order_relaxed) == before && (before & 1u) == 0) {
        // A reading taken just before the base was, on another processor, counts as the base itself.
        out.monotonic_ns = base_ns + (elapsed > 0 ? scale(static_cast<uint64_t>(elapsed), rate) : 0);
        return true;
      }
      wait_for_writer();
    }
  }

  static int64_t scale(uint64_t ticks, uint64_t rate) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<int64_t>((static_cast<Wide>(ticks) * rate) >> kRateShift);
  }

  uint64_t ticks() const { return source_ == nullptr ? os::cpu_ticks() : source_->ticks(); }
  static void wait_for_writer();
  bool refill(Cache& cache) const;
  int64_t slow_unix_ns() const;
  int64_t slow_monotonic_ns() const;
  int64_t system_unix_ns() const;
  int64_t system_monotonic_ns() const;
  Sample sample() const;
  void start();
  int64_t publish(const Sample& now);
  void give_up();

  static constexpr int kRateShift = 32;  // rate_ is ns per tick in units of 2^-32

  TickSource* const source_ = nullptr;  // null: the machine's own
  std::atomic<bool> fast_{false};
  alignas(64) std::atomic<uint32_t> sequence_{0};  // odd while a writer is at work
  std::atomic<uint64_t> base_ticks_{0};
  std::atomic<int64_t> base_ns_{0};
  std::atomic<uint64_t> rate_{0};
  std::atomic<int64_t> unix_offset_ns_{0};
  // What this clock's monotonic time is ahead of the system's: more than nothing only after the counter has jumped.
  std::atomic<int64_t> monotonic_shift_ns_{0};

  std::mutex resync_mutex_;  // guards what follows
  Sample last_{};
  double ns_per_tick_ = 0;
  int uneven_in_a_row_ = 0;
};

}  // namespace nexus::host
