/* A shared library that is no plugin. */
int plain_answer(void);
int plain_answer(void) { return 42; }
