/* A program, which is position-independent and so looks much like a library. */
int main(void) { return 0; }
