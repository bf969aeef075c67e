/* handover.h - draft of "nexus.handover/1", provided by a plugin: state that survives a hot swap. */
#ifndef NEXUS_ABI_DRAFT_HANDOVER_H
#define NEXUS_ABI_DRAFT_HANDOVER_H

#include "../base.h"
#include "../error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEXUS_HANDOVER_ID "nexus.handover/1"

typedef struct nexus_handover {
  uint32_t size;
  uint32_t reserved;

  /* Writes the state of an instance that handles nothing any more, after quiesce. [control] */
  int32_t (*save)(void* instance, nexus_write_fn write, void* user, nexus_error* error);

  /* Takes over what the instance before saved; before start. `version` is that one's plugin version. A failure makes
   * the host keep the old instance. [control] */
  int32_t (*restore)(void* instance, nexus_string version, nexus_bytes state, nexus_error* error);
} nexus_handover;

#ifdef __cplusplus
}
#endif

#endif
