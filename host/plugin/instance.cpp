#include "host/plugin/instance.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <typeinfo>

#include "host/base/log.hpp"
#include "host/base/printable.hpp"
#include "host/plugin/lifecycle_call.hpp"
#include "nexus/abi/draft/handover.h"

namespace nexus::host {
namespace {

constexpr size_t kStateBytesMax = size_t{256} << 20;

std::string current_exception_text() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  std::string name = "something";
  if (type != nullptr) {
    int status = 0;
    char* readable = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
    name = status == 0 && readable != nullptr ? readable : type->name();
    std::free(readable);
  }
  try {
    throw;
  } catch (const std::exception& error) {
    return name + ": " + printable(error.what());
  } catch (...) {
    return name;
  }
}

// The text buffer that a plugin's function is given, and what came of the call.
class Call {
 public:
  explicit Call(const char* function) : function_(function) {
    error_.size = sizeof error_;
    error_.cap = static_cast<uint32_t>(text_.size());
    error_.text = text_.data();
  }

  // Runs the call, which returns a code, behind the wall.
  template <class F>
  Result<void> run(int32_t failure_code, F&& call) {
    int32_t code = NEXUS_OK;
    const LifecycleCall mark;
    try {
      code = call(&error_);
    } catch (...) {
      return make_error(failure_code, std::string(function_) + " threw " + current_exception_text(),
                        "no exception may leave a function of the ABI");
    }
    if (code == NEXUS_OK) return {};
    // The length comes from the plugin, so it is not trusted.
    const std::string_view said(text_.data(), std::min<size_t>(error_.len, text_.size()));
    std::string sentence = std::string(function_) + " failed";
    sentence += said.empty() ? " with code " + std::to_string(code) : ": " + printable(said);
    return make_error(failure_code, std::move(sentence));
  }

 private:
  const char* function_;
  std::array<char, 1024> text_{};
  nexus_error error_{};
};

// For functions that cannot report a failure.
template <class F>
void run_quietly(const ModuleInfo& module, const char* function, F&& call) {
  const LifecycleCall mark;
  try {
    call();
  } catch (...) {
    log::error("a plugin threw where it must not",
               {{"plugin_id", module.id}, {"function", function}, {"exception", current_exception_text()}});
  }
}

std::string at(const ModuleInfo& module, const Error& error) { return module.id + ": " + error.message; }

}  // namespace

Result<std::unique_ptr<LoadedModule>> LoadedModule::map(GatedFile gated) {
  auto refuse = [&](const Error& error) {
    return make_error(error.code, gated.file.string() + ": " + error.message, error.help);
  };
  Result<Library> library = Library::open(gated.copy.path());
  if (!library) return refuse(library.error());
  Result<const nexus_module*> module = library->module();
  if (!module) return refuse(module.error());
  Result<nexus_module> table = copy_module(*module);
  if (!table) return refuse(table.error());
  Result<ModuleInfo> info = read_module(*module);
  if (!info) return refuse(info.error());
  if (info->id != gated.module.id || info->version != gated.module.version) {
    return refuse(make_error(NEXUS_E_LOAD_MODULE, "it describes itself here as " + info->id + " " + info->version +
                                                      ", but in the probe as " + gated.module.id + " " +
                                                      gated.module.version,
                             "nexus_module_v1 must return static data and do nothing else"));
  }
  return std::unique_ptr<LoadedModule>(new LoadedModule{std::move(gated), std::move(*library), *table});
}

Instance::~Instance() {
  destroy();
  host_->revoke();
}

Result<void> Instance::create(const std::vector<uint8_t>& config) {
  Call call("create");
  const nexus_bytes bytes{config.empty() ? nullptr : config.data(), config.size()};
  Result<void> made = call.run(NEXUS_E_LOAD_CREATE, [&](nexus_error* error) {
    return module_.table.create(host_->abi(), bytes, &instance_, error);
  });
  if (!made) return make_error(made.error().code, at(module_.info(), made.error()), made.error().help);
  created_ = true;
  return {};
}

Result<void> Instance::start() {
  if (module_.table.start != nullptr) {
    Call call("start");
    Result<void> begun =
        call.run(NEXUS_E_LOAD_CREATE, [&](nexus_error* error) { return module_.table.start(instance_, error); });
    if (!begun) return make_error(begun.error().code, at(module_.info(), begun.error()), begun.error().help);
  }
  started_ = true;
  return {};
}

void Instance::quiesce(int64_t deadline_unix_ns) {
  if (!started_) return;
  started_ = false;
  if (module_.table.quiesce == nullptr) return;
  run_quietly(module_.info(), "quiesce", [&] { module_.table.quiesce(instance_, deadline_unix_ns); });
}

bool Instance::has_handover() {
  const auto* handover = static_cast<const nexus_handover*>(query(NEXUS_HANDOVER_ID));
  return handover != nullptr && handover->size >= sizeof(nexus_handover) && handover->save != nullptr &&
         handover->restore != nullptr;
}

Result<std::vector<uint8_t>> Instance::save() {
  struct Sink {
    std::vector<uint8_t> bytes;
    bool too_large = false;
  } sink;
  auto write = [](void* user, const uint8_t* data, uint64_t size) {
    Sink& to = *static_cast<Sink*>(user);
    if (size > kStateBytesMax - to.bytes.size()) to.too_large = true;
    if (!to.too_large && size > 0) to.bytes.insert(to.bytes.end(), data, data + size);
  };
  const auto* handover = static_cast<const nexus_handover*>(query(NEXUS_HANDOVER_ID));
  if (handover == nullptr) return make_error(NEXUS_E_STATE, module_.info().id + " has no state to hand over");
  Call call("save");
  Result<void> saved =
      call.run(NEXUS_E_PLUGIN, [&](nexus_error* error) { return handover->save(instance_, write, &sink, error); });
  if (!saved) return make_error(saved.error().code, at(module_.info(), saved.error()), saved.error().help);
  if (sink.too_large) return make_error(NEXUS_E_PLUGIN, module_.info().id + ": its saved state is over 256 MiB");
  return std::move(sink.bytes);
}

Result<void> Instance::restore(std::string_view version, const std::vector<uint8_t>& state) {
  const auto* handover = static_cast<const nexus_handover*>(query(NEXUS_HANDOVER_ID));
  if (handover == nullptr) return {};
  Call call("restore");
  Result<void> restored = call.run(NEXUS_E_LOAD_CREATE, [&](nexus_error* error) {
    return handover->restore(instance_, nexus_string{version.data(), version.size()},
                             nexus_bytes{state.empty() ? nullptr : state.data(), state.size()}, error);
  });
  if (!restored) return make_error(restored.error().code, at(module_.info(), restored.error()), restored.error().help);
  return {};
}

void Instance::destroy() {
  if (!created_) return;
  created_ = false;
  started_ = false;
  run_quietly(module_.info(), "destroy", [&] { module_.table.destroy(instance_); });
  instance_ = nullptr;
}

const void* Instance::query(const char* interface_id) {
  const void* found = nullptr;
  if (!created_ || module_.table.query == nullptr) return nullptr;
  run_quietly(module_.info(), "query", [&] { found = module_.table.query(instance_, interface_id); });
  return found;
}

}  // namespace nexus::host
