// A plugin's library in this process, and the life of one instance made from it: create, start, quiesce, save, destroy,
// in the order that abi/module.h prescribes, each call behind a wall that no exception passes. Control thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/plugin/gate.hpp"
#include "host/plugin/instance_host.hpp"
#include "host/plugin/library.hpp"
#include "nexus/abi/module.h"

namespace nexus::host {

// A gated file that is mapped. Several instances may be made from it, one after the other.
struct LoadedModule {
  GatedFile gated;
  Library library;
  nexus_module table;

  // Maps the copy and reads its description again: it must be what the probe saw. NEXUS_E_LOAD_*.
  static Result<std::unique_ptr<LoadedModule>> map(GatedFile gated);

  const ModuleInfo& info() const { return gated.module; }
};

class Instance {
 public:
  // `module` must outlive this; `host` is the host side of this one instance.
  Instance(const LoadedModule& module, std::unique_ptr<InstanceHost> host, uint64_t generation)
      : module_(module), host_(std::move(host)), generation_(generation) {}
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance();  // destroys what is created, and revokes

  // NEXUS_E_LOAD_CREATE with the plugin's own sentence.
  Result<void> create(const std::vector<uint8_t>& config);
  Result<void> start();

  // Has the plugin stop and join its threads. A no-op unless it has started. No callback may be running.
  void quiesce(int64_t deadline_unix_ns);

  // Only after quiesce. NEXUS_E_PLUGIN.
  Result<std::vector<uint8_t>> save();
  // Only between create and start. NEXUS_E_LOAD_CREATE.
  Result<void> restore(std::string_view version, const std::vector<uint8_t>& state);
  bool has_handover();

  // Ends the instance; idempotent. No callback may be running. Its routes and waiting events stay with the host side,
  // for a successor, until it is revoked.
  void destroy();

  // An interface of the plugin's own, or null.
  const void* query(const char* interface_id);
  // What the functions of such an interface are given. Null unless created.
  void* raw() const { return instance_; }

  InstanceHost& host() { return *host_; }
  const InstanceHost& host() const { return *host_; }
  uint64_t generation() const { return generation_; }
  const LoadedModule& module() const { return module_; }

 private:
  const LoadedModule& module_;
  std::unique_ptr<InstanceHost> host_;
  uint64_t generation_;
  void* instance_ = nullptr;
  bool created_ = false;
  bool started_ = false;
};

}  // namespace nexus::host
