/* data.h - "nexus.data/1": CBOR to JSON and back, for plugins that want JSON, and events as CloudEvents. */
#ifndef NEXUS_ABI_DATA_H
#define NEXUS_ABI_DATA_H

#include "base.h"
#include "error.h"
#include "event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEXUS_DATA_ID "nexus.data/1"

typedef struct nexus_data {
  uint32_t size;
  uint32_t reserved;
  void* ctx;

  /* Byte strings become base64url text, as RFC 8949 section 6.1 advises; depth is limited to 128. [any-thread] */
  int32_t (*cbor_to_json)(void* ctx, nexus_bytes cbor, nexus_write_fn write, void* user, nexus_error* error);

  /* Integers stay integers; numbers with a fraction or exponent become doubles. [any-thread] */
  int32_t (*json_to_cbor)(void* ctx, nexus_string json, nexus_write_fn write, void* user, nexus_error* error);

  /* The event as one CloudEvents 1.0 JSON object. [any-thread] */
  int32_t (*event_to_json)(void* ctx, const nexus_event* event, nexus_write_fn write, void* user, nexus_error* error);

  /* NEXUS_OK if the bytes are exactly one well-formed CBOR item. [any-thread] */
  int32_t (*cbor_check)(void* ctx, nexus_bytes cbor, nexus_error* error);

  /* 1 if the pattern matches the type, 0 if not, NEXUS_E_* (always above 1) if one of them cannot be read.
   * [any-thread] */
  int32_t (*pattern_matches)(void* ctx, nexus_string pattern, nexus_string type);
} nexus_data;

#ifdef __cplusplus
}
#endif

#endif
