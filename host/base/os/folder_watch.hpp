// Tells when files in some folders have changed and have been written to the end. inotify on an Asio I/O context; all
// state lives on a strand of it, and the sink is called there. Nothing is missed: an overflow of the kernel's queue, a
// folder that comes back, is replaced, or was a link that points elsewhere now, each ask for a full scan.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "host/base/error.hpp"

namespace nexus::host::os {

struct FolderChanges {
  bool everything = false;                      // look at all files of all folders
  std::vector<std::filesystem::path> files;     // new, changed, or gone
  std::vector<std::filesystem::path> busy;      // being written by somebody: they will be in `files` later
  std::vector<std::filesystem::path> missing;   // folders that are not there now
};

struct FolderWatchOptions {
  std::chrono::milliseconds settle{100};       // quiet time after the last event before the sink is told
  std::chrono::milliseconds settle_max{1000};  // but never later than this after the first one
  std::chrono::milliseconds check{1000};       // how often the folders themselves are looked at
};

class FolderWatch {
 public:
  using Accept = std::function<bool(std::string_view file_name)>;  // which names matter
  using Sink = std::function<void(FolderChanges)>;

  // Starts to watch; the first call of the sink asks for everything. A folder need not exist yet. NEXUS_E_IO when the
  // system has no more inotify instances; the sentence names the setting.
  static Result<std::unique_ptr<FolderWatch>> open(const boost::asio::any_io_executor& io,
                                                   std::vector<std::filesystem::path> folders, Accept accept, Sink sink,
                                                   const FolderWatchOptions& options = {});

  // No call of the sink begins after this, unless one is running on another thread right now.
  ~FolderWatch();

  class Impl;

 private:
  explicit FolderWatch(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace nexus::host::os
