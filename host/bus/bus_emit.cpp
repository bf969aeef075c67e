// The path of an emit: from a plugin's call to the slots in mailboxes. See bus.hpp; bus.cpp holds the rest.
#include <chrono>
#include <cstring>
#include <string>

#include "host/bus/bus.hpp"
#include "host/bus/thread_state.hpp"
#include "host/event/block.hpp"
#include "host/event/name.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host {
namespace {

constexpr size_t kUuidTextSize = 36;
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

int64_t monotonic_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
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
    if (is_nil(event.trace_id)) {
      event.trace_id = cause->event.trace_id;
      event.trace_flags = cause->event.trace_flags;
      std::memcpy(event.span_id, cause->event.span_id, sizeof event.span_id);
    }
  }
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

namespace {

// Whether the options say nothing but a priority, a version of the schema and how long to wait.
bool leave_path_plain(const nexus_emit_options& options) {
  const auto bits = [](const auto& field) {
    uint64_t halves[sizeof field / sizeof(uint64_t)];
    std::memcpy(halves, &field, sizeof field);
    return sizeof field == sizeof(uint64_t) ? halves[0] : halves[0] | halves[sizeof field / sizeof(uint64_t) - 1];
  };
  return (options.flags | options.data_format | options.subject.size | options.key.size | options.correlation_id.size |
          options.metadata.size | bits(options.expires_unix_ns) | bits(options.delay_ns) | bits(options.causation_id) |
          bits(options.trace_id) | bits(options.parent_span_id) | options.trace_flags) == 0;
}

// What all plain events of one port have in common. Where the block was left by another port of the same participant,
// only the type differs.
[[gnu::noinline]] void write_plain_header(const Port& port, EventBlock* block) {
  const EventBlock& prototype = port.prototype;
  if ((block->stamp ^ prototype.stamp) < Participant::kPortsMax) {
    block->type_index = prototype.type_index;
    block->host_flags = prototype.host_flags;
    block->event.type = prototype.event.type;
  } else {
    block->copy_header(prototype);
    block->event.correlation_id = {block->payload(), kUuidTextSize};
    block->event.data = {reinterpret_cast<const uint8_t*>(block->payload() + kUuidTextSize), 0};
    block->event.data_format = NEXUS_DATA_NONE;
    format_uuid(Uuid{}, block->payload());  // the hyphens stay
  }
  block->stamp_once(prototype.stamp);
}

[[gnu::noinline]] void change_size(EventBlock* block, uint64_t size) {
  block->event.data.size = size;
  block->event.data_format = size == 0 ? NEXUS_DATA_NONE : NEXUS_DATA_CBOR;
}

}  // namespace

inline bool Bus::may_be_plain(const ThreadState& thread, nexus_bytes data) const {
  return thread.running.event == nullptr &&
         static_cast<int64_t>(data.size) <= plain_size_max_.load(std::memory_order_relaxed);
}

// The common case, an emit without options outside of handlers, straight down: what build and publish do, for one
// mailbox with room. Everything else goes the general way.
[[gnu::always_inline]] inline int32_t Bus::emit_plain(Participant& from, Port& port, ThreadState& thread, int64_t time,
                                                      const nexus_emit_options* options, nexus_bytes data,
                                                      nexus_uuid* id, nexus_error* error) {
  EventBlock* block = allocate_block(data.size + kUuidTextSize);
  if (block == nullptr) [[unlikely]]
    return publish_plain(from, port, time, options, nullptr, error);
  if (!block->is_stamped(port.prototype.stamp)) [[unlikely]]
    write_plain_header(port, block);
  nexus_event& event = block->event;
  char* payload = block->payload();
  event.time_unix_ns = time;
  event.id = thread.ids.next(time);
  format_uuid<false>(event.id, payload);
  if (event.data.size != data.size) [[unlikely]]
    change_size(block, data.size);
  std::memcpy(payload + kUuidTextSize, data.data, data.size);
  if (id != nullptr) *id = event.id;
  {
    RouteReader reader(thread);
    const Route* route = port.type->route.load(std::memory_order_acquire);
    if (route != nullptr) [[likely]] {
      const Mailbox::Push pushed = route->single != nullptr
                                       ? route->single->mailbox->push(block, route->single, false, nullptr)
                                       : Mailbox::push_all(block, route->together, false);
      if (pushed == Mailbox::Push::kAccepted) [[likely]] {
        port.accepted.add(thread);
        return NEXUS_OK;
      }
    }
  }
  return publish_plain(from, port, time, options, block, error);
}

