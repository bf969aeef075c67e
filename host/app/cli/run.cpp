#include <cstdio>

#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/config/load.hpp"
#include "host/app/exit_status.hpp"
#include "host/app/runtime.hpp"

namespace nexus::host::cli {

int run(const RunCommand& command) {
  RunOptions options;
  options.config.file = config::find_file(command.config);
  options.safe_mode = command.safe_mode;
  if (!command.plugin_folders.empty()) {
    std::string folders;
    for (const std::string& folder : command.plugin_folders) folders += (folders.empty() ? "" : ",") + folder;
    options.config.overrides.push_back({"plugins.directory", folders, "--plugins-dir"});
  }
  if (!command.socket.empty()) options.config.overrides.push_back({"control.socket", command.socket, "--socket"});
  if (!command.check_config) return run_host(std::move(options));
  const config::Loaded loaded = config::read(options.config);
  const std::string text = config::render(loaded.diagnostics, has_colour(2));
  std::fwrite(text.data(), 1, text.size(), stderr);
  return loaded.ok() ? exit_status::kOk : exit_status::kConfig;
}

}  // namespace nexus::host::cli
