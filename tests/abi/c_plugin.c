/* A plugin in C11 against the bare ABI: it counts, answers one question, and refuses what it cannot read. */
#include <stdlib.h>
#include <string.h>

#include "nexus/abi/abi.h"

static nexus_string text(const char* words) {
  nexus_string result;
  result.data = words;
  result.size = strlen(words);
  return result;
}

typedef struct counter {
  const nexus_host* host;
  const nexus_bus* bus;
  nexus_handle subscription;
  uint8_t count;
} counter;

static int32_t fail(nexus_error* error, int32_t code, const char* words) {
  const nexus_string sentence = text(words);
  if (error == NULL || error->size < sizeof(nexus_error)) return code;
  error->code = code;
  error->len = sentence.size < error->cap ? (uint32_t)sentence.size : error->cap;
  memcpy(error->text, sentence.data, error->len);
  return code;
}

static int32_t count_up(void* user, const nexus_delivery* delivery, nexus_outcome* outcome) {
  static uint8_t reply[4];
  counter* self = (counter*)user;
  if (delivery->event->data.size != 1 || delivery->event->data.data[0] != 0xa0) {
    outcome->error_type = text("not_empty");
    fail(outcome->error, NEXUS_E_SCHEMA, "counter.up takes an empty map");
    return NEXUS_REJECT;
  }
  self->count = (uint8_t)(self->count + 1);
  reply[0] = 0xa1; /* a map of one: "n" -> count */
  reply[1] = 0x61;
  reply[2] = 'n';
  reply[3] = (uint8_t)(self->count % 24);
  outcome->reply_format = NEXUS_DATA_CBOR;
  outcome->reply_type = text("counter.value");
  outcome->reply.data = reply;
  outcome->reply.size = sizeof reply;
  return NEXUS_DONE;
}

static int32_t create(const nexus_host* host, nexus_bytes config, void** instance, nexus_error* error) {
  counter* self;
  int32_t code;
  nexus_subscribe_options options;
  if (config.size != 0) return fail(error, NEXUS_E_LOAD_CONFIG, "the counter has no config");
  self = (counter*)calloc(1, sizeof *self);
  if (self == NULL) return fail(error, NEXUS_E_MEMORY, "out of memory");
  self->host = host;
  self->bus = (const nexus_bus*)host->query(host->ctx, NEXUS_BUS_ID);
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.name = text("count_up");
  code = self->bus->subscribe(self->bus->ctx, text("counter.up"), &options, count_up, self, &self->subscription, error);
  if (code != NEXUS_OK) {
    free(self);
    return code;
  }
  *instance = self;
  return NEXUS_OK;
}

static void destroy(void* instance) { free(instance); }

static const nexus_declared_handler handlers[] = {{{"count_up", 8}, {"counter.up", 10}, 0, 0}};

static const nexus_module module = {sizeof(nexus_module),
                                    NEXUS_ABI_MINOR,
                                    0,
                                    0,
                                    0,
                                    {"com.example.counter", 19},
                                    {"1.0.0", 5},
                                    {"Counter", 7},
                                    {NULL, 0},
                                    {NULL, 0},
                                    NULL,
                                    0,
                                    NULL,
                                    0,
                                    handlers,
                                    1,
                                    {NULL, 0},
                                    create,
                                    NULL,
                                    NULL,
                                    destroy,
                                    NULL};

const nexus_module* nexus_module_v1(void) { return &module; }
