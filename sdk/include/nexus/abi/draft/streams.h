/* streams.h - draft of "nexus.streams/1": event sourcing, a stream of versioned events per aggregate. */
#ifndef NEXUS_ABI_DRAFT_STREAMS_H
#define NEXUS_ABI_DRAFT_STREAMS_H

#include "../base.h"
#include "../bus.h"
#include "../error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEXUS_STREAMS_ID "nexus.streams/1"

#define NEXUS_STREAM_ANY ((int64_t)-1)       /* expected_version: do not check */
#define NEXUS_STREAM_NO_STREAM ((int64_t)0)  /* the stream must not exist; versions start at 1 */

/* Returns 1 to go on, 0 to stop. */
typedef int32_t (*nexus_stream_visit_fn)(void* user, int64_t version, const nexus_event* event);

typedef struct nexus_streams {
  uint32_t size;
  uint32_t reserved;
  void* ctx;

  /* Appends all or nothing; NEXUS_E_CONFLICT when the stream is at another version, which is stored at `version` in
   * either case. [any-thread] */
  int32_t (*append)(void* ctx, nexus_string stream, int64_t expected_version, const nexus_emit_item* items,
                    uint64_t count, int64_t* version, nexus_error* error);

  /* Events with a version above `from_version`, in order. [any-thread] */
  int32_t (*read)(void* ctx, nexus_string stream, int64_t from_version, nexus_stream_visit_fn visit, void* user,
                  nexus_error* error);

  int32_t (*save_snapshot)(void* ctx, nexus_string stream, int64_t version, nexus_bytes state,
                           nexus_error* error); /* [any-thread] */
  int32_t (*load_snapshot)(void* ctx, nexus_string stream, int64_t* version, nexus_write_fn write, void* user,
                           nexus_error* error); /* [any-thread] */
} nexus_streams;

#ifdef __cplusplus
}
#endif

#endif
