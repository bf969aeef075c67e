// Looks at the headers of a shared library without loading it, and at what this process has loaded. The headers are
// input from outside: every offset is checked against the file before it is used. ELF (gABI, chapters 4 and 5); no
// thread restrictions.
#pragma once

#include <cstdint>
#include <filesystem>

#include "host/base/error.hpp"

namespace nexus::host::os {

// Whether the dynamic loader of this machine could take the file: its kind, its machine, and that every part which the
// headers name lies within it, so that a file that was cut short is known before it is mapped. `file` is for the
// sentence. NEXUS_E_LOAD_FORMAT, NEXUS_E_LOAD_ARCH, NEXUS_E_IO.
Result<void> check_shared_object(int fd, const std::filesystem::path& file);

// Whether this process still maps the library of that path, as it was given to the loader: dlclose answers 0 also when
// the library stays (measured), so only a look at the list of loaded objects tells.
bool is_mapped(const std::filesystem::path& library);

}  // namespace nexus::host::os
