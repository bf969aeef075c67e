/* state.h - draft of "nexus.state/1": key-value state of the plugin. Inside a handler, writes are committed together
 * with the delivery's acknowledgement and emits; elsewhere each write is a commit of its own. */
#ifndef NEXUS_ABI_DRAFT_STATE_H
#define NEXUS_ABI_DRAFT_STATE_H

#include "../base.h"
#include "../error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEXUS_STATE_ID "nexus.state/1"

typedef struct nexus_state {
  uint32_t size;
  uint32_t reserved;
  void* ctx;

  /* NEXUS_E_UNKNOWN when there is no such key. [any-thread] */
  int32_t (*get)(void* ctx, nexus_string key, nexus_write_fn write, void* user, nexus_error* error);
  int32_t (*put)(void* ctx, nexus_string key, nexus_bytes value, nexus_error* error); /* [any-thread] */
  int32_t (*erase)(void* ctx, nexus_string key, nexus_error* error);                  /* [any-thread] */

  /* Calls `visit` with each key of that prefix in order, until it returns 0. [any-thread] */
  int32_t (*scan)(void* ctx, nexus_string prefix, int32_t (*visit)(void* user, nexus_string key, nexus_bytes value),
                  void* user, nexus_error* error);
} nexus_state;

#ifdef __cplusplus
}
#endif

#endif
