// The name of the calling thread, as debuggers and top show it.
#pragma once

#include <string>

namespace nexus::host::os {

// Cut to 15 bytes on Linux; does nothing where threads have no names.
void name_thread(const std::string& name);

}  // namespace nexus::host::os
