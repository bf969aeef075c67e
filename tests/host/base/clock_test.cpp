#include "host/base/clock.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <thread>
#include <vector>

using namespace nexus::host;

namespace {

constexpr int64_t kSecond = 1'000'000'000;

// A machine whose counter and clocks go as the test says. Every reading takes a little time, as on a real one.
class FakeMachine final : public TickSource {
 public:
  bool is_steady = true;
  double ticks_per_ns = 2.5;
  int64_t reading_ns = 20;

  bool steady() override { return is_steady; }
  uint64_t ticks() override {
    pass(reading_ns);
    return static_cast<uint64_t>(ticks_);
  }
  int64_t unix_ns() override {
    pass(reading_ns);
    return now_ns_ + unix_offset_ns_;
  }
  int64_t monotonic_ns() override {
    pass(reading_ns);
    return now_ns_;
  }

  void pass(int64_t ns) {
    now_ns_ += ns;
    ticks_ += static_cast<double>(ns) * ticks_per_ns;
  }
  void set_unix(int64_t ns) { unix_offset_ns_ = ns - now_ns_; }
  void jump_ticks(double ticks) { ticks_ += ticks; }
  int64_t true_unix_ns() const { return now_ns_ + unix_offset_ns_; }
  int64_t true_monotonic_ns() const { return now_ns_; }

 private:
  int64_t now_ns_ = 50 * kSecond;
  int64_t unix_offset_ns_ = 1'700'000'000 * kSecond;
  double ticks_ = 1e12;
};

void second_with_resync(FakeMachine& machine, FastClock& clock) {
  machine.pass(kSecond);
  clock.resync();
}

int64_t error_of(FakeMachine& machine, const FastClock& clock) {
  return std::abs(clock.monotonic_ns() - machine.true_monotonic_ns());
}

}  // namespace

