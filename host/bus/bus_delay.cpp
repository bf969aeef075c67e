// Events and time: those that leave later, those that expire, and those whose ids were seen before. See bus.hpp.
#include <memory>
#include <utility>

#include "host/bus/bus.hpp"
#include "host/bus/thread_state.hpp"
#include "host/event/block.hpp"

namespace nexus::host {
namespace {

// A delayed event that finds a mailbox full comes again after this.
constexpr int64_t kAgainNs = 100'000'000;

}  // namespace

// ---- Delay --------------------------------------------------------------------------------------------------------

// Waits in the host's name, so that it leaves even when its plugin has gone. Holds a reference to the event.
class Bus::DelayTask final : public Task {
 public:
  DelayTask(Bus& bus, EventBlock* event) : bus_(bus), event_(event) {
    event_->retain();
    bus_.delayed_.fetch_add(1, std::memory_order_relaxed);
  }
  ~DelayTask() override {
    bus_.delayed_.fetch_sub(1, std::memory_order_relaxed);
    event_->release();
  }
  void run() noexcept override {
    event_->retain();
    if (bus_.send_delayed(event_) || bus_.delay(event_, kAgainNs) == NEXUS_OK) return;
    event_->release();
  }

 private:
  Bus& bus_;
  EventBlock* const event_;
};

// Takes the caller's reference when it returns NEXUS_OK.
int32_t Bus::delay(EventBlock* event, int64_t delay_ns) {
  const int64_t due = TimerQueue::due_after(clock_.monotonic_ns(), delay_ns);
  if (auto added = timers_.add(host_, due, std::make_unique<DelayTask>(*this, event)); !added) return NEXUS_E_TOO_LARGE;
  event->release();
  return NEXUS_OK;
}

// Takes the reference when it returns true; false when a mailbox is full.
bool Bus::send_delayed(EventBlock* event) {
  auto port = intern(*host_, to_view(event->event.type));
  if (!port) return false;
  ThreadState& thread = thread_state();
  EmitCall call{*host_, *host_->port(port.value()), nullptr, thread, nullptr, now(thread), nullptr};
  return publish_and_answer(call, event) == NEXUS_OK;
}

// As publish; and a request that waits for this event is answered.
int32_t Bus::publish_and_answer(EmitCall& call, EventBlock* event) {
  if ((event->host_flags & EventBlock::kHostAnswers) == 0) [[likely]]
    return publish(call, event);
  event->retain();
  const int32_t code = publish(call, event);
  if (code == NEXUS_OK) answer_request(event);
  event->release();
  return code;
}

// ---- Expiry -------------------------------------------------------------------------------------------------------

// Only for an event that nobody else has seen yet.
void Bus::apply_rules(const TypeEntry& type, EventBlock* event) {
  if (type.expires_ns == 0 || event->event.expires_unix_ns != 0) return;
  event->forget();
  event->event.expires_unix_ns = event->event.time_unix_ns + type.expires_ns;
  event->host_flags |= EventBlock::kHostExpires;
}

bool Bus::is_expired(EventBlock* event, Target& target) {
  if (event->event.expires_unix_ns > clock_.unix_ns()) return false;
  if (target.past != nullptr && target.past->letter != nullptr) return false;  // somebody wants it handled all the same
  for (uint32_t i = 0; i < target.size; ++i) {
    Entry& entry = target.entries[i];
    entry.discarded.fetch_add(1, std::memory_order_relaxed);
    expired_.fetch_add(1, std::memory_order_relaxed);
    trace(*event, &entry, TraceKind::expired);
    // What waits behind it goes on.
    const uint32_t minds = entry.minds.load(std::memory_order_relaxed);
    if ((minds & (Entry::kHoldsKey | Entry::kReleased)) != 0) follow(event, entry, minds, true);
  }
  return true;
}

// ---- Duplicates ---------------------------------------------------------------------------------------------------

// NEXUS_OK for an id that is new, or the bus's own.
int32_t Bus::check_id(EmitCall& call, EventBlock* event) {
  if (call.options == nullptr || (call.options->flags & NEXUS_EMIT_HAS_ID) == 0 || call.is_fresh_id) return NEXUS_OK;
  switch (dedup_.look(event->event.id, DedupWindow::content_of(event->event), clock_.monotonic_ns())) {
    case DedupWindow::Seen::kDuplicate:
      return NEXUS_OK_DUPLICATE;
    case DedupWindow::Seen::kConflict:
      return NEXUS_E_CONFLICT;
    case DedupWindow::Seen::kNew:
      break;
  }
  event->host_flags |= EventBlock::kHostNamed;
  return NEXUS_OK;
}

}  // namespace nexus::host
