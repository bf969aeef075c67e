// nexus_bench_peers: the same jobs by other means. `--peer asio --job J1 --events N --runs K`; see --help.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <semaphore>
#include <thread>

#include "tests/bench/bell.hpp"
#include "tests/bench/command_line.hpp"
#include "tests/bench/job.hpp"
#include "tests/bench/peers/peer.hpp"
#include "tests/bench/plugins/bench_abi.h"
#include "tests/bench/type_order.hpp"

namespace nexus::bench {
namespace {

constexpr uint32_t kReportEvery = 32;
constexpr double kInFlightMax = 10000;
constexpr int32_t kLevels[4] = {0, 10, 20, 30};

// One plugin's handlers: the same work as the receiver plugin does.
struct alignas(64) Receiver {
  uint64_t count = 0;
  uint64_t expected = 0;
  uint64_t sum = 0;
  std::counting_semaphore<>* done = nullptr;
  std::atomic<uint64_t> reported{0};  // count, now and then, for the emitters' window

  void handle(const PeerEvent& event) {
    sum += event.data[1] + (static_cast<uint64_t>(event.time_unix_ns) & 1u);
    ++count;
    if (count % kReportEvery == 0) reported.store(count, std::memory_order_release);
    if (count == expected) done->release();
  }
};

// Most peers have no bound of their own; emitters that are too far ahead of the receivers, taken together, wait.
class Window {
 public:
  Window(std::vector<Receiver>& receivers, const std::vector<uint64_t>& deliveries, uint64_t events)
      : receivers_(receivers) {
    uint64_t total = 0;
    for (const uint64_t each : deliveries) total += each;
    per_event_ = static_cast<double>(total) / static_cast<double>(events);
    ahead_max_ = kInFlightMax * per_event_ + static_cast<double>(kReportEvery * receivers.size());
  }
  void enter() {
    const auto emitted = static_cast<double>(emitted_.fetch_add(kReportEvery, std::memory_order_relaxed));
    while (emitted * per_event_ > handled() + ahead_max_) std::this_thread::yield();
  }

 private:
  double handled() const {
    uint64_t sum = 0;
    for (const Receiver& receiver : receivers_) sum += receiver.reported.load(std::memory_order_acquire);
    return static_cast<double>(sum);
  }
  std::vector<Receiver>& receivers_;
  double per_event_ = 1;
  double ahead_max_ = 0;
  alignas(64) std::atomic<uint64_t> emitted_{0};
};

struct Running {
  const Job& job;
  Peer& peer;
  std::vector<Receiver>& receivers;
  std::counting_semaphore<> done{0};
};

void emit(Running& run, uint32_t emitter, uint64_t events, Window& window) {
  std::array<uint8_t, BENCH_PAYLOAD_SIZE> data{};
  data.fill(7);
  const EmitterPlan& plan = run.job.emitters[emitter];
  TypeOrder order(plan.first_type, plan.type_count);
  for (uint64_t i = 0; i < events; ++i) {
    if (i % kReportEvery == 0) window.enter();
    const int32_t priority = plan.mode == BENCH_EMIT_LANES ? kLevels[i & 3] : 0;
    run.peer.publish(emitter, {run.job.types[order.next()], priority, data});
  }
}

double time_once(Running& run, uint64_t events_each) {
  const std::vector<uint64_t> deliveries = run.job.deliveries(events_each);
  uint32_t waits = 0;
  for (size_t i = 0; i < run.receivers.size(); ++i) {
    run.receivers[i].count = 0;
    run.receivers[i].reported = 0;
    run.receivers[i].expected = deliveries[i];
    run.receivers[i].done = &run.done;
    if (deliveries[i] != 0) ++waits;
  }
  const uint64_t events = events_each * run.job.emitters.size();
  Window window(run.receivers, deliveries, events);
  std::latch ready(static_cast<std::ptrdiff_t>(run.job.emitters.size() + 1));
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < run.job.emitters.size(); ++i)
    threads.emplace_back([&, i] {
      ready.arrive_and_wait();
      emit(run, i, events_each, window);
    });
  ready.arrive_and_wait();
  const auto began = std::chrono::steady_clock::now();
  for (std::thread& thread : threads) thread.join();
  for (uint32_t i = 0; i < waits; ++i) run.done.acquire();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
  return took.count() / static_cast<double>(events);
}

std::vector<double> run_peer(const PeerKind& kind, const Job& job, const RunOptions& options) {
  std::vector<Receiver> receivers(job.receivers);
  PeerTable table;
  for (const SubscriptionPlan& plan : job.subscriptions) {
    Receiver* receiver = &receivers[plan.receiver];
    if (plan.condition)
      table.add(plan.receiver, plan.pattern, [receiver](const PeerEvent& event) {
        if (event.data.size() == BENCH_PAYLOAD_SIZE) receiver->handle(event);
      });
    else
      table.add(plan.receiver, plan.pattern, [receiver](const PeerEvent& event) { receiver->handle(event); });
  }
  table.resolve(job.types);
  const std::unique_ptr<Peer> peer = kind.make();
  peer->start(table, {.workers = job.workers,
                      .emitters = static_cast<uint32_t>(job.emitters.size()),
                      .receivers = job.receivers,
                      .sleep_when_idle = options.count});
  Running run{.job = job, .peer = *peer, .receivers = receivers};
  const uint64_t each = std::max<uint64_t>(options.events / job.emitters.size(), 1);
  std::vector<double> results;
  if (options.count) {
    time_once(run, each);
  } else {
    time_once(run, std::max<uint64_t>(each / 5, 1));
    for (uint32_t i = 0; i < options.runs; ++i) results.push_back(time_once(run, each));
  }
  peer->stop();
  return results;
}

// J5: the question's handler publishes the answer, whose handler rings. Matching answers to questions, which the bus
// does, is spared them: one question is open at a time.
std::vector<double> time_round_trips(const PeerKind& kind, const Job& job, const RunOptions& options) {
  std::array<uint8_t, BENCH_PAYLOAD_SIZE> data{};
  const std::unique_ptr<Peer> peer = kind.make();
  Bell bell;
  PeerTable table;
  table.add(0, job.types[0], [&](const PeerEvent&) { peer->publish(1, {job.types[1], 0, data}); });
  table.add(1, job.types[1], [&](const PeerEvent&) { bell.ring(); });
  table.resolve(job.types);
  peer->start(table, {.workers = job.workers, .emitters = 2, .receivers = 2});
  std::vector<double> took(options.events), results;
  uint64_t asked = 0;
  for (uint32_t i = 0; i <= options.runs; ++i) {
    for (double& each : took) {
      const auto began = std::chrono::steady_clock::now();
      peer->publish(0, {job.types[0], 0, data});
      bell.wait_for(++asked);
      each = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - began).count();
    }
    if (i != 0) results.push_back(quantile(took, job.round_trip));  // the first warms up
  }
  peer->stop();
  return results;
}

