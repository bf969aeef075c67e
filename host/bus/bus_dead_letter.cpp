// Deliveries that have failed for good: what is kept of them, who is told, and how they are tried again. See bus.hpp.
#include <chrono>
#include <string>
#include <utility>

#include "host/base/printable.hpp"
#include "host/bus/bus.hpp"
#include "host/event/block.hpp"
#include "host/event/name.hpp"
#include "nexus/events.hpp"

namespace nexus::host {
namespace {

// What a plugin says may be anything; letters and reports are UTF-8.
std::string clean(std::string_view text) { return is_utf8(text) ? std::string(text) : printable(text); }

const std::string& handler_of(const DeadLetter& letter) {
  return letter.subscription.empty() ? letter.pattern : letter.subscription;
}

std::chrono::system_clock::time_point moment(int64_t unix_ns) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(unix_ns)));
}

events::EventDeadLettered make_report(const DeadLetter& letter, uint64_t id) {
  const nexus_event& event = letter.event.event();
  events::EventDeadLettered report;
  report.event_id = uuid_text(event.id);
  report.event_type = to_view(event.type);
  report.plugin_id = letter.plugin_id;
  report.plugin_version = letter.plugin_version;
  report.subscription = letter.subscription;
  report.reason = reason_name(letter.reason);
  report.attempts = letter.attempts;
  report.error_type = letter.error_type;
  report.error_message = letter.error_message;
  report.fingerprint = letter.fingerprint;
  report.first_failed_at = moment(letter.first_unix_ns);
  report.last_failed_at = moment(letter.last_unix_ns);
  report.dead_letter_id = id;
  return report;
}

}  // namespace

// ---- Giving up ----------------------------------------------------------------------------------------------------

// `letter` says why; the rest is the delivery's.
DeadLetter Bus::make_letter(const EventBlock& event, const Target& target, const Entry& entry, DeadLetter letter) {
  const Participant& owner = target.mailbox->owner();
  const DeliveryPast* past = target.past.get();
  letter.event = EventRef(&event);
  letter.plugin_id = owner.id();
  letter.plugin_version = owner.options().version;
  letter.subscription = entry.subscription->name;
  letter.pattern = entry.subscription->pattern.text();
  letter.last_unix_ns = clock_.unix_ns();
  letter.first_unix_ns =
      past != nullptr && past->first_failed_unix_ns != 0 ? past->first_failed_unix_ns : letter.last_unix_ns;
  if (past != nullptr && past->letter != nullptr) {
    letter.id = past->letter->id;
    letter.attempts += past->letter->attempts;
    letter.replays = past->letter->replays + 1;
    if (letter.note.empty()) letter.note = past->note.empty() ? past->letter->note : past->note;
  }
  letter.fingerprint = fingerprint_of(letter.plugin_id, handler_of(letter), to_view(event.event.type),
                                      letter.error_type, letter.error_message);
  return letter;
}

// The id, or 0 when there was no room.
uint64_t Bus::put_letter(DeadLetter letter) {
  std::vector<DeadLetterPointer> dropped;
  const uint64_t id = dead_letters_->put(std::move(letter), &dropped);
  for (const DeadLetterPointer& gone : dropped) unpark(*gone);
  return id;
}

// Keeps the letter and tells of it, once: `sentence` goes into plugin.error. A handler of plugin.error, or of
// event.dead_lettered, that fails must not feed itself.
uint64_t Bus::keep(DeadLetter letter, const EventBlock* cause, const std::string& sentence) {
  const EventRef event = letter.event;
  const bool tell = ((event.get()->host_flags | cause->host_flags) & EventBlock::kHostNoErrorReport) == 0;
  events::EventDeadLettered report;
  if (tell) report = make_report(letter, 0);
  report.dead_letter_id = put_letter(std::move(letter));
  if (!tell) return report.dead_letter_id;
  cbor::Buffer buffer;
  EventTraits<events::EventDeadLettered>::encode(report, buffer);
  emit_host_event(EventTraits<events::EventDeadLettered>::type, nexus_bytes{buffer.data(), buffer.size()}, cause);
  events::PluginError error;
  error.plugin_id = report.plugin_id;
  error.error_type = report.error_type;
  error.error_message = sentence;
  emit_report(error, cause);
  return report.dead_letter_id;
}

