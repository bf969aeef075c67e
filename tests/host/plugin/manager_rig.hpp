// A plugin manager over a temporary folder and fake hosts.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "host/base/log.hpp"
#include "host/plugin/manager.hpp"
#include "tests/host/plugin/fake_host.hpp"
#include "tests/host/plugin/folder.hpp"

namespace nexus::host::test {

struct ManagerRig {
  explicit ManagerRig(std::chrono::milliseconds probe_timeout = std::chrono::seconds(20)) {
    log::set_level(log::Level::off);  // what is logged is what is announced; the journal holds it
    options.folders = {folder.plugins()};
    options.private_folder = folder.private_folder();
    options.probe_program = probe_program();
    options.probe_timeout = probe_timeout;
    options.stop_timeout = std::chrono::milliseconds(50);
    options.pause_timeout = std::chrono::milliseconds(10);
    options.probe_parallel_max = 2;
  }

  PluginManager& manager() {
    if (!manager_) {
      auto made = PluginManager::create(
          options, PluginManagerPorts{factory, journal, [this](std::string_view id) { return settings[std::string(id)]; },
                                      [this](const ModuleInfo& module, const PluginSettings&) -> Result<void> {
                                        const auto wrong = wrong_config.find(module.id);
                                        if (wrong == wrong_config.end()) return {};
                                        return make_error(NEXUS_E_SCHEMA, wrong->second);
                                      },
                                      nullptr});
      REQUIRE(made.has_value());
      manager_ = std::move(*made);
    }
    return *manager_;
  }

  // The state of a plugin, "refused 409" with the code where there is an error.
  std::string state(std::string_view id) {
    for (const PluginStatus& status : manager().list()) {
      if (status.id != id) continue;
      std::string out(plugin_state_name(status.state));
      if (status.error) out += " " + std::to_string(status.error->code);
      return out;
    }
    return "absent";
  }
  std::string version(std::string_view id) {
    const auto info = manager().info(id);
    return info && info->module ? info->module->version : "none";
  }
  // Ids of the running plugins, in the order of start.
  std::vector<std::string> loaded_order() const {
    std::vector<std::string> out;
    for (const std::string& line : journal.lines) {
      if (line.rfind("loaded ", 0) == 0) out.push_back(line.substr(7, line.rfind(' ') - 7));
    }
    return out;
  }

  Folder folder;
  Journal journal;
  FakeFactory factory{journal};
  std::map<std::string, PluginSettings> settings;
  std::map<std::string, std::string> wrong_config;
  PluginManagerOptions options;

  ~ManagerRig() {
    if (manager_) manager_->stop_all("the test ends", std::chrono::seconds(1));
  }

 private:
  std::unique_ptr<PluginManager> manager_;
};

}  // namespace nexus::host::test
