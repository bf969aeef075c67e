/* A good plugin that marks off the numbers it is sent, for tests of the swap under load. Its config is no CBOR but the
 * address of a struct tally: the test that loads it lives in the same process. */
#include <stdlib.h>
#include <string.h>

#include "nexus/abi/abi.h"
#include "tests/bad_plugins/counter.h"

#define TEXT(literal) {literal, sizeof(literal) - 1}

#ifndef COUNTER_VERSION
#define COUNTER_VERSION "1.0.0"
#endif
#ifndef COUNTER_FLAGS
#define COUNTER_FLAGS 0
#endif

struct instance {
  const nexus_bus* bus;
  struct tally* tally;
  nexus_handle subscription;
};

static int32_t count(void* user, const nexus_delivery* delivery, nexus_outcome* outcome) {
  struct instance* self = user;
  uint64_t number = 0;
  (void)outcome;
  if (delivery->event->data.size != sizeof number) return NEXUS_REJECT;
  memcpy(&number, delivery->event->data.data, sizeof number);
  if (number >= TALLY_MAX) return NEXUS_REJECT;
  __atomic_fetch_add(&self->tally->seen[number], 1, __ATOMIC_RELAXED);
  return NEXUS_DONE;
}

static int32_t create(const nexus_host* host, nexus_bytes config, void** out, nexus_error* error) {
  if (config.size != sizeof(struct tally*)) return NEXUS_E_ARGUMENT;
  struct instance* self = calloc(1, sizeof *self);
  if (self == NULL) return NEXUS_E_MEMORY;
  memcpy(&self->tally, config.data, sizeof self->tally);
  self->bus = host->query(host->ctx, NEXUS_BUS_ID);
  nexus_string pattern = TEXT("test.count");
  int32_t code = self->bus->subscribe(self->bus->ctx, pattern, NULL, count, self, &self->subscription, error);
  if (code != NEXUS_OK) {
    free(self);
    return code;
  }
  *out = self;
  return NEXUS_OK;
}

static int32_t start(void* instance, nexus_error* error) {
  struct instance* self = instance;
  (void)error;
  __atomic_fetch_add(&self->tally->starts, 1, __ATOMIC_RELAXED);
  return NEXUS_OK;
}

static void destroy(void* instance) {
  struct instance* self = instance;
#if defined(COUNTER_LEAVES)
  /* As a scope in the SDK's C++ layer does. */
  self->bus->unsubscribe(self->bus->ctx, self->subscription);
#endif
  free(self);
}

static const nexus_module module = {
    sizeof(nexus_module), NEXUS_ABI_MINOR, 0, COUNTER_FLAGS, 0, TEXT("com.test.counter"), TEXT(COUNTER_VERSION), {NULL, 0},
    {NULL, 0}, {NULL, 0}, NULL, 0, NULL, 0, NULL, 0, {NULL, 0}, create, start, NULL, destroy, NULL,
};

const nexus_module* nexus_module_v1(void) { return &module; }
