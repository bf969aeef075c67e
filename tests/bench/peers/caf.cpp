// The C++ Actor Framework (0.17): an actor a plugin, to which events are sent by shared pointer.
#include <caf/all.hpp>
#include <caf/config.hpp>

#include "tests/bench/peers/peer.hpp"

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(nexus::bench::EventPtr)

namespace nexus::bench {
namespace {

class CafPeer final : public Peer {
 public:
  void start(const PeerTable& table, const PeerOptions& options) override {
    table_ = &table;
    config_.set("scheduler.max-threads", options.workers);
    system_ = std::make_unique<caf::actor_system>(config_);
    for (uint32_t i = 0; i < options.receivers; ++i)
      receivers_.push_back(system_->spawn([this, i]() -> caf::behavior {
        return {[this, i](const EventPtr& event) {
          if (const auto* targets = table_->find(event->type))
            for (const PeerTable::Target& target : *targets)
              if (target.receiver == i) target.handler(*event);
        }};
      }));
  }

  void publish(uint32_t, const PeerInput& input) override {
    const EventPtr event = make_event(input);
    if (receivers_.size() == 1) {
      caf::anon_send(receivers_[0], event);
      return;
    }
    const auto* targets = table_->find(event->type);
    if (targets == nullptr) return;
    uint64_t told = 0;
    for (const PeerTable::Target& target : *targets) {
      if ((told & (uint64_t{1} << target.receiver)) != 0) continue;
      told |= uint64_t{1} << target.receiver;
      caf::anon_send(receivers_[target.receiver], event);
    }
  }

  void stop() override {
    for (caf::actor& receiver : receivers_) caf::anon_send_exit(receiver, caf::exit_reason::user_shutdown);
    receivers_.clear();
    system_.reset();
  }

 private:
  const PeerTable* table_ = nullptr;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::vector<caf::actor> receivers_;
};

}  // namespace

std::unique_ptr<Peer> make_caf() { return std::make_unique<CafPeer>(); }

}  // namespace nexus::bench
