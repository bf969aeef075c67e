// Folders for the files of plugins under test: below one temporary folder, which goes away with the fake host.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>

#include "nexus/errors.hpp"

namespace nexus::testing::detail {

class DataFolders {
 public:
  DataFolders() = default;
  DataFolders(const DataFolders&) = delete;
  DataFolders& operator=(const DataFolders&) = delete;
  ~DataFolders() {
    std::error_code ignored;
    if (!root_.empty()) std::filesystem::remove_all(root_, ignored);
  }

  // The folder of one plugin, made at the first call. The text lives as long as this. Any thread. Throws
  // std::filesystem::filesystem_error.
  const std::string& of(std::string_view plugin) {
    const std::lock_guard lock(mutex_);
    if (root_.empty()) {
      std::string name = (std::filesystem::temp_directory_path() / "nexus-test-XXXXXX").string();
      if (::mkdtemp(name.data()) == nullptr)
        throw std::filesystem::filesystem_error("no temporary folder", name, std::error_code(errno, std::generic_category()));
      root_ = name;
    }
    const auto [entry, is_new] = folders_.try_emplace(std::string(plugin));
    if (is_new) {
      entry->second = (root_ / plugin).string();
      std::filesystem::create_directory(entry->second);
    }
    return entry->second;
  }

 private:
  std::mutex mutex_;  // guards the two below
  std::filesystem::path root_;
  std::map<std::string, std::string, std::less<>> folders_;
};

}  // namespace nexus::testing::detail