TEST_CASE("a virtual clock moves when told to") {
  VirtualClock clock(1'000, 50);
  clock.advance(25);
  CHECK(clock.unix_ns() == 1'025);
  CHECK(clock.monotonic_ns() == 75);
  clock.set_unix(10);
  CHECK(clock.unix_ns() == 10);
  CHECK(clock.monotonic_ns() == 75);
}

TEST_CASE("the system clock is this century's and goes on") {
  const SystemClock clock;
  CHECK(clock.unix_ns() > 1'600'000'000 * kSecond);
  const int64_t before = clock.monotonic_ns();
  CHECK(clock.monotonic_ns() >= before);
}

TEST_CASE("a fast clock tells the machine's time within a microsecond") {
  FakeMachine machine;
  FastClock clock(machine);
  REQUIRE(clock.is_fast());
  for (int i = 0; i < 20; ++i) {
    second_with_resync(machine, clock);
    CHECK(error_of(machine, clock) < 1'000);
    CHECK(std::abs(clock.unix_ns() - machine.true_unix_ns()) < 3'000);
  }
}

TEST_CASE("both() is one moment") {
  FakeMachine machine;
  const FastClock clock(machine);
  const FastClock::Both both = clock.both();
  CHECK(std::abs(both.unix_ns - machine.true_unix_ns()) < 3'000);
  CHECK(std::abs(both.monotonic_ns - machine.true_monotonic_ns()) < 3'000);
}

TEST_CASE("unix time follows the administrator, monotonic time does not") {
  for (const int64_t jump : {3'600 * kSecond, -3'600 * kSecond}) {
    FakeMachine machine;
    FastClock clock(machine);
    second_with_resync(machine, clock);
    const int64_t before = clock.monotonic_ns();
    machine.set_unix(machine.true_unix_ns() + jump);
    second_with_resync(machine, clock);
    CHECK(std::abs(clock.unix_ns() - machine.true_unix_ns()) < 5'000);
    CHECK(clock.monotonic_ns() - before < kSecond + 10'000);
    CHECK(clock.is_fast());
  }
}

TEST_CASE("a rate that was measured badly is put right without a step back") {
  FakeMachine machine;
  FastClock clock(machine);
  // From here on the counter is 300 ppm slower or faster than it was while it was calibrated.
  for (const double rate : {2.5 * 1.0003, 2.5 * 0.9997}) {
    machine.ticks_per_ns = rate;
    int64_t before = clock.monotonic_ns();
    for (int i = 0; i < 5; ++i) {
      for (int k = 0; k < 10; ++k) {
        machine.pass(kSecond / 10);
        const int64_t now = clock.monotonic_ns();
        REQUIRE(now >= before);
        before = now;
      }
      clock.resync();
      const int64_t now = clock.monotonic_ns();
      REQUIRE(now >= before);
      before = now;
    }
    CHECK(clock.is_fast());
    CHECK(error_of(machine, clock) < 2'000);
  }
}

TEST_CASE("a counter that jumps ahead once, as when the machine slept, leaves a running clock") {
  FakeMachine machine;
  FastClock clock(machine);
  second_with_resync(machine, clock);
  machine.jump_ticks(3'600e9 * 2.5);
  const int64_t jumped = clock.monotonic_ns();
  second_with_resync(machine, clock);
  CHECK(clock.monotonic_ns() >= jumped);
  CHECK(std::abs(clock.unix_ns() - machine.true_unix_ns()) < 5'000);
  const int64_t before = clock.monotonic_ns();
  for (int i = 0; i < 5; ++i) second_with_resync(machine, clock);
  CHECK(clock.is_fast());
  CHECK(std::abs(clock.monotonic_ns() - before - 5 * kSecond) < 5'000);
  CHECK(std::abs(clock.unix_ns() - machine.true_unix_ns()) < 5'000);
}

TEST_CASE("a counter that falls back stands still until the next resync, and then is right") {
  FakeMachine machine;
  FastClock clock(machine);
  second_with_resync(machine, clock);
  const int64_t before = clock.monotonic_ns();
  machine.jump_ticks(-5e11);
  CHECK(clock.monotonic_ns() >= before - 100);
  second_with_resync(machine, clock);
  CHECK(clock.monotonic_ns() >= before);
  second_with_resync(machine, clock);
  CHECK(clock.is_fast());
  CHECK(error_of(machine, clock) < 2'000);
}

TEST_CASE("a counter that runs unevenly is given up, and time goes on from where it was") {
  FakeMachine machine;
  FastClock clock(machine);
  second_with_resync(machine, clock);
  int64_t before = clock.monotonic_ns();
  for (int i = 0; i < 6; ++i) {
    machine.ticks_per_ns = i % 2 == 0 ? 3.5 : 1.5;
    second_with_resync(machine, clock);
    const int64_t now = clock.monotonic_ns();
    REQUIRE(now >= before);
    before = now;
  }
  CHECK_FALSE(clock.is_fast());
  machine.pass(kSecond);
  CHECK(std::abs(clock.monotonic_ns() - before - kSecond) < 1'000);
  CHECK(std::abs(clock.unix_ns() - machine.true_unix_ns()) < 1'000);
  clock.resync();
  CHECK_FALSE(clock.is_fast());
}

TEST_CASE("a machine without a steady counter is read by its own clocks") {
  FakeMachine unsteady;
  unsteady.is_steady = false;
  const FastClock clock(unsteady);
  CHECK_FALSE(clock.is_fast());
  CHECK(std::abs(clock.monotonic_ns() - unsteady.true_monotonic_ns()) < 100);

  FakeMachine coarse;
  coarse.ticks_per_ns = 0.000'1;
  CHECK_FALSE(FastClock(coarse).is_fast());
  FakeMachine stopped;
  stopped.ticks_per_ns = 0;
  CHECK_FALSE(FastClock(stopped).is_fast());
}

TEST_CASE("resync is passed over when the last one was just now") {
  FakeMachine machine;
  FastClock clock(machine);
  second_with_resync(machine, clock);
  machine.set_unix(machine.true_unix_ns() + kSecond);
  machine.pass(1'000'000);
  clock.resync();
  CHECK(std::abs(clock.unix_ns() - machine.true_unix_ns() + kSecond) < 5'000);
  machine.pass(20'000'000);
  clock.resync();
  CHECK(std::abs(clock.unix_ns() - machine.true_unix_ns()) < 5'000);
}

TEST_CASE("the real clock agrees with the system and never goes back, while it is resynced, in four threads") {
  FastClock clock;
  const SystemClock system;
  std::atomic<bool> stop{false};
  std::atomic<int> steps_back{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      int64_t before = clock.monotonic_ns();
      while (!stop.load(std::memory_order_relaxed)) {
        const int64_t now = clock.monotonic_ns();
        if (now < before) ++steps_back;
        before = now;
      }
    });
  }
  const int64_t end = system.monotonic_ns() + 60'000'000;
  while (system.monotonic_ns() < end) clock.resync();
  stop = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(steps_back == 0);
  // Between two readings of the system's clock, but for what both clocks differ; tried often, since this thread may be
  // taken off the processor between any two lines.
  bool agreed = false;
  for (int i = 0; i < 1'000 && !agreed; ++i) {
    const int64_t before = system.unix_ns();
    const int64_t fast = clock.unix_ns();
    const int64_t after = system.unix_ns();
    agreed = fast >= before - 50'000 && fast <= after + 50'000;
  }
  CHECK(agreed);
}
