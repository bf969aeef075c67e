/* saga.h - draft of "nexus.saga/1", provided by a plugin: the active instances of its saga, for `nexus saga`. */
#ifndef NEXUS_ABI_DRAFT_SAGA_H
#define NEXUS_ABI_DRAFT_SAGA_H

#include "../base.h"
#include "../error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEXUS_SAGA_ID "nexus.saga/1"

/* Both functions run in the plugin's mailbox, serially with its handlers, and write one CBOR map. An instance is a map
 * of key, state, correlation_id (texts), started_unix_ns, changed_unix_ns, steps (integers) and, where its state has a
 * timeout, due_unix_ns. */
typedef struct nexus_saga {
  uint32_t size;
  uint32_t reserved;

  /* The totals active, active_max, started, completed, undone, timed_out, ignored, rejected (integers) and, as the list
   * instances, at most `limit` of them in the order of their keys: those whose state is `state` (empty: any) and whose
   * key comes after `after` (empty: all). [worker] */
  int32_t (*list)(void* instance, nexus_string state, nexus_string after, uint64_t limit, nexus_write_fn write,
                  void* user, nexus_error* error);

  /* One instance, which has besides completed (a list of the states that would be compensated, the oldest first) and
   * data (what its steps keep). NEXUS_E_UNKNOWN when there is none of that key. [worker] */
  int32_t (*show)(void* instance, nexus_string key, nexus_write_fn write, void* user, nexus_error* error);
} nexus_saga;

#ifdef __cplusplus
}
#endif

#endif
