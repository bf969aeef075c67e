#include "host/app/cli/local_check.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "host/app/config/load.hpp"
#include "host/app/settings.hpp"
#include "host/base/log.hpp"

namespace nexus::host::cli {
namespace {

// A check makes no instance and announces nothing.
class NoHosts final : public InstanceHostFactory {
 public:
  std::unique_ptr<InstanceHost> make(const ModuleInfo&, uint64_t, const PluginSettings&, PeerDirectory&) override {
    return nullptr;
  }
};

class NoEvents final : public LifecycleSink {
 public:
  void plugin_loaded(std::string_view, std::string_view, std::string_view) override {}
  void plugin_unloaded(std::string_view, std::string_view) override {}
  void plugin_error(std::string_view, std::string_view, std::string_view) override {}
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code failed;
    std::string name = (std::filesystem::temp_directory_path(failed) / "nexus-check-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code failed;
    if (!path_.empty()) std::filesystem::remove_all(path_, failed);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

Result<control::CheckAnswer> check_without_host(const HostOptions& options, const std::string& file) {
  config::LoadOptions load;
  load.file = config::find_file(options.config);
  const config::Loaded loaded = config::read(load);
  const Config defaults;
  const Config& config = loaded.ok() ? loaded.config : defaults;
  const TemporaryFolder temporary;
  if (temporary.path().empty()) return make_error(NEXUS_E_IO, "cannot make a temporary folder");
  log::set_level(log::Level::error);

  PluginManagerOptions manager = loaded.ok() ? manager_options(config) : PluginManagerOptions{};
  manager.folders.clear();
  manager.private_folder = temporary.path();
  manager.probe_program = own_program();
  NoHosts hosts;
  NoEvents events;
  PluginManagerPorts ports{hosts, events, {}, {}, nullptr};
  ports.settings = [&](std::string_view id) { return plugin_settings(config, id); };
  ports.check_config = [&](const ModuleInfo& module, PluginSettings&) -> Result<void> {
    auto typed = typed_plugin_config(config, module);
    if (!typed) return typed.error();
    return {};
  };
  auto plugins = PluginManager::create(std::move(manager), std::move(ports));
  if (!plugins) return plugins.error();
  control::CheckAnswer answer = control::check_row(plugins.value()->check(file));
  if (answer.error && answer.error->code == NEXUS_E_LOAD_REQUIRES) {
    answer.warnings.push_back(answer.error->message + " (no host answers, so what else would be loaded is not known)");
    answer.error.reset();
    answer.ok = true;
  }
  return answer;
}

}  // namespace nexus::host::cli
