/* event.h - an event as a plugin sees it, and its delivery to one handler.
 *
 * An event is a value: immutable, its data CBOR (RFC 8949) unless data_format says otherwise. Names follow
 * CloudEvents 1.0. All pointers are borrowed: they live until the callback returns, or as long as the plugin
 * holds the event with nexus_bus.retain. */
#ifndef NEXUS_ABI_EVENT_H
#define NEXUS_ABI_EVENT_H

#include "base.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* nexus_event.data_format */
#define NEXUS_DATA_CBOR 0u
#define NEXUS_DATA_NONE 1u
#define NEXUS_DATA_JSON 2u   /* UTF-8 JSON text, kept as it came */
#define NEXUS_DATA_BYTES 3u  /* anything else; metadata "datacontenttype" names it */

/* nexus_event.flags */
#define NEXUS_EVENT_SAMPLED 1u /* a trace of this event is kept */

typedef struct nexus_event {
  uint32_t size;
  uint32_t flags;
  nexus_string type;           /* "order.created" */
  nexus_string source;         /* the emitting plugin's id; stamped by the host */
  nexus_string subject;        /* what the event is about, or empty */
  nexus_string key;            /* ordering and partition key, or empty */
  nexus_string correlation_id; /* never empty: a root event's is the text of its own id */
  nexus_uuid id;
  int64_t time_unix_ns;
  nexus_uuid causation_id;     /* the event whose handler emitted this one, or zero */
  nexus_uuid trace_id;         /* W3C trace context, or zero */
  uint8_t span_id[8];
  int64_t expires_unix_ns;     /* 0: never */
  int32_t priority;            /* higher first */
  uint32_t schema_version;     /* of the data; 0 where unknown */
  uint32_t data_format;        /* NEXUS_DATA_* */
  uint32_t trace_flags;        /* W3C: bit 0 is "sampled" */
  nexus_bytes data;
  nexus_bytes metadata;        /* a CBOR map with text keys, or empty */
} nexus_event;

/* nexus_delivery.flags */
#define NEXUS_DELIVERY_REDELIVERED 1u /* an earlier attempt may have run */
#define NEXUS_DELIVERY_REPLAY 2u      /* history, not news: emits are suppressed unless asked for */
#define NEXUS_DELIVERY_DURABLE 4u     /* emits, state and acknowledgement are committed together */

typedef struct nexus_delivery {
  uint32_t size;
  uint32_t flags;
  const nexus_event* event;
  nexus_handle subscription;
  uint32_t attempt;          /* 1 for the first */
  uint32_t reserved;         /* 0 */
  uint64_t token;            /* names this delivery for nexus_bus.complete; see NEXUS_LATER */
  int64_t deadline_unix_ns;  /* after this the handler is reported as overdue; 0: none */
} nexus_delivery;

/* What a handler answers. */
#define NEXUS_DONE 0   /* handled */
#define NEXUS_RETRY 1  /* failed; try again after the subscription's delay, or after retry_after_ns */
#define NEXUS_REJECT 2 /* failed for good: to the dead letters at once */
#define NEXUS_SKIP 3   /* looked at, not for this handler; counted as filtered */
#define NEXUS_LATER 4  /* nexus_bus.complete will be called with this delivery's token */

/* The rest of the answer; the host passes a zeroed one in with `size` set and error.text pointing to room. */
typedef struct nexus_outcome {
  uint32_t size;
  uint32_t reply_format;     /* NEXUS_DATA_* of reply */
  int64_t retry_after_ns;    /* with NEXUS_RETRY: the delay; 0 means the subscription's own */
  nexus_error* error;        /* owned by the host; code and sentence of a failure; never null */
  nexus_string error_type;   /* static or living until the callback's next call, e.g. "std::runtime_error" */
  nexus_string reply_type;   /* with a reply: its event type; copied by the host when the callback returns */
  nexus_bytes reply;         /* an answer to a request; copied by the host when the callback returns */
} nexus_outcome;

/* Handles one delivery. `user` is what subscribe was given. Returns NEXUS_DONE, RETRY, REJECT, SKIP or LATER;
 * any other value counts as a failure. Runs in the plugin's mailbox: serially with all else that runs there. */
typedef int32_t (*nexus_handler_fn)(void* user, const nexus_delivery* delivery, nexus_outcome* outcome);

/* A condition: 1 to take the event, 0 to leave it (counted as filtered), negative for a failure. Must be cheap and
 * must not call back into the host. Runs in the plugin's mailbox, just before the handler. */
typedef int32_t (*nexus_condition_fn)(void* user, const nexus_event* event);

#ifdef __cplusplus
}
#endif

#endif
