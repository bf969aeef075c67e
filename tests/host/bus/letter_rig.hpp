// A bus with a virtual clock whose handlers fail as they are told, and one who listens to what is told of them.
#pragma once

#include <atomic>
#include <catch2/catch_test_macros.hpp>

#include "nexus/events.hpp"
#include "tests/host/bus/bus_rig.hpp"

namespace nexus::host::test {

inline constexpr int64_t kDelay = 1'000'000;

inline BusOptions retrying(uint32_t attempts) {
  BusOptions options;
  options.worker_count = 2;
  options.retry = {attempts, false, kDelay, 0};
  return options;
}

// Fails while it is told to, with its own words.
struct Failing {
  std::atomic<bool> fails{true};
  std::atomic<int32_t> verdict{NEXUS_RETRY};
  std::string type = "std::runtime_error", text = "no room for A-1";
  std::vector<uint32_t> attempts;
  std::vector<bool> redelivered;
  Probe probe;
  Failing() {
    probe.answer = [this](const nexus_delivery& delivery, nexus_outcome& outcome) -> int32_t {
      attempts.push_back(delivery.attempt);
      redelivered.push_back((delivery.flags & NEXUS_DELIVERY_REDELIVERED) != 0);
      if (!fails) return NEXUS_DONE;
      outcome.error_type = to_abi(type);
      write_error(outcome.error, NEXUS_E_PLUGIN, text);
      return verdict;
    };
  }
};

// The events of the host about failures, decoded.
struct Reports {
  std::mutex mutex;
  std::vector<nexus::events::EventDeadLettered> letters;
  std::vector<nexus::events::PluginError> errors;
  Probe letter_probe, error_probe;
  Reports(Rig& rig, Participant& watcher) {
    letter_probe.answer = [this](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
      std::lock_guard guard(mutex);
      nexus::events::EventDeadLettered report;
      must(nexus::EventTraits<nexus::events::EventDeadLettered>::try_decode(delivery.event->data, report));
      letters.push_back(std::move(report));
      return NEXUS_DONE;
    };
    rig.subscribe(watcher, "event.dead_lettered", letter_probe);
    rig.subscribe(watcher, "plugin.error", error_probe);
  }
};

struct LetterRig {
  explicit LetterRig(BusOptions options = retrying(0)) : rig(options, clock) {}
  std::shared_ptr<Participant> add(std::string id, std::string version = "1.0.0") {
    ParticipantOptions options;
    options.id = std::move(id);
    options.version = std::move(version);
    auto participant = rig.bus->add_participant(std::move(options));
    rig.bus->activate(*participant);
    return participant;
  }
  nexus_handle subscribe(Participant& participant, std::string_view pattern, Probe& probe,
                         std::string_view name = "save") {
    return rig.subscribe(participant, pattern, probe, 0, NEXUS_CONCURRENCY_SERIAL, name);
  }
  void emit(Participant& from, std::string_view type, std::string_view data = {}) {
    REQUIRE(rig.emit(from, type, data) == NEXUS_OK);
    REQUIRE(rig.settle());
  }
  void pass(int64_t ns) {
    clock.advance(ns);
    rig.bus->timers().run_due(clock.monotonic_ns());
    REQUIRE(rig.settle());
  }
  Result<void> redrive(uint64_t id, std::string_view note = {}) {
    auto done = rig.bus->redrive(id, note);
    REQUIRE(rig.settle());
    return done;
  }
  DeadLetterStore& store() { return rig.bus->dead_letters(); }
  std::vector<DeadLetterPointer> letters() { return store().list({}, UINT64_MAX); }
  DeadLetterPointer only() {
    const auto all = letters();
    REQUIRE(all.size() == 1);
    return all[0];
  }
  void unload(std::shared_ptr<Participant>& participant) {
    REQUIRE(rig.bus->pause(*participant, in_seconds(10)));
    rig.bus->remove(participant);
    participant.reset();
  }

  VirtualClock clock;
  Rig rig;
};

}  // namespace nexus::host::test
