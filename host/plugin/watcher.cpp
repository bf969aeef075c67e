#include "host/plugin/watcher.hpp"

#include <algorithm>
#include <utility>

#include "host/plugin/file_table.hpp"

namespace nexus::host {
namespace {

// A plugin, or what a link that is one may lead to: orders.so -> orders.so.1.2.
bool matters(std::string_view name) {
  return is_plugin_file_name(name) || name.find(".so.") != std::string_view::npos;
}

}  // namespace

Result<std::unique_ptr<PluginWatcher>> PluginWatcher::open(PluginManager& manager, const boost::asio::any_io_executor& io,
                                                           ControlPost post,
                                                           std::function<void(const ScanReport&)> scanned,
                                                           const os::FolderWatchOptions& options) {
  auto sink = [&manager, post = std::move(post), scanned = std::move(scanned)](os::FolderChanges changes) {
    // A folder that went missing is for a full scan to notice and to report; whose link a file is, too.
    const bool all_plugins = std::all_of(changes.files.begin(), changes.files.end(), [](const auto& file) {
      return is_plugin_file_name(file.filename().string());
    });
    ScanRequest request{changes.everything || !changes.missing.empty() || !all_plugins, std::move(changes.files),
                        std::move(changes.busy)};
    post([&manager, scanned, request = std::move(request)] {
      const ScanReport report = manager.scan(request);
      if (scanned) scanned(report);
    });
  };
  Result<std::unique_ptr<os::FolderWatch>> watch =
      os::FolderWatch::open(io, manager.folders(), matters, std::move(sink), options);
  if (!watch) return watch.error();
  return std::unique_ptr<PluginWatcher>(new PluginWatcher(std::move(*watch)));
}

}  // namespace nexus::host
