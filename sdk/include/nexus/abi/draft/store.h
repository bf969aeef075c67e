/* store.h - draft of "nexus.store/1", provided by a plugin: an event store. */
#ifndef NEXUS_ABI_DRAFT_STORE_H
#define NEXUS_ABI_DRAFT_STORE_H

#include "../base.h"
#include "../error.h"
#include "../event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEXUS_STORE_ID "nexus.store/1"

/* One group commit, as a list of operations; each is a CBOR map whose form is described with the store contract.
 * Everything that must be atomic (events, checkpoints, retries, dead letters, state) travels in one of these. */
typedef struct nexus_store {
  uint32_t size;
  uint32_t reserved;
  nexus_string name; /* "postgresql": what `event_store_backend` in the config names; static */
  int32_t (*open)(void* instance, nexus_bytes options, nexus_error* error);  /* [control] */
  void (*close)(void* instance);                                             /* [control] */
  /* Commits all or nothing, durably when asked; stores the position of the first event. Called by the host's one
   * writer thread. */
  int32_t (*commit)(void* instance, const nexus_event* const* events, uint64_t event_count, nexus_bytes operations,
                    uint32_t durable, int64_t* first_position, nexus_error* error);
  /* Runs a read (CBOR request); the rows come through `row`, which returns 0 to stop. [any-thread] */
  int32_t (*read)(void* instance, nexus_bytes request,
                  int32_t (*row)(void* user, int64_t position, const nexus_event* event, nexus_bytes extra), void* user,
                  nexus_error* error);
} nexus_store;

#ifdef __cplusplus
}
#endif

#endif