// A plain emit that meets more than one mailbox, or one without room, or no memory.
[[gnu::noinline]] int32_t Bus::publish_plain(Participant& from, Port& port, int64_t time,
                                             const nexus_emit_options* options, EventBlock* block, nexus_error* error) {
  EmitCall call{from, port, options, thread_state(), nullptr, time, error};
  if (block == nullptr) return refuse(call, NEXUS_E_MEMORY, "no memory for the event");
  return finish(call, block, publish(call, block));
}

[[gnu::noinline]] int32_t Bus::emit_general(Participant& from, uint64_t port_number, const nexus_emit_options* options,
                                            nexus_bytes data, nexus_uuid* id, nexus_error* error) noexcept {
  try {
    Port* port = from.port(port_number);
    if (port == nullptr) {
      from.invalid_emits.fetch_add(1, std::memory_order_relaxed);
      return write_error(error, NEXUS_E_HANDLE, "this is no number that intern gave to this plugin");
    }
    Bus& bus = from.bus();
    ThreadState& thread = thread_state();
    const int64_t time = bus.now(thread);
    if (options != nullptr && leave_path_plain(*options) && bus.may_be_plain(thread, data))
      return bus.emit_plain(from, *port, thread, time, options, data, id, error);
    EmitCall call{from, *port, options, thread, thread.running.event, time, error};
    return bus.emit_one(call, data, id);
  } catch (...) {
    return write_exception(error);
  }
}

int32_t Bus::emit(Participant& from, uint64_t port_number, const nexus_emit_options* options, nexus_bytes data,
                  nexus_uuid* id, nexus_error* error) noexcept {
  Port* port = from.port(port_number);
  Bus& bus = from.bus();
  ThreadState* thread = existing_thread_state();
  if (options != nullptr || port == nullptr || thread == nullptr || !bus.may_be_plain(*thread, data)) [[unlikely]]
    return emit_general(from, port_number, options, data, id, error);
  try {
    return bus.emit_plain(from, *port, *thread, bus.now(*thread), nullptr, data, id, error);
  } catch (...) {
    return write_exception(error);
  }
}

int32_t Bus::emit_batch(Participant& from, const nexus_emit_item* items, uint64_t count, uint64_t* accepted,
                        nexus_uuid* ids, nexus_error* error) noexcept {
  Bus& bus = from.bus();
  int32_t code = NEXUS_OK;
  uint64_t done = 0;
  try {
    ThreadState& thread = thread_state();
    const int64_t time = bus.now(thread);
    for (; done < count; ++done) {
      const nexus_emit_item& item = items[done];
      nexus_uuid* id = ids != nullptr ? &ids[done] : nullptr;
      Port* port = from.port(item.type);
      code = item.options == nullptr && port != nullptr && bus.may_be_plain(thread, item.data)
                 ? bus.emit_plain(from, *port, thread, time, nullptr, item.data, id, error)
                 : emit_general(from, item.type, item.options, item.data, id, error);
      if (code != NEXUS_OK) [[unlikely]]
        break;
    }
  } catch (...) {
    code = write_exception(error);
  }
  if (accepted != nullptr) *accepted = done;
  return code;
}

