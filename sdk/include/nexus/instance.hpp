// One instance of a plugin behind the C ABI: made, started, stopped and freed by the host's control thread. The
// plugin's object is its last member, so everything that the object uses outlives it. Not for plugin authors.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "nexus/abi/draft/handover.h"
#include "nexus/abi/module.h"
#include "nexus/access.hpp"
#include "nexus/core.hpp"
#include "nexus/dispatch.hpp"
#include "nexus/failure.hpp"
#include "nexus/plugin_base.hpp"

namespace nexus {
namespace detail {

// What the host calls an instance.
class InstanceBase {
 public:
  InstanceBase(const InstanceBase&) = delete;
  InstanceBase& operator=(const InstanceBase&) = delete;
  virtual ~InstanceBase() = default;

  Plugin& plugin() { return *plugin_; }

  static std::int32_t start(void* instance, nexus_error* error) noexcept {
    try {
      from(instance).plugin().start();
      return NEXUS_OK;
    } catch (...) {
      return error_from_exception(error, NEXUS_E_LOAD_CREATE);
    }
  }

  static void quiesce(void* instance, std::int64_t) noexcept {
    try {
      from(instance).core_->end_blocked();
      from(instance).plugin().stop();
    } catch (...) {
      log_exception(*from(instance).core_, "stop() failed: ");
    }
  }

  static void destroy(void* instance) noexcept { delete static_cast<InstanceBase*>(instance); }

  static const void* query(void* instance, const char* interface_id) noexcept {
    static constexpr nexus_handover kHandover{sizeof(nexus_handover), 0, &save, &restore};
    try {
      if (std::strcmp(interface_id, NEXUS_HANDOVER_ID) == 0) return &kHandover;
      return from(instance).plugin().provide(interface_id);
    } catch (...) {
      log_exception(*from(instance).core_, "provide() failed: ");
      return nullptr;
    }
  }

 protected:
  explicit InstanceBase(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  static InstanceBase& from(void* instance) { return *static_cast<InstanceBase*>(instance); }

  std::shared_ptr<Core> core_;
  Plugin* plugin_ = nullptr;

 private:
  static std::int32_t save(void* instance, nexus_write_fn write, void* user, nexus_error* error) noexcept {
    try {
      cbor::Buffer state;
      from(instance).plugin().save(state);
      if (!state.empty()) write(user, state.data(), state.size());
      return NEXUS_OK;
    } catch (...) {
      return error_from_exception(error, NEXUS_E_PLUGIN);
    }
  }

  static std::int32_t restore(void* instance, nexus_string version, nexus_bytes state, nexus_error* error) noexcept {
    try {
      if (state.size != 0) from(instance).plugin().restore(from_abi(version), cbor::view(state));
      return NEXUS_OK;
    } catch (...) {
      return error_from_exception(error, NEXUS_E_PLUGIN);
    }
  }
};

// A declared handler of one instance; the host holds its address.
struct HandlerRecord {
  Core* core;
  void* plugin;  // a T*
  Filter filter;
  cbor::Buffer reply;
};

template <class T>
class Instance final : public InstanceBase {
 public:
  static std::int32_t create(const nexus_host* host, nexus_bytes config, void** out, nexus_error* error) noexcept {
    Core* const outer = current_core;
    try {
      if (host == nullptr || out == nullptr || host->size < sizeof(nexus_host)) {
        return write_error(error, NEXUS_E_ARGUMENT, "create() needs a host of at least ABI 1.0");
      }
      auto core = std::make_shared<Core>(host, config);
      if (core->bus() == nullptr)
        return write_error(error, NEXUS_E_UNKNOWN, "this host has no event bus (nexus.bus/1)");
      current_core = core.get();
      auto instance = std::unique_ptr<Instance>(new Instance(std::move(core)));
      current_core = outer;
      const std::int32_t code = instance->subscribe_all(error);
      if (code != NEXUS_OK) return code;
      *out = static_cast<InstanceBase*>(instance.release());
      return NEXUS_OK;
    } catch (...) {
      current_core = outer;
      return error_from_exception(error, NEXUS_E_LOAD_CREATE);
    }
  }

  ~Instance() override {
    object_.reset();
    core_->close();
  }

 private:
  explicit Instance(std::shared_ptr<Core> core) : InstanceBase(std::move(core)) {
    object_.emplace();
    plugin_ = &*object_;
    if constexpr (requires { typename T::NexusSaga; }) object_->template nexus_bind<T>();
  }

  std::int32_t subscribe_all(nexus_error* error) {
    std::int32_t code = NEXUS_OK;
    std::apply(
        [&](auto... source) {
          (void)((code = subscribe<typename decltype(source)::type>(error), code == NEXUS_OK) && ...);
        },
        Access::sources<T>());
    return code;
  }

  template <class Source>
  std::int32_t subscribe(nexus_error* error) {
    const auto handler = Source::get();
    HandlerRecord& record = records_.emplace_back(HandlerRecord{core_.get(), &*object_, handler.options.filter, {}});
    std::string text;
    nexus_subscribe_options raw = to_abi(handler.options, handler.name(), text);
    if (!record.filter.empty()) raw.condition = &ask_filter<HandlerRecord>;
    nexus_handle ignored = 0;  // lives as long as the instance: the host revokes it
    return core_->bus()->subscribe(core_->bus()->ctx, to_abi(handler.pattern()), &raw, &run<Source>, &record, &ignored,
                                   error);
  }

  // The trampoline of one handler.
  template <class Source>
  static std::int32_t run(void* user, const nexus_delivery* delivery, nexus_outcome* outcome) noexcept {
    using Declared = decltype(Source::get());
    static constexpr auto kWhen = Source::get().options.when;
    constexpr bool overlapping = Source::get().options.concurrency != Concurrency::serial;
    auto& record = *static_cast<HandlerRecord*>(user);
    try {
      return handle_delivery<typename Declared::Payload>(
          *record.core, delivery, outcome, overlapping ? nullptr : &record.reply, kWhen,
          Caller<Declared::kMethod, std::remove_const_t<decltype(Declared::kMethod)>>{static_cast<T*>(record.plugin)});
    } catch (...) {
      return answer_exception(*record.core, outcome);
    }
  }

  // A function object for the method; its arity is what the method's is.
  template <auto Method, class M>
  struct Caller {
    T* plugin;
    template <class... Arguments>
      requires(sizeof...(Arguments) == MethodSignature<M>::kArity)
    decltype(auto) operator()(Arguments&&... arguments) const {
      return Access::call<Method>(*plugin, std::forward<Arguments>(arguments)...);
    }
  };

  std::deque<HandlerRecord> records_;
  std::optional<T> object_;
};

}  // namespace detail

// The plugin behind the `instance` that functions of an interface from provide() are given.
template <class T>
T& plugin_cast(void* instance) {
  return static_cast<T&>(static_cast<detail::InstanceBase*>(instance)->plugin());
}

}  // namespace nexus
