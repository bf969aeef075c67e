/* Libraries whose mere loading or unloading is the fault; linked together with specimen.c. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(TROUBLE_HANG)
__attribute__((constructor)) static void begin(void) {
  for (;;) pause();
}
#elif defined(TROUBLE_SPIN)
__attribute__((constructor)) static void begin(void) {
  for (volatile int forever = 1; forever != 0;) {
  }
}
#elif defined(TROUBLE_CRASH)
__attribute__((constructor)) static void begin(void) { raise(SIGSEGV); }
#elif defined(TROUBLE_ABORT)
__attribute__((constructor)) static void begin(void) {
  fputs("first words\nno more pepper\n", stderr);
  abort();
}
#elif defined(TROUBLE_EXIT)
__attribute__((constructor)) static void begin(void) { exit(7); }
#elif defined(TROUBLE_QUICK_EXIT)
__attribute__((constructor)) static void begin(void) { _exit(0); }
#elif defined(TROUBLE_FORGE)
/* Answers for the probe, then ends it, so that no step of the probe's own follows. */
__attribute__((constructor)) static void begin(void) {
  const char forged[] = "describe {\"id\":\"com.test.good\"}\ndone unmapped\n";
  if (write(3, forged, sizeof forged - 1) < 0) abort();
  _exit(0);
}
#elif defined(TROUBLE_NOISE)
__attribute__((constructor)) static void begin(void) {
  char line[1000];
  for (size_t i = 0; i < sizeof line; ++i) line[i] = (char)('a' + i % 26);
  for (int i = 0; i < 1000; ++i) {
    fwrite(line, 1, sizeof line, stdout);
    fwrite(line, 1, sizeof line, stderr);
  }
}
#elif defined(TROUBLE_LEGACY)
/* A child of its own that would outlive the probe. */
__attribute__((constructor)) static void begin(void) {
  if (fork() == 0) {
    for (;;) pause();
  }
}
#elif defined(TROUBLE_DESTRUCTOR)
__attribute__((destructor)) static void end(void) { raise(SIGSEGV); }
#elif defined(TROUBLE_UNDEFINED)
extern int nobody_defines_this(void);
__attribute__((constructor)) static void begin(void) { nobody_defines_this(); }
#endif
