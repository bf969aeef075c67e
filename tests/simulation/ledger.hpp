// What the simulation has seen: the oracle that the bus's own sums are held against. Plain values, one thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace nexus::host::simulation {

// One event and one subscription.
struct Fate {
  uint32_t attempts = 0;
  uint32_t allowed = 0;  // attempts that the policy, and what happened to the plugin, allow
  bool ended = false;    // handled, filtered, or failed for good
};

class Ledger {
 public:
  // ---- Sums that the bus must agree with.
  uint64_t accepted = 0, rejected = 0, withdrawn = 0;
  uint64_t deliveries = 0;  // promised by accepted emits that left
  uint64_t handled = 0, filtered = 0;
  bool may_discard = false;  // something happened that ends deliveries unhandled

  // A handler is called. `allowed` is how often it may be, for this event. The key is empty for an event whose order is
  // not watched.
  void begins(uint64_t subscription, uint64_t event, const std::string& key, uint32_t allowed) {
    Fate& fate = fates_[{subscription, event}];
    if (fate.ended) wrong("event " + std::to_string(event) + " came again to " + std::to_string(subscription));
    fate.allowed = std::max(fate.allowed, allowed);
    if (++fate.attempts > fate.allowed + extra_[{subscription, event}])
      wrong("event " + std::to_string(event) + " had too many attempts at " + std::to_string(subscription));
    if (key.empty()) return;
    Order& order = orders_[{subscription, key}];
    if (event < order.last) wrong("event " + std::to_string(event) + " came after a later one of its key");
    if (event > order.last && order.last != 0 && !fates_[{subscription, order.last}].ended)
      wrong("event " + std::to_string(event) + " came before an earlier one of its key had ended");
    order.last = event;
  }
  void ends(uint64_t subscription, uint64_t event) { fates_[{subscription, event}].ended = true; }
  // One more attempt is in order: its plugin was swapped while it was put off.
  void allow_one_more(uint64_t subscription, uint64_t event) { ++extra_[{subscription, event}]; }
  // Nobody will hear of what this subscription has not ended.
  void forget(uint64_t subscription) {
    for (auto& [key, order] : orders_)
      if (key.first == subscription) order.last = 0;
  }

  void wrong(std::string what) { wrongs_.push_back(std::move(what)); }
  bool has_wrong() const { return !wrongs_.empty(); }
  std::string text() const {
    std::string all;
    for (const std::string& line : wrongs_) all += (all.empty() ? "" : "; ") + line;
    return all;
  }

 private:
  struct Order {
    uint64_t last = 0;  // begun
  };
  std::map<std::pair<uint64_t, uint64_t>, Fate> fates_;
  std::map<std::pair<uint64_t, uint64_t>, uint32_t> extra_;
  std::map<std::pair<uint64_t, std::string>, Order> orders_;
  std::vector<std::string> wrongs_;
};

}  // namespace nexus::host::simulation
