/* transport.h - draft of "nexus.transport/1", provided by a plugin: carries events between hosts. */
#ifndef NEXUS_ABI_DRAFT_TRANSPORT_H
#define NEXUS_ABI_DRAFT_TRANSPORT_H

#include "../base.h"
#include "../error.h"
#include "../event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEXUS_TRANSPORT_ID "nexus.transport/1"

/* What the host gives a transport to call back; lives until `close` has returned. */
typedef struct nexus_transport_sink {
  uint32_t size;
  uint32_t reserved;
  void* ctx;
  /* An event for a group came in; `tag` is given back to acknowledge. [any-thread] */
  int32_t (*deliver)(void* ctx, nexus_string group, const nexus_event* event, uint64_t tag, uint32_t redelivered);
  /* The publishes up to this number are safe at the broker, or failed with `code`. [any-thread] */
  void (*published)(void* ctx, uint64_t first, uint64_t count, int32_t code);
  /* Connected (1) or not (0), and why. [any-thread] */
  void (*health)(void* ctx, int32_t up, nexus_string reason);
} nexus_transport_sink;

typedef struct nexus_transport {
  uint32_t size;
  uint32_t abilities; /* NEXUS_TRANSPORT_* */
  nexus_string name;  /* "redis": what `backend` in the config names; static */
  int32_t (*open)(void* instance, const nexus_transport_sink* sink, nexus_error* error); /* [control] */
  void (*close)(void* instance, int64_t deadline_unix_ns);                               /* [control] */
  /* Publishes without waiting; events are borrowed for the call. `first` numbers the first one. [any-thread] */
  int32_t (*publish)(void* instance, const nexus_event* const* events, uint64_t count, uint64_t first,
                     nexus_error* error);
  /* A consumer group with the patterns it wants; every_host: a copy for this host alone. [control] */
  int32_t (*join)(void* instance, nexus_string group, const nexus_string* patterns, uint64_t count, uint32_t every_host,
                  nexus_error* error);
  int32_t (*leave)(void* instance, nexus_string group, nexus_error* error); /* [control] */
  void (*acknowledge)(void* instance, nexus_string group, const uint64_t* tags, uint64_t count); /* [any-thread] */
  void (*give_back)(void* instance, nexus_string group, const uint64_t* tags, uint64_t count);   /* [any-thread] */
} nexus_transport;

#define NEXUS_TRANSPORT_PRIORITY 1u
#define NEXUS_TRANSPORT_DELAY 2u
#define NEXUS_TRANSPORT_ORDER 4u
#define NEXUS_TRANSPORT_DURABLE 8u

#ifdef __cplusplus
}
#endif

#endif
