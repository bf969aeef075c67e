/* specimen.h - what the files of this folder can be told by -D: who the plugin claims to be, and what is wrong with it.
 * One source makes them all, so that each differs from a good plugin in exactly one thing. */
#ifndef NEXUS_TESTS_SPECIMEN_H
#define NEXUS_TESTS_SPECIMEN_H

#ifndef SPECIMEN_ID
#define SPECIMEN_ID "com.test.good"
#endif
#ifndef SPECIMEN_VERSION
#define SPECIMEN_VERSION "1.0.0"
#endif
#ifndef SPECIMEN_MINOR_BUILT
#define SPECIMEN_MINOR_BUILT NEXUS_ABI_MINOR
#endif
#ifndef SPECIMEN_MINOR_MIN
#define SPECIMEN_MINOR_MIN 0
#endif
#ifndef SPECIMEN_FLAGS
#define SPECIMEN_FLAGS 0
#endif
#ifndef SPECIMEN_SIZE
#define SPECIMEN_SIZE sizeof(nexus_module)
#endif
#ifndef SPECIMEN_CREATE
#define SPECIMEN_CREATE create
#endif
#ifndef SPECIMEN_DESTROY
#define SPECIMEN_DESTROY destroy
#endif
#if defined(SPECIMEN_LATIN1_NAME)
#define SPECIMEN_NAME "caf\xe9"
#else
#define SPECIMEN_NAME "A specimen"
#endif

#endif
