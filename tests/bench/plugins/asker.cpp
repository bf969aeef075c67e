// The asking plugin of J5, written against the C ABI: a thread asks, and asks again when it has its answer.
#include <array>
#include <chrono>
#include <cstring>
#include <new>

#include "tests/bench/bell.hpp"
#include "tests/bench/plugins/bench_abi.h"

namespace {

struct Asker {
  const nexus_bus* bus = nullptr;
  std::array<uint8_t, BENCH_PAYLOAD_SIZE> payload{};
  nexus::bench::Bell bell;
  uint64_t answered = 0;  // with an event; written in the mailbox, read when the bell has rung
  uint64_t asked = 0;
};

void on_answer(void* user, int32_t, const nexus_event* event) {
  auto& self = *static_cast<Asker*>(user);
  if (event != nullptr && event->data.size == BENCH_PAYLOAD_SIZE) ++self.answered;
  self.bell.ring();
}

uint64_t ask(void* instance, nexus_string type, nexus_string reply, uint64_t count, double* took_ns) {
  constexpr int64_t kTimeoutNs = 60'000'000'000;
  auto& self = *static_cast<Asker*>(instance);
  const nexus_bus& bus = *self.bus;
  const nexus_bytes data{self.payload.data(), self.payload.size()};
  uint64_t number = 0;
  if (bus.intern(bus.ctx, type, &number, nullptr) != NEXUS_OK) return 0;
  const uint64_t before = self.answered;
  for (uint64_t i = 0; i < count; ++i) {
    const auto began = std::chrono::steady_clock::now();
    nexus_handle handle = 0;
    if (bus.request(bus.ctx, number, nullptr, data, reply, kTimeoutNs, on_answer, &self, &handle, nullptr) != NEXUS_OK)
      return self.answered - before;
    self.bell.wait_for(++self.asked);
    took_ns[i] = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - began).count();
  }
  return self.answered - before;
}

int32_t create(const nexus_host* host, nexus_bytes, void** instance, nexus_error*) {
  auto* self = new (std::nothrow) Asker;
  if (self == nullptr) return NEXUS_E_MEMORY;
  self->bus = static_cast<const nexus_bus*>(host->query(host->ctx, NEXUS_BUS_ID));
  *instance = self;
  return self->bus != nullptr ? NEXUS_OK : NEXUS_E_UNKNOWN;
}

void destroy(void* instance) { delete static_cast<Asker*>(instance); }

const void* query(void*, const char* interface_id) {
  static constexpr bench_asker kAsker{ask};
  return std::strcmp(interface_id, BENCH_ASKER_ID) == 0 ? &kAsker : nullptr;
}

constexpr nexus_string literal(const char* text, uint64_t size) { return {text, size}; }

}  // namespace

extern "C" NEXUS_EXPORT const nexus_module* nexus_module_v1(void) {
  static const nexus_module kModule = [] {
    nexus_module module{};
    module.size = sizeof module;
    module.id = literal("bench.asker", 11);
    module.version = literal("1.0.0", 5);
    module.create = create;
    module.destroy = destroy;
    module.query = query;
    return module;
  }();
  return &kModule;
}
