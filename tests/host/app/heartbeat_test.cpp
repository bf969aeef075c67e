#include "host/app/heartbeat.hpp"

#include <latch>
#include <memory>

#include <catch2/catch_test_macros.hpp>

#include "host/base/clock.hpp"
#include "host/bus/bus.hpp"

using namespace nexus::host;

namespace {

// Tells that it runs, and waits until it may end.
class Hold final : public Task {
 public:
  Hold(std::latch& begun, std::latch& may_end) : begun_(begun), may_end_(may_end) {}
  void run() noexcept override {
    begun_.count_down();
    may_end_.wait();
  }

 private:
  std::latch& begun_;
  std::latch& may_end_;
};

}  // namespace

TEST_CASE("the heart beats while workers get through, and stops when none has for longer than a handler may take") {
  VirtualClock clock;
  BusOptions options;
  options.worker_count = 1;
  options.handler_deadline_ns = 30'000'000'000;
  const auto bus = Bus::create(options, clock);
  Heartbeat heartbeat(*bus);
  std::latch begun(1), may_end(1), passed(1), free(0);
  CHECK(heartbeat.beat());
  REQUIRE(bus->drain_all(INT64_MAX));

  ParticipantOptions participant;
  participant.id = "com.test.blocker";
  const auto blocker = bus->add_participant(participant);
  bus->activate(*blocker);
  REQUIRE(bus->post(*blocker, std::make_unique<Hold>(begun, may_end)).has_value());
  begun.wait();
  clock.advance(1'000'000'000);
  CHECK(heartbeat.beat());  // sends a beat that does not come back
  clock.advance(34'000'000'000);
  CHECK(heartbeat.beat());
  clock.advance(2'000'000'000);
  CHECK_FALSE(heartbeat.beat());
  CHECK_FALSE(heartbeat.beat());

  may_end.count_down();
  REQUIRE(bus->post(bus->host(), std::make_unique<Hold>(passed, free)).has_value());  // runs behind the beat
  passed.wait();
  CHECK(heartbeat.beat());
  clock.advance(3'600'000'000'000);
  bus->stop();
}
