/* bench_abi.h - what the benchmark's plugins offer to the harness, as interfaces of a plugin: the emitter emits, and the
 * receiver subscribes, counts and says when it has seen what it was told to expect. Private to tests/bench. */
#ifndef NEXUS_BENCH_ABI_H
#define NEXUS_BENCH_ABI_H

#include "nexus/abi/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_EMITTER_ID "bench.emitter/1"
#define BENCH_RECEIVER_ID "bench.receiver/1"
#define BENCH_ASKER_ID "bench.asker/1"

#define BENCH_QUESTION "user.validate"
#define BENCH_ANSWER "user.verdict"

#define BENCH_PAYLOAD_SIZE 128
#define BENCH_BATCH_SIZE 16

/* How an emitter emits. */
#define BENCH_EMIT_ONE 0     /* one call an event, a number from intern */
#define BENCH_EMIT_BATCH 1   /* emit_batch of BENCH_BATCH_SIZE */
#define BENCH_EMIT_BY_NAME 2 /* intern and emit for each event */
#define BENCH_EMIT_LANES 3   /* priorities 0, 10, 20, 30 in turn */
#define BENCH_EMIT_OPTIONS 4 /* subject, key and correlation id given */

typedef struct bench_plan {
  uint64_t events;
  uint32_t mode;       /* BENCH_EMIT_* */
  uint32_t first_type; /* types are taken from first_type on, type_count of them, in a fixed irregular order */
  uint32_t type_count;
} bench_plan;

typedef struct bench_emitter {
  /* Names the types that `run` chooses from. [control] */
  int32_t (*prepare)(void* instance, const nexus_string* types, uint64_t count);
  /* Emits on the calling thread; returns how many events were accepted. [any-thread] */
  uint64_t (*run)(void* instance, const bench_plan* plan);
} bench_emitter;

typedef void (*bench_done_fn)(void* user);

typedef struct bench_receiver {
  int32_t (*subscribe)(void* instance, nexus_string pattern, int32_t priority, int32_t with_condition);
  /* `done` is called once, in the mailbox, when `deliveries` more have come. While none run. [any-thread] */
  void (*expect)(void* instance, uint64_t deliveries, bench_done_fn done, void* user);
  uint64_t (*checksum)(void* instance);
} bench_receiver;

typedef struct bench_asker {
  /* Asks `count` times, one question after the answer to the one before, on the calling thread; stores how long each
   * took. Returns how many were answered. [any-thread] */
  uint64_t (*ask)(void* instance, nexus_string type, nexus_string reply, uint64_t count, double* took_ns);
} bench_asker;

#ifdef __cplusplus
}
#endif

#endif
