// One plugin instance on the host's real tables, without a library: a test calls the C ABI as a plugin would. One test
// thread; handlers run on the bus's one worker.
#pragma once

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "host/base/clock.hpp"
#include "host/base/log.hpp"
#include "host/bus/bus.hpp"
#include "host/plugin/bridge.hpp"
#include "nexus/abi/abi.h"

namespace nexus::host::test {

inline nexus_string abi(std::string_view text) { return {text.data(), text.size()}; }
inline nexus_bytes bytes(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

// A code and the sentence that came with it.
struct Answer {
  int32_t code = 0;
  std::string sentence;
  bool says(int32_t wanted, std::string_view part) const {
    return code == wanted && sentence.find(part) != std::string::npos;
  }
};

// Runs `call(error)` with room for a sentence.
template <class Call>
Answer answer(Call call) {
  char text[512];
  nexus_error error{sizeof error, 0, sizeof text, 0, text};
  Answer got;
  got.code = call(&error);
  got.sentence.assign(text, error.len);
  return got;
}

inline void append(void* user, const uint8_t* data, uint64_t size) {
  static_cast<std::string*>(user)->append(reinterpret_cast<const char*>(data), size);
}

struct NoPeers final : PeerDirectory {
  const void* query_plugin(std::string_view, std::string_view, const char*) override { return nullptr; }
};

class BridgeRig {
 public:
  explicit BridgeRig(const PluginSettings& settings = {}, std::filesystem::path plugin_data = {}) {
    log::set_level(log::Level::off);
    BusOptions options;
    options.worker_count = 1;
    options.event_size_max = 1000;
    bus = Bus::create(options, FastClock::instance());
    BridgeServices services;
    services.metrics = &metrics;
    services.control = [this](std::string_view caller, std::string_view method,
                              nexus_bytes params) -> Result<std::vector<uint8_t>> {
      called = std::string(caller) + " " + std::string(method);
      if (method == "unknown") return make_error(NEXUS_E_UNKNOWN, "there is no method 'unknown'");
      return std::vector<uint8_t>(params.data, params.data + params.size);
    };
    services.request_stop = [this](std::string_view reason) { stop_reason = reason; };
    services.plugin_data = std::move(plugin_data);
    factory = std::make_unique<BridgeFactory>(*bus, std::move(services));
    instance = make("com.test.bridge", settings);
    instance->activate();
    host = instance->abi();
    abi_bus = query<nexus_bus>(NEXUS_BUS_ID);
  }
  ~BridgeRig() {
    instance.reset();
    bus->stop();
    factory.reset();
  }
  BridgeRig(const BridgeRig&) = delete;
  BridgeRig& operator=(const BridgeRig&) = delete;

  std::unique_ptr<InstanceHost> make(std::string id, const PluginSettings& settings = {}) {
    ModuleInfo module;
    module.id = std::move(id);
    return factory->make(module, ++generation, settings, peers);
  }
  template <class Table>
  const Table* query(const char* id) const {
    return static_cast<const Table*>(host->query(host->ctx, id));
  }

  Answer intern(std::string_view type, uint64_t* handle = nullptr) const {
    uint64_t unused = 0;
    return answer([&](nexus_error* error) {
      return abi_bus->intern(abi_bus->ctx, abi(type), handle != nullptr ? handle : &unused, error);
    });
  }
  Answer emit(uint64_t type, const nexus_emit_options* options, nexus_bytes data = {}) const {
    return answer([&](nexus_error* error) { return abi_bus->emit(abi_bus->ctx, type, options, data, nullptr, error); });
  }
  Answer subscribe(std::string_view pattern, const nexus_subscribe_options* options = nullptr,
                   nexus_handle* handle = nullptr) const {
    nexus_handle unused = 0;
    const auto handler = [](void*, const nexus_delivery*, nexus_outcome*) -> int32_t { return NEXUS_DONE; };
    return answer([&](nexus_error* error) {
      return abi_bus->subscribe(abi_bus->ctx, abi(pattern), options, handler, nullptr,
                                handle != nullptr ? handle : &unused, error);
    });
  }

  NoPeers peers;
  Registry metrics;
  uint64_t generation = 0;
  std::string called, stop_reason;
  std::unique_ptr<Bus> bus;
  std::unique_ptr<BridgeFactory> factory;
  std::unique_ptr<InstanceHost> instance;
  const nexus_host* host = nullptr;
  const nexus_bus* abi_bus = nullptr;
};

}  // namespace nexus::host::test
