// What the manager knows of each plugin file that it has seen: whether it has changed since, what the gate said, and why
// it does not run. Control thread.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/os/file_check.hpp"
#include "host/plugin/gate.hpp"
#include "host/plugin/manager.hpp"

namespace nexus::host {

struct FileEntry {
  std::optional<os::FileIdentity> identity;  // when it was last looked at
  std::string content_hash;                  // of what was last copied
  std::optional<ModuleInfo> module;          // what the last probe told
  std::optional<GatedFile> gated;            // has passed the gate and waits for its turn
  std::optional<Error> error;                // why it does not run, or why its newest content was not taken over
  bool stopped_by_hand = false;              // until it changes, or is asked for by name
  bool wanted_again = false;                 // was stopped with what it requires; to be loaded when that is back
  bool outside = false;                      // asked for by path; no scan finds or misses it

  std::string id() const { return module ? module->id : std::string(); }

  // Whether a look at an unchanged file may end in another answer: rights of its folder, a full disk, a busy plugin.
  bool worth_another_look() const {
    return error && (error->code == NEXUS_E_LOAD_FILE || error->code == NEXUS_E_LOAD_PERMISSIONS ||
                     error->code == NEXUS_E_IO || error->code == NEXUS_E_MEMORY || put_off());
  }

  // A swap that a running callback was in the way of.
  bool put_off() const { return error && error->code == NEXUS_E_TIMEOUT; }
};

using FileTable = std::map<std::filesystem::path, FileEntry>;

// The files of a scan, split by what is to be done with them.
struct FolderListing {
  std::vector<std::filesystem::path> present;
  std::vector<std::filesystem::path> gone;
  std::vector<std::filesystem::path> missing_folders;
};

// Whether a name in a plugin folder is a plugin's: ends in .so and is not hidden.
bool is_plugin_file_name(std::string_view name);

// Lists what a scan must look at. Files of a folder that is not there count neither as present nor as gone: a folder
// that is being replaced as a whole must not stop everything.
FolderListing list_files(const std::vector<std::filesystem::path>& folders, const ScanRequest& request,
                         const FileTable& known);

}  // namespace nexus::host
