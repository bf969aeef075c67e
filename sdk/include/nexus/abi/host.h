/* host.h - what a plugin gets at create: its log, and the way to every other interface. */
#ifndef NEXUS_ABI_HOST_H
#define NEXUS_ABI_HOST_H

#include "base.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Log levels. */
#define NEXUS_LOG_TRACE 0
#define NEXUS_LOG_DEBUG 1
#define NEXUS_LOG_INFO 2
#define NEXUS_LOG_WARN 3
#define NEXUS_LOG_ERROR 4

/* What thread_kind answers. */
#define NEXUS_THREAD_OWN 0u    /* a thread of the plugin's own, or another that may wait */
#define NEXUS_THREAD_WORKER 1u /* runs handlers, conditions, timers, tasks and waiters: must not wait */
#define NEXUS_THREAD_CONTROL                                                              \
  2u /* is inside create, start, quiesce, destroy or query of a plugin: must not wait for \
        events */

/* One field of a structured log line: a name and a value as text. This struct never grows. */
typedef struct nexus_log_field {
  nexus_string name;
  nexus_string value;
} nexus_log_field;

/* The host as one plugin instance sees it. Lives until destroy has returned. */
typedef struct nexus_host {
  uint32_t size;
  uint16_t major;
  uint16_t minor;
  void* ctx; /* passed back as the first argument of each function below */

  /* Writes one line; message and fields are copied. The plugin's id, and the ids of the event being handled, are
   * added by the host. A level outside the known ones is taken as the nearest. [any-thread] */
  void (*log)(void* ctx, int32_t level, nexus_string message, const nexus_log_field* fields, uint32_t count);

  /* 1 when a line of this level would be written. [any-thread] */
  int32_t (*log_enabled)(void* ctx, int32_t level);

  /* The interface of that name, e.g. "nexus.bus/1", or null. The pointer lives until destroy has returned; it is
   * for this instance only. [any-thread] */
  const void* (*query)(void* ctx, const char* interface_id);

  /* The interface of that name which another plugin provides; that plugin must be named in `requires`, so that it
   * outlives this one. Null if there is none. [control] */
  const void* (*query_plugin)(void* ctx, nexus_string plugin_id, const char* interface_id);

  /* The host's time, in ns since 1970-01-01 UTC. In tests a virtual clock. [any-thread] */
  int64_t (*now_unix_ns)(void* ctx);

  /* Asks the host to stop, as SIGTERM would; for a plugin that cannot go on. [any-thread] */
  void (*request_stop)(void* ctx, nexus_string reason);

  /* NEXUS_THREAD_* of the calling thread. [any-thread] */
  uint32_t (*thread_kind)(void* ctx);

  /* The folder for this plugin's own files: an absolute path, the same after restarts and hot swaps, made at the first
   * call, open to the host's user only. Empty with NEXUS_E_IO when it cannot be made, NEXUS_E_UNSUPPORTED when the host
   * has none. The text lives until destroy has returned. [any-thread] */
  nexus_string (*data_folder)(void* ctx, nexus_error* error);
} nexus_host;

#ifdef __cplusplus
}
#endif

#endif
