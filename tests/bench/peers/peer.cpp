#include "tests/bench/peers/peer.hpp"

#include <chrono>
#include <cstring>

#include "host/base/uuid.hpp"

namespace nexus::bench {

void build_event(const PeerInput& input, PeerEvent& event) {
  static thread_local host::UuidGenerator ids;
  static constexpr std::string_view kCorrelation = "0190f2d8-7e10-7c3a-9a51-3f3f6d1c2b4e";
  event.time_unix_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto id = ids.next(event.time_unix_ns);
  std::memcpy(event.id.data(), id.bytes, event.id.size());
  event.type = input.type;
  event.source = "com.example.bench.emitter";
  std::memcpy(event.correlation_id.data(), kCorrelation.data(), kCorrelation.size());
  event.priority = input.priority;
  event.data = input.data;
}

void PeerTable::add(uint32_t receiver, std::string pattern, PeerHandler handler) {
  subscriptions_.push_back({std::move(pattern), {receiver, std::move(handler)}});
}

void PeerTable::resolve(const std::vector<std::string>& types) {
  const auto matches = [](const std::string& pattern, const std::string& type) {
    if (!pattern.ends_with(".*")) return pattern == type;
    return type.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
  };
  for (const std::string& type : types)
    for (const Subscription& subscription : subscriptions_)
      if (matches(subscription.pattern, type)) routes_[type].push_back(subscription.target);
}

const std::vector<PeerKind>& peer_kinds() {
  static const std::vector<PeerKind> kKinds = {
      {"mutex_deque", "one deque behind a mutex and a condition variable", make_mutex_deque},
      {"mutex_heap", "the same with a heap by priority", make_mutex_heap},
      {"asio", "boost::asio::post", make_asio},
#ifdef NEXUS_BENCH_HAS_MOODYCAMEL
      {"moodycamel", "moodycamel::ConcurrentQueue, bulk dequeue, polled", make_moodycamel},
#endif
#ifdef NEXUS_BENCH_HAS_TBB
      {"tbb", "tbb::concurrent_bounded_queue", make_tbb},
#endif
#ifdef NEXUS_BENCH_HAS_CAF
      {"caf", "the C++ Actor Framework, an actor a plugin", make_caf},
#endif
#ifdef NEXUS_BENCH_HAS_ZEROMQ
      {"zeromq", "ZeroMQ, PUB and SUB sockets over inproc", make_zeromq},
#endif
  };
  return kKinds;
}

}  // namespace nexus::bench
