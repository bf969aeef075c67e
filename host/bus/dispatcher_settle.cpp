// What follows from a handler's answer: see dispatcher.hpp. Here, and only here, the fate of a delivery is decided.
#include <exception>
#include <string>

#include "host/bus/dispatcher_turn.hpp"
#include "host/bus/participant.hpp"
#include "host/bus/trace.hpp"

namespace nexus::host {

// What a handler may have left for the next one to trip over.
void Dispatcher::clear_outcome(Turn& turn) {
  turn.outcome.retry_after_ns = 0;
  turn.outcome.error_type.size = 0;
  turn.outcome.reply_type.size = 0;
  turn.error.len = 0;
}

// The SDK's trampolines let no exception out; a plugin written without it might, and must not end the host.
[[gnu::noinline]] int32_t Dispatcher::caught(Turn& turn) {
  turn.outcome.error_type = to_abi("exception");
  try {
    throw;
  } catch (const std::exception& thrown) {
    write_text(turn.error, thrown.what());
  } catch (...) {
    write_text(turn.error, "an exception of an unknown type left the handler");
  }
  return NEXUS_RETRY;
}

void Dispatcher::count_one(const Target& target, OwnedCount& counter) {
  if (target.mailbox->is_parallel())
    count<true>(counter);
  else
    count<false>(counter);
}

// A delivery that others of its subscription wait behind, or that has to wait itself.
[[gnu::noinline]] bool Dispatcher::settle_followed(Turn& turn, EventBlock* event, Target& target, Entry& entry,
                                                   int32_t verdict, uint32_t minds) {
  bool ended = false;
  if (verdict != kHeldBack) {
    ended = is_plain_success(turn, verdict);
    if (ended)
      count_one(target, entry.handled);
    else
      ended = settle_unusual(turn, event, target, entry, verdict);
  }
  if ((minds & (Entry::kHoldsKey | Entry::kReleased)) != 0) port_.follow(event, entry, minds, ended);
  return ended;
}

// How an attempt ended, for those who ask later.
[[gnu::noinline]] void Dispatcher::trace(Turn& turn, const EventBlock& event, const Entry& entry, TraceKind kind,
                                         int64_t duration_ns) {
  TraceRecord record = trace_record_of(event);
  record.ended_unix_ns = clock_.unix_ns();
  record.duration_ns = duration_ns;
  record.subscription = entry.id;
  record.attempt = entry.attempt;
  record.kind = kind;
  turn.trace->write(record);
}

// All but a success without emits. False when the delivery has not ended by it.
bool Dispatcher::settle_unusual(Turn& turn, EventBlock* event, Target& target, Entry& entry, int32_t verdict) {
  RunningCallback& running = turn.thread.running;
  bool ended = false;
  if (verdict == NEXUS_LATER) {
    port_.defer(turn.delivery.token, event, target, entry, running);
  } else {
    const nexus_outcome& outcome = turn.outcome;
    HandlerAnswer answer;
    answer.verdict = verdict;
    answer.retry_after_ns = outcome.retry_after_ns;
    answer.error_type = to_view(outcome.error_type);
    answer.error_text = {turn.error_text, turn.error.len < kErrorTextMax ? turn.error.len : kErrorTextMax};
    answer.reply_type = outcome.reply_type;
    answer.reply_format = outcome.reply_format;
    answer.reply = outcome.reply;
    ended = settle(running, event, target, entry, answer);
  }
  clear_outcome(turn);
  return ended;
}

// Here, and only here, the fate of a delivery is decided.
bool Dispatcher::settle(RunningCallback& running, EventBlock* event, Target& target, Entry& entry,
                        const HandlerAnswer& answer) {
  switch (answer.verdict) {
    case NEXUS_DONE:
      if (answer.reply_type.size != 0) port_.reply(target.mailbox->owner(), answer);
      port_.commit(running);
      count_one(target, entry.handled);
      return true;
    case NEXUS_SKIP:
      port_.abort(running);
      count_one(target, entry.filtered);
      return true;
    default:
      break;
  }
  port_.abort(running);
  std::string_view type = answer.error_type;
  std::string_view text = answer.error_text;
  if (answer.verdict != NEXUS_RETRY && answer.verdict != NEXUS_REJECT) {
    type = "bad_verdict";
    if (text.empty()) text = "the handler returned a value that is none of DONE, RETRY, REJECT, SKIP, LATER";
  }
  if (type.empty()) type = "handler_failed";
  if (text.empty()) text = "the handler failed without saying why";
  if (answer.verdict == NEXUS_RETRY && port_.retry(event, target, entry, answer.retry_after_ns, type, text)) {
    count_one(target, entry.retried);
    return false;
  }
  count_one(target, entry.failed);
  const auto reason = answer.verdict == NEXUS_RETRY ? DeadLetterReason::kAttempts : DeadLetterReason::kRejected;
  return !port_.handler_failed(event, target, entry, reason, type, text);
}

}  // namespace nexus::host