int32_t Bus::emit_one(EmitCall& call, nexus_bytes data, nexus_uuid* id) {
  if (call.options != nullptr) [[unlikely]] {
    if (const char* wrong = check_options(*call.options)) return refuse(call, NEXUS_E_ARGUMENT, wrong);
    if (call.options->delay_ns != 0)
      return refuse(call, NEXUS_E_UNSUPPORTED, "a delayed emit is not supported by this host; use a timer");
    if ((call.options->flags & NEXUS_EMIT_FORWARD) != 0 && !call.from.options().may_forward)
      return refuse(call, NEXUS_E_PERMISSION,
                    "passing on a foreign source needs permissions = { forward = true } in the plugin's config");
    if ((call.options->flags & NEXUS_EMIT_ROOT) != 0) call.cause = nullptr;
  }
  if (data.size > options_.event_size_max) [[unlikely]]
    return refuse(call, NEXUS_E_TOO_LARGE,
                  "the event's data is larger than " + std::to_string(options_.event_size_max) + " bytes");
  if (call.cause != nullptr && call.cause->hops >= kHopsMax) [[unlikely]]
    return refuse(call, NEXUS_E_LOOP,
                  "a chain of 32 events, each emitted while handling the one before, ends here: a loop?");
  if (stopping_.load(std::memory_order_relaxed) && call.cause == nullptr && !call.from.options().is_host) [[unlikely]]
    return refuse(call, NEXUS_E_STOPPING, "the host is shutting down and takes no new events");
  EventBlock* event = build(call, data);
  if (event == nullptr) [[unlikely]]
    return refuse(call, NEXUS_E_MEMORY, "no memory for the event");
  if (id != nullptr) *id = event->event.id;
  const bool at_once = call.options != nullptr && (call.options->flags & NEXUS_EMIT_NOW) != 0;
  const int32_t code = call.thread.running.event != nullptr && !at_once ? hold(call, event) : publish(call, event);
  return finish(call, event, code);
}

int32_t Bus::finish(EmitCall& call, EventBlock* event, int32_t code) {
  if (code == NEXUS_OK) [[likely]] {
    call.port.accepted.add(call.thread);
    return NEXUS_OK;
  }
  event->release();
  return refuse(
      call, code,
      code == NEXUS_E_QUEUE_FULL ? "a mailbox that this event must enter is full" : "the event was not accepted");
}

// Takes the caller's reference when it returns NEXUS_OK.
int32_t Bus::publish(EmitCall& call, EventBlock* event) {
  const TypeEntry& type = *call.port.type;
  const bool hard = call.thread.is_worker || call.from.options().is_host;
  int64_t deadline = 0;
  for (;;) {
    std::shared_ptr<Mailbox> full;
    {
      RouteReader reader(call.thread);
      const Route* route = type.route.load(std::memory_order_acquire);
      if (route == nullptr) {
        unrouted_.fetch_add(1, std::memory_order_relaxed);
        event->release();
        return NEXUS_OK;
      }
      if (Target* target = route->single) [[likely]] {
        Slot dropped;
        const Mailbox::Push result = target->mailbox->push(event, target, hard, &dropped);
        if (dropped.item != nullptr) [[unlikely]]
          discard_slot(dropped);
        if (result == Mailbox::Push::kAccepted) [[likely]]
          return NEXUS_OK;
        if (result == Mailbox::Push::kClosed) continue;  // the route has just been replaced
        full = {target->mailbox->owner().shared_from_this(), target->mailbox};
      } else if (publish_to_many(call, event, *route, &full) == NEXUS_OK) {
        return NEXUS_OK;
      }
    }
    // Outside of the reader from here on: waiting must not hold reclamation up.
    if (hard || options_.overflow != Overflow::kBlock) return NEXUS_E_QUEUE_FULL;
    if (full == nullptr) continue;
    const int64_t wanted = call.options != nullptr ? call.options->timeout_ns : 0;
    if (wanted < 0) return NEXUS_E_QUEUE_FULL;
    if (deadline == 0) deadline = monotonic_now_ns() + (wanted != 0 ? wanted : options_.block_timeout_ns);
    if (!full->wait_for_room(deadline)) return NEXUS_E_QUEUE_FULL;
    if (monotonic_now_ns() >= deadline) return NEXUS_E_QUEUE_FULL;
  }
}

