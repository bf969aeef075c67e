#include "tests/simulation/simulation.hpp"

#include <cstring>
#include <stdexcept>

#include "tests/simulation/world.hpp"

namespace nexus::host::simulation {
namespace {

class Simulation final : public World {
 public:
  using World::World;

  std::string run() {
    const uint64_t steps = 40 + random_.below(160);
    for (uint64_t i = 0; i < steps && !ledger_.has_wrong(); ++i) step();
    finish();
    return ledger_.text();
  }
  const std::string& trace() const { return trace_; }

 private:
  // ---- The world ----------------------------------------------------------------------------------------------------

  void step() {
    switch (random_.below(20)) {
      case 0:
        return pass();
      case 1:
        return complete();
      case 2:
        return change_subscription();
      case 3:
        return random_.chance(40) ? swap(random_.below(plugins_.size())) : pass();
      case 4:
        return random_.chance(15) ? replace(random_.below(plugins_.size())) : complete();
      case 5:
        return pause_or_resume();
      case 6:
        return ask();
      case 7:
      case 8:
      case 9:
      case 10:
      case 11:
        return emit_outside();
      default:
        static_cast<void>(work());
    }
  }

  // ---- Emits --------------------------------------------------------------------------------------------------------

  nexus_emit_options options_of_emit(std::string* key) {
    nexus_emit_options options{};
    options.size = sizeof options;
    options.priority = static_cast<int32_t>(random_.below(3)) - 1;
    options.data_format = NEXUS_DATA_BYTES;
    if (random_.chance(60)) {
      *key = "k" + std::to_string(random_.below(3));
      options.key = to_abi(*key);
    }
    return options;
  }

  void emit_outside() {
    std::string key;
    const nexus_emit_options options = options_of_emit(&key);
    const char* type = kTypes[random_.below(std::size(kTypes))];
    const Payload payload{++events_};
    keys_.push_back(key);
    Participant& from = *plugins_[random_.below(plugins_.size())];
    const uint64_t promised = matching(type);
    const int32_t code = bus_->emit(from, bus_->intern(from, type).value(), &options, bytes(payload), nullptr, nullptr);
    note("emit " + std::to_string(payload.number) + " " + type + " key '" + key + "' priority " +
         std::to_string(options.priority) + ": " + std::to_string(code));
    count_emit(code, promised, nullptr);
  }

  static nexus_bytes bytes(const Payload& payload) {
    return {reinterpret_cast<const uint8_t*>(&payload), sizeof payload};
  }

  // `held`: where the deliveries of an emit inside a handler are kept until that has ended.
  void count_emit(int32_t code, uint64_t promised, Deferred* held) {
    if (code != NEXUS_OK) {
      ++ledger_.rejected;
      return;
    }
    ++ledger_.accepted;
    if (held == nullptr) {
      ledger_.deliveries += promised;
    } else {
      held->deliveries += promised;
      ++held->withdrawn;
    }
  }

  // ---- Handlers -----------------------------------------------------------------------------------------------------

  int32_t on_delivery(Interest& interest, const nexus_delivery& delivery, nexus_outcome& outcome) override {
    Payload payload{};
    std::memcpy(&payload, delivery.event->data.data, sizeof payload);
    // Events from inside handlers leave when those succeed: not in the order of their numbers. And an event that passes
    // other handlers first comes later than one that does not.
    const std::string key =
        watches_order_ && payload.number <= keys_.size() && interest.concurrency != NEXUS_CONCURRENCY_PARALLEL
            ? keys_[payload.number - 1]
            : std::string();
    if (!interest.alive) ledger_.wrong("a handler was called after it had been unsubscribed");
    ledger_.begins(interest.number, payload.number, key, interest.attempts + 1);
    note(interest.name() + " gets " + std::to_string(payload.number) + " attempt " + std::to_string(delivery.attempt));
    Deferred call{delivery.token, &interest, payload.number, 0, 0};
    if (random_.chance(15)) emit_inside(interest, call);
    if (random_.chance(2) && interest.alive) {
      end(interest);
      static_cast<void>(bus_->unsubscribe(*plugins_[interest.plugin], interest.handle));
    }
    const int32_t verdict = answer(interest, delivery, outcome, call);
    note("  and answers " + std::to_string(verdict));
    return verdict;
  }

