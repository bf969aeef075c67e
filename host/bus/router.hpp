// The event types that are known, the subscriptions, and the routes that follow from both. A type's route is an
// immutable snapshot which emits read under a RouteReader; every change makes a new one for the types it touches, so
// that the cost of an emit does not grow with the number of other types, patterns or plugins. Changes are serialised by
// a mutex and may come from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "host/base/error.hpp"
#include "host/bus/route.hpp"
#include "host/bus/subscription.hpp"

namespace nexus::host {

class Participant;

// Settings for the types that a pattern matches.
struct TypeRule {
  Pattern match;
  int64_t expires_ns = 0;  // after its emit an event is no longer delivered; 0: it is
};

struct TypeEntry {
  std::string name;
  uint32_t index = 0;
  bool reserved = false;                     // system.* and plugin.*
  bool reports_failure = false;              // plugin.error and the like: a failure while handling it is no news
  int64_t expires_ns = 0;                    // as a rule says; 0: never
  std::atomic<const Route*> route{nullptr};  // null when nobody listens
  // The same, but null where a rule has to be applied: what an emit that looks at nothing else may use.
  std::atomic<const Route*> plain_route{nullptr};
  std::vector<std::shared_ptr<Subscription>> matching;  // guarded by the router's mutex; live ones of active plugins
  std::atomic<uint64_t> handled_before{0};              // by targets that are gone
  std::atomic<uint64_t> accepted_before{0}, rejected_before{0};  // of emitters that are gone
};

// For `nexus plugins info`, `nexus stat` and the graph.
struct SubscriptionStatus {
  nexus_handle id = 0;
  std::string plugin, name, pattern, explanation, filter_text;
  int32_t priority = 0;
  SubscriptionTotals totals;
};

class Router {
 public:
  static constexpr uint32_t kTypesMax = 65536;

  Router();
  ~Router();

  // Before the first type is interned.
  void set_rules(std::vector<TypeRule> rules) { rules_ = std::move(rules); }

  // The entry of a type name, made at first use; entries live as long as the router. NEXUS_E_TYPE_NAME,
  // NEXUS_E_TOO_LARGE.
  Result<TypeEntry*> intern(std::string_view name);

  // Adds a subscription and gives it its id. It takes part in routes once its participant is active.
  void add(const std::shared_ptr<Subscription>& subscription);
  // Ends one; NEXUS_E_HANDLE when it is not this participant's.
  Result<void> remove(nexus_handle id, const Participant& participant);

  void activate(const Participant& participant);
  // Takes the participant out of every route; what waits for its handlers is still delivered.
  void detach_all(const Participant& participant);
  // Ends its subscriptions; what waits for them is discarded.
  void remove_all(const Participant& participant);
  // In one step, as emitters see it: the old one's subscriptions end and the new one's begin.
  void replace(const Participant& old_one, const Participant& new_one);

  // The target for one more attempt of a handler that has failed, and for a delivery that its backlog releases; with
  // these bits of Entry::minds beside its own. Any thread.
  std::shared_ptr<Target> make_retry(const Target& failed, const Entry& entry, std::shared_ptr<const DeliveryPast> past,
                                     uint32_t minds = 0);
  std::shared_ptr<Target> make_released(const HeldBack& held, uint32_t minds);
  // Has the handlers of a subscription ask their backlog, or no longer.
  void mark_backlog(const Subscription& subscription, bool on);
  // The subscription of the participant that stands for one of another after a hot swap, or null.
  std::shared_ptr<Subscription> heir_of(const Subscription& old_one, const Participant& participant) const;
  // Subscriptions that hold something back, of one participant.
  std::vector<std::shared_ptr<Subscription>> with_backlog(const Participant& participant) const;

  // The target in `mailbox`'s participant that stands for `old_target` after a hot swap: the handlers of the same names
  // or, for those without one, of the same pattern. Null when there is none. Only after replace().
  Target* successor_of(const Target& old_target, const Participant& participant);
  // The target for a first attempt of the live handler of that plugin and name or, where the name is empty, pattern; it
  // keeps the plugin's instance. Null when there is none, or none that takes the type. Any thread.
  std::shared_ptr<Target> make_redrive(std::string_view plugin, std::string_view name, std::string_view pattern,
                                       const TypeEntry& type, std::shared_ptr<const DeliveryPast> past, uint32_t minds);
  // The handler that make_redrive would find, or null.
  std::shared_ptr<Subscription> find_handler(std::string_view plugin, std::string_view name, std::string_view pattern,
                                             const TypeEntry& type) const;

  // Frees what no thread can see any more; the number of things still held back.
  size_t reclaim();
  // Whether anything still refers to a mailbox of the participant.
  bool is_referenced(const Participant& participant);

  uint64_t active_subscriptions() const { return active_subscriptions_.load(std::memory_order_relaxed); }
  uint32_t type_count() const { return type_count_.load(std::memory_order_acquire); }
  TypeEntry& type(uint32_t index) const { return *types_[index]; }
  std::vector<SubscriptionStatus> subscriptions(const Participant* only = nullptr) const;
  SubscriptionTotals totals() const;
  // Deliveries handled so far, by type.
  uint64_t handled(const TypeEntry& type) const;
  std::shared_ptr<Subscription> find(nexus_handle id) const;

 private:
  struct Retired {
    const Route* route;
    uint64_t epoch;
  };
  bool is_active(const Subscription& subscription) const;
  std::shared_ptr<Subscription> find_live(std::string_view plugin, std::string_view name, std::string_view pattern,
                                          const TypeEntry& type) const;
  void attach(const std::shared_ptr<Subscription>& subscription, std::vector<TypeEntry*>* touched);
  void detach(const std::shared_ptr<Subscription>& subscription, std::vector<TypeEntry*>* touched);
  template <class Change>
  void each_entry_of(const Subscription& subscription, const std::vector<TypeEntry*>& types, Change change);
  std::shared_ptr<Target> keep_unrouted(std::shared_ptr<Target> target);
  std::shared_ptr<Target> keep_unrouted_locked(std::shared_ptr<Target> target);
  std::shared_ptr<Subscription> heir_locked(const Subscription& old_one, const Participant& participant) const;
  void deactivate(Subscription& subscription, const std::vector<TypeEntry*>& types);
  void rebuild(TypeEntry& type);
  void rebuild_all(std::vector<TypeEntry*>& touched);
  TypeEntry* intern_locked(std::string_view name);
  void fold(Target& target);
  template <class Visit>
  void each_target(Visit visit) const;

  std::vector<TypeRule> rules_;  // constant once types are interned
  mutable std::mutex mutex_;     // guards all below but what is atomic
  std::unordered_map<std::string_view, TypeEntry*> by_name_;
  std::vector<std::unique_ptr<TypeEntry>> owned_types_;
  std::unique_ptr<TypeEntry*[]> types_;  // by index; an entry is written before type_count_ counts it
  std::atomic<uint32_t> type_count_{0};
  std::unordered_map<nexus_handle, std::shared_ptr<Subscription>> subscriptions_;
  std::vector<const Participant*> active_;
  std::vector<Retired> retired_routes_;
  std::vector<std::shared_ptr<Target>> retired_targets_;
  std::vector<std::pair<const Target*, std::shared_ptr<Target>>> successors_;
  nexus_handle next_id_ = 1;
  uint64_t next_order_ = 1;
  std::atomic<uint64_t> active_subscriptions_{0};
  SubscriptionTotals totals_before_;  // of subscriptions that are gone
};

}  // namespace nexus::host
