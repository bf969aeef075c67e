/* counter.h - what counter.c and the test that loads it share. */
#ifndef NEXUS_TESTS_COUNTER_H
#define NEXUS_TESTS_COUNTER_H

#include <stdint.h>

#define TALLY_MAX 1000000

struct tally {
  uint32_t starts;
  uint32_t seen[TALLY_MAX]; /* how often each number was handled; updated atomically */
};

#endif
