#include <catch2/catch_test_macros.hpp>

#include "host/bus/timer_queue.hpp"
#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

struct Note final : Task {
  std::atomic<int>& ran;
  std::atomic<int>& dropped;
  Note(std::atomic<int>& its_ran, std::atomic<int>& its_dropped) : ran(its_ran), dropped(its_dropped) {}
  void run() noexcept override { ++ran; }
  void drop() noexcept override { ++dropped; }
};

}  // namespace

TEST_CASE("timers run when due, in the order of their times, and can be cancelled until they begin") {
  Rig rig;
  auto shop = rig.add("com.example.shop"), other = rig.add("com.example.other");
  TimerQueue& timers = rig.bus->timers();
  std::atomic<int> ran{0}, dropped{0};
  const auto note = [&] { return std::make_unique<Note>(ran, dropped); };
  const nexus_handle first = timers.add(shop, 100, note()).value();
  const nexus_handle second = timers.add(shop, 50, note()).value();
  CHECK(timers.next_due() == 50);
  CHECK(timers.run_due(49) == 50);
  CHECK(timers.cancel(*other, second).error().code == NEXUS_E_HANDLE);
  CHECK(timers.run_due(50) == 100);
  REQUIRE(rig.settle());
  CHECK(ran == 1);
  CHECK(timers.cancel(*shop, second).error().code == NEXUS_E_HANDLE);
  CHECK(timers.cancel(*shop, first));
  CHECK(dropped == 1);
  CHECK(timers.run_due(1000) == TimerQueue::kNever);
  CHECK(timers.pending() == 0);
}

TEST_CASE("a timer that is due and waits in the mailbox can still be cancelled") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  std::atomic<int> ran{0}, dropped{0};
  REQUIRE(rig.bus->pause(*shop, in_seconds(10)));
  const nexus_handle handle = rig.bus->timers().add(shop, 1, std::make_unique<Note>(ran, dropped)).value();
  rig.bus->timers().run_due(5);
  CHECK(rig.bus->timers().cancel(*shop, handle));
  rig.bus->resume(*shop);
  REQUIRE(rig.settle());
  CHECK(ran == 0);
  CHECK(dropped == 1);
}

TEST_CASE("the driver is told of a timer due before all others, and only then") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  std::vector<int64_t> told;
  std::atomic<int> ran{0}, dropped{0};
  rig.bus->timers().on_earlier([&](int64_t due) { told.push_back(due); });
  for (const int64_t due : {100, 200, 50, 70})
    REQUIRE(rig.bus->timers().add(shop, due, std::make_unique<Note>(ran, dropped)));
  CHECK(told == std::vector<int64_t>{100, 50});
  rig.bus->remove(shop);
  CHECK(dropped == 4);
}

TEST_CASE("a plugin cannot pile up more than 100,000 timers") {
  Rig rig;
  auto shop = rig.add("com.example.shop");
  std::atomic<int> ran{0}, dropped{0};
  for (size_t i = 0; i < TimerQueue::kPendingMaxPerParticipant; ++i)
    REQUIRE(rig.bus->timers().add(shop, 1000, std::make_unique<Note>(ran, dropped)));
  CHECK(rig.bus->timers().add(shop, 1000, std::make_unique<Note>(ran, dropped)).error().code == NEXUS_E_TOO_LARGE);
}
