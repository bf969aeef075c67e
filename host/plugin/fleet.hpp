// The plugins that run: starts them, stops them with those that require them, swaps one for its successor without losing
// an event, and lets them find each other's interfaces. It knows nothing of folders; files come to it through the load
// gate. Control thread only; no lock is held while plugin code runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/clock.hpp"
#include "host/base/error.hpp"
#include "host/plugin/instance.hpp"
#include "host/plugin/instance_host.hpp"
#include "host/plugin/manager.hpp"
#include "host/plugin/requirements.hpp"

namespace nexus::host {

struct RunningPlugin {
  std::filesystem::path file;
  std::unique_ptr<LoadedModule> loaded;
  std::unique_ptr<Instance> instance;  // made from `loaded`, so it must go first
  PluginSettings settings;
  PluginState state = PluginState::running;
  bool suspended = false;  // between two instances: `instance` is destroyed, its host side still collects events
  int64_t loaded_unix_ns = 0;
  std::chrono::microseconds load_time{0};

  const ModuleInfo& info() const { return loaded->info(); }
  const std::string& id() const { return loaded->info().id; }
};

// What could not be ended in full: still mapped, gets no events.
struct Leftover {
  std::unique_ptr<LoadedModule> loaded;
  std::unique_ptr<Instance> instance;  // null when only the mapping is left (retained), else stuck
  std::filesystem::path file;
  std::string reason;
};

struct FleetOptions {
  std::chrono::milliseconds stop_timeout{5000};
  std::chrono::milliseconds pause_timeout{1000};
};

class Fleet : public PeerDirectory {
 public:
  // `hosts`, `lifecycle` and `clock` must outlive this.
  Fleet(InstanceHostFactory& hosts, LifecycleSink& lifecycle, const Clock& clock, FleetOptions options)
      : hosts_(hosts), lifecycle_(lifecycle), clock_(clock), options_(options) {}

  // Maps, creates and starts a plugin whose id does not run and whose requirements do. NEXUS_E_LOAD_*.
  Result<void> start(GatedFile gated, PluginSettings settings);

  // Whether `next` could take the place of the running plugin of its id: its own requirements, circles through what runs,
  // and whether the plugins that require it can live with its version. NEXUS_E_LOAD_*.
  Result<void> check_successor(const ModuleInfo& next) const;

  // The running plugins that require the id of `next`, but not in its version.
  std::vector<std::string> outgrown_by(const ModuleInfo& next) const;

  // Puts a gated file in the place of the running plugin of the same id. On an error the old one runs on, unless the
  // sentence says that it could not be started again.
  Result<void> swap(GatedFile gated, PluginSettings settings);

  // Whether no callback of it runs just now, so that a swap would not have to wait.
  bool is_idle(std::string_view id);

  // Stops one plugin and, before it, those that require it, whose ids are added to `also_stopped`. NEXUS_E_UNKNOWN;
  // NEXUS_E_TIMEOUT when a callback did not return: then the plugin is stuck, or, when it is a dependent that is stuck,
  // the plugin itself still runs.
  Result<void> stop(std::string_view id, std::string_view reason, std::vector<std::string>* also_stopped = nullptr);

  // Stops all, each before what it requires, the last started first. True when nothing is left mapped.
  bool stop_all(std::string_view reason, std::chrono::milliseconds timeout);

  // Tries again to end what is stuck or retained; the number still left.
  size_t collect();

  RunningPlugin* find(std::string_view id);
  const RunningPlugin* find(std::string_view id) const;
  const std::vector<std::unique_ptr<RunningPlugin>>& running() const { return running_; }
  const std::vector<Leftover>& leftovers() const { return leftovers_; }
  RunningModules modules() const;
  std::vector<std::string> required_by(std::string_view id) const;

  const void* query_plugin(std::string_view asker, std::string_view plugin_id, const char* interface_id) override;

 private:
  friend class Swap;

  int64_t deadline(std::chrono::milliseconds from_now) const;
  std::unique_ptr<Instance> make_instance(const LoadedModule& loaded, const PluginSettings& settings);
  Result<void> create(Instance& instance, const PluginSettings& settings);
  Result<void> start(Instance& instance);
  Result<void> stop_one(std::string_view id, std::string_view reason);
  // Takes apart what no longer handles anything; what resists becomes a leftover. `instance` may be null.
  void bury(std::unique_ptr<LoadedModule> loaded, std::unique_ptr<Instance> instance, const std::filesystem::path& file);
  void forget_peers_of(std::string_view asker);

  InstanceHostFactory& hosts_;
  LifecycleSink& lifecycle_;
  const Clock& clock_;
  FleetOptions options_;
  uint64_t last_generation_ = 0;
  std::vector<std::unique_ptr<RunningPlugin>> running_;  // in the order of start
  std::vector<Leftover> leftovers_;
  std::set<std::pair<std::string, std::string>> peers_;  // (asker, provider) that hold an interface
  const ModuleInfo* coming_up_ = nullptr;                // its create or start runs right now
  int64_t stop_limit_unix_ns_ = INT64_MAX;               // no wait of stop_all goes beyond
};

}  // namespace nexus::host
