/* error.h - status codes and the buffer in which a sentence about a failure travels.
 *
 * A function that can fail returns one of these codes. Where it also takes a `nexus_error*` the caller may pass
 * null; else the caller fills `size`, `cap` and `text`, and the callee writes a sentence of at most `cap` bytes.
 * Codes are never renumbered. `nexus explain-error NX<code>` prints the text that belongs to a code. */
#ifndef NEXUS_ABI_ERROR_H
#define NEXUS_ABI_ERROR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nexus_error {
  uint32_t size; /* sizeof(nexus_error) as the caller knows it */
  int32_t code;  /* out: one of NEXUS_E_* */
  uint32_t cap;  /* in: room at `text`, in bytes */
  uint32_t len;  /* out: bytes written at `text`; the sentence is cut at a character, never inside one */
  char* text;    /* owned by the caller; not NUL-terminated */
} nexus_error;

#define NEXUS_OK 0
#define NEXUS_OK_DUPLICATE 1 /* accepted before under the same id; not delivered again */

/* 1xx: the call was wrong */
#define NEXUS_E_ARGUMENT 100   /* a null pointer, a size below the 1.0 layout, an unknown flag */
#define NEXUS_E_HANDLE 101     /* the handle is closed, revoked, or another instance's */
#define NEXUS_E_THREAD 102     /* not allowed on this thread, e.g. blocking on a worker */
#define NEXUS_E_STATE 103      /* not allowed in this state of the instance or the host */
#define NEXUS_E_UNKNOWN 104    /* no such interface, method, plugin, subscription or key */
#define NEXUS_E_UNSUPPORTED 105 /* known, but this host or backend cannot do it */
#define NEXUS_E_PERMISSION 106 /* the config does not grant this to the plugin */
#define NEXUS_E_TOO_LARGE 107  /* over a limit that the sentence names */
#define NEXUS_E_OVERFLOW 108   /* the caller's buffer is too small; the sentence tells the needed size */
#define NEXUS_E_TIMEOUT 109    /* the time given ran out */
#define NEXUS_E_CANCELLED 110  /* the waiter was cancelled, or its plugin goes away */
#define NEXUS_E_INTERNAL 111   /* an exception or a broken invariant; the sentence is the exception's text */
#define NEXUS_E_MEMORY 112     /* out of memory */
#define NEXUS_E_IO 113         /* the operating system refused; the sentence is its text */
#define NEXUS_E_PLUGIN 114     /* a plugin's callback failed; the sentence is the plugin's */

/* 2xx: names and data */
#define NEXUS_E_TYPE_NAME 200  /* an event type that is empty, too long, or has a character out of [a-z0-9_.-] */
#define NEXUS_E_PATTERN 201    /* a pattern that cannot be read */
#define NEXUS_E_UTF8 202       /* text that is not UTF-8 */
#define NEXUS_E_CBOR 203       /* data that is not well-formed CBOR, or too deep */
#define NEXUS_E_JSON 204       /* text that is not JSON */
#define NEXUS_E_SCHEMA 205     /* well-formed, but a field is missing, unknown, or of the wrong type */
#define NEXUS_E_RESERVED 206   /* system.* and plugin.* are the host's alone */

/* 3xx: why an event was REJECTED; it has certainly not been accepted */
#define NEXUS_E_QUEUE_FULL 300
#define NEXUS_E_LOOP 301       /* a chain of more than 32 events, each emitted while handling the one before */
#define NEXUS_E_CONFLICT 302   /* the id was used before with other content, or a stream is at another version */
#define NEXUS_E_STOPPING 303   /* the host, or the plugin, is shutting down */
#define NEXUS_E_STORE_FAILED 304
#define NEXUS_E_STORE_FULL 305
#define NEXUS_E_BROKER 306     /* the backend did not take it */
#define NEXUS_E_EXPIRED 307
#define NEXUS_E_IN_DOUBT 399   /* UNKNOWN: it may or may not have been accepted; repeat with the same id */

/* 4xx: why a plugin file was refused */
#define NEXUS_E_LOAD_FILE 400       /* missing, not a regular file, unreadable, or a link out of the folder */
#define NEXUS_E_LOAD_PERMISSIONS 401 /* writable by group or others, or owned by somebody else */
#define NEXUS_E_LOAD_FORMAT 402     /* not a shared library, or cut short */
#define NEXUS_E_LOAD_ARCH 403       /* built for another machine */
#define NEXUS_E_LOAD_SYMBOL 404     /* nexus_module_v1 is missing */
#define NEXUS_E_LOAD_MAJOR 405      /* built for another major of the ABI */
#define NEXUS_E_LOAD_MINOR 406      /* needs a newer host */
#define NEXUS_E_LOAD_MODULE 407     /* the module's description is broken: no id, bad version, null create */
#define NEXUS_E_LOAD_DUPLICATE 408  /* another file provides the same plugin id */
#define NEXUS_E_LOAD_REQUIRES 409   /* a required plugin is missing, or its version does not fit */
#define NEXUS_E_LOAD_CYCLE 410      /* plugins that require each other in a circle */
#define NEXUS_E_LOAD_CRASH 411      /* the probe died while loading it */
#define NEXUS_E_LOAD_HANG 412       /* the probe did not finish in time */
#define NEXUS_E_LOAD_EXIT 413       /* the probe's process was ended by the library itself */
#define NEXUS_E_LOAD_CREATE 414     /* create() or start() failed */
#define NEXUS_E_LOAD_CONFIG 415     /* the plugin's config has an unknown or wrong key */
#define NEXUS_E_LOAD_LINK 416       /* a library or symbol that it needs cannot be found */
#define NEXUS_E_LOAD_DISABLED 417   /* enabled = false in the config, or disabled by hand */

#ifdef __cplusplus
}
#endif

#endif
