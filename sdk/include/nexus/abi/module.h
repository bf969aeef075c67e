/* module.h - the one function that a plugin exports, and the life of its instance.
 *
 * The host calls nexus_module_v1 first in a child process (the probe), then in its own. The function must be pure:
 * it returns a pointer to static data and does nothing else.
 *
 * Life of an instance, all on the control thread, never two at once for one plugin:
 *
 *   create -> start -> (events, timers) -> quiesce -> [save] -> destroy
 *
 *  - Interfaces may be queried from create on. Subscriptions made in create or start see events from the moment
 *    start has returned NEXUS_OK.
 *  - Every create that returned NEXUS_OK gets exactly one destroy, even if start failed.
 *  - quiesce must stop and join the plugin's own threads. No callback runs after it has returned.
 *  - After destroy the plugin must not call the host, and the library is unmapped. */
#ifndef NEXUS_ABI_MODULE_H
#define NEXUS_ABI_MODULE_H

#include "base.h"
#include "error.h"
#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* nexus_module.flags */
#define NEXUS_MODULE_EXCLUSIVE 1u /* a hot swap quiesces the old instance before the new one starts: it owns a port, a file, ... */
#define NEXUS_MODULE_PROVIDER 2u  /* provides a transport or a store; is loaded before plugins that only use them */

/* "This plugin needs that one." Static data. This struct never grows. */
typedef struct nexus_requirement {
  nexus_string id;      /* the other plugin's id */
  nexus_string version; /* a range: "^1.2", "~1.2.3", ">=1.2 <2.0", "1.2.3", "*" or empty for any */
} nexus_requirement;

/* An event type that the plugin knows, for tools: documentation, AsyncAPI, checks. Static. This struct never grows. */
typedef struct nexus_event_schema {
  nexus_string type;        /* "order.created" */
  nexus_string json_schema; /* draft-07, or empty */
  uint32_t version;
  uint32_t reserved;        /* 0 */
} nexus_event_schema;

/* A subscription that every instance makes at create, for tools that look at a file without running it. Static.
 * This struct never grows. */
typedef struct nexus_declared_handler {
  nexus_string name;    /* the method, "record" */
  nexus_string pattern; /* what it listens to */
  int32_t priority;
  uint32_t reserved;    /* 0 */
} nexus_declared_handler;

typedef struct nexus_module {
  uint32_t size;
  uint16_t minor_built; /* NEXUS_ABI_MINOR of the headers it was built with */
  uint16_t minor_min;   /* the oldest host minor it can live with */
  uint32_t flags;
  uint32_t reserved;    /* 0 */

  nexus_string id;      /* reverse-DNS: "com.example.orders", [a-z0-9_-] segments, 3 to 128 bytes */
  nexus_string version; /* semver: "1.2.3", "1.2.3-rc.1+build" */
  nexus_string name;    /* for people; may be empty */
  nexus_string description;
  nexus_string vendor;

  const nexus_requirement* requirements;
  uint64_t requirement_count;
  const nexus_event_schema* events;
  uint64_t event_count;
  const nexus_declared_handler* handlers;
  uint64_t handler_count;
  nexus_string config_schema; /* JSON Schema (draft-07) of the plugin's config, or empty: any config is taken */

  /* Makes an instance. `config` is the CBOR map of [plugins."<id>".config], defaults not filled in; borrowed for the
   * call. On success stores the instance, which is opaque to the host. [control] */
  int32_t (*create)(const nexus_host* host, nexus_bytes config, void** instance, nexus_error* error);

  /* Begins to work: threads, sockets. May be null. [control] */
  int32_t (*start)(void* instance, nexus_error* error);

  /* Stops: no new work, own threads joined, before `deadline_unix_ns` if it can. May be null. [control] */
  void (*quiesce)(void* instance, int64_t deadline_unix_ns);

  /* Frees the instance. [control] */
  void (*destroy)(void* instance);

  /* The plugin's own interfaces, e.g. "nexus.handover/1"; null where it has none. May itself be null. The result
   * lives as long as the instance. [control] */
  const void* (*query)(void* instance, const char* interface_id);
} nexus_module;

typedef const nexus_module* (*nexus_module_fn)(void);

/* The exported function. The major is in its name. */
NEXUS_EXPORT const nexus_module* nexus_module_v1(void);

#ifdef __cplusplus
}
#endif

#endif