// With order = "strict" the dead letter of a key parks it.
bool Bus::parks(const EventBlock& event, const Entry& entry) const {
  return (event.host_flags & EventBlock::kHostKeyed) != 0 &&
         (entry.subscription->flags & NEXUS_SUBSCRIBE_STRICT_ORDER) != 0;
}

// What waits behind a letter that is gone goes on.
void Bus::unpark(const DeadLetter& letter) {
  if (!letter.parks_key) return;
  const nexus_event& event = letter.event.event();
  const auto type = router_.intern(to_view(event.type));
  if (!type) return;
  if (const auto handler = router_.find_handler(letter.plugin_id, letter.subscription, letter.pattern, *type.value()))
    release(handler->backlog.next_of(to_view(event.key)), Entry::kHoldsKey);
}

// True when its key is parked.
bool Bus::bury(const EventBlock& event, const Target& target, Entry& entry, DeadLetter why) {
  DeadLetter letter = make_letter(event, target, entry, std::move(why));
  const std::string sentence = letter.error_message + " (handler " + handler_of(letter) + ", event " +
                               std::string(to_view(event.event.type)) + " " + uuid_text(event.event.id) + ")";
  // Before anybody can see the letter and send it again.
  const std::string_view key = to_view(event.event.key);
  Backlog& backlog = entry.subscription->backlog;
  letter.parks_key = parks(event, entry);
  if (letter.parks_key) backlog.block(key);
  const bool parked = letter.parks_key;
  if (keep(std::move(letter), &event, sentence) != 0 || !parked) return parked;
  // There was no room for it. Who held the key before lets the next one go on.
  if ((entry.minds.load(std::memory_order_relaxed) & Entry::kHoldsKey) == 0)
    release(backlog.next_of(key), Entry::kHoldsKey);
  return false;
}

bool Bus::handler_failed(EventBlock* event, const Target& target, Entry& entry, DeadLetterReason reason,
                         std::string_view error_type, std::string_view message) {
  if (traces_ != nullptr)
    traces_->note_error({event->event.id, entry.id, entry.attempt, -1, std::string(error_type), std::string(message)});
  if (failure_log_) failure_log_(event->event, *entry.subscription, error_type, message);
  DeadLetter why;
  why.reason = reason;
  why.attempts = entry.attempt;
  why.error_type = clean(error_type);
  why.error_message = clean(message);
  return bury(*event, target, entry, std::move(why));
}

// Somebody has given up what waited for another attempt. Its target has never been pushed, so its counts are nobody
// else's.
void Bus::kill(const WaitingRetries::Row& row) {
  Entry& entry = row.target->entries[0];
  entry.failed.add();
  trace(*row.event.get(), &entry, TraceKind::failed);
  DeadLetter why;
  why.reason = DeadLetterReason::kRejected;
  why.attempts = entry.attempt - 1;
  why.error_type = clean(row.error_type);
  why.error_message = clean(row.error_message);
  why.note = "killed";
  const bool parked = bury(*row.event.get(), *row.target, entry, std::move(why));
  const uint32_t minds = entry.minds.load(std::memory_order_relaxed);
  if ((minds & Entry::kHoldsKey) != 0) follow(row.event.get(), entry, Entry::kHoldsKey, !parked);
}

// What gave way in a full mailbox. Nobody is told by an event: that would only add to the load.
void Bus::drop_overflowed(const Slot& slot) {
  if (options_.dead_letter_dropped && slot.target != nullptr)
    bury_dropped(*static_cast<const EventBlock*>(slot.item), *slot.target);
  discard_slot(slot);
}

void Bus::bury_dropped(const EventBlock& event, const Target& target) {
  const Participant& owner = target.mailbox->owner();
  if (owner.options().overflow) return;                                  // it watches only, and was made to drop
  if (target.past != nullptr && target.past->letter != nullptr) return;  // discarding it gives the letter back
  for (uint32_t i = 0; i < target.size; ++i) {
    const Entry& entry = target.entries[i];
    if ((entry.minds.load(std::memory_order_relaxed) & Entry::kInactive) != 0) continue;
    DeadLetter why;
    why.reason = DeadLetterReason::kOverflow;
    why.attempts = entry.attempt - 1;
    why.error_type = "overflow";
    why.error_message = "the mailbox of " + owner.id() + " was full, and this was the oldest in it";
    put_letter(make_letter(event, target, entry, std::move(why)));
  }
}

