/* Speaks another major of the ABI only. */
const void* nexus_module_v2(void);
const void* nexus_module_v2(void) { return 0; }
