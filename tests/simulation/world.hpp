// The world of a simulation: a bus without workers, plugins and their subscriptions, and what can happen to them. What
// plugins do is the simulation's. One thread.
#pragma once

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/bus/bus.hpp"
#include "tests/simulation/ledger.hpp"

namespace nexus::host::simulation {

inline constexpr const char* kTypes[] = {"a.one", "a.two", "b.one", "b.two"};
inline constexpr const char* kPatterns[] = {"a.one", "a.two", "b.one", "b.two", "a.*", "*.one"};

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t end) { return next() % end; }
  bool chance(uint64_t percent) { return below(100) < percent; }

 private:
  uint64_t state_;
};

class World;

// One subscription over all instances of its plugin.
struct Interest {
  World* world = nullptr;
  uint64_t number = 0;
  size_t plugin = 0;
  Pattern pattern;
  uint32_t concurrency = NEXUS_CONCURRENCY_SERIAL;
  int32_t priority = 0;
  uint32_t attempts = 0;  // after the first
  nexus_handle handle = 0;
  bool alive = true;
  bool paused = false;
  explicit Interest(Pattern its_pattern) : pattern(std::move(its_pattern)) {}
  std::string name() const { return "s" + std::to_string(number); }
};

struct Payload {
  uint64_t number;
};

struct Deferred {
  uint64_t token;
  Interest* interest;
  uint64_t event;
  uint64_t deliveries, withdrawn;  // that its emits promise, or lose
};

// A request that waits for its answer.
struct Asked {
  size_t plugin = 0;
  uint32_t calls = 0;
  bool may_be_silent = false;
};

