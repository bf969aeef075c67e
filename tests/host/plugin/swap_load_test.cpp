// Hot swaps of a real library on the real bus, while events pour in: each is handled exactly once.
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "host/base/log.hpp"
#include "host/bus/bus.hpp"
#include "host/plugin/bridge.hpp"
#include "host/plugin/manager.hpp"
#include "tests/bad_plugins/counter.h"
#include "tests/host/plugin/fake_host.hpp"
#include "tests/host/plugin/folder.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

int64_t in_30_seconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             (std::chrono::steady_clock::now() + std::chrono::seconds(30)).time_since_epoch())
      .count();
}

struct LoadRig {
  LoadRig() : tally(std::make_unique<::tally>()) {
    log::set_level(log::Level::off);
    BusOptions bus_options;
    bus_options.worker_count = 2;
    bus = Bus::create(bus_options, FastClock::instance());
    hosts = std::make_unique<BridgeFactory>(*bus, BridgeServices{});
    ParticipantOptions participant;
    participant.id = "com.test.emitter";
    emitter = bus->add_participant(std::move(participant));
    bus->activate(*emitter);
    type = bus->intern(*emitter, "test.count").value();

    PluginSettings settings;
    const ::tally* address = tally.get();
    settings.config.resize(sizeof address);
    std::memcpy(settings.config.data(), &address, sizeof address);
    PluginManagerOptions options;
    options.folders = {folder.plugins()};
    options.private_folder = folder.private_folder();
    options.probe_program = probe_program();
    options.probe_timeout = std::chrono::seconds(20);
    options.pause_timeout = std::chrono::seconds(20);
    options.stop_timeout = std::chrono::seconds(20);
    auto made = PluginManager::create(
        options, PluginManagerPorts{*hosts, journal, [settings](std::string_view) { return settings; }, {}, nullptr});
    REQUIRE(made.has_value());
    manager = std::move(*made);
  }
  ~LoadRig() {
    manager->stop_all("the test ends", std::chrono::seconds(20));
    manager.reset();
    bus->stop();
    hosts.reset();
  }

  bool emit(uint64_t number) {
    return bus->emit(*emitter, type, nullptr, {reinterpret_cast<const uint8_t*>(&number), sizeof number}, nullptr,
                     nullptr) == NEXUS_OK;
  }

  // Emits as long as `work` runs; then waits for the bus and checks each number.
  template <class Work>
  uint64_t under_load(Work&& work) {
    uint64_t emitted = 0;
    bool accepted = true;
    {
      const std::jthread emitting([&](const std::stop_token& stop) {
        while (accepted && emitted < TALLY_MAX && !stop.stop_requested()) {
          for (int burst = 0; burst < 64 && emitted < TALLY_MAX; ++burst) accepted = emit(emitted++) && accepted;
          std::this_thread::yield();
        }
      });
      work();
    }
    CHECK(accepted);
    REQUIRE(bus->drain_all(in_30_seconds()));
    uint64_t missed = 0;
    uint64_t repeated = 0;
    for (uint64_t i = 0; i < emitted; ++i) {
      missed += tally->seen[i] == 0 ? 1 : 0;
      repeated += tally->seen[i] > 1 ? 1 : 0;
    }
    CHECK(missed == 0);
    CHECK(repeated == 0);
    CHECK(emitted > 0);
    return emitted;
  }

  Folder folder;
  Journal journal;
  std::unique_ptr<::tally> tally;
  std::unique_ptr<Bus> bus;
  std::unique_ptr<BridgeFactory> hosts;
  std::shared_ptr<Participant> emitter;
  uint64_t type = 0;
  std::unique_ptr<PluginManager> manager;
};

constexpr int kSwaps = 30;

}  // namespace

TEST_CASE("swaps under load lose nothing and repeat nothing") {
  for (const std::string kind : {"shared", "exclusive"}) {
    LoadRig rig;
    INFO(kind);
    rig.folder.put("counter_" + kind + "_1.0.0", "x.so");
    REQUIRE(rig.manager->scan().loaded == 1);
    rig.under_load([&] {
      for (int i = 1; i <= kSwaps; ++i) {
        rig.folder.put("counter_" + kind + (i % 2 == 1 ? "_1.1.0" : "_1.0.0"), "x.so");
        REQUIRE(rig.manager->scan().swapped == 1);
        rig.bus->tick();
      }
    });
    CHECK(rig.tally->starts == kSwaps + 1);
    CHECK(rig.manager->collect() == 0);
  }
}

// What it unsubscribes is held back, as InstanceHost::pause says: else the events that are emitted between the old
// instance's destroy and the hand-over would find no route.
TEST_CASE("an exclusive plugin that unsubscribes in destroy loses nothing either") {
  LoadRig rig;
  rig.folder.put("counter_leaving_1.0.0", "x.so");
  REQUIRE(rig.manager->scan().loaded == 1);
  rig.under_load([&] {
    for (int i = 1; i <= kSwaps; ++i) {
      rig.folder.put(i % 2 == 1 ? "counter_leaving_1.1.0" : "counter_leaving_1.0.0", "x.so");
      REQUIRE(rig.manager->scan().swapped == 1);
      rig.bus->tick();
    }
  });
}

TEST_CASE("swaps that fail under load lose nothing either") {
  LoadRig rig;
  rig.folder.put("counter_shared_1.0.0", "x.so");
  REQUIRE(rig.manager->scan().loaded == 1);
  rig.under_load([&] {
    for (int i = 0; i < kSwaps; ++i) {
      rig.folder.put_bytes("broken " + std::to_string(i), "x.so");
      rig.manager->scan();
      const auto info = rig.manager->info("com.test.counter");
      REQUIRE(info->state == PluginState::running);
      REQUIRE(info->error);
      rig.bus->tick();
    }
  });
}

TEST_CASE("what waits is delivered before a plugin goes") {
  LoadRig rig;
  const fs::path file = rig.folder.put("counter_shared_1.0.0", "x.so");
  REQUIRE(rig.manager->scan().loaded == 1);
  constexpr uint64_t kCount = 5000;
  for (uint64_t i = 0; i < kCount; ++i) REQUIRE(rig.emit(i));
  fs::remove(file);
  CHECK(rig.manager->scan().unloaded == 1);
  CHECK(rig.emit(kCount));  // nobody listens any more
  REQUIRE(rig.bus->drain_all(in_30_seconds()));
  uint64_t handled = 0;
  for (uint64_t i = 0; i <= kCount; ++i) handled += rig.tally->seen[i];
  CHECK(handled == kCount);
  CHECK(rig.manager->collect() == 0);
}
