#include "host/control/control_thread.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <future>
#include <stdexcept>
#include <vector>

#include "tests/host/control/result_text.hpp"

using namespace nexus::host;
using std::chrono::milliseconds;

namespace {

// Keeps the thread busy until it is let go.
class Plug {
 public:
  explicit Plug(ControlThread& thread) {
    thread.post([this] {
      begun_.set_value();
      release_.get_future().wait();
    });
    begun_.get_future().wait();
  }
  void release() { release_.set_value(); }

 private:
  std::promise<void> begun_, release_;
};

}  // namespace

TEST_CASE("the control thread runs work in order and one piece at a time") {
  ControlThread thread;
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) thread.post([&order, i] { order.push_back(i); });
  REQUIRE(thread.run([&order] { order.push_back(100); }, ControlThread::kForever));
  REQUIRE(order.size() == 101);
  for (int i = 0; i <= 100; ++i) CHECK(order[static_cast<size_t>(i)] == i);
}

TEST_CASE("a piece of work that throws does not end the control thread") {
  ControlThread thread;
  thread.post([] { throw std::runtime_error("on purpose"); });
  thread.post([] { throw 7; });
  bool ran = false;
  REQUIRE(thread.run([&ran] { ran = true; }, ControlThread::kForever));
  CHECK(ran);
}

TEST_CASE("waiting for the control thread on itself is refused, not a deadlock") {
  ControlThread thread;
  nexus::host::Result<void> inner;
  REQUIRE(thread.run([&] { inner = thread.run([] {}, ControlThread::kForever); }, ControlThread::kForever));
  REQUIRE_FALSE(inner);
  CHECK(inner.error().code == NEXUS_E_THREAD);
}

TEST_CASE("work that could not begin in time never runs") {
  ControlThread thread;
  Plug plug(thread);
  CHECK_FALSE(thread.is_idle());
  bool ran = false;
  const auto late = thread.run([&ran] { ran = true; }, milliseconds(1));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == NEXUS_E_TIMEOUT);
  plug.release();
  REQUIRE(thread.run([] {}, ControlThread::kForever));
  CHECK_FALSE(ran);
}

TEST_CASE("stop finishes what runs, drops the rest, and tells those who wait") {
  ControlThread thread;
  Plug plug(thread);
  bool ran = false;
  std::atomic<int> code{0};
  std::promise<void> asking;
  std::thread waiting([&] {
    asking.set_value();
    const auto result = thread.run([&ran] { ran = true; }, ControlThread::kForever);
    code = result ? 0 : result.error().code;
  });
  asking.get_future().wait();
  std::thread stopping([&] { thread.stop(); });
  waiting.join();  // told before the work that runs has ended
  CHECK(code == NEXUS_E_STOPPING);
  plug.release();
  stopping.join();
  CHECK_FALSE(ran);
  CHECK_FALSE(thread.post([] {}));
  CHECK(thread.run([] {}, ControlThread::kForever).error().code == NEXUS_E_STOPPING);
}