// A chain of emits that has become too long ends in a letter of its emitter; nobody had got the event yet.
int32_t Bus::refuse_loop(EmitCall& call, nexus_bytes data) {
  constexpr std::string_view kSentence =
      "a chain of 32 events, each emitted while handling the one before, ends here: a loop?";
  if (EventBlock* event = build(call, data)) {
    DeadLetter letter;
    letter.event = EventRef(event);
    letter.plugin_id = call.from.id();
    letter.plugin_version = call.from.options().version;
    letter.reason = DeadLetterReason::kLoop;
    letter.first_unix_ns = letter.last_unix_ns = clock_.unix_ns();
    letter.error_type = "loop";
    letter.error_message = kSentence;
    const std::string_view type = to_view(event->event.type);
    letter.fingerprint = fingerprint_of(letter.plugin_id, {}, type, letter.error_type, letter.error_message);
    keep(std::move(letter), call.cause,
         std::string(kSentence) + " (event " + std::string(type) + " " + uuid_text(event->event.id) + ")");
    event->release();
  }
  return refuse(call, NEXUS_E_LOOP, kSentence);
}

// ---- Trying again -------------------------------------------------------------------------------------------------

namespace {

Error no_such_letter(uint64_t id) {
  return make_error(NEXUS_E_UNKNOWN, "there is no dead letter " + std::to_string(id),
                    "`nexus dlq ls` lists those that are there");
}

Error no_handler(const DeadLetter& letter) {
  const std::string id = "dead letter " + std::to_string(letter.id);
  if (letter.pattern.empty())
    return make_error(NEXUS_E_STATE, id + " was refused before it had a handler: there is none to give it to",
                      "`nexus dlq export` prints it in a form that `nexus emit` takes");
  return make_error(NEXUS_E_STATE,
                    id + " cannot be tried again: " + letter.plugin_id + " has no handler " + handler_of(letter) +
                        " for " + std::string(to_view(letter.event.event().type)) + " at this moment",
                    "load the plugin, and try again; the letter stays");
}

}  // namespace

Result<void> Bus::check_redrive(uint64_t id) {
  const DeadLetterPointer letter = dead_letters_->find(id);
  if (letter == nullptr) return no_such_letter(id);
  auto type = router_.intern(to_view(letter->event.event().type));
  if (!type) return type.error();
  if (letter->pattern.empty() ||
      router_.find_handler(letter->plugin_id, letter->subscription, letter->pattern, *type.value()) == nullptr)
    return no_handler(*letter);
  return {};
}

Result<void> Bus::redrive(uint64_t id, std::string_view note) {
  if (auto possible = check_redrive(id); !possible) return possible;
  const DeadLetterPointer letter = dead_letters_->take(id);
  if (letter == nullptr) return no_such_letter(id);
  auto type = router_.intern(to_view(letter->event.event().type));
  auto past = std::make_shared<DeliveryPast>();
  past->first_failed_unix_ns = letter->first_unix_ns;
  past->letter = letter;
  past->note = note;
  const std::shared_ptr<Target> target =
      type ? router_.make_redrive(letter->plugin_id, letter->subscription, letter->pattern, *type.value(), past,
                                  letter->parks_key ? Entry::kHoldsKey : 0)
           : nullptr;
  if (target == nullptr) {  // it has gone in between
    dead_letters_->restore(letter);
    return no_handler(*letter);
  }
  redriven_.fetch_add(1, std::memory_order_relaxed);
  EventBlock* event = letter->event.get();
  event->retain();
  deliver_or_redirect(event, target.get(), target->mailbox->push_forced(event, target.get()));
  return {};
}

Result<void> Bus::remove_letter(uint64_t id) {
  const DeadLetterPointer letter = dead_letters_->find(id);
  if (letter == nullptr || !dead_letters_->remove(id)) return no_such_letter(id);
  unpark(*letter);
  return {};
}

// Whatever becomes of its handler, a letter that was sent again is not lost.
void Bus::retry_discarded(const Target& target) {
  if (target.past != nullptr && target.past->letter != nullptr) dead_letters_->restore(target.past->letter);
}

}  // namespace nexus::host
