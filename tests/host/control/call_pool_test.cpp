#include "host/control/call_pool.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <vector>

using nexus::host::CallPool;
using std::chrono::milliseconds;

TEST_CASE("a call that waits does not hold up the next one") {
  CallPool pool(8, milliseconds(10'000));
  std::promise<void> release;
  const auto gate = release.get_future().share();
  std::vector<std::promise<void>> begun(7);
  for (auto& promise : begun) {
    pool.submit([&promise, gate] {
      promise.set_value();
      gate.wait();
    });
  }
  for (auto& promise : begun) promise.get_future().wait();
  std::promise<void> quick;
  pool.submit([&quick] { quick.set_value(); });
  quick.get_future().wait();
  CHECK(pool.thread_count() == 8);
  release.set_value();
}

TEST_CASE("work beyond the number of threads waits and is done") {
  std::atomic<int> done{0};
  {
    CallPool pool(2, milliseconds(10'000));
    for (int i = 0; i < 200; ++i) pool.submit([&done] { ++done; });
    pool.stop();
    CHECK_FALSE(pool.submit([&done] { ++done; }));
  }
  CHECK(done == 200);
}

TEST_CASE("threads without work end, and new ones are made when there is some") {
  CallPool pool(4, milliseconds(1));
  for (int round = 0; round < 20; ++round) {
    std::promise<void> ran;
    REQUIRE(pool.submit([&ran] { ran.set_value(); }));
    ran.get_future().wait();
    // Ends by itself, after a millisecond without work.
    while (pool.thread_count() != 0) std::this_thread::yield();
  }
}
