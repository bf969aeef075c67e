#include "tests/bench/job.hpp"

#include "tests/bench/plugins/bench_abi.h"
#include "tests/bench/type_order.hpp"

namespace nexus::bench {
namespace {

constexpr uint32_t kSubscribers = 8;
constexpr uint32_t kGroups = 20, kTypesPerGroup = 50;

std::vector<Job> make_jobs() {
  std::vector<Job> all;
  const SubscriptionPlan created{.pattern = "order.created"};
  const auto same = [&](uint32_t receivers) {
    std::vector<SubscriptionPlan> plans;
    for (uint32_t i = 0; i < kSubscribers; ++i)
      plans.push_back({.receiver = i % receivers, .pattern = "order.created"});
    return plans;
  };
  all.push_back({.name = "J1", .text = "1 emitter, 1 worker, 1 subscriber", .subscriptions = {created}});
  all.push_back({.name = "J1b",
                 .text = "J1 by emit_batch of 16",
                 .subscriptions = {created},
                 .emitters = {{.mode = BENCH_EMIT_BATCH}}});
  all.push_back({.name = "J1o",
                 .text = "J1 with subject, key and correlation id given",
                 .subscriptions = {created},
                 .emitters = {{.mode = BENCH_EMIT_OPTIONS}}});
  all.push_back({.name = "J2", .text = "8 subscribers in one plugin", .subscriptions = same(1)});
  all.push_back({.name = "J2p",
                 .text = "8 subscribers in 8 plugins",
                 .receivers = kSubscribers,
                 .subscriptions = same(kSubscribers)});
  const std::vector<std::string> two = {"order.created", "payment.completed"};
  const std::vector<SubscriptionPlan> pair = {{.receiver = 0, .pattern = two[0]}, {.receiver = 1, .pattern = two[1]}};
  all.push_back({.name = "J3",
                 .text = "2 emitters, 2 workers, each pair its own type",
                 .workers = 2,
                 .types = two,
                 .receivers = 2,
                 .subscriptions = pair,
                 .emitters = {{.first_type = 0}, {.first_type = 1}}});
  all.push_back({.name = "J3x",
                 .text = "2 emitters, 2 workers, both emit both types",
                 .workers = 2,
                 .types = two,
                 .receivers = 2,
                 .subscriptions = pair,
                 .emitters = {{.type_count = 2}, {.type_count = 2}}});
  all.push_back({.name = "J4",
                 .text = "route and call on the emitter's thread, 1 subscriber",
                 .subscriptions = {created},
                 .synchronous = true});
  all.push_back({.name = "J4x8",
                 .text = "route and call on the emitter's thread, 8 subscribers",
                 .subscriptions = same(1),
                 .synchronous = true});
  all.push_back({.name = "J5",
                 .text = "request and reply, the median round trip",
                 .types = {BENCH_QUESTION, BENCH_ANSWER},
                 .round_trip = 0.5});
  all.push_back({.name = "J5p99",
                 .text = "request and reply, one round trip in a hundred takes longer",
                 .types = {BENCH_QUESTION, BENCH_ANSWER},
                 .round_trip = 0.99});
  Job many{.name = "J6", .text = "1,000 types, 1,000 exact and 20 wildcard subscriptions"};
  many.types.clear();
  for (uint32_t group = 0; group < kGroups; ++group) {
    const std::string prefix = "shop" + std::to_string(group) + ".";
    many.subscriptions.push_back({.pattern = prefix + "*"});
    for (uint32_t i = 0; i < kTypesPerGroup; ++i) {
      many.types.push_back(prefix + "order" + std::to_string(i) + ".changed");
      many.subscriptions.push_back({.pattern = many.types.back()});
    }
  }
  many.emitters = {{.type_count = kGroups * kTypesPerGroup}};
  all.push_back(many);
  many.name = "J6n";
  many.text = "J6, each event emitted by the name of its type";
  many.emitters[0].mode = BENCH_EMIT_BY_NAME;
  all.push_back(many);
  many.name = "J6p";
  many.text = "J6, the wildcards in a second plugin";
  many.emitters[0].mode = BENCH_EMIT_ONE;
  many.receivers = 2;
  for (SubscriptionPlan& plan : many.subscriptions) plan.receiver = plan.pattern.back() == '*' ? 1 : 0;
  all.push_back(many);
  all.push_back({.name = "J7",
                 .text = "J1 with a typed emit and a typed handler, 5 fields",
                 .subscriptions = {created},
                 .emitter_plugin = "bench_typed_emitter",
                 .receiver_plugin = "bench_typed_receiver"});
  all.push_back({.name = "J8lanes",
                 .text = "J1 with four priorities mixed",
                 .subscriptions = {created},
                 .emitters = {{.mode = BENCH_EMIT_LANES}}});
  all.push_back({.name = "J8condition",
                 .text = "J1 with a condition that holds",
                 .subscriptions = {{.pattern = "order.created", .condition = true}}});
  all.push_back({.name = "J8priority",
                 .text = "J1 with a handler priority",
                 .subscriptions = {{.pattern = "order.created", .priority = 10}}});
  return all;
}

}  // namespace

const std::vector<Job>& jobs() {
  static const std::vector<Job> kJobs = make_jobs();
  return kJobs;
}

const Job* find_job(std::string_view name) {
  for (const Job& job : jobs())
    if (job.name == name) return &job;
  return nullptr;
}

std::vector<uint64_t> Job::deliveries(uint64_t events_each) const {
  std::vector<uint64_t> by_type(types.size(), 0);
  for (const EmitterPlan& plan : emitters) {
    TypeOrder order(plan.first_type, plan.type_count);
    for (uint64_t i = 0; i < events_each; ++i) ++by_type[order.next()];
  }
  std::vector<uint64_t> result(receivers, 0);
  for (const SubscriptionPlan& plan : subscriptions)
    for (size_t i = 0; i < types.size(); ++i)
      if (plan.matches(types[i])) result[plan.receiver] += by_type[i];
  return result;
}

}  // namespace nexus::bench
