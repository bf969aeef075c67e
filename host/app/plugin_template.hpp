// What `nexus plugins new NAME` writes: a plugin project of its own folder, with a test, that builds outside this
// repository against an installed SDK. The files are in host/app/template/files and are embedded when the host is
// built. No threads; touches the disk only below the folder that it makes.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"

namespace nexus::host {

struct PluginProject {
  std::filesystem::path folder;    // parent / name
  std::string id;                  // "com.example.my-orders"
  std::vector<std::string> files;  // what was written, relative to the folder
};

// Writes the project `name` into the new folder parent/name. A name is 2 to 40 lower-case letters, digits, '-' and '_',
// begins with a letter and ends with a letter or a digit: it becomes the folder, the target, the class and the last
// segment of the plugin's id. NEXUS_E_ARGUMENT for another name, NEXUS_E_STATE where the folder already exists and is
// not empty, NEXUS_E_IO where it cannot be written; what was already written then stays for the user to look at.
Result<PluginProject> write_plugin_project(const std::filesystem::path& parent, std::string_view name);

}  // namespace nexus::host