  void emit_inside(Interest& interest, Deferred& call) {
    const char* type = kTypes[random_.below(std::size(kTypes))];
    nexus_emit_options options{};
    options.size = sizeof options;
    options.priority = static_cast<int32_t>(random_.below(3)) - 1;
    options.data_format = NEXUS_DATA_BYTES;
    const Payload payload{kInside + ++inside_events_};
    Participant& from = *plugins_[interest.plugin];
    const uint64_t promised = matching(type);
    count_emit(bus_->emit(from, bus_->intern(from, type).value(), &options, bytes(payload), nullptr, nullptr), promised,
               &call);
  }

  bool is_last(const Interest& interest, const nexus_delivery& delivery) const {
    return delivery.attempt > interest.attempts || !interest.alive;
  }

  int32_t answer(Interest& interest, const nexus_delivery& delivery, nexus_outcome& outcome, Deferred& call) {
    const uint64_t dice = random_.below(100);
    if (dice < 62) {
      succeeded(call);
      if (random_.chance(30)) outcome.reply_type = to_abi(std::string_view("c.reply"));
      if (outcome.reply_type.size != 0) count_reply();
      return NEXUS_DONE;
    }
    if (dice < 70) {
      deferred_.push_back(call);
      return NEXUS_LATER;
    }
    ledger_.withdrawn += call.withdrawn;
    if (dice < 76) {
      ++ledger_.filtered;
      ledger_.ends(interest.number, call.event);
      return NEXUS_SKIP;
    }
    if (dice < 92 && dice >= 80) {
      if (is_last(interest, delivery)) ledger_.ends(interest.number, call.event);
      if (dice >= 88) throw std::runtime_error("on purpose");
      return NEXUS_RETRY;
    }
    ledger_.ends(interest.number, call.event);
    return dice < 80 ? NEXUS_REJECT : 77;
  }

  void count_reply() {
    ++ledger_.accepted;
    ledger_.deliveries += matching("c.reply");
  }

  void succeeded(const Deferred& call) {
    ++ledger_.handled;
    ledger_.deliveries += call.deliveries;
    ledger_.ends(call.interest->number, call.event);
  }

  // ---- Completions and requests -------------------------------------------------------------------------------------

  void complete() {
    if (deferred_.empty()) return;
    const size_t at = static_cast<size_t>(random_.below(deferred_.size()));
    const Deferred call = deferred_[at];
    deferred_.erase(deferred_.begin() + static_cast<std::ptrdiff_t>(at));
    note("complete " + std::to_string(call.event) + " of " + call.interest->name());
    complete(call, random_.chance(70));
    Completion again;
    if (random_.chance(20) && bus_->complete(*plugins_[call.interest->plugin], call.token, again) != NEXUS_E_HANDLE)
      ledger_.wrong("a delivery could be completed twice");
  }

  void complete(const Deferred& call, bool well) {
    Completion completion;
    completion.verdict = well ? NEXUS_DONE : NEXUS_REJECT;
    if (bus_->complete(*plugins_[call.interest->plugin], call.token, completion) != NEXUS_OK)
      return ledger_.wrong("a deferred delivery could not be completed");
    if (well) {
      succeeded(call);
    } else {
      ledger_.withdrawn += call.withdrawn;
      ledger_.ends(call.interest->number, call.event);
    }
  }

