// The host's private copies of plugin files. Plugins are mapped from these alone: overwriting or truncating the file that
// somebody dropped into a folder can then neither change nor crash running code (both were measured). Each host process
// has a subfolder of its own, held by a lock, so that the leftovers of a host that died can be told and removed.
// Control thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "host/base/error.hpp"
#include "host/base/os/file_check.hpp"
#include "host/base/os/unique_fd.hpp"

namespace nexus::host {

// One copy; the file is removed with the object, which does not disturb a mapping of it.
class FileCopy {
 public:
  FileCopy(std::filesystem::path path, std::string content_hash, os::FileIdentity source)
      : path_(std::move(path)), content_hash_(std::move(content_hash)), source_(source) {}
  FileCopy(FileCopy&& other) noexcept;
  FileCopy& operator=(FileCopy&& other) noexcept;
  ~FileCopy();

  const std::filesystem::path& path() const { return path_; }
  const std::string& content_hash() const { return content_hash_; }  // SHA-256, hex
  const os::FileIdentity& source() const { return source_; }         // the file that it was made from

 private:
  friend class CopyFolder;
  void remove();
  std::filesystem::path path_;
  std::string content_hash_;
  os::FileIdentity source_;
};

class CopyFolder {
 public:
  // Makes `base` (mode 0700) and a subfolder for this process, and removes those of hosts that are gone. NEXUS_E_IO;
  // NEXUS_E_PERMISSION when `base` is not this user's own or open to others.
  static Result<std::unique_ptr<CopyFolder>> open(const std::filesystem::path& base);

  ~CopyFolder();  // removes the subfolder; copies must not be used afterwards

  // Copies what the descriptor holds to `<stem>.<generation>.<hash>.so`, mode 0400, and hashes it on the way. The
  // source must not change meanwhile: NEXUS_E_LOAD_FILE. `file` is for the sentence. NEXUS_E_IO for a full disk.
  Result<FileCopy> copy(const os::OpenedFile& source, const std::filesystem::path& file, uint64_t generation);

  // Gives a copy the name of the plugin that it turned out to be, for whoever reads /proc/self/maps.
  Result<void> rename(FileCopy& copy, std::string_view plugin_id, uint64_t generation);

  const std::filesystem::path& path() const { return path_; }

 private:
  CopyFolder(std::filesystem::path path, os::UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  os::UniqueFd lock_;
};

}  // namespace nexus::host
