/* timer.h - "nexus.timer/1": one-shot timers that run in the plugin's mailbox. */
#ifndef NEXUS_ABI_TIMER_H
#define NEXUS_ABI_TIMER_H

#include "base.h"
#include "bus.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEXUS_TIMER_ID "nexus.timer/1"

typedef struct nexus_timer {
  uint32_t size;
  uint32_t reserved;
  void* ctx;

  /* Runs `task` once, not before `delay_ns` from now (monotonic; clock changes do not move it). At most 100,000 are
   * pending per plugin: NEXUS_E_TOO_LARGE. [any-thread] */
  int32_t (*after)(void* ctx, int64_t delay_ns, nexus_task_fn task, void* user, nexus_handle* handle);

  /* NEXUS_OK: it will not run. NEXUS_E_HANDLE: it has run, is running on another thread, or was cancelled.
   * [any-thread] */
  int32_t (*cancel)(void* ctx, nexus_handle handle);
} nexus_timer;

#ifdef __cplusplus
}
#endif

#endif
