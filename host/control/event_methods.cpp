#include "host/control/event_methods.hpp"

#include <array>
#include <atomic>

#include "host/base/uuid.hpp"
#include "host/control/wire_event.hpp"
#include "host/event/name.hpp"

namespace nexus::host {
namespace {

using control::EmitAnswer;
using control::EmitItem;
using control::EmitParams;
using control::EmitResult;
using control::SubscribeParams;

constexpr size_t kSentenceMax = 512;

// What a tap's handler works on.
struct TapState {
  std::shared_ptr<StreamSink> sink;
  bool headers_only = false;
  uint64_t left = 0;  // events still to come when `counted`; only the handler touches it
  bool counted = false;
  bool done = false;
};

int32_t on_event(void* user, const nexus_delivery* delivery, nexus_outcome*) {
  auto& state = *static_cast<TapState*>(user);
  if (state.done) return NEXUS_DONE;
  thread_local cbor::Buffer buffer;
  buffer.clear();
  control::write_event(buffer, *delivery->event, state.headers_only);
  if (!state.sink->item(buffer.bytes()) || !state.counted) return NEXUS_DONE;
  if (--state.left == 0) {
    state.done = true;
    state.sink->end();
  }
  return NEXUS_DONE;
}

// Keeps the state until the mailbox comes to it: no handler that began before the unsubscribe still runs then.
class Release final : public Task {
 public:
  explicit Release(std::unique_ptr<TapState> state) : state_(std::move(state)) {}
  void run() noexcept override {}

 private:
  const std::unique_ptr<TapState> state_;
};

class Tap final : public Stream {
 public:
  Tap(Bus& bus, std::shared_ptr<Participant> participant, std::unique_ptr<TapState> state)
      : bus_(bus), participant_(std::move(participant)), state_(std::move(state)) {}
  ~Tap() override {
    if (subscription_ != 0) static_cast<void>(bus_.unsubscribe(*participant_, subscription_));
    static_cast<void>(bus_.post(*participant_, std::make_unique<Release>(std::move(state_))));
  }

  Result<void> begin(std::string_view pattern) {
    nexus_subscribe_options options{};
    options.size = sizeof options;
    auto subscribed = bus_.subscribe(*participant_, pattern, options, on_event, state_.get());
    if (!subscribed) return subscribed.error();
    subscription_ = subscribed.value();
    return {};
  }

 private:
  Bus& bus_;
  std::shared_ptr<Participant> participant_;
  std::unique_ptr<TapState> state_;
  nexus_handle subscription_ = 0;
};

EmitResult rejected(int32_t code, std::string message) {
  EmitResult result;
  result.status = code == NEXUS_E_IN_DOUBT ? "unknown" : "rejected";
  result.code = code;
  result.reason = std::string(error_text(code).name);
  result.message = std::move(message);
  return result;
}

nexus_string text_of(const std::optional<std::string_view>& text) {
  return text ? to_abi(*text) : nexus_string{nullptr, 0};
}

bool read_hex(std::string_view text, uint8_t* bytes, size_t size) {
  if (text.size() != size * 2) return false;
  for (size_t i = 0; i < size * 2; ++i) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return false;
    bytes[i / 2] = static_cast<uint8_t>(bytes[i / 2] << 4 | digit);
  }
  return true;
}

// A sentence when a member is wrong.
const char* fill_options(const EmitItem& item, nexus_emit_options& options) {
  options.size = sizeof options;
  options.priority = item.priority;
  options.correlation_id = text_of(item.correlation_id);
  options.key = text_of(item.key);
  options.subject = text_of(item.subject);
  options.source = text_of(item.source);
  options.time_unix_ns = item.time_unix_ns.value_or(0);
  options.expires_unix_ns = item.expires_unix_ns.value_or(0);
  options.schema_version = item.schema_version.value_or(0);
  options.trace_flags = item.trace_flags.value_or(0);
  if (options.source.size != 0 || options.time_unix_ns != 0) options.flags |= NEXUS_EMIT_FORWARD;
  if (item.id) {
    const auto id = parse_uuid(*item.id);
    if (!id || is_nil(*id)) return "the id is no UUID";
    options.id = *id;
    options.flags |= NEXUS_EMIT_HAS_ID;
  }
  if (item.causation_id) {
    const auto id = parse_uuid(*item.causation_id);
    if (!id) return "the causation_id is no UUID";
    options.causation_id = *id;
  }
  if (item.trace_id && !read_hex(*item.trace_id, options.trace_id.bytes, 16)) return "the trace_id is not 32 hex digits";
  if (item.span_id && !read_hex(*item.span_id, options.parent_span_id, 8)) return "the span_id is not 16 hex digits";
  if (item.metadata) {
    const auto bytes = item.metadata->bytes;
    if (cbor::Reader(bytes).peek() != cbor::Kind::map) return "the metadata is no map";
    options.metadata = {bytes.data(), bytes.size()};
  }
  if (item.data && item.bytes) return "an event has either data or bytes";
  if (item.bytes) {
    options.data_format = item.data_format.value_or(NEXUS_DATA_BYTES);
    if (options.data_format != NEXUS_DATA_BYTES && options.data_format != NEXUS_DATA_JSON)
      return "bytes have the data_format 2 (JSON) or 3 (other)";
  }
  return nullptr;
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
      {"events.emit",
       "Emits events and waits for room where a queue is full; each event has a result of its own.", Scope::emit,
       RunsOn::caller},
      [this](const Caller&, const EmitParams& params) { return emit(params); });
  surface.add_stream<SubscribeParams, control::WireEvent>(
      {"events.subscribe", "A stream of the events whose type matches the pattern, from now on.", Scope::read,
       RunsOn::caller},
      [this](const Caller&, const SubscribeParams& params, std::shared_ptr<StreamSink> sink) {
        return subscribe(params, std::move(sink));
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
  if (const char* wrong = fill_options(item, options)) return invalid(NEXUS_E_SCHEMA, wrong);
  options.timeout_ns = timeout_ns;
  const auto data = item.data ? item.data->bytes : item.bytes.value_or(std::span<const uint8_t>());
  std::array<char, kSentenceMax> sentence;
  nexus_error error{sizeof(nexus_error), 0, kSentenceMax, 0, sentence.data()};
  nexus_uuid id{};
  const int32_t code =
      bus_.emit(*emitter_, port.value(), &options, nexus_bytes{data.data(), data.size()}, &id, &error);
  if (code != NEXUS_OK && code != NEXUS_OK_DUPLICATE)
    return rejected(code, std::string(sentence.data(), error.len));
  EmitResult result;
  result.id = uuid_text(id);
  result.status = code == NEXUS_OK ? "ok" : "duplicate";
  return result;
}

Result<std::unique_ptr<Stream>> EventMethods::subscribe(const SubscribeParams& params,
                                                        std::shared_ptr<StreamSink> sink) {
  auto state = std::make_unique<TapState>();
  state->sink = std::move(sink);
  state->headers_only = params.headers_only;
  state->counted = params.count != 0;
  state->left = params.count;
  auto tap = std::make_unique<Tap>(bus_, tap_, std::move(state));
  if (auto begun = tap->begin(params.pattern); !begun) return begun.error();
  return std::unique_ptr<Stream>(std::move(tap));
}

}  // namespace nexus::host
