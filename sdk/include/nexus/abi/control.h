/* control.h - "nexus.control/1": the one control surface, by method name, CBOR in and out.
 *
 * Granted by config (permissions = { control = true }); null from query otherwise. The methods and their schemas are
 * listed by the method "control.methods". */
#ifndef NEXUS_ABI_CONTROL_H
#define NEXUS_ABI_CONTROL_H

#include "base.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEXUS_CONTROL_ID "nexus.control/1"

typedef struct nexus_control {
  uint32_t size;
  uint32_t reserved;
  void* ctx;

  /* Calls a method and waits for its result, which is written as one CBOR item. `params` is a CBOR map, or empty.
   * Methods that load or unload plugins run on the control thread: from a callback in the plugin's mailbox they fail
   * with NEXUS_E_THREAD, since that plugin might be the one to stop. [any-thread] */
  int32_t (*call)(void* ctx, nexus_string method, nexus_bytes params, nexus_write_fn write, void* user,
                  nexus_error* error);
} nexus_control;

#ifdef __cplusplus
}
#endif

#endif
