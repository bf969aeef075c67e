// The receiving plugin of the benchmark, written against the C ABI: each delivery is counted, and two fields of the
// event are read so that its memory is really touched; every peer's handler does the same.
#include <cstring>
#include <new>

#include "tests/bench/plugins/bench_abi.h"

namespace {

// On lines of its own: on the heap it might else lie beside what the emitter reads.
struct alignas(64) Receiver {
  const nexus_bus* bus = nullptr;
  uint64_t left = 0;  // deliveries until done is called
  bench_done_fn done = nullptr;
  void* done_user = nullptr;
  uint64_t sum = 0;
};

int32_t handle(void* user, const nexus_delivery* delivery, nexus_outcome*) {
  auto& self = *static_cast<Receiver*>(user);
  const nexus_event& event = *delivery->event;
  self.sum += event.data.data[1] + (static_cast<uint64_t>(event.time_unix_ns) & 1u);
  if (--self.left == 0) self.done(self.done_user);
  return NEXUS_DONE;
}

int32_t condition(void*, const nexus_event* event) { return event->data.size == BENCH_PAYLOAD_SIZE ? 1 : 0; }

int32_t subscribe(void* instance, nexus_string pattern, int32_t priority, int32_t with_condition) {
  auto& self = *static_cast<Receiver*>(instance);
  nexus_subscribe_options options{};
  options.size = sizeof options;
  options.priority = priority;
  options.condition = with_condition != 0 ? condition : nullptr;
  nexus_handle handle_out = 0;
  return self.bus->subscribe(self.bus->ctx, pattern, &options, handle, &self, &handle_out, nullptr);
}

void expect(void* instance, uint64_t deliveries, bench_done_fn done, void* user) {
  auto& self = *static_cast<Receiver*>(instance);
  self.left = deliveries;
  self.done = done;
  self.done_user = user;
}

uint64_t checksum(void* instance) { return static_cast<Receiver*>(instance)->sum; }

int32_t create(const nexus_host* host, nexus_bytes, void** instance, nexus_error*) {
  auto* self = new (std::nothrow) Receiver;
  if (self == nullptr) return NEXUS_E_MEMORY;
  self->bus = static_cast<const nexus_bus*>(host->query(host->ctx, NEXUS_BUS_ID));
  *instance = self;
  return self->bus != nullptr ? NEXUS_OK : NEXUS_E_UNKNOWN;
}

void destroy(void* instance) { delete static_cast<Receiver*>(instance); }

const void* query(void*, const char* interface_id) {
  static constexpr bench_receiver kReceiver{subscribe, expect, checksum};
  return std::strcmp(interface_id, BENCH_RECEIVER_ID) == 0 ? &kReceiver : nullptr;
}

constexpr nexus_string literal(const char* text, uint64_t size) { return {text, size}; }

}  // namespace

extern "C" NEXUS_EXPORT const nexus_module* nexus_module_v1(void) {
  static const nexus_module kModule = [] {
    nexus_module module{};
    module.size = sizeof module;
    module.id = literal("bench.receiver", 14);
    module.version = literal("1.0.0", 5);
    module.create = create;
    module.destroy = destroy;
    module.query = query;
    return module;
  }();
  return &kModule;
}
