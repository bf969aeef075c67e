// An event with all that its options say: from the check of an emit to the block. See bus.hpp.
#include <cstring>
#include <string>

#include "host/bus/bus.hpp"
#include "host/bus/thread_state.hpp"
#include "host/bus/trace.hpp"
#include "host/event/block.hpp"
#include "host/event/name.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host {
namespace {

constexpr size_t kKeyMax = 255;
constexpr size_t kCorrelationMax = 255;
constexpr size_t kSubjectMax = 1024;
constexpr size_t kMetadataMax = 64 * 1024;

// Copies bytes to the end of what a block holds already.
class Packer {
 public:
  explicit Packer(char* at) : at_(at) {}
  const char* put(const void* data, size_t size) {
    char* begin = at_;
    if (size != 0) std::memcpy(begin, data, size);
    at_ += size;
    return begin;
  }
  nexus_string put_text(nexus_string text) { return {put(text.data, text.size), text.size}; }
  nexus_bytes put_bytes(nexus_bytes bytes) {
    return {reinterpret_cast<const uint8_t*>(put(bytes.data, bytes.size)), bytes.size};
  }
  char* at() const { return at_; }
  void skip(size_t size) { at_ += size; }

 private:
  char* at_;
};

// Why a text among the options cannot be taken, or null.
const char* check_text(nexus_string text, size_t size_max, const char* too_long, const char* no_utf8) {
  if (text.size > size_max) return too_long;
  if (text.size != 0 && !is_utf8(to_view(text))) return no_utf8;
  return nullptr;
}

const char* check_options(const nexus_emit_options& options) {
  if (const char* wrong = check_text(options.key, kKeyMax, "the key is longer than 255 bytes", "the key is not UTF-8"))
    return wrong;
  if (const char* wrong = check_text(options.correlation_id, kCorrelationMax,
                                     "the correlation id is longer than 255 bytes", "the correlation id is not UTF-8"))
    return wrong;
  if (const char* wrong =
          check_text(options.subject, kSubjectMax, "the subject is longer than 1024 bytes", "the subject is not UTF-8"))
    return wrong;
  if (const char* wrong =
          check_text(options.source, kSubjectMax, "the source is longer than 1024 bytes", "the source is not UTF-8"))
    return wrong;
  if (options.metadata.size > kMetadataMax) return "the metadata is larger than 64 KiB";
  if (options.metadata.size != 0) {
    if (options.metadata.data == nullptr || (options.metadata.data[0] >> 5) != 5) return "the metadata is no CBOR map";
    if (!cbor::check(std::span(options.metadata.data, options.metadata.size)))
      return "the metadata is not well-formed CBOR";
  }
  if (options.data_format > NEXUS_DATA_BYTES) return "the data format is unknown";
  constexpr uint32_t kKnown =
      NEXUS_EMIT_NOW | NEXUS_EMIT_REPLAY | NEXUS_EMIT_HAS_ID | NEXUS_EMIT_FORWARD | NEXUS_EMIT_ROOT;
  if ((options.flags & ~kKnown) != 0) return "a flag is unknown";
  return nullptr;
}

}  // namespace

Result<uint64_t> Bus::intern(Participant& from, std::string_view type) {
  if (const uint64_t known = from.find_port(type); known != 0) return known;
  auto entry = router_.intern(type);
  if (!entry) return entry.error();
  if (entry.value()->reserved && !from.options().is_host)
    return make_error(NEXUS_E_RESERVED, "'" + std::string(type) + "' is an event of the host; plugins cannot emit it",
                      "choose a type that does not begin with system. or plugin.");
  const uint64_t port = from.port_for(*entry.value());
  if (port == 0) return make_error(NEXUS_E_TOO_LARGE, from.id() + " emits more than 16384 event types");
  return port;
}

