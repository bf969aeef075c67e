/* A plugin in C that logs each call of its life, and that can be built with one fault of its description or of its
 * functions. See specimen.h for what is settable, and CMakeLists.txt for what is built. */
#define _POSIX_C_SOURCE 200809L
#include "specimen.h"

#include <stdlib.h>
#include <string.h>

#include "nexus/abi/abi.h"
#include "nexus/abi/draft/handover.h"

#define TEXT(literal) {literal, sizeof(literal) - 1}

struct instance {
  const nexus_host* host;
  const int* peer;
  char state[64];
};

static void say(const nexus_host* host, const char* what) {
  char line[256];
  size_t length = strlen(what);
  if (length > 150) length = 150;
  memcpy(line, SPECIMEN_VERSION " ", sizeof SPECIMEN_VERSION);
  memcpy(line + sizeof SPECIMEN_VERSION, what, length);
  nexus_string message = {line, sizeof SPECIMEN_VERSION + length};
  host->log(host->ctx, NEXUS_LOG_INFO, message, NULL, 0);
}

#if defined(SPECIMEN_FAIL_CREATE) || defined(SPECIMEN_FAIL_START) || defined(SPECIMEN_FAIL_RESTORE) || \
    defined(SPECIMEN_FAIL_SAVE)
static int32_t fail(nexus_error* error, const char* text) {
  size_t length = strlen(text);
  if (error != NULL) {
    if (length > error->cap) length = error->cap;
    memcpy(error->text, text, length);
    error->len = (uint32_t)length;
    error->code = NEXUS_E_PLUGIN;
  }
  return NEXUS_E_PLUGIN;
}
#endif

#if defined(SPECIMEN_FAIL_START_AGAIN)
static int starts = 0;
#endif

static int32_t create(const nexus_host* host, nexus_bytes config, void** out, nexus_error* error) {
  (void)config;
  (void)error;
  say(host, "create");
#if defined(SPECIMEN_FAIL_CREATE)
  return fail(error, "no license file");
#elif defined(SPECIMEN_SILENT_CREATE)
  return 4711;
#elif defined(SPECIMEN_LYING_ERROR)
  error->len = 0xffffffffu; /* far beyond the buffer */
  return NEXUS_E_PLUGIN;
#else
  struct instance* made = calloc(1, sizeof *made);
  if (made == NULL) return NEXUS_E_MEMORY;
  made->host = host;
  strcpy(made->state, "fresh");
#if defined(SPECIMEN_PEER)
  nexus_string peer = TEXT(SPECIMEN_PEER);
  made->peer = host->query_plugin(host->ctx, peer, "test.answer/1");
  say(host, made->peer != NULL ? (*made->peer == 42 ? "peer 42" : "peer other") : "peer none");
#endif
  *out = made;
  return NEXUS_OK;
#endif
}

static int32_t start(void* instance, nexus_error* error) {
  struct instance* self = instance;
  (void)error;
  say(self->host, "start");
#if defined(SPECIMEN_FAIL_START)
  return fail(error, "the port is taken");
#elif defined(SPECIMEN_FAIL_START_AGAIN)
  return starts++ == 0 ? NEXUS_OK : NEXUS_E_PLUGIN;
#else
  return NEXUS_OK;
#endif
}

static void quiesce(void* instance, int64_t deadline_unix_ns) {
  struct instance* self = instance;
  (void)deadline_unix_ns;
  say(self->host, "quiesce");
}

static void destroy(void* instance) {
  struct instance* self = instance;
#if defined(SPECIMEN_PEER)
  say(self->host, self->peer == NULL || *self->peer == 42 ? "destroy" : "destroy after its peer");
#else
  say(self->host, "destroy");
#endif
  free(self);
}

#if defined(SPECIMEN_HANDOVER)
static int32_t save(void* instance, nexus_write_fn write, void* user, nexus_error* error) {
  struct instance* self = instance;
  say(self->host, "save");
#if defined(SPECIMEN_FAIL_SAVE)
  (void)write;
  (void)user;
  return fail(error, "cannot save");
#else
  (void)error;
  const char* state = "state of " SPECIMEN_VERSION;
  write(user, (const uint8_t*)state, strlen(state));
  return NEXUS_OK;
#endif
}

