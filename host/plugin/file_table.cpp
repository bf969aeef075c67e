#include "host/plugin/file_table.hpp"

#include <algorithm>
#include <set>
#include <system_error>

namespace nexus::host {
namespace fs = std::filesystem;

bool is_plugin_file_name(std::string_view name) {
  constexpr std::string_view kSuffix = ".so";
  return name.size() > kSuffix.size() && name.front() != '.' && name.substr(name.size() - kSuffix.size()) == kSuffix;
}

FolderListing list_files(const std::vector<fs::path>& folders, const ScanRequest& request, const FileTable& known) {
  FolderListing out;
  std::set<fs::path> there;
  const std::set<fs::path> busy(request.busy.begin(), request.busy.end());
  std::error_code error;

  std::set<fs::path> removed;
  for (const fs::path& file : request.files) {
    const bool ours = std::find(folders.begin(), folders.end(), file.parent_path()) != folders.end();
    if (!ours || !is_plugin_file_name(file.filename().string()) || busy.contains(file)) continue;
    if (fs::symlink_status(file, error).type() == fs::file_type::not_found) {
      if (known.contains(file)) removed.insert(file);
    } else if (there.insert(file).second) {
      out.present.push_back(file);
    }
  }
  if (!request.everything) {
    out.gone.assign(removed.begin(), removed.end());
    return out;
  }

  for (const fs::path& folder : folders) {
    std::set<fs::path> here;
    fs::directory_iterator entries(folder, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
      if (is_plugin_file_name(entries->path().filename().string())) here.insert(entries->path());
    }
    if (error) {
      out.missing_folders.push_back(folder);
      continue;
    }
    for (const auto& [file, entry] : known) {
      const bool in_this = !entry.outside && file.parent_path() == folder;
      if (in_this && !here.contains(file) && !busy.contains(file)) removed.insert(file);
    }
    for (const fs::path& file : here) {
      if (!busy.contains(file) && there.insert(file).second) out.present.push_back(file);
    }
  }
  out.gone.assign(removed.begin(), removed.end());
  return out;
}

}  // namespace nexus::host