  void ask() {
    auto asked = std::make_unique<Asked>();
    asked->plugin = static_cast<size_t>(random_.below(plugins_.size()));
    auto waiter = std::make_shared<Waiter>();
    waiter->participant = plugins_[asked->plugin];
    waiter->user = asked.get();
    waiter->call = [](void* user, int32_t, const nexus_event*) { ++static_cast<Asked*>(user)->calls; };
    const char* type = kTypes[random_.below(std::size(kTypes))];
    Participant& from = *plugins_[asked->plugin];
    const Payload payload{kInside + ++inside_events_};
    const uint64_t promised = matching(type);
    const int32_t code = bus_->request(from, bus_->intern(from, type).value(), nullptr, bytes(payload), waiter,
                                       static_cast<int64_t>(1 + random_.below(5'000)), nullptr);
    count_emit(code, promised, nullptr);
    if (code != NEXUS_OK) return;
    if (random_.chance(10)) static_cast<void>(bus_->cancel_wait(from, waiter->handle));
    waiters_.push_back(std::move(asked));
  }

  // ---- The end ------------------------------------------------------------------------------------------------------

  void finish() {
    for (const auto& interest : interests_) {
      if (!interest->alive || !interest->paused) continue;
      interest->paused = false;
      static_cast<void>(bus_->resume_subscription(interest->handle));
    }
    for (int round = 0; round < 100'000 && !ledger_.has_wrong(); ++round) {
      if (work()) continue;
      if (!deferred_.empty()) {
        const Deferred call = deferred_.back();
        deferred_.pop_back();
        complete(call, true);
        continue;
      }
      if (bus_->totals().waiting == 0 && bus_->timers().pending() == 0) break;
      clock_.advance(1'000);
      bus_->timers().run_due(clock_.monotonic_ns());
    }
    if (!ledger_.has_wrong()) check();
  }

  void same(const char* what, uint64_t bus, uint64_t ledger) {
    if (bus != ledger)
      ledger_.wrong(std::string(what) + ": the bus says " + std::to_string(bus) + ", the ledger " +
                    std::to_string(ledger));
  }

  void check() {
    const BusTotals totals = bus_->totals();
    if (totals.waiting != 0) {
      for (const auto& interest : interests_)
        if (const auto known = bus_->find_subscription(interest->handle); known != nullptr)
          note(interest->name() + " alive " + std::to_string(interest->alive) + " backlog " +
               std::to_string(known->backlog.size()) + " holds_all " + std::to_string(known->backlog.holds_all()));
      for (const auto& p : bus_->participants())
        note(p->id() + " depth " + std::to_string(p->mailbox().depth()) + " paused " +
             std::to_string(p->mailbox().is_paused()) +
             (p->parallel_mailbox() ? " parallel " + std::to_string(p->parallel_mailbox()->depth()) + " paused " +
                                          std::to_string(p->parallel_mailbox()->is_paused())
                                    : ""));
    }
    same("waiting", totals.waiting, 0);
    // The host's own reports are no part of this.
    same("rejected", totals.rejected, ledger_.rejected);
    same("withdrawn", totals.withdrawn, ledger_.withdrawn);
    same("handled", totals.deliveries.handled, ledger_.handled);
    same("filtered", totals.deliveries.filtered, ledger_.filtered);
    const SubscriptionTotals& ended = totals.deliveries;
    same("deliveries", ended.handled + ended.filtered + ended.failed + ended.discarded, ledger_.deliveries);
    if (!ledger_.may_discard) same("discarded", ended.discarded, 0);
    for (const auto& waiter : waiters_)
      if (waiter->calls > 1 || (waiter->calls == 0 && !waiter->may_be_silent))
        ledger_.wrong("a waiter was called " + std::to_string(waiter->calls) + " times");
  }

  static constexpr uint64_t kInside = uint64_t{1} << 32;

  std::vector<std::string> keys_;  // of the events from outside, by number
  uint64_t events_ = 0, inside_events_ = 0;
};

}  // namespace

std::string run(uint64_t seed) { return Simulation(seed).run(); }

std::string trace(uint64_t seed) {
  Simulation simulation(seed);
  simulation.run();
  return simulation.trace();
}

}  // namespace nexus::host::simulation
