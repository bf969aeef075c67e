// Two peers of J4, which call their handlers right away: Boost.Signals2, and a map from the type to the handlers.
#include <boost/signals2/signal.hpp>

#include "tests/bench/peers/peer.hpp"

namespace nexus::bench {
namespace {

class Signals2 final : public SynchronousPeer {
 public:
  void subscribe(const std::string& type, PeerHandler handler) override { signals_[type].connect(std::move(handler)); }
  void call(const PeerEvent& event) override {
    const auto found = signals_.find(event.type);
    if (found != signals_.end()) found->second(event);
  }

 private:
  std::unordered_map<std::string, boost::signals2::signal<void(const PeerEvent&)>> signals_;
};

class HandlerMap final : public SynchronousPeer {
 public:
  void subscribe(const std::string& type, PeerHandler handler) override {
    handlers_[type].push_back(std::move(handler));
  }
  void call(const PeerEvent& event) override {
    const auto found = handlers_.find(event.type);
    if (found == handlers_.end()) return;
    for (const PeerHandler& handler : found->second) handler(event);
  }

 private:
  std::unordered_map<std::string, std::vector<PeerHandler>> handlers_;
};

}  // namespace

const std::vector<SynchronousKind>& synchronous_kinds() {
  static const std::vector<SynchronousKind> kKinds = {
      {"signals2", "Boost.Signals2, a signal a type", [] { return std::unique_ptr<SynchronousPeer>(new Signals2); }},
      {"map", "a map from type to handlers, no locks", [] { return std::unique_ptr<SynchronousPeer>(new HandlerMap); }},
  };
  return kKinds;
}

}  // namespace nexus::bench
