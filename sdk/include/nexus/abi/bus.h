/* bus.h - "nexus.bus/1": emit, subscribe, and answer.
 *
 * Callbacks of an instance run in its mailbox, one at a time, on one of the host's workers, unless a subscription
 * opts in to NEXUS_CONCURRENCY_PARALLEL. The host holds no lock while it runs one, so a callback may call anything
 * here, unsubscribing itself included. */
#ifndef NEXUS_ABI_BUS_H
#define NEXUS_ABI_BUS_H

#include "base.h"
#include "error.h"
#include "event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEXUS_BUS_ID "nexus.bus/1"

/* nexus_emit_options.flags */
#define NEXUS_EMIT_NOW 1u      /* in a handler: leave at once, even if the handler fails later */
#define NEXUS_EMIT_REPLAY 2u   /* leave even though the event being handled is replayed */
#define NEXUS_EMIT_HAS_ID 4u   /* `id` is set; the same id twice is accepted once */
#define NEXUS_EMIT_FORWARD 8u  /* `source`, `time_unix_ns` and trace are a foreign event's; needs the grant "forward" */
#define NEXUS_EMIT_ROOT 16u    /* begins a new correlation, even inside a handler */

/* All may be left zero; a null pointer stands for an all-zero one. */
typedef struct nexus_emit_options {
  uint32_t size;
  uint32_t flags;
  int32_t priority;            /* higher first; 0 is normal */
  uint32_t schema_version;
  uint32_t data_format;        /* NEXUS_DATA_* */
  uint32_t reserved;           /* 0 */
  nexus_string subject;
  nexus_string key;            /* at most 255 bytes */
  nexus_string correlation_id; /* empty: inherited, or the event's own id */
  nexus_bytes metadata;        /* a CBOR map with text keys */
  int64_t expires_unix_ns;     /* 0: never */
  int64_t delay_ns;            /* leave this much later; 0: now */
  int64_t timeout_ns;          /* how long to wait for room in a full mailbox when overflow = "block", on the plugin's
                                  own threads; 0: the config's; negative: not at all. Workers never wait */
  nexus_uuid id;               /* with NEXUS_EMIT_HAS_ID */
  nexus_uuid causation_id;     /* zero: the event being handled */
  nexus_string source;         /* with NEXUS_EMIT_FORWARD */
  int64_t time_unix_ns;        /* with NEXUS_EMIT_FORWARD; 0: now */
  nexus_uuid trace_id;         /* zero: inherited, or made when tracing is on */
  uint8_t parent_span_id[8];
  uint32_t trace_flags;
  uint32_t reserved2;          /* 0 */
} nexus_emit_options;

/* One event of a batch. This struct never grows. */
typedef struct nexus_emit_item {
  uint64_t type;                     /* from intern */
  const nexus_emit_options* options; /* or null */
  nexus_bytes data;
} nexus_emit_item;

/* nexus_subscribe_options.concurrency */
#define NEXUS_CONCURRENCY_SERIAL 0u
#define NEXUS_CONCURRENCY_PARALLEL 1u
#define NEXUS_CONCURRENCY_KEYED 2u /* one key serial, different keys parallel */

/* nexus_subscribe_options.flags */
#define NEXUS_SUBSCRIBE_FROM_BEGINNING 1u
#define NEXUS_SUBSCRIBE_EVERY_HOST 2u     /* with a broker: a copy on each host, not one in the fleet */
#define NEXUS_SUBSCRIBE_STRICT_ORDER 4u   /* a dead letter parks its key */
#define NEXUS_SUBSCRIBE_VOLATILE 8u       /* never durable, even on a durable bus */
#define NEXUS_SUBSCRIBE_HAS_RETRY 16u     /* the retry members below count; else the config's do */
#define NEXUS_SUBSCRIBE_NO_SELF 32u       /* not what this plugin itself emitted */

typedef struct nexus_subscribe_options {
  uint32_t size;
  uint32_t flags;
  int32_t priority;             /* for one event, higher handlers finish their first attempt before lower ones start */
  uint32_t concurrency;
  nexus_string name;            /* stable name within the plugin, [A-Za-z0-9_.-]; empty: dynamic, never durable */
  nexus_condition_fn condition; /* or null */
  int64_t deadline_ns;          /* a handler running longer is reported; 0: the config's */
  uint32_t retry_attempts;
  uint32_t retry_exponential;   /* 1: the delay doubles each time */
  int64_t retry_delay_ns;
  int64_t retry_delay_ns_max;   /* 0: no cap */
  nexus_string filter_text;     /* what the condition says, for `nexus plugins info` and explain; may be empty */
} nexus_subscribe_options;

