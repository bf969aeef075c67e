// Keeps the plugin manager in step with its folders: waits for changes on the I/O context, and has the control thread
// scan what has settled. A file that is still being written is left alone until it is closed.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "host/base/error.hpp"
#include "host/base/os/folder_watch.hpp"
#include "host/plugin/manager.hpp"

namespace nexus::host {

// Runs a function on the control thread later; callable from the I/O context. It must drop what is posted after the
// manager is gone.
using ControlPost = std::function<void(std::function<void()>)>;

class PluginWatcher {
 public:
  // Begins to watch the manager's folders; the first scan is of everything. `scanned` (may be null) gets each report, on
  // the control thread. `manager` must outlive this and what it has posted. NEXUS_E_IO.
  static Result<std::unique_ptr<PluginWatcher>> open(PluginManager& manager, const boost::asio::any_io_executor& io,
                                                     ControlPost post,
                                                     std::function<void(const ScanReport&)> scanned = {},
                                                     const os::FolderWatchOptions& options = {});

 private:
  explicit PluginWatcher(std::unique_ptr<os::FolderWatch> watch) : watch_(std::move(watch)) {}
  std::unique_ptr<os::FolderWatch> watch_;
};

}  // namespace nexus::host
