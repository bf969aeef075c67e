// The host side of plugin instances, in memory: what a plugin logs and what the manager does to it end up in one
// journal, in order; "events" are numbers in a queue. Single thread.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/plugin/instance_host.hpp"

namespace nexus::host::test {

struct Journal : LifecycleSink {
  std::vector<std::string> lines;

  void add(std::string line) { lines.push_back(std::move(line)); }
  void plugin_loaded(std::string_view id, std::string_view, std::string_view version) override {
    add("loaded " + std::string(id) + " " + std::string(version));
  }
  void plugin_unloaded(std::string_view id, std::string_view reason) override {
    add("unloaded " + std::string(id) + ": " + std::string(reason));
  }
  void plugin_error(std::string_view id, std::string_view type, std::string_view message) override {
    add("error " + std::string(id) + " " + std::string(type) + ": " + std::string(message));
  }

  bool has(std::string_view text) const {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.find(text) != std::string::npos; });
  }
  size_t count(std::string_view text) const {
    return static_cast<size_t>(std::count_if(
        lines.begin(), lines.end(), [&](const std::string& line) { return line.find(text) != std::string::npos; }));
  }
  // The lines since the last take, without the prefix that all lines of one plugin share.
  std::vector<std::string> take() { return std::exchange(lines, {}); }
};

class FakeHost;

struct FakeFactory : InstanceHostFactory {
  explicit FakeFactory(Journal& to) : journal(to) {}
  std::unique_ptr<InstanceHost> make(const ModuleInfo& module, uint64_t generation, const PluginSettings& settings,
                                     PeerDirectory& peers) override;

  Journal& journal;
  bool verbose = false;  // the manager's calls go into the journal too
  bool fail_hand_over = false;
  std::map<std::string, FakeHost*> current;  // the active one of each id
  std::map<std::string, bool> never_pauses;  // ids whose callbacks never return
  std::map<std::string, bool> never_drains;
};

class FakeHost final : public InstanceHost {
 public:
  FakeHost(FakeFactory& factory, std::string id, uint64_t generation, PeerDirectory& peers)
      : factory_(factory), id_(std::move(id)), generation_(generation), peers_(peers) {
    table_.size = sizeof table_;
    table_.major = NEXUS_ABI_MAJOR;
    table_.minor = NEXUS_ABI_MINOR;
    table_.ctx = this;
    table_.log = [](void* ctx, int32_t, nexus_string message, const nexus_log_field*, uint32_t) {
      auto& self = *static_cast<FakeHost*>(ctx);
      self.factory_.journal.add(self.id_ + " " + std::string(message.data, message.size));
    };
    table_.log_enabled = [](void*, int32_t) { return int32_t{1}; };
    table_.query = [](void*, const char*) -> const void* { return nullptr; };
    table_.query_plugin = [](void* ctx, nexus_string plugin, const char* interface_id) {
      auto& self = *static_cast<FakeHost*>(ctx);
      return self.peers_.query_plugin(self.id_, std::string_view(plugin.data, plugin.size), interface_id);
    };
    table_.now_unix_ns = [](void*) { return int64_t{0}; };
    table_.request_stop = [](void*, nexus_string) {};
    table_.thread_kind = [](void*) { return uint32_t{NEXUS_THREAD_OWN}; };
    table_.data_folder = [](void*, nexus_error*) { return nexus_string{}; };
  }
  ~FakeHost() override {
    if (factory_.current[id_] == this) factory_.current.erase(id_);
  }

  const nexus_host* abi() override { return &table_; }
  void activate() override {
    note("activate");
    active = true;
    factory_.current[id_] = this;
  }
  bool pause(int64_t) override {
    note("pause");
    paused = !factory_.never_pauses[id_];
    return paused;
  }
  void resume() override {
    note("resume");
    paused = false;
  }
  bool drain(int64_t) override {
    note("drain");
    if (factory_.never_drains[id_]) return false;
    handled += queue.size();
    queue.clear();
    return true;
  }
  Result<size_t> hand_over_to(InstanceHost& successor) override {
    note("hand_over");
    if (factory_.fail_hand_over) return make_error(NEXUS_E_INTERNAL, "the routes cannot move");
    auto& next = static_cast<FakeHost&>(successor);
    next.queue.insert(next.queue.end(), queue.begin(), queue.end());
    return std::exchange(queue, {}).size();
  }
  void revoke() override {
    if (!revoked) note("revoke");
    revoked = true;
    active = false;
  }
  Result<void> post(std::function<void()> task) override {
    if (revoked) return make_error(NEXUS_E_STOPPING, "the plugin is being unloaded");
    task();
    return {};
  }
  InstanceStats stats() const override {
    InstanceStats out;
    out.queued = queue.size();
    out.handled = handled;
    return out;
  }

  uint64_t generation() const { return generation_; }

  std::deque<int> queue;
  uint64_t handled = 0;
  bool active = false;
  bool paused = false;
  bool revoked = false;

 private:
  void note(const char* what) {
    if (factory_.verbose) factory_.journal.add(id_ + " #" + std::to_string(generation_) + " " + what);
  }

  FakeFactory& factory_;
  std::string id_;
  uint64_t generation_;
  PeerDirectory& peers_;
  nexus_host table_{};
};

inline std::unique_ptr<InstanceHost> FakeFactory::make(const ModuleInfo& module, uint64_t generation,
                                                       const PluginSettings&, PeerDirectory& peers) {
  return std::make_unique<FakeHost>(*this, module.id, generation, peers);
}

}  // namespace nexus::host::test
