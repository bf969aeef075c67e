// The jobs of README.md as data: which types there are, who subscribes to what, and how emitters emit. The bus and its
// peers carry out the same jobs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nexus::bench {

struct SubscriptionPlan {
  uint32_t receiver = 0;
  std::string pattern;  // a type, or "prefix.*"
  int32_t priority = 0;
  bool condition = false;

  bool matches(std::string_view type) const {
    if (!pattern.ends_with('*')) return pattern == type;
    return type.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
  }
};

struct EmitterPlan {
  uint32_t mode = 0;  // BENCH_EMIT_*
  uint32_t first_type = 0;
  uint32_t type_count = 1;
};

struct Job {
  std::string name;
  std::string text;
  uint32_t workers = 1;
  std::vector<std::string> types = {"order.created"};
  uint32_t receivers = 1;
  std::vector<SubscriptionPlan> subscriptions = {};
  std::vector<EmitterPlan> emitters = {{}};
  bool synchronous = false;  // J4: no queue, no emitter
  double round_trip = 0;     // J5: which quantile of the round trips; 0: none are made
  std::string emitter_plugin = "bench_emitter";
  std::string receiver_plugin = "bench_receiver";

  // What each receiver gets when every emitter emits so many events.
  std::vector<uint64_t> deliveries(uint64_t events_each) const;
};

const std::vector<Job>& jobs();
// Null when there is none of that name.
const Job* find_job(std::string_view name);

}  // namespace nexus::bench
