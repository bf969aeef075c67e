// The part of the host that a benchmark needs: a bus, the bridge, and plugins loaded from real .so files. Made, filled
// and ended on one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/dll/shared_library.hpp>

#include "host/bus/bus.hpp"
#include "host/observe/metrics.hpp"
#include "host/plugin/bridge.hpp"
#include "nexus/abi/abi.h"

namespace nexus::bench {

class LoadedPlugin {
 public:
  LoadedPlugin(host::BridgeFactory& bridge, host::PeerDirectory& peers, const std::filesystem::path& file,
               const std::string& id);
  ~LoadedPlugin();
  LoadedPlugin(const LoadedPlugin&) = delete;
  LoadedPlugin& operator=(const LoadedPlugin&) = delete;

  void* instance() const { return instance_; }
  // One of the plugin's own interfaces; ends the program when it is missing.
  template <class Interface>
  const Interface& query(const char* id) const {
    return *static_cast<const Interface*>(query_or_die(id));
  }
  // No handler runs until resume; events queue.
  void pause();
  void resume() { host_->resume(); }

 private:
  const void* query_or_die(const char* id) const;

  boost::dll::shared_library library_;
  const nexus_module* module_ = nullptr;
  std::unique_ptr<host::InstanceHost> host_;
  void* instance_ = nullptr;
};

struct RigOptions {
  uint32_t workers = 1;
  uint32_t queue_size = 10000;  // the config's default
  bool ticks = true;            // keep the host's housekeeping running, as the host does
};

class Rig {
 public:
  Rig(const RigOptions& options, std::filesystem::path plugin_folder);
  ~Rig();

  // Loads a copy of <plugin_folder>/<file>.so, so that each instance has a library of its own.
  LoadedPlugin& load(const std::string& file);
  // Loads the file itself.
  LoadedPlugin& load_file(const std::filesystem::path& file, const std::string& id);
  host::Bus& bus() { return *bus_; }

 private:
  void tick();

  const std::filesystem::path plugin_folder_;
  const std::filesystem::path copies_;
  std::unique_ptr<host::Bus> bus_;
  host::Registry metrics_;
  std::unique_ptr<host::BridgeFactory> bridge_;
  std::unique_ptr<host::PeerDirectory> peers_;
  std::vector<std::unique_ptr<LoadedPlugin>> plugins_;
  std::atomic<bool> stopping_{false};
  std::thread ticker_;
};

}  // namespace nexus::bench