bool Bus::reserve_all(const Route& route, std::shared_ptr<Mailbox>* full, bool hard) {
  for (size_t stage = 0; stage < route.stages.size(); ++stage) {
    for (size_t i = 0; i < route.stages[stage].targets.size(); ++i) {
      Mailbox& mailbox = *route.stages[stage].targets[i]->mailbox;
      Slot dropped;
      const Mailbox::Push result = mailbox.reserve(hard, &dropped);
      if (dropped.item != nullptr) discard_slot(dropped);
      if (result == Mailbox::Push::kAccepted) continue;
      if (result == Mailbox::Push::kFull && full != nullptr) *full = {mailbox.owner().shared_from_this(), &mailbox};
      for (size_t s = 0; s <= stage; ++s)
        for (size_t t = 0; t < (s == stage ? i : route.stages[s].targets.size()); ++t)
          route.stages[s].targets[t]->mailbox->unreserve();
      return false;
    }
  }
  return true;
}

void Bus::unreserve_all(const Route& route) {
  for (const Stage& stage : route.stages)
    for (Target* target : stage.targets) target->mailbox->unreserve();
}

int32_t Bus::publish_to_many(EmitCall& call, EventBlock* event, const Route& route, std::shared_ptr<Mailbox>* full) {
  const bool hard = call.thread.is_worker || call.from.options().is_host;
  if (Mailbox::push_all(event, route.together, hard) == Mailbox::Push::kAccepted) [[likely]]
    return NEXUS_OK;
  if (!reserve_all(route, full, hard)) return NEXUS_E_QUEUE_FULL;
  push_stage(event, route, 0);
  event->release();
  return NEXUS_OK;
}

// Hands the event to the mailboxes of one stage, where room for it is reserved. Takes a reference for each.
void Bus::push_stage(EventBlock* event, const Route& route, uint32_t stage) {
  const std::vector<Target*>& targets = route.stages[stage].targets;
  if (route.stages.size() > 1) {
    event->forget();
    if (stage == 0) {
      route.retain();
      event->route = &route;
    }
    event->stage = stage;
    event->stage_left.store(static_cast<uint32_t>(targets.size()), std::memory_order_relaxed);
  }
  event->references.fetch_add(static_cast<uint32_t>(targets.size()), std::memory_order_relaxed);
  for (Target* target : targets) deliver_or_redirect(event, target, target->mailbox->push_reserved(event, target));
}

// Room is reserved now, so that the emit's answer holds; the event enters the mailboxes when the handler succeeds.
int32_t Bus::hold(EmitCall& call, EventBlock* event) {
  RouteReader reader(call.thread);
  const Route* route = call.port.type->route.load(std::memory_order_acquire);
  if (route != nullptr) {
    if (!reserve_all(*route, nullptr, true)) return NEXUS_E_QUEUE_FULL;
    route->retain();
  }
  call.thread.running.held.push_back({event, route});
  call.thread.running.holds = true;
  return NEXUS_OK;
}

void Bus::commit(RunningCallback& running) {
  for (const HeldEmit& emit : running.held) {
    if (emit.route == nullptr) {
      unrouted_.fetch_add(1, std::memory_order_relaxed);
    } else {
      push_stage(emit.event, *emit.route, 0);
      emit.route->release();
    }
    emit.event->release();
  }
  running.held.clear();
  running.holds = false;
}

void Bus::abort(RunningCallback& running) {
  for (const HeldEmit& emit : running.held) {
    withdrawn_.fetch_add(1, std::memory_order_relaxed);
    if (emit.route != nullptr) {
      unreserve_all(*emit.route);
      emit.route->release();
    }
    emit.event->release();
  }
  running.held.clear();
  running.holds = false;
}

}  // namespace nexus::host
