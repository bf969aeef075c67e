// What the fake host remembers for a test to look at. Plain values; events are shared and immutable.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nexus/abi/host.h"
#include "nexus/cbor.hpp"
#include "nexus/event.hpp"

namespace nexus::testing {

// An event with everything that it points to. Not copied once it is made: `raw` points into the other members.
struct StoredEvent {
  StoredEvent() = default;
  StoredEvent(const StoredEvent&) = delete;
  StoredEvent& operator=(const StoredEvent&) = delete;

  nexus_event raw{};
  std::string type;
  std::string source;
  std::string subject;
  std::string key;
  std::string correlation_id;
  Bytes data;
  Bytes metadata;
  std::uint32_t hops = 0;
  bool by_test = false;  // emitted by the test, not by a plugin

  // Makes `raw` point at the texts.
  void seal() {
    raw.size = sizeof raw;
    raw.type = nexus::detail::to_abi(type);
    raw.source = nexus::detail::to_abi(source);
    raw.subject = nexus::detail::to_abi(subject);
    raw.key = nexus::detail::to_abi(key);
    raw.correlation_id = nexus::detail::to_abi(correlation_id);
    raw.data = {data.data(), data.size()};
    raw.metadata = {metadata.data(), metadata.size()};
  }
  Event event() const { return Event(raw); }
};

using EventRef = std::shared_ptr<const StoredEvent>;

// One log line of a plugin.
struct LogLine {
  std::string plugin;
  std::int32_t level = NEXUS_LOG_INFO;
  std::string message;
  std::map<std::string, std::string, std::less<>> fields;
};

// One failed attempt of a handler.
struct Failure {
  std::string plugin;
  std::string handler;  // the method, or the subscription's pattern
  std::string event_type;
  std::uint32_t attempt = 1;
  std::int32_t verdict = NEXUS_RETRY;
  std::int32_t code = NEXUS_E_PLUGIN;
  std::string message;
  std::string error_type;
  bool dead_lettered = false;               // it was the last attempt
  std::chrono::nanoseconds retry_after{0};  // else: the delay until the next
};

// How the fake host behaves where a real one has a config.
struct HostOptions {
  std::uint32_t retry_attempts = 3;
  std::chrono::nanoseconds retry_delay = std::chrono::seconds(1);
  bool retry_exponential = true;
  std::uint32_t hops_max = 32;
  std::chrono::nanoseconds dedup_window = std::chrono::hours(24);  // how long ids that emitters chose are remembered
  TimePoint now = TimePoint(std::chrono::sys_days(std::chrono::year(2024) / 1 / 1));  // when the virtual clock starts
  std::size_t steps_max = 1'000'000;  // run() gives up after so many calls: the plugins keep each other busy
};

}  // namespace nexus::testing