int32_t Bus::refuse(EmitCall& call, int32_t code, std::string_view sentence) {
  if (code >= 300 && code < 400) {
    call.port.rejected.fetch_add(1, std::memory_order_relaxed);
    rejected_by_code_[static_cast<size_t>(code - 300)].fetch_add(1, std::memory_order_relaxed);
  } else {
    call.from.invalid_emits.fetch_add(1, std::memory_order_relaxed);
  }
  write_error(call.error, code, sentence);
  return code;
}

// One allocation: the header, and behind it every byte that the header points to but type and source.
EventBlock* Bus::build(EmitCall& call, nexus_bytes data) {
  const nexus_emit_options* options = call.options;
  const EventBlock* cause = call.cause;
  nexus_string correlation{};
  if (options != nullptr && options->correlation_id.size != 0)
    correlation = options->correlation_id;
  else if (cause != nullptr)
    correlation = cause->event.correlation_id;
  size_t payload = data.size + (correlation.size != 0 ? correlation.size : kUuidTextSize);
  const bool forwards = options != nullptr && (options->flags & NEXUS_EMIT_FORWARD) != 0;
  if (options != nullptr) {
    payload += options->subject.size + options->key.size + options->metadata.size;
    if (forwards) payload += options->source.size;
  }
  EventBlock* block = allocate_block(payload);
  if (block == nullptr) return nullptr;
  block->copy_header(call.port.prototype);
  block->forget();
  block->host_flags |= call.host_flags;
  block->hops = cause != nullptr ? static_cast<uint16_t>(cause->hops + 1) : uint16_t{0};
  nexus_event& event = block->event;
  event.time_unix_ns = call.now;
  Packer packer(block->payload());
  if (options != nullptr) {
    event.priority = options->priority;
    event.schema_version = options->schema_version;
    event.data_format = options->data_format;
    event.expires_unix_ns = options->expires_unix_ns;
    event.subject = packer.put_text(options->subject);
    event.key = packer.put_text(options->key);
    event.metadata = packer.put_bytes(options->metadata);
    event.causation_id = options->causation_id;
    event.trace_id = options->trace_id;
    std::memcpy(event.span_id, options->parent_span_id, sizeof event.span_id);
    event.trace_flags = options->trace_flags;
    if (forwards) {
      if (options->source.size != 0) event.source = packer.put_text(options->source);
      if (options->time_unix_ns != 0) event.time_unix_ns = options->time_unix_ns;
    }
  }
  event.id =
      options != nullptr && (options->flags & NEXUS_EMIT_HAS_ID) != 0 ? options->id : call.thread.ids.next(call.now);
  if (cause != nullptr) {
    if (is_nil(event.causation_id)) event.causation_id = cause->event.id;
    // The trace of a root event is its own id, which need not be written into it: see trace_of.
    if (is_nil(event.trace_id)) {
      event.trace_id = trace_of(cause->event);
      event.trace_flags = cause->event.trace_flags;
      std::memcpy(event.span_id, cause->event.span_id, sizeof event.span_id);
    }
  }
  if (event.key.size != 0) block->host_flags |= EventBlock::kHostKeyed;
  if (event.expires_unix_ns != 0)
    block->host_flags |= EventBlock::kHostExpires;
  else
    apply_rules(*call.port.type, block);
  // A reply is known by its cause, which nearly always is the event being handled.
  if (cause != nullptr && cause->event.id == event.causation_id ? (cause->host_flags & EventBlock::kHostAwaited) != 0
                                                                : !is_nil(event.causation_id) && waiters_.size() != 0)
    block->host_flags |= EventBlock::kHostAnswers;
  if (correlation.size != 0) {
    event.correlation_id = packer.put_text(correlation);
  } else {
    format_uuid(event.id, packer.at());
    event.correlation_id = {packer.at(), kUuidTextSize};
    packer.skip(kUuidTextSize);
  }
  event.data = packer.put_bytes(data);
  if (data.size == 0 && event.data_format == NEXUS_DATA_CBOR) event.data_format = NEXUS_DATA_NONE;
  return block;
}