std::vector<double> run_synchronous_peer(const SynchronousKind& kind, const Job& job, const RunOptions& options) {
  const std::unique_ptr<SynchronousPeer> peer = kind.make();
  std::counting_semaphore<> done{0};
  Receiver receiver;
  receiver.done = &done;
  for (const SubscriptionPlan& plan : job.subscriptions)
    peer->subscribe(plan.pattern, [&receiver](const PeerEvent& event) { receiver.handle(event); });
  std::array<uint8_t, BENCH_PAYLOAD_SIZE> data{};
  const EventPtr event = make_event({job.types[0], 0, data});
  std::vector<double> results;
  for (uint32_t i = 0; i <= options.runs; ++i) {
    const double began = thread_cpu_ns();
    for (uint64_t n = 0; n < options.events; ++n) peer->call(*event);
    const double took = thread_cpu_ns() - began;
    if (i != 0) results.push_back(took / static_cast<double>(options.events));  // the first warms up
  }
  return results;
}

template <class Kind>
bool is_wanted(const RunOptions& options, const Kind& kind) {
  return std::find(options.peers.begin(), options.peers.end(), kind.name) != options.peers.end();
}

}  // namespace
}  // namespace nexus::bench

int main(int argc, char** argv) {
  using namespace nexus::bench;
  std::vector<std::string> names;
  for (const PeerKind& kind : peer_kinds()) names.emplace_back(kind.name);
  for (const SynchronousKind& kind : synchronous_kinds()) names.emplace_back(kind.name);
  const RunOptions options = parse_command_line(argc, argv, names);
  for (const Job* job : options.jobs) {
    for (const PeerKind& kind : peer_kinds())
      if (job->round_trip > 0 && !options.count && is_wanted(options, kind))
        print_results(options, job->name + " " + kind.name, kind.text, time_round_trips(kind, *job, options));
    if (job->round_trip > 0) continue;
    for (const PeerKind& kind : peer_kinds())
      if (!job->synchronous && is_wanted(options, kind))
        print_results(options, job->name + " " + kind.name, kind.text, run_peer(kind, *job, options));
    for (const SynchronousKind& kind : synchronous_kinds())
      if (job->synchronous && is_wanted(options, kind))
        print_results(options, job->name + " " + kind.name, kind.text, run_synchronous_peer(kind, *job, options));
  }
}