class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {
    BusOptions options;
    options.worker_count = 0;
    options.max_queue_size = static_cast<uint32_t>(4 + random_.below(60));
    options.overflow = random_.chance(70) ? Overflow::kReject : Overflow::kDropOldest;
    ledger_.may_discard = options.overflow == Overflow::kDropOldest;
    options.tracing = random_.chance(30);
    // What drop_oldest drops ends unseen, and its key goes on.
    watches_order_ = options.overflow == Overflow::kReject && random_.chance(60);
    bus_ = Bus::create(options, clock_);
    for (size_t i = 0; i < 3; ++i) add_plugin(i);
  }

  virtual ~World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

 protected:
  virtual int32_t on_delivery(Interest& interest, const nexus_delivery& delivery, nexus_outcome& outcome) = 0;

  bool work() { return bus_->run_one(random_.next(), static_cast<uint32_t>(1 + random_.below(8))); }
  void note(const std::string& what) { trace_ += what + "\n"; }

  void pass() {
    clock_.advance(static_cast<int64_t>(random_.below(3'000)));
    bus_->timers().run_due(clock_.monotonic_ns());
    bus_->tick();
  }

  void add_plugin(size_t index) {
    ParticipantOptions options;
    options.id = "plugin." + std::to_string(index);
    if (plugins_.size() <= index) plugins_.resize(index + 1);
    plugins_[index] = bus_->add_participant(options);
    const uint64_t count = 1 + random_.below(3);
    for (uint64_t i = 0; i < count; ++i) add_interest(index);
    bus_->activate(*plugins_[index]);
  }

  void add_interest(size_t plugin) {
    auto interest = std::make_unique<Interest>(Pattern::parse(kPatterns[random_.below(std::size(kPatterns))]).value());
    interest->world = this;
    interest->number = interests_.size() + 1;
    interest->plugin = plugin;
    interest->concurrency = static_cast<uint32_t>(random_.below(3));
    interest->priority = watches_order_ ? 0 : static_cast<int32_t>(random_.below(3)) - 1;
    interest->attempts = static_cast<uint32_t>(random_.below(4));
    subscribe(*interest, *plugins_[plugin]);
    note(interest->name() + " wants " + interest->pattern.text() + " concurrency " +
         std::to_string(interest->concurrency) + " priority " + std::to_string(interest->priority) + " plugin " +
         std::to_string(plugin));
    interests_.push_back(std::move(interest));
  }

  void subscribe(Interest& interest, Participant& participant) {
    nexus_subscribe_options options{};
    options.size = sizeof options;
    const std::string name = interest.name();
    options.name = to_abi(name);
    options.flags = NEXUS_SUBSCRIBE_HAS_RETRY;
    options.retry_attempts = interest.attempts;
    options.retry_delay_ns = 500;
    options.priority = interest.priority;
    options.concurrency = interest.concurrency;
    interest.handle = bus_->subscribe(participant, interest.pattern.text(), options, &World::handle, &interest).value();
    if (interest.paused) static_cast<void>(bus_->pause_subscription(interest.handle));
  }

  void end(Interest& interest) {
    note("end of " + interest.name());
    interest.alive = false;
    ledger_.may_discard = true;
    ledger_.forget(interest.number);
  }

  Interest* any_interest() {
    std::vector<Interest*> alive;
    for (const auto& interest : interests_)
      if (interest->alive) alive.push_back(interest.get());
    return alive.empty() ? nullptr : alive[random_.below(alive.size())];
  }

  void change_subscription() {
    if (random_.chance(50)) return add_interest(random_.below(plugins_.size()));
    Interest* interest = any_interest();
    if (interest == nullptr) return;
    end(*interest);
    static_cast<void>(bus_->unsubscribe(*plugins_[interest->plugin], interest->handle));
  }

  void pause_or_resume() {
    Interest* interest = any_interest();
    if (interest == nullptr) return;
    interest->paused = !interest->paused;
    note((interest->paused ? "pause " : "resume ") + interest->name());
    static_cast<void>(interest->paused ? bus_->pause_subscription(interest->handle)
                                       : bus_->resume_subscription(interest->handle));
  }

  void stop(Participant& participant) {
    while (!bus_->pause(participant, 0))
      if (!work()) break;
  }

  // A hot swap, as the plugin manager does it.
  void swap(size_t index) {
    note("swap " + std::to_string(index));
    const std::shared_ptr<Participant> old_one = plugins_[index];
    stop(*old_one);
    ParticipantOptions options;
    options.id = old_one->id();
    plugins_[index] = bus_->add_participant(options);
    for (const auto& interest : interests_)
      if (interest->alive && interest->plugin == index) subscribe(*interest, *plugins_[index]);
    bus_->hand_over(*old_one, *plugins_[index]);
    bus_->activate(*plugins_[index]);
    // What it had put off comes again.
    std::erase_if(deferred_, [&](const Deferred& deferred) {
      if (deferred.interest->plugin != index) return false;
      ledger_.allow_one_more(deferred.interest->number, deferred.event);
      ledger_.withdrawn += deferred.withdrawn;
      return true;
    });
    for (auto& waiter : waiters_)
      if (waiter->plugin == index) waiter->may_be_silent = true;
    bus_->remove(old_one);
  }

  // The plugin goes, and another one comes.
  void replace(size_t index) {
    note("replace " + std::to_string(index));
    const std::shared_ptr<Participant> old_one = plugins_[index];
    stop(*old_one);
    for (const auto& interest : interests_)
      if (interest->alive && interest->plugin == index) end(*interest);
    std::erase_if(deferred_, [&](const Deferred& deferred) {
      if (deferred.interest->plugin != index) return false;
      ledger_.withdrawn += deferred.withdrawn;
      return true;
    });
    for (auto& waiter : waiters_)
      if (waiter->plugin == index) waiter->may_be_silent = true;
    bus_->remove(old_one);
    add_plugin(index);
  }

  uint64_t matching(std::string_view type) const {
    uint64_t count = 0;
    for (const auto& interest : interests_) count += interest->alive && interest->pattern.matches(type) ? 1 : 0;
    return count;
  }

  static int32_t handle(void* user, const nexus_delivery* delivery, nexus_outcome* outcome) {
    auto& interest = *static_cast<Interest*>(user);
    return interest.world->on_delivery(interest, *delivery, *outcome);
  }

  Random random_;
  bool watches_order_ = false;  // and all handlers have one priority, see Simulation::on_delivery
  VirtualClock clock_;
  Ledger ledger_;
  std::string trace_;
  std::vector<std::unique_ptr<Asked>> waiters_;
  std::vector<std::unique_ptr<Interest>> interests_;
  std::unique_ptr<Bus> bus_;
  std::vector<std::shared_ptr<Participant>> plugins_;
  std::vector<Deferred> deferred_;
};

}  // namespace nexus::host::simulation