int32_t Bus::refuse_port(Participant& from, nexus_error* error) {
  from.invalid_emits.fetch_add(1, std::memory_order_relaxed);
  return write_error(error, NEXUS_E_HANDLE, "this is no number that intern gave to this plugin");
}

[[gnu::noinline]] int32_t Bus::emit_general(Participant& from, uint64_t port_number, const nexus_emit_options* options,
                                            nexus_bytes data, nexus_uuid* id, nexus_error* error) noexcept {
  try {
    Port* port = from.port(port_number);
    if (port == nullptr) return refuse_port(from, error);
    Bus& bus = from.bus();
    ThreadState& thread = thread_state();
    EmitCall call{from, *port, options, thread, thread.running.event, bus.now(thread), error};
    return bus.emit_one(call, data, id);
  } catch (...) {
    return write_exception(error);
  }
}

int32_t Bus::emit_one(EmitCall& call, nexus_bytes data, nexus_uuid* id) {
  if (call.options != nullptr) [[unlikely]] {
    if (const char* wrong = check_options(*call.options)) return refuse(call, NEXUS_E_ARGUMENT, wrong);
    if (call.options->delay_ns < 0) return refuse(call, NEXUS_E_ARGUMENT, "the delay is negative");
    if (call.options->expires_unix_ns != 0 && call.options->expires_unix_ns <= call.now)
      return refuse(call, NEXUS_E_EXPIRED, "the event's time to expire has passed already");
    if ((call.options->flags & NEXUS_EMIT_FORWARD) != 0 && !call.from.options().may_forward)
      return refuse(call, NEXUS_E_PERMISSION,
                    "passing on a foreign source needs permissions = { forward = true } in the plugin's config");
    if ((call.options->flags & NEXUS_EMIT_ROOT) != 0) call.cause = nullptr;
  }
  if (data.size > options_.event_size_max) [[unlikely]]
    return refuse(call, NEXUS_E_TOO_LARGE,
                  "the event's data is larger than " + std::to_string(options_.event_size_max) + " bytes");
  // The host's own reports end no chain: what is emitted while handling them does.
  if (call.cause != nullptr && call.cause->hops >= kHopsMax && !call.from.options().is_host) [[unlikely]]
    return refuse_loop(call, data);
  if (stopping_.load(std::memory_order_relaxed) && call.cause == nullptr && !call.from.options().is_host) [[unlikely]]
    return refuse(call, NEXUS_E_STOPPING, "the host is shutting down and takes no new events");
  EventBlock* event = build(call, data);
  if (event == nullptr) [[unlikely]]
    return refuse(call, NEXUS_E_MEMORY, "no memory for the event");
  if (id != nullptr) *id = event->event.id;
  const bool at_once = call.options != nullptr && (call.options->flags & NEXUS_EMIT_NOW) != 0;
  if (const int32_t seen = check_id(call, event); seen != NEXUS_OK) [[unlikely]] {
    event->release();
    if (seen == NEXUS_OK_DUPLICATE) return seen;
    return refuse(call, seen, "the id was used before, for an event with other content");
  }
  if (call.thread.running.event != nullptr && !at_once) return finish(call, event, hold(call, event));
  const int64_t wait = call.options != nullptr ? call.options->delay_ns : 0;
  return finish(call, event, wait != 0 ? delay(event, wait) : publish_and_answer(call, event));
}

int32_t Bus::finish(EmitCall& call, EventBlock* event, int32_t code) {
  if (code == NEXUS_OK) [[likely]] {
    call.port.accepted.add(call.thread);
    return NEXUS_OK;
  }
  trace(*event, nullptr, TraceKind::rejected, code);
  if ((event->host_flags & EventBlock::kHostNamed) != 0) dedup_.forget(event->event.id);
  event->release();
  return refuse(call, code,
                code == NEXUS_E_QUEUE_FULL  ? "a mailbox that this event must enter is full"
                : code == NEXUS_E_TOO_LARGE ? "a million delayed events wait already"
                                            : "the event was not accepted");
}

}  // namespace nexus::host
