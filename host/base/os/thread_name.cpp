#include "host/base/os/thread_name.hpp"

#if defined(__linux__)
#include <pthread.h>
#endif

namespace nexus::host::os {

#if defined(__linux__)
void name_thread(const std::string& name) { pthread_setname_np(pthread_self(), name.substr(0, 15).c_str()); }
#else
void name_thread(const std::string&) {}
#endif

}  // namespace nexus::host::os
