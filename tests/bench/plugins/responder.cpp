// The answering plugin of J5, written against the C ABI: each question is answered with as many bytes.
#include <new>

#include "tests/bench/plugins/bench_abi.h"

namespace {

struct Responder {
  const nexus_bus* bus = nullptr;
  uint8_t reply[BENCH_PAYLOAD_SIZE] = {};
};

constexpr nexus_string literal(const char* text, uint64_t size) { return {text, size}; }

int32_t handle(void* user, const nexus_delivery*, nexus_outcome* outcome) {
  auto& self = *static_cast<Responder*>(user);
  outcome->reply_type = literal(BENCH_ANSWER, sizeof BENCH_ANSWER - 1);
  outcome->reply_format = NEXUS_DATA_BYTES;
  outcome->reply = {self.reply, sizeof self.reply};
  return NEXUS_DONE;
}

int32_t create(const nexus_host* host, nexus_bytes, void** instance, nexus_error*) {
  auto* self = new (std::nothrow) Responder;
  if (self == nullptr) return NEXUS_E_MEMORY;
  self->bus = static_cast<const nexus_bus*>(host->query(host->ctx, NEXUS_BUS_ID));
  *instance = self;
  return self->bus != nullptr ? NEXUS_OK : NEXUS_E_UNKNOWN;
}

int32_t start(void* instance, nexus_error* error) {
  auto& self = *static_cast<Responder*>(instance);
  nexus_handle subscription = 0;
  return self.bus->subscribe(self.bus->ctx, literal(BENCH_QUESTION, sizeof BENCH_QUESTION - 1), nullptr, handle, &self,
                             &subscription, error);
}

void destroy(void* instance) { delete static_cast<Responder*>(instance); }

}  // namespace

extern "C" NEXUS_EXPORT const nexus_module* nexus_module_v1(void) {
  static const nexus_module kModule = [] {
    nexus_module module{};
    module.size = sizeof module;
    module.id = literal("bench.responder", 15);
    module.version = literal("1.0.0", 5);
    module.create = create;
    module.start = start;
    module.destroy = destroy;
    return module;
  }();
  return &kModule;
}
