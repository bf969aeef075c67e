// The host side of one plugin instance: the tables of the C ABI, made of the bus, the timers, the metrics and the
// control surface. Every entry checks sizes and texts before it reads, lets no exception out, and answers
// NEXUS_E_HANDLE once the instance is revoked; so a plugin that calls after its destroy gets an error, not a crash, for
// as long as the factory remembers its tables. The tables are called from any thread, InstanceHost from the control
// thread.
#pragma once

#include <atomic>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/base/append_table.hpp"
#include "host/bus/bus.hpp"
#include "host/observe/metrics.hpp"
#include "host/plugin/instance_host.hpp"
#include "nexus/abi/abi.h"

namespace nexus::host {

// What the bridge needs beside the bus; all of it outlives the factory.
struct BridgeServices {
  Registry* metrics = nullptr;
  // The control surface: method, params (CBOR) to result (CBOR). `caller` is the plugin's id.
  std::function<Result<std::vector<uint8_t>>(std::string_view caller, std::string_view method, nexus_bytes params)>
      control;
  std::function<void(std::string_view reason)> request_stop;
  // Where plugins have the folders for their own files, each one named by the plugin's id. Empty: they have none.
  std::filesystem::path plugin_data;
};

// One interface table of one instance, and what its functions need. Stays valid after the instance is gone.
struct BridgeTables {
  nexus_host host{};
  nexus_bus bus{};
  nexus_timer timer{};
  nexus_metrics metrics{};
  nexus_data data{};
  nexus_control control{};

  std::atomic<bool> revoked{false};
  Bus* owner = nullptr;
  const BridgeServices* services = nullptr;
  std::shared_ptr<Participant> participant;
  PluginPermissions permissions;
  PeerDirectory* peers = nullptr;
  std::string plugin;
  std::string metrics_owner;
  std::mutex metrics_mutex;  // guards appending to instruments, and metric_handles
  AppendTable<Registry::Instrument, 64, 160> instruments;
  std::unordered_map<const void*, nexus_handle> metric_handles;  // by the instrument's address
  std::mutex data_folder_mutex;                                  // guards making it; not changed once it is made
  std::string data_folder;                                       // empty until it is made

  // While the instance is paused, what it unsubscribes is held back: see InstanceHost::pause.
  int32_t (*unsubscribe_now)(void* ctx, nexus_handle subscription) = nullptr;
  std::mutex held_mutex;  // guards the next two
  bool holds = false;
  std::vector<nexus_handle> held;

  // Ends the holding, and returns what was held.
  std::vector<nexus_handle> release_held();

  Result<void> check_pattern_permitted(const std::vector<std::string>& granted, std::string_view wanted) const;
};

// Fill in the functions of the tables; each lives in a file of its own.
void fill_host_table(BridgeTables& tables);
void fill_bus_table(BridgeTables& tables);
void fill_service_tables(BridgeTables& tables);

class BridgeFactory final : public InstanceHostFactory {
 public:
  // Both must outlive the factory and what it made.
  BridgeFactory(Bus& bus, BridgeServices services) : bus_(bus), services_(std::move(services)) {}
  ~BridgeFactory() override;

  std::unique_ptr<InstanceHost> make(const ModuleInfo& module, uint64_t generation, const PluginSettings& settings,
                                     PeerDirectory& peers) override;

  // Keeps the tables of a revoked instance for a while.
  void bury(std::unique_ptr<BridgeTables> tables);

 private:
  static constexpr size_t kBuriedMax = 32;

  Bus& bus_;
  BridgeServices services_;
  std::deque<std::unique_ptr<BridgeTables>> buried_;
};

}  // namespace nexus::host
