// The path that nearly all emits take: no options, or few, outside of handlers. See bus.hpp; bus_build.cpp has the
// others, bus_publish.cpp the way into mailboxes that are full or several.
#include <cassert>
#include <cstddef>
#include <cstring>

#include "host/bus/bus.hpp"
#include "host/bus/thread_state.hpp"
#include "host/event/block.hpp"

namespace nexus::host {
namespace {

// What all plain events of one port have in common. Where the block was left by another port of the same participant,
// only the type differs. Priority and version of the schema are the emit's.
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

// Two neighbours that are compared in one go.
using PriorityAndVersion = uint64_t;
template <class T>
PriorityAndVersion priority_and_version(const T& from) {
  static_assert(offsetof(T, schema_version) == offsetof(T, priority) + sizeof from.priority);
  PriorityAndVersion both;
  std::memcpy(&both, &from.priority, sizeof both);
  return both;
}

[[gnu::noinline]] void change_size(EventBlock* block, uint64_t size) {
  block->event.data.size = size;
  block->event.data_format = size == 0 ? NEXUS_DATA_NONE : NEXUS_DATA_CBOR;
}

}  // namespace

inline bool Bus::may_be_plain(const ThreadState& thread, nexus_bytes data) const {
  return thread.running.event == nullptr && data.size < plain_size_end_.load(std::memory_order_relaxed);
}

// An event with no more options than a priority, outside of handlers. Null when memory is out.
[[gnu::always_inline]] inline EventBlock* Bus::make_plain(Port& port, ThreadState& thread, int64_t time,
                                                          const nexus_emit_options* options, nexus_bytes data,
                                                          nexus_uuid* id) {
  EventBlock* block = allocate_block(data.size + kUuidTextSize);
  if (block == nullptr) [[unlikely]]
    return nullptr;
  if (!block->is_stamped(port.prototype.stamp)) [[unlikely]]
    write_plain_header(port, block);
  nexus_event& event = block->event;
  char* payload = block->payload();
  event.time_unix_ns = time;
  event.id = thread.ids.next(time);
  format_uuid<false>(event.id, payload);
  if (event.data.size != data.size) [[unlikely]]
    change_size(block, data.size);
  const PriorityAndVersion wanted = options == nullptr ? PriorityAndVersion{} : priority_and_version(*options);
  if (priority_and_version(event) != wanted) [[unlikely]]
    std::memcpy(&event.priority, &wanted, sizeof wanted);
  if (data.size != 0) std::memcpy(payload + kUuidTextSize, data.data, data.size);  // null where there is none
  if (id != nullptr) *id = event.id;
  return block;
}

// The common case straight down: what build and publish do, for mailboxes with room. Everything else goes the general
// way.
[[gnu::always_inline]] inline int32_t Bus::emit_plain(Participant& from, Port& port, ThreadState& thread, int64_t time,
                                                      const nexus_emit_options* options, nexus_bytes data,
                                                      nexus_uuid* id, nexus_error* error) {
  EventBlock* block = make_plain(port, thread, time, options, data, id);
  if (block == nullptr) [[unlikely]]
    return publish_plain(from, port, time, options, nullptr, error);
  {
    RouteReader reader(thread);
    const Route* route = port.type->plain_route.load(std::memory_order_acquire);
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
  apply_rules(*port.type, block);
  return finish(call, block, publish(call, block));
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

int32_t Bus::emit_simple(Participant& from, uint64_t port_number, const nexus_emit_options* options, nexus_bytes data,
                         nexus_uuid* id, nexus_error* error) noexcept {
  Port* port = from.port(port_number);
  Bus& bus = from.bus();
  ThreadState* thread = existing_thread_state();
  if (port == nullptr || thread == nullptr || !bus.may_be_plain(*thread, data)) [[unlikely]]
    return emit_general(from, port_number, options, data, id, error);
  try {
    return bus.emit_plain(from, *port, *thread, bus.now(*thread), options, data, id, error);
  } catch (...) {
    return write_exception(error);
  }
}

// As many plain events as go to one mailbox, entered under one lock; returns how many. Where that is less than it made,
// `refused` is the one that found no room, and those after it are as if they had never been.
uint32_t Bus::emit_run(Participant& from, ThreadState& thread, int64_t time, const nexus_emit_item* items,
                       uint64_t count, nexus_uuid* ids, EventBlock** refused) {
  constexpr uint32_t kRunMax = 32;
  Slot slots[kRunMax];
  Port* ports[kRunMax];
  Mailbox* mailbox = nullptr;
  uint32_t size = 0;
  const RouteReader reader(thread);
  for (; size < kRunMax && size < count; ++size) {
    const nexus_emit_item& item = items[size];
    Port* port = from.port(item.type);
    if (item.options != nullptr || port == nullptr || !may_be_plain(thread, item.data)) [[unlikely]]
      break;
    const Route* route = port->type->plain_route.load(std::memory_order_acquire);
    if (route == nullptr || route->single == nullptr) break;
    if (mailbox == nullptr) mailbox = route->single->mailbox;
    if (route->single->mailbox != mailbox) break;
    EventBlock* block = make_plain(*port, thread, time, nullptr, item.data, ids != nullptr ? &ids[size] : nullptr);
    if (block == nullptr) [[unlikely]]
      break;
    slots[size] = {block, route->single};
    ports[size] = port;
  }
  if (size == 0) return 0;
  const uint32_t pushed = mailbox->push_run(slots, size);
  assert(pushed <= size);
  for (uint32_t i = 0; i < pushed; ++i) ports[i]->accepted.add(thread);
  if (pushed < size) *refused = static_cast<EventBlock*>(slots[pushed].item);
  for (uint32_t i = pushed + 1; i < size; ++i) static_cast<EventBlock*>(slots[i].item)->release();
  return pushed;
}

int32_t Bus::emit_batch(Participant& from, const nexus_emit_item* items, uint64_t count, uint64_t* accepted,
                        nexus_uuid* ids, nexus_error* error) noexcept {
  Bus& bus = from.bus();
  int32_t code = NEXUS_OK;
  uint64_t done = 0;
  try {
    ThreadState& thread = thread_state();
    const int64_t time = bus.now(thread);
    while (done < count) {
      EventBlock* refused = nullptr;
      const uint32_t run =
          bus.emit_run(from, thread, time, items + done, count - done, ids != nullptr ? ids + done : nullptr, &refused);
      done += run;
      if (done == count) break;
      const nexus_emit_item& item = items[done];
      if (refused != nullptr)
        code = bus.publish_plain(from, *from.port(item.type), time, nullptr, refused, error);
      else if (run == 0)
        code = emit(from, item.type, item.options, item.data, ids != nullptr ? &ids[done] : nullptr, error);
      else
        continue;  // to another mailbox, or not plain
      if (code != NEXUS_OK) [[unlikely]]
        break;
      ++done;
    }
  } catch (...) {
    code = write_exception(error);
  }
  if (accepted != nullptr) *accepted = done;
  return code;
}

}  // namespace nexus::host
