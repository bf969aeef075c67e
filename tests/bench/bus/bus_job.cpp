#include "tests/bench/bus/bus_job.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <semaphore>
#include <thread>

#include "tests/bench/bus/rig.hpp"
#include "tests/bench/bus/synchronous.hpp"
#include "tests/bench/plugins/bench_abi.h"

namespace nexus::bench {
namespace {

constexpr uint64_t kChunk = 8192;  // events emitted while receivers are paused, below the queue size

struct Running {
  const Job& job;
  Rig rig;
  std::vector<LoadedPlugin*> emitters = {}, receivers = {};
  std::counting_semaphore<> done{0};
};

void load(Running& run) {
  for (size_t i = 0; i < run.job.receivers; ++i) run.receivers.push_back(&run.rig.load(run.job.receiver_plugin));
  for (const SubscriptionPlan& plan : run.job.subscriptions) {
    LoadedPlugin& plugin = *run.receivers[plan.receiver];
    const auto& receiver = plugin.query<bench_receiver>(BENCH_RECEIVER_ID);
    if (receiver.subscribe(plugin.instance(), {plan.pattern.data(), plan.pattern.size()}, plan.priority,
                           plan.condition ? 1 : 0) != NEXUS_OK)
      die("cannot subscribe to " + plan.pattern);
  }
  std::vector<nexus_string> types;
  for (const std::string& type : run.job.types) types.push_back({type.data(), type.size()});
  for (size_t i = 0; i < run.job.emitters.size(); ++i) {
    run.emitters.push_back(&run.rig.load(run.job.emitter_plugin));
    LoadedPlugin& plugin = *run.emitters.back();
    if (plugin.query<bench_emitter>(BENCH_EMITTER_ID).prepare(plugin.instance(), types.data(), types.size()) !=
        NEXUS_OK)
      die("cannot intern the types of " + run.job.name);
  }
}

bench_plan plan_of(const EmitterPlan& plan, uint64_t events) {
  return {.events = events, .mode = plan.mode, .first_type = plan.first_type, .type_count = plan.type_count};
}

uint32_t expect_all(Running& run, const std::vector<uint64_t>& deliveries) {
  uint32_t waits = 0;
  for (size_t i = 0; i < run.receivers.size(); ++i) {
    LoadedPlugin& plugin = *run.receivers[i];
    plugin.query<bench_receiver>(BENCH_RECEIVER_ID)
        .expect(
            plugin.instance(), deliveries[i],
            [](void* user) { static_cast<std::counting_semaphore<>*>(user)->release(); }, &run.done);
    if (deliveries[i] != 0) ++waits;
  }
  return waits;
}

uint64_t emit(Running& run, size_t emitter, uint64_t events) {
  LoadedPlugin& plugin = *run.emitters[emitter];
  const bench_plan plan = plan_of(run.job.emitters[emitter], events);
  return plugin.query<bench_emitter>(BENCH_EMITTER_ID).run(plugin.instance(), &plan);
}

double time_once(Running& run, uint64_t events_each, const std::vector<uint64_t>& deliveries) {
  const uint32_t waits = expect_all(run, deliveries);
  std::latch ready(static_cast<std::ptrdiff_t>(run.emitters.size() + 1));
  std::vector<std::thread> threads;
  std::atomic<uint64_t> accepted{0};
  for (size_t i = 0; i < run.emitters.size(); ++i)
    threads.emplace_back([&, i] {
      ready.arrive_and_wait();
      accepted += emit(run, i, events_each);
    });
  ready.arrive_and_wait();
  const auto began = std::chrono::steady_clock::now();
  for (std::thread& thread : threads) thread.join();
  const uint64_t wanted = events_each * run.emitters.size();
  if (accepted != wanted)
    die(run.job.name + ": " + std::to_string(wanted - accepted) + " of " + std::to_string(wanted) + " events rejected");
  for (uint32_t i = 0; i < waits; ++i) run.done.acquire();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
  return took.count() / static_cast<double>(wanted);
}

// Emitting and delivering apart from each other: chunks are emitted while the receivers are paused, and drained
// afterwards. Whole chunks only, so that two run lengths differ by nothing but chunks.
SplitTimes run_in_chunks(Running& run, uint64_t events) {
  const uint64_t each = kChunk / run.emitters.size();
  const std::vector<uint64_t> deliveries = run.job.deliveries(each);
  const uint64_t chunks = std::max<uint64_t>(events / kChunk, 1);
  SplitTimes times;
  for (uint64_t chunk = 0; chunk < chunks; ++chunk) {
    for (LoadedPlugin* receiver : run.receivers) receiver->pause();
    const uint32_t waits = expect_all(run, deliveries);
    const auto began = std::chrono::steady_clock::now();
    for (size_t i = 0; i < run.emitters.size(); ++i)
      if (emit(run, i, each) != each) die(run.job.name + ": events rejected");
    const auto emitted = std::chrono::steady_clock::now();
    for (LoadedPlugin* receiver : run.receivers) receiver->resume();
    for (uint32_t i = 0; i < waits; ++i) run.done.acquire();
    const std::chrono::duration<double, std::nano> emitting = emitted - began;
    const std::chrono::duration<double, std::nano> draining = std::chrono::steady_clock::now() - emitted;
    times.emit.push_back(emitting.count() / static_cast<double>(kChunk));
    times.deliver.push_back(draining.count() / static_cast<double>(kChunk));
  }
  return times;
}

}  // namespace

std::vector<double> run_on_bus(const Job& job, const RunOptions& options, const std::filesystem::path& plugin_folder) {
  Running run{.job = job, .rig = Rig({.workers = job.workers, .ticks = !options.count}, plugin_folder)};
  load(run);
  std::vector<double> results;
  if (job.synchronous) {
    run_synchronously(run.rig, job, std::max<uint64_t>(options.events / 5, 1));
    for (uint32_t i = 0; i < options.runs; ++i) results.push_back(run_synchronously(run.rig, job, options.events));
    return results;
  }
  if (options.count) {
    run_in_chunks(run, options.events);
    return results;
  }
  const uint64_t each = std::max<uint64_t>(options.events / job.emitters.size(), 1);
  const uint64_t warm = std::max<uint64_t>(each / 5, 1);
  time_once(run, warm, job.deliveries(warm));
  const std::vector<uint64_t> deliveries = job.deliveries(each);
  for (uint32_t i = 0; i < options.runs; ++i) results.push_back(time_once(run, each, deliveries));
  return results;
}

SplitTimes split_on_bus(const Job& job, const RunOptions& options, const std::filesystem::path& plugin_folder) {
  Running run{.job = job, .rig = Rig({.workers = job.workers, .ticks = false}, plugin_folder)};
  load(run);
  return run_in_chunks(run, options.events);
}

}  // namespace nexus::bench
