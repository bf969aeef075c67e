/* A plugin in pure C: it logs whoever greets, and emits "hello.counted" with the number of greetings so far. */
#include <nexus/abi/abi.h>
#include <stdlib.h>
#include <string.h>

typedef struct hello {
  const nexus_host* host;
  const nexus_bus* bus;
  uint64_t counted; /* the number of the type "hello.counted" */
  nexus_handle subscription;
  uint8_t greetings;
} hello;

static nexus_string text(const char* words) {
  nexus_string result;
  result.data = words;
  result.size = strlen(words);
  return result;
}

static int32_t on_greet(void* user, const nexus_delivery* delivery, nexus_outcome* outcome) {
  hello* self = (hello*)user;
  nexus_log_field field;
  /* {"greetings": n}: a map of one pair, a text of nine bytes, an integer in two bytes. */
  uint8_t data[13] = {0xa1, 0x69, 'g', 'r', 'e', 'e', 't', 'i', 'n', 'g', 's', 0x18, 0};
  nexus_bytes bytes;
  int32_t code;
  field.name = text("from");
  field.value = delivery->event->source;
  self->host->log(self->host->ctx, NEXUS_LOG_INFO, text("greeted"), &field, 1);
  if (self->greetings < 255) ++self->greetings;
  data[12] = self->greetings;
  bytes.data = data;
  bytes.size = sizeof data;
  code = self->bus->emit(self->bus->ctx, self->counted, NULL, bytes, NULL, outcome->error);
  return code == NEXUS_OK ? NEXUS_DONE : NEXUS_RETRY;
}

static int32_t create(const nexus_host* host, nexus_bytes config, void** instance, nexus_error* error) {
  hello* self = (hello*)calloc(1, sizeof *self);
  nexus_subscribe_options options;
  int32_t code = NEXUS_E_MEMORY;
  (void)config;
  if (self == NULL) return code;
  self->host = host;
  self->bus = (const nexus_bus*)host->query(host->ctx, NEXUS_BUS_ID);
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.name = text("on_greet");
  if (self->bus == NULL) {
    code = NEXUS_E_UNSUPPORTED;
  } else {
    code = self->bus->intern(self->bus->ctx, text("hello.counted"), &self->counted, error);
    if (code == NEXUS_OK)
      code = self->bus->subscribe(self->bus->ctx, text("hello.greet"), &options, on_greet, self, &self->subscription,
                                  error);
  }
  if (code != NEXUS_OK) {
    free(self);
    return code;
  }
  *instance = self;
  return NEXUS_OK;
}

static void destroy(void* instance) { free(instance); }

static const nexus_declared_handler handlers[] = {{{"on_greet", 8}, {"hello.greet", 11}, 0, 0}};

static const nexus_module module = {
    sizeof(nexus_module),
    NEXUS_ABI_MINOR,
    0,
    0,
    0,
    {"com.example.hello-c", 19},
    {"1.0.0", 5},
    {"Hello from C", 12},
    {"A plugin in pure C", 18},
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
    NULL,
};

const nexus_module* nexus_module_v1(void) { return &module; }
