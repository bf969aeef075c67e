// moodycamel::ConcurrentQueue with a token a producer, drained in bulk and polled: it has no way to sleep.
#include <concurrentqueue/concurrentqueue.h>

#include <atomic>
#include <chrono>

#include "tests/bench/peers/queue_peer.hpp"

namespace nexus::bench {
namespace {

class Moodycamel {
 public:
  void start(uint32_t emitters, const PeerOptions& options) {
    sleep_when_idle_ = options.sleep_when_idle;
    for (uint32_t i = 0; i < emitters; ++i) tokens_.emplace_back(queue_);
  }
  void push(uint32_t emitter, QueueItem item) { queue_.enqueue(tokens_[emitter], std::move(item)); }
  template <class Handle>
  void drain(Handle handle) {
    std::array<QueueItem, 64> items;
    moodycamel::ConsumerToken token(queue_);
    int idle = 0;
    while (!stopping_.load(std::memory_order_relaxed)) {
      const size_t count = queue_.try_dequeue_bulk(token, items.data(), items.size());
      for (size_t i = 0; i < count; ++i) {
        handle(items[i]);
        items[i].event.reset();
      }
      if (count != 0) {
        idle = 0;
      } else if (sleep_when_idle_) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      } else if (++idle > 256) {
        std::this_thread::yield();
      }
    }
  }
  void stop() { stopping_ = true; }

 private:
  moodycamel::ConcurrentQueue<QueueItem> queue_;
  std::vector<moodycamel::ProducerToken> tokens_;
  std::atomic<bool> stopping_{false};
  bool sleep_when_idle_ = false;
};

}  // namespace

std::unique_ptr<Peer> make_moodycamel() { return std::make_unique<QueuePeer<Moodycamel>>(); }

}  // namespace nexus::bench
