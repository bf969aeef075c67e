// The bus that most applications write for themselves: one queue, a mutex, a condition variable. Once as a deque, once
// as a heap that takes the highest priority first and keeps the order within one.
#include <condition_variable>
#include <deque>
#include <queue>
#include <thread>

#include "tests/bench/peers/peer.hpp"

namespace nexus::bench {
namespace {

class Deque {
 public:
  void push(EventPtr event) { events_.push_back(std::move(event)); }
  EventPtr pop() {
    EventPtr event = std::move(events_.front());
    events_.pop_front();
    return event;
  }
  bool empty() const { return events_.empty(); }
  size_t size() const { return events_.size(); }

 private:
  std::deque<EventPtr> events_;
};

class Heap {
 public:
  void push(EventPtr event) {
    const int32_t priority = event->priority;
    events_.push({priority, next_++, std::move(event)});
  }
  EventPtr pop() {
    // top() is const; what is popped at once may be moved from.
    EventPtr event = std::move(const_cast<Item&>(events_.top()).event);
    events_.pop();
    return event;
  }
  bool empty() const { return events_.empty(); }
  size_t size() const { return events_.size(); }

 private:
  struct Item {
    int32_t priority;
    uint64_t sequence;
    EventPtr event;
    bool operator<(const Item& other) const {
      return priority != other.priority ? priority < other.priority : sequence > other.sequence;
    }
  };
  std::priority_queue<Item> events_;
  uint64_t next_ = 0;
};

template <class Queue>
class MutexQueue final : public Peer {
 public:
  void start(const PeerTable& table, const PeerOptions& options) override {
    table_ = &table;
    options_ = options;
    caller_.start(options);
    for (uint32_t i = 0; i < options.workers; ++i) workers_.emplace_back([this] { work(); });
  }

  void publish(uint32_t, const PeerInput& input) override {
    EventPtr event = make_event(input);
    {
      std::unique_lock lock(mutex_);
      has_room_.wait(lock, [this] { return queue_.size() < options_.queue_size; });
      queue_.push(std::move(event));
    }
    has_work_.notify_one();
  }

  void stop() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    has_work_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

 private:
  void work() {
    for (;;) {
      EventPtr event;
      bool was_full = false;
      {
        std::unique_lock lock(mutex_);
        has_work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        was_full = queue_.size() >= options_.queue_size;
        event = queue_.pop();
      }
      if (was_full) has_room_.notify_all();
      if (const auto* targets = table_->find(event->type)) caller_.call(*targets, *event);
    }
  }

  const PeerTable* table_ = nullptr;
  PeerOptions options_;
  SerialCaller caller_;
  std::mutex mutex_;
  std::condition_variable has_work_, has_room_;
  Queue queue_;            // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::vector<std::thread> workers_;
};

}  // namespace

std::unique_ptr<Peer> make_mutex_deque() { return std::make_unique<MutexQueue<Deque>>(); }
std::unique_ptr<Peer> make_mutex_heap() { return std::make_unique<MutexQueue<Heap>>(); }

}  // namespace nexus::bench
