// A module that the fake host has loaded, and the test's handle to the plugin in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "nexus/abi/draft/handover.h"
#include "nexus/abi/module.h"
#include "nexus/instance.hpp"
#include "nexus/registration.hpp"
#include "nexus/testing/member_host.hpp"

namespace nexus::testing {
namespace detail {

// One instance, led through its life as the real host does it.
class LoadedModule {
 public:
  LoadedModule(Shared& shared, const nexus_module& module) : host_(shared), module_(module) {
    host_.member.id = from_abi(module.id);
  }
  LoadedModule(const LoadedModule&) = delete;
  LoadedModule& operator=(const LoadedModule&) = delete;
  ~LoadedModule() { unload(); }

  const std::string& id() const { return host_.member.id; }
  void* instance() const { return instance_; }

  void create(const cbor::Value& config) {
    const Bytes bytes = config.is_null() ? Bytes() : config.encode();
    nexus::detail::ErrorBuffer error;
    const std::int32_t code = module_.create(host_.abi(), {bytes.data(), bytes.size()}, &instance_, error.get());
    if (code != NEXUS_OK) {
      host_.shared.engine.revoke(host_.member);
      instance_ = nullptr;
      throw Error(code, error.sentence(code));
    }
  }

  void start() {
    nexus::detail::ErrorBuffer error;
    const std::int32_t code = module_.start == nullptr ? NEXUS_OK : module_.start(instance_, error.get());
    if (code != NEXUS_OK) {
      unload();
      throw Error(code, error.sentence(code));
    }
    host_.shared.engine.activate(host_.member);
  }

  void quiesce() {
    if (quiesced_ || instance_ == nullptr) return;
    quiesced_ = true;
    // Whoever waits is told before the end, as in the real host.
    host_.shared.engine.cancel_all(host_.member);
    host_.shared.engine.run();
    if (module_.quiesce != nullptr) module_.quiesce(instance_, host_.shared.engine.now_ns());
    host_.shared.engine.revoke_callbacks(host_.member);
  }

  void unload() {
    if (instance_ == nullptr) return;
    quiesce();
    module_.destroy(std::exchange(instance_, nullptr));
    host_.shared.engine.revoke(host_.member);
  }

  const void* query(const char* interface_id) {
    return module_.query == nullptr ? nullptr : module_.query(instance_, interface_id);
  }

  void take_over(LoadedModule& old) {
    const auto* from = static_cast<const nexus_handover*>(old.query(NEXUS_HANDOVER_ID));
    const auto* to = static_cast<const nexus_handover*>(query(NEXUS_HANDOVER_ID));
    if (from == nullptr || to == nullptr) return;
    Bytes state;
    const auto append = [](void* user, const std::uint8_t* data, std::uint64_t size) {
      auto& bytes = *static_cast<Bytes*>(user);
      bytes.insert(bytes.end(), data, data + size);
    };
    nexus::detail::ErrorBuffer error;
    std::int32_t code = from->save(old.instance_, append, &state, error.get());
    if (code == NEXUS_OK) code = to->restore(instance_, old.module_.version, {state.data(), state.size()}, error.get());
    if (code != NEXUS_OK) throw Error(code, error.sentence(code));
  }

 private:
  MemberHost host_;
  const nexus_module& module_;
  void* instance_ = nullptr;
  bool quiesced_ = false;
};

// The description of a class, as its NEXUS_PLUGIN gives it.
template <class T>
const nexus_module* module_of_class() {
  static_assert(
      requires { nexus_plugin_info(PluginTag<T>{}); },
      "Host::load<T>() needs the NEXUS_PLUGIN of T in sight, in T's namespace: include the plugin's source file");
  return nexus::detail::module_of<T>(nexus_plugin_info(PluginTag<T>{}));
}

}  // namespace detail

// The test's handle to a loaded plugin; the Host owns the plugin itself.
template <class T>
class Loaded {
 public:
  Loaded() = default;
  explicit Loaded(std::shared_ptr<detail::LoadedModule> module) : module_(std::move(module)) {}

  T& operator*() const { return plugin_cast<T>(module_->instance()); }
  T* operator->() const { return &**this; }
  explicit operator bool() const { return module_ != nullptr && module_->instance() != nullptr; }

  const std::shared_ptr<detail::LoadedModule>& module() const { return module_; }

 private:
  std::shared_ptr<detail::LoadedModule> module_;
};

}  // namespace nexus::testing
