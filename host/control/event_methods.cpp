#include "host/control/event_methods.hpp"

#include <array>
#include <atomic>
#include <utility>

#include "host/base/uuid.hpp"
#include "host/control/wire_event.hpp"

namespace nexus::host {
namespace {

using control::EmitAnswer;
using control::EmitItem;
using control::EmitParams;
using control::EmitResult;
using control::RequestParams;
using control::SubscribeParams;
using control::WaitParams;

constexpr size_t kSentenceMax = 512;

EmitResult rejected(int32_t code, std::string message) {
  EmitResult result;
  result.status = code == NEXUS_E_IN_DOUBT ? "unknown" : "rejected";
  result.code = code;
  result.reason = std::string(error_text(code).name);
  result.message = std::move(message);
  return result;
}

}  // namespace

EventMethods::EventMethods(Bus& bus) : bus_(bus) {
  ParticipantOptions emitter;
  emitter.id = "nexus.control";
  emitter.may_forward = true;
  emitter_ = bus.add_participant(std::move(emitter));
  bus.activate(*emitter_);
  ParticipantOptions tap;
  tap.id = "nexus.tap";
  tap.own_thread = true;
  tap.overflow = Overflow::kDropOldest;  // whoever watches must not slow down those who work
  tap_ = bus.add_participant(std::move(tap));
  bus.activate(*tap_);
}

void EventMethods::add_to(Surface& surface) {
  surface.add_typed<EmitParams, EmitAnswer>(
      {"events.emit", "Emits events and waits for room where a queue is full; each event has a result of its own.",
       Scope::emit, RunsOn::caller},
      [this](const Caller&, const EmitParams& params) { return emit(params); });
  surface.add_stream<SubscribeParams, control::WireEvent>(
      {"events.subscribe", "A stream of the events whose type matches the pattern, from now on.", Scope::read,
       RunsOn::caller},
      [this](const Caller&, const SubscribeParams& params, std::shared_ptr<StreamSink> sink) {
        return subscribe(params, std::move(sink));
      });
  surface.add_stream<RequestParams, control::WireEvent>(
      {"events.request",
       "Emits an event and gives the first one that it causes, or the error unknown_name when nobody listens, or "
       "timeout.",
       Scope::emit, RunsOn::caller},
      [this](const Caller&, const RequestParams& params, std::shared_ptr<StreamSink> sink) {
        return request(params, std::move(sink));
      });
  surface.add_stream<WaitParams, control::WireEvent>(
      {"events.wait", "The next events whose type matches the pattern, or the error timeout.", Scope::read,
       RunsOn::caller},
      [this](const Caller&, const WaitParams& params, std::shared_ptr<StreamSink> sink) {
        return wait(params, std::move(sink));
      });
}

Result<EmitAnswer> EventMethods::emit(const EmitParams& params) {
  int64_t timeout_ns = 0;
  if (params.timeout_ms) {
    if (*params.timeout_ms < 0 || *params.timeout_ms > 3'600'000)
      return make_error(NEXUS_E_ARGUMENT, "timeout_ms must be from 0 to 3600000");
    timeout_ns = *params.timeout_ms == 0 ? -1 : *params.timeout_ms * 1'000'000;
  }
  EmitAnswer answer;
  answer.results.reserve(params.events.size());
  for (const EmitItem& item : params.events) {
    answer.results.push_back(emit_one(item, timeout_ns));
    if (!answer.results.back().id.empty()) ++answer.accepted;
  }
  return answer;
}

EmitResult EventMethods::emit_one(const EmitItem& item, int64_t timeout_ns) {
  const auto invalid = [this](int32_t code, std::string message) {
    emitter_->invalid_emits.fetch_add(1, std::memory_order_relaxed);
    return rejected(code, std::move(message));
  };
  auto port = bus_.intern(*emitter_, item.type);
  if (!port) return invalid(port.error().code, port.error().message);
  nexus_emit_options options{};
  if (const char* wrong = control::fill_options(item, options)) return invalid(NEXUS_E_SCHEMA, wrong);
  options.timeout_ns = timeout_ns;
  const auto data = control::data_of(item);
  std::array<char, kSentenceMax> sentence;
  nexus_error error{sizeof(nexus_error), 0, kSentenceMax, 0, sentence.data()};
  nexus_uuid id{};
  const int32_t code = bus_.emit(*emitter_, port.value(), &options, nexus_bytes{data.data(), data.size()}, &id, &error);
  if (code != NEXUS_OK && code != NEXUS_OK_DUPLICATE) return rejected(code, std::string(sentence.data(), error.len));
  EmitResult result;
  result.id = uuid_text(id);
  result.status = code == NEXUS_OK ? "ok" : "duplicate";
  return result;
}

}  // namespace nexus::host