/* Called once per waiter or request: with the event, or null and the reason: NEXUS_E_TIMEOUT, NEXUS_E_CANCELLED, or of
 * a request NEXUS_E_UNKNOWN, when nobody listens to it. The call may come before request or wait_for has returned, on
 * another thread. Runs in the plugin's mailbox, and not any more once the instance is stopped. */
typedef void (*nexus_waiter_fn)(void* user, int32_t code, const nexus_event* event);

/* Runs in the plugin's mailbox. */
typedef void (*nexus_task_fn)(void* user);

typedef struct nexus_bus {
  uint32_t size;
  uint32_t reserved;
  void* ctx;

  /* Looks a type name up, checks it and the plugin's right to emit it, and stores a number for emit. The number
   * stays valid until destroy. `error` may be null. [any-thread] */
  int32_t (*intern)(void* ctx, nexus_string type, uint64_t* handle, nexus_error* error);

  /* Emits one event; data is copied. On NEXUS_OK and NEXUS_OK_DUPLICATE the event's id is stored at `id` when that is
   * not null. NEXUS_E_* of 3xx: rejected, certainly not accepted; NEXUS_E_IN_DOUBT: unknown. Inside a handler the event
   * leaves when the handler has succeeded, unless NEXUS_EMIT_NOW. [any-thread] */
  int32_t (*emit)(void* ctx, uint64_t type, const nexus_emit_options* options, nexus_bytes data, nexus_uuid* id,
                  nexus_error* error);

  /* Emits `count` events with one clock reading. Stops at the first that is not accepted and returns its code; stores
   * how many were accepted. `ids` has room for `count`, or is null. [any-thread] */
  int32_t (*emit_batch)(void* ctx, const nexus_emit_item* items, uint64_t count, uint64_t* accepted, nexus_uuid* ids,
                        nexus_error* error);

  /* Calls `handler` for each event whose type matches `pattern`, emitted from now on. `options` may be null.
   * [any-thread] */
  int32_t (*subscribe)(void* ctx, nexus_string pattern, const nexus_subscribe_options* options, nexus_handler_fn handler,
                       void* user, nexus_handle* subscription, nexus_error* error);

  /* No call of the handler begins after this has returned, when called in the plugin's mailbox; from another thread
   * one that has begun may still be running. Events that still wait for this handler are discarded and counted.
   * [any-thread] */
  int32_t (*unsubscribe)(void* ctx, nexus_handle subscription);

  /* Finishes a delivery that was answered NEXUS_LATER with DONE, RETRY, REJECT or SKIP; `outcome` may be null. Its
   * pointers are read before this returns. A token that is stale or was used is ignored: NEXUS_E_HANDLE.
   * [any-thread] */
  int32_t (*complete)(void* ctx, uint64_t token, int32_t verdict, const nexus_outcome* outcome);

  /* Emits, and calls `waiter` with the first event that was caused by it, of type `reply_pattern` (empty: any).
   * [any-thread] */
  int32_t (*request)(void* ctx, uint64_t type, const nexus_emit_options* options, nexus_bytes data,
                     nexus_string reply_pattern, int64_t timeout_ns, nexus_waiter_fn waiter, void* user,
                     nexus_handle* handle, nexus_error* error);

  /* Calls `waiter` with the first event from now on that matches. [any-thread] */
  int32_t (*wait_for)(void* ctx, nexus_string pattern, nexus_condition_fn condition, void* condition_user,
                      int64_t timeout_ns, nexus_waiter_fn waiter, void* user, nexus_handle* handle, nexus_error* error);

  /* Ends a waiter; its callback still comes once, with NEXUS_E_CANCELLED, unless it has already been called.
   * [any-thread] */
  int32_t (*cancel)(void* ctx, nexus_handle handle);

  /* Keeps an event beyond its callback, until as many releases. Returns the event. [any-thread] */
  const nexus_event* (*retain)(void* ctx, const nexus_event* event);
  void (*release)(void* ctx, const nexus_event* event); /* null is allowed. [any-thread] */

  /* Runs `task` in the plugin's mailbox, behind what waits there: the way from an own thread to where the handlers
   * run. [any-thread] */
  int32_t (*post)(void* ctx, nexus_task_fn task, void* user);

  /* The text of a NEXUS_* code, static: "NX0300 queue_full". [any-thread] */
  nexus_string (*code_text)(void* ctx, int32_t code);
} nexus_bus;

#ifdef __cplusplus
}
#endif

#endif
