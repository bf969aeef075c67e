// oneTBB's bounded queue, which blocks its reader when it is empty and its writer when it is full.
#include <tbb/concurrent_queue.h>

#include "tests/bench/peers/queue_peer.hpp"

namespace nexus::bench {
namespace {

class Tbb {
 public:
  void start(uint32_t, const PeerOptions& options) { queue_.set_capacity(options.queue_size); }
  void push(uint32_t, QueueItem item) { queue_.push(std::move(item)); }
  template <class Handle>
  void drain(Handle handle) {
    for (;;) {
      QueueItem item;
      queue_.pop(item);
      if (item.event == nullptr) return;
      handle(item);
    }
  }
  void stop() { queue_.push({}); }

 private:
  tbb::concurrent_bounded_queue<QueueItem> queue_;
};

}  // namespace

std::unique_ptr<Peer> make_tbb() { return std::make_unique<QueuePeer<Tbb>>(); }

}  // namespace nexus::bench
