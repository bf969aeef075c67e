// Boost.Asio as an event bus: post to an io_context; with several workers a strand a plugin keeps its handlers serial.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <thread>

#include "tests/bench/peers/peer.hpp"

namespace nexus::bench {
namespace {

namespace asio = boost::asio;

class AsioPeer final : public Peer {
 public:
  void start(const PeerTable& table, const PeerOptions& options) override {
    table_ = &table;
    options_ = options;
    context_ = std::make_unique<asio::io_context>(static_cast<int>(options.workers));
    guard_ = std::make_unique<Guard>(asio::make_work_guard(*context_));
    for (uint32_t i = 0; i < options.receivers; ++i) strands_.push_back(asio::make_strand(*context_));
    for (uint32_t i = 0; i < options.workers; ++i) workers_.emplace_back([this] { context_->run(); });
  }

  void publish(uint32_t, const PeerInput& input) override {
    EventPtr event = make_event(input);
    if (options_.workers == 1) {
      asio::post(*context_, [this, event = std::move(event)] {
        if (const auto* targets = table_->find(event->type))
          for (const PeerTable::Target& target : *targets) target.handler(*event);
      });
      return;
    }
    const auto* targets = table_->find(event->type);
    if (targets == nullptr) return;
    for (const PeerTable::Target& target : *targets)
      asio::post(strands_[target.receiver], [&target, event] { target.handler(*event); });
  }

  void stop() override {
    guard_.reset();
    for (std::thread& worker : workers_) worker.join();
  }

 private:
  using Guard = asio::executor_work_guard<asio::io_context::executor_type>;
  const PeerTable* table_ = nullptr;
  PeerOptions options_;
  std::unique_ptr<asio::io_context> context_;
  std::unique_ptr<Guard> guard_;
  std::vector<asio::strand<asio::io_context::executor_type>> strands_;
  std::vector<std::thread> workers_;
};

}  // namespace

std::unique_ptr<Peer> make_asio() { return std::make_unique<AsioPeer>(); }

}  // namespace nexus::bench
