/* base.h - the words that every other header of the C ABI is made of.
 *
 * Rules that hold for the whole ABI:
 *  - Integers have a fixed width; there are no enums, bit-fields or bools in a struct.
 *  - A struct that may grow begins with `size`, the number of bytes its writer knew. The reader takes
 *    min(size, sizeof) and treats what is missing as zero. New members are only ever appended.
 *  - Strings are pointer and length, UTF-8, not NUL-terminated unless the comment says so.
 *  - Who allocates frees. Borrowed pointers say how long they live.
 *  - No C++ exception crosses a function of this ABI.
 *  - Each function pointer ends its comment with the threads it may be called from:
 *      [any-thread]  from anywhere, concurrently
 *      [control]     only from the host's control thread (create, start, quiesce, save, restore, destroy)
 *      [worker]      only from inside a callback that the host runs in the plugin's mailbox
 */
#ifndef NEXUS_ABI_BASE_H
#define NEXUS_ABI_BASE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NEXUS_ABI_MAJOR 1
#define NEXUS_ABI_MINOR 0

#if defined(_WIN32)
#define NEXUS_EXPORT __declspec(dllexport)
#else
#define NEXUS_EXPORT __attribute__((visibility("default")))
#endif

/* UTF-8 text. `data` may be null when `size` is 0. This struct never grows. */
typedef struct nexus_string {
  const char* data;
  uint64_t size;
} nexus_string;

/* Raw bytes. `data` may be null when `size` is 0. This struct never grows. */
typedef struct nexus_bytes {
  const uint8_t* data;
  uint64_t size;
} nexus_bytes;

/* A UUID in network byte order; all zero means "none". This struct never grows. */
typedef struct nexus_uuid {
  uint8_t bytes[16];
} nexus_uuid;

/* A handle that the host gave to one plugin instance; 0 is never valid. A handle that was closed, or that
 * belongs to another instance, makes a call fail with NEXUS_E_HANDLE; it never crashes the host. */
typedef uint64_t nexus_handle;

/* Receives bytes that the callee produced; called once or more, in order, before the function returns.
 * `data` is valid only during the call. */
typedef void (*nexus_write_fn)(void* user, const uint8_t* data, uint64_t size);

#ifdef __cplusplus
}
#endif

#endif
