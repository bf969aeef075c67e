// Opens a file that is about to be trusted with the host's rights, once, and checks what was opened rather than what
// the name means: everything afterwards reads from this descriptor. POSIX; no thread restrictions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "host/base/error.hpp"
#include "host/base/os/unique_fd.hpp"

namespace nexus::host::os {

// Tells whether a file is the one that was seen before, without reading it. The change time is in it, so that a
// chmod is noticed; whether the content changed only a hash can tell.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;
  bool operator==(const FileIdentity&) const = default;
};

struct FilePolicy {
  bool unsafe_permissions = false;  // true skips the checks of owner and mode, and no others
  uint64_t size_max = UINT64_MAX;
};

struct OpenedFile {
  UniqueFd fd;
  FileIdentity identity;
};

// Opens `file` for reading. It must be a regular file, not empty, not over the size limit, and lie in its folder: a
// symbolic link is followed only to a name in the same folder. File and folder must belong to root or to this process's
// user and be writable by nobody else. NEXUS_E_LOAD_FILE, NEXUS_E_LOAD_PERMISSIONS, NEXUS_E_LOAD_FORMAT (empty).
Result<OpenedFile> open_trusted_file(const std::filesystem::path& file, const FilePolicy& policy);

// The identity of what the name leads to now. NEXUS_E_LOAD_FILE when there is nothing, or it cannot be looked at.
Result<FileIdentity> file_identity(const std::filesystem::path& file);

// The identity of an open file. NEXUS_E_IO.
Result<FileIdentity> file_identity(int fd);

// "Permission denied", for an errno value.
std::string errno_text(int error);

}  // namespace nexus::host::os
