// A peer made of a queue that many threads may use: a queue a worker, which drains it and looks the handlers up;
// plugins are spread over the workers. What the queue is comes as a template argument.
#pragma once

#include <thread>

#include "tests/bench/peers/peer.hpp"

namespace nexus::bench {

// An event on its way to those of its handlers whose receivers belong to one worker.
struct QueueItem {
  EventPtr event;
  const std::vector<PeerTable::Target>* targets;  // null: the worker looks them up
};

template <class Queue>
class QueuePeer final : public Peer {
 public:
  void start(const PeerTable& table, const PeerOptions& options) override {
    table_ = &table;
    workers_count_ = options.workers;
    for (uint32_t i = 0; i < options.workers; ++i) {
      queues_.push_back(std::make_unique<Queue>());
      queues_.back()->start(options.emitters, options);
    }
    for (uint32_t i = 0; i < options.workers; ++i) workers_.emplace_back([this, i] { work(i); });
  }

  void publish(uint32_t emitter, const PeerInput& input) override {
    EventPtr event = make_event(input);
    if (workers_count_ == 1) {
      queues_[0]->push(emitter, {std::move(event), nullptr});
      return;
    }
    const auto* targets = table_->find(event->type);
    if (targets == nullptr) return;
    uint64_t told = 0;
    for (const PeerTable::Target& target : *targets) {
      const uint32_t worker = target.receiver % workers_count_;
      if ((told & (uint64_t{1} << worker)) != 0) continue;
      told |= uint64_t{1} << worker;
      queues_[worker]->push(emitter, {event, targets});
    }
  }

  void stop() override {
    for (auto& queue : queues_) queue->stop();
    for (std::thread& worker : workers_) worker.join();
  }

 private:
  void work(uint32_t worker) {
    queues_[worker]->drain([&](const QueueItem& item) {
      const auto* targets = item.targets != nullptr ? item.targets : table_->find(item.event->type);
      if (targets == nullptr) return;
      for (const PeerTable::Target& target : *targets)
        if (target.receiver % workers_count_ == worker) target.handler(*item.event);
    });
  }

  const PeerTable* table_ = nullptr;
  uint32_t workers_count_ = 1;
  std::vector<std::unique_ptr<Queue>> queues_;
  std::vector<std::thread> workers_;
};

}  // namespace nexus::bench