static int32_t restore(void* instance, nexus_string version, nexus_bytes state, nexus_error* error) {
  struct instance* self = instance;
  char line[128] = "restore ";
  (void)error;
  if (state.size < sizeof self->state) memcpy(self->state, state.data, state.size);
  strncat(line, self->state, 60);
  strcat(line, " from ");
  strncat(line, version.data, version.size < 30 ? version.size : 30);
  say(self->host, line);
#if defined(SPECIMEN_FAIL_RESTORE)
  return fail(error, "unknown state");
#else
  return NEXUS_OK;
#endif
}

static const nexus_handover handover = {sizeof handover, 0, save, restore};
#endif

static const int answer = 42;

static const void* query(void* instance, const char* interface_id) {
  (void)instance;
#if defined(SPECIMEN_HANDOVER)
  if (strcmp(interface_id, NEXUS_HANDOVER_ID) == 0) return &handover;
#endif
  if (strcmp(interface_id, "test.answer/1") == 0) return &answer;
  return NULL;
}

#if defined(SPECIMEN_REQUIRES)
static const nexus_requirement requirements[] = {SPECIMEN_REQUIRES};
#endif

#if defined(SPECIMEN_REQUIRES)
#define REQUIREMENTS requirements, sizeof requirements / sizeof requirements[0]
#elif defined(SPECIMEN_REQUIREMENT_COUNT)
#define REQUIREMENTS NULL, SPECIMEN_REQUIREMENT_COUNT
#else
#define REQUIREMENTS NULL, 0
#endif

static const nexus_event_schema events[] = {{TEXT("test.happened"), TEXT("{}"), 1, 0}};
static const nexus_declared_handler handlers[] = {{TEXT("watch"), TEXT("test.*"), 5, 0}};

static const nexus_module module = {
    SPECIMEN_SIZE,
    SPECIMEN_MINOR_BUILT,
    SPECIMEN_MINOR_MIN,
    SPECIMEN_FLAGS,
    0,
#if defined(SPECIMEN_ID_STRING)
    SPECIMEN_ID_STRING,
#else
    TEXT(SPECIMEN_ID),
#endif
    TEXT(SPECIMEN_VERSION),
    TEXT(SPECIMEN_NAME),
    TEXT("made for the tests of the load gate"),
    TEXT("Nexus"),
    REQUIREMENTS,
    events,
    1,
    handlers,
    1,
    {NULL, 0},
    SPECIMEN_CREATE,
    start,
    quiesce,
    SPECIMEN_DESTROY,
    query,
};

/* Whatever is not used in this variant. */
static void* const keep[] = {(void*)&create, (void*)&destroy};

#if defined(SPECIMEN_NULL_MODULE)
const nexus_module* nexus_module_v1(void) { return keep[0] == NULL ? &module : NULL; }
#elif defined(SPECIMEN_WILD_MODULE)
const nexus_module* nexus_module_v1(void) { return keep[0] == NULL ? &module : (const nexus_module*)(uintptr_t)0x1000; }
#elif defined(SPECIMEN_HANGING_MODULE)
const nexus_module* nexus_module_v1(void) {
  for (volatile int forever = 1; forever != 0;) {
  }
  return keep[0] != NULL ? &module : NULL;
}
#elif defined(SPECIMEN_TWO_FACES)
/* One thing in the probe, another in the host: told apart by the name of the program. */
#include <unistd.h>
static nexus_module second;
const nexus_module* nexus_module_v1(void) {
  char line[4096];
  second = module;
  ssize_t length = readlink("/proc/self/exe", line, sizeof line - 1);
  line[length < 0 ? 0 : length] = '\0';
  if (strstr(line, "probe") != NULL) return keep[0] != NULL ? &module : NULL;
  second.version.data = "6.6.6";
  return &second;
}
#else
const nexus_module* nexus_module_v1(void) { return keep[0] != NULL ? &module : NULL; }
#endif
