// The plugin manager: ties folders (file_table), the load gate and the running plugins (fleet) together. What is wanted
// is worked out anew after each change, in rounds, until nothing moves: so a plugin that waits for another one is loaded
// when that comes, whatever brought it. Control thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/plugin/file_table.hpp"
#include "host/plugin/fleet.hpp"
#include "host/plugin/gate.hpp"
#include "host/plugin/manager.hpp"

namespace nexus::host {

class ManagerImpl final : public PluginManager {
 public:
  ManagerImpl(PluginManagerOptions options, PluginManagerPorts ports, std::unique_ptr<LoadGate> gate);

  const std::vector<std::filesystem::path>& folders() const override { return options_.folders; }
  ScanReport scan(const ScanRequest& request) override;
  Result<PluginStatus> load(const std::filesystem::path& file) override;
  Result<void> unload(std::string_view id, std::string_view reason) override;
  Result<PluginStatus> reload(std::string_view id) override;
  Result<PluginStatus> enable(std::string_view id) override;
  Result<PluginStatus> disable(std::string_view id) override;
  std::vector<PluginStatus> list() const override;
  Result<PluginStatus> info(std::string_view id) const override;
  CheckReport check(const std::filesystem::path& file) override;
  void ask_providers(const char* interface_id, std::string_view id, const MakeQuestion& make) override;
  bool stop_all(std::string_view reason, std::chrono::milliseconds timeout) override;
  size_t collect() override;
  const void* query_plugin(std::string_view asker, std::string_view plugin_id, const char* interface_id) override {
    return fleet_.query_plugin(asker, plugin_id, interface_id);
  }

 private:
  using Path = std::filesystem::path;
  struct Wish {
    Path file;
    FileEntry* entry;
    PluginSettings settings;
  };

  // Which of two files of one id has the right to it: the one in the earlier folder, then by name.
  std::pair<size_t, Path> rank(const Path& file) const;
  PluginSettings settings_of(const std::string& id) const;
  Path absolute(const Path& file) const;
  RunningPlugin* running_from(const Path& file);
  Result<Path> file_of(std::string_view id) const;

  // Stages and probes those that changed, or all of them when forced. Results stand in the table.
  void look_at(const std::vector<Path>& files, bool forced);
  bool stage(const Path& file, FileEntry& entry, bool forced, std::vector<StagedFile>& staged);
  void refuse(const Path& file, FileEntry& entry, Error error);

  void forget(const std::vector<Path>& gone);
  void settle();
  bool settle_once();
  bool stop_disabled();
  bool gate_again();
  std::vector<Wish> wishes();
  bool grant(Wish& wish, const std::vector<Wish>& wanted);
  void make_way(const ModuleInfo& next, const std::vector<Wish>& wanted);

  // Stops a plugin and marks those that went with it as wanted again.
  Result<void> stop(std::string_view id, std::string_view reason);
  using Snapshot = std::vector<std::pair<std::string, Path>>;
  Snapshot snapshot() const;
  void note_stopped(const Snapshot& before, const std::string& except);

  // What became of the file: an error when its content does not run.
  Result<PluginStatus> outcome(const Path& file) const;
  PluginStatus status_of(const RunningPlugin& plugin) const;
  PluginStatus status_of(const Path& file, const FileEntry& entry) const;

  PluginManagerOptions options_;
  PluginManagerPorts ports_;
  SystemClock system_clock_;
  std::unique_ptr<LoadGate> gate_;
  Fleet fleet_;
  FileTable files_;
  std::set<Path> gone_;                                // removed, but its plugin runs on until a successor has taken over
  std::set<Path> missing_folders_;                     // reported already
  std::map<std::string, bool, std::less<>> by_hand_;  // enabled or disabled, whatever the config says
  ScanReport report_;                                  // of the operation that runs
};

}  // namespace nexus::host
