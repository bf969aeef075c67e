// The emitting plugin of the benchmark, written against the C ABI. Its own work per event is a loop counter.
#include <array>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "tests/bench/plugins/bench_abi.h"
#include "tests/bench/type_order.hpp"

namespace {

struct Emitter {
  const nexus_host* host = nullptr;
  const nexus_bus* bus = nullptr;
  std::vector<std::string> names;
  std::vector<uint64_t> types;
  std::array<uint8_t, BENCH_PAYLOAD_SIZE> payload{};
};

constexpr int32_t kLevels[4] = {0, 10, 20, 30};

nexus_string text(const std::string& from) { return {from.data(), from.size()}; }

int32_t prepare(void* instance, const nexus_string* types, uint64_t count) {
  auto& self = *static_cast<Emitter*>(instance);
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t type = 0;
    const int32_t code = self.bus->intern(self.bus->ctx, types[i], &type, nullptr);
    if (code != NEXUS_OK) return code;
    self.types.push_back(type);
    self.names.emplace_back(types[i].data, types[i].size);
  }
  return NEXUS_OK;
}

uint64_t run_batches(Emitter& self, const bench_plan& plan) {
  const nexus_bus& bus = *self.bus;
  nexus::bench::TypeOrder order(plan.first_type, plan.type_count);
  std::array<nexus_emit_item, BENCH_BATCH_SIZE> items{};
  uint64_t done = 0;
  while (done < plan.events) {
    uint64_t size = plan.events - done < BENCH_BATCH_SIZE ? plan.events - done : BENCH_BATCH_SIZE;
    for (uint64_t i = 0; i < size; ++i)
      items[i] = {self.types[order.next()], nullptr, {self.payload.data(), self.payload.size()}};
    uint64_t accepted = 0;
    bus.emit_batch(bus.ctx, items.data(), size, &accepted, nullptr, nullptr);
    if (accepted == 0) break;
    done += accepted;
  }
  return done;
}

uint64_t run(void* instance, const bench_plan* plan) {
  auto& self = *static_cast<Emitter*>(instance);
  const nexus_bus& bus = *self.bus;
  const nexus_bytes data{self.payload.data(), self.payload.size()};
  nexus::bench::TypeOrder order(plan->first_type, plan->type_count);
  uint64_t accepted = 0;
  switch (plan->mode) {
    case BENCH_EMIT_ONE:
      for (uint64_t i = 0; i < plan->events; ++i)
        accepted += bus.emit(bus.ctx, self.types[order.next()], nullptr, data, nullptr, nullptr) == NEXUS_OK;
      return accepted;
    case BENCH_EMIT_BATCH:
      return run_batches(self, *plan);
    case BENCH_EMIT_BY_NAME:
      for (uint64_t i = 0; i < plan->events; ++i) {
        uint64_t type = 0;
        if (bus.intern(bus.ctx, text(self.names[order.next()]), &type, nullptr) != NEXUS_OK) continue;
        accepted += bus.emit(bus.ctx, type, nullptr, data, nullptr, nullptr) == NEXUS_OK;
      }
      return accepted;
    case BENCH_EMIT_LANES: {
      nexus_emit_options options{};
      options.size = sizeof options;
      for (uint64_t i = 0; i < plan->events; ++i) {
        options.priority = kLevels[i & 3];
        accepted += bus.emit(bus.ctx, self.types[order.next()], &options, data, nullptr, nullptr) == NEXUS_OK;
      }
      return accepted;
    }
    case BENCH_EMIT_OPTIONS: {
      static constexpr char kSubject[] = "order/4711", kKey[] = "customer-42";
      static constexpr char kCorrelation[] = "0190f2d8-7e10-7c3a-9a51-3f3f6d1c2b4e";
      nexus_emit_options options{};
      options.size = sizeof options;
      options.subject = {kSubject, sizeof kSubject - 1};
      options.key = {kKey, sizeof kKey - 1};
      options.correlation_id = {kCorrelation, sizeof kCorrelation - 1};
      for (uint64_t i = 0; i < plan->events; ++i)
        accepted += bus.emit(bus.ctx, self.types[order.next()], &options, data, nullptr, nullptr) == NEXUS_OK;
      return accepted;
    }
    default:
      return 0;
  }
}

int32_t create(const nexus_host* host, nexus_bytes, void** instance, nexus_error*) {
  auto* self = new (std::nothrow) Emitter;
  if (self == nullptr) return NEXUS_E_MEMORY;
  self->host = host;
  self->bus = static_cast<const nexus_bus*>(host->query(host->ctx, NEXUS_BUS_ID));
  for (size_t i = 0; i < self->payload.size(); ++i) self->payload[i] = static_cast<uint8_t>(i * 7);
  *instance = self;
  return self->bus != nullptr ? NEXUS_OK : NEXUS_E_UNKNOWN;
}

void destroy(void* instance) { delete static_cast<Emitter*>(instance); }

const void* query(void*, const char* interface_id) {
  static constexpr bench_emitter kEmitter{prepare, run};
  return std::strcmp(interface_id, BENCH_EMITTER_ID) == 0 ? &kEmitter : nullptr;
}

constexpr nexus_string literal(const char* text, uint64_t size) { return {text, size}; }

}  // namespace

extern "C" NEXUS_EXPORT const nexus_module* nexus_module_v1(void) {
  static const nexus_module kModule = [] {
    nexus_module module{};
    module.size = sizeof module;
    module.id = literal("bench.emitter", 13);
    module.version = literal("1.0.0", 5);
    module.create = create;
    module.destroy = destroy;
    module.query = query;
    return module;
  }();
  return &kModule;
}
