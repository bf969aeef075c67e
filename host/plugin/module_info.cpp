#include "host/plugin/module_info.hpp"

#include <cstddef>
#include <cstring>
#include <optional>
#include <set>

#include "host/event/name.hpp"
#include "host/event/pattern.hpp"
#include "host/plugin/version.hpp"

namespace nexus::host {
namespace {

// The layout that was published as 1.0 ends with `query`; it is never longer, whatever is appended to the struct.
constexpr size_t kModuleBytesMin = offsetof(nexus_module, query) + sizeof(nexus_module::query);
constexpr size_t kModuleBytesMax = size_t{64} << 10;
constexpr uint64_t kItemsMax = 1000;
constexpr uint64_t kNameBytesMax = 256;
constexpr uint64_t kTextBytesMax = 4096;
constexpr uint64_t kSchemaBytesMax = uint64_t{256} << 10;
constexpr uint32_t kKnownFlags = NEXUS_MODULE_EXCLUSIVE | NEXUS_MODULE_PROVIDER;

Error broken(const std::string& what, std::string help = {}) {
  return make_error(NEXUS_E_LOAD_MODULE, "the module's " + what, std::move(help));
}

std::string numbered(const char* noun, uint64_t index) { return std::string(noun) + " " + std::to_string(index + 1); }

class Reader {
 public:
  explicit Reader(const nexus_module& module) : module_(module) {}

  Result<ModuleInfo> run() {
    Result<void> step = abi();
    if (step) step = identity();
    if (step) step = functions();
    if (step) step = requirements();
    if (step) step = events();
    if (step) step = handlers();
    if (step) step = text(module_.config_schema, "config_schema", kSchemaBytesMax, info_.config_schema);
    if (!step) return step.error();
    return std::move(info_);
  }

 private:
  static Result<void> text(const nexus_string& from, const std::string& field, uint64_t bytes_max, std::string& to) {
    if (from.size == 0) return {};
    if (from.data == nullptr) {
      return broken(field + " has a null pointer and a length of " + std::to_string(from.size));
    }
    if (from.size > bytes_max) {
      return broken(field + " has " + std::to_string(from.size) + " bytes, over the limit of " +
                    std::to_string(bytes_max));
    }
    to.assign(from.data, static_cast<size_t>(from.size));
    if (Result<void> utf8 = check_utf8(to, field); !utf8) return broken(utf8.error().message);
    return {};
  }

  static Result<void> list(const void* first, uint64_t count, const char* field) {
    if (count > kItemsMax) {
      return broken(std::string(field) + "_count is " + std::to_string(count) + ", over the limit of " +
                    std::to_string(kItemsMax));
    }
    if (count > 0 && first == nullptr) return broken(std::string(field) + "_count is not 0, but its list is null");
    return {};
  }

  Result<void> abi() {
    if (module_.minor_min > NEXUS_ABI_MINOR) {
      const std::string own = std::to_string(NEXUS_ABI_MAJOR) + "." + std::to_string(NEXUS_ABI_MINOR);
      return make_error(NEXUS_E_LOAD_MINOR,
                        "it needs a host of ABI " + std::to_string(NEXUS_ABI_MAJOR) + "." +
                            std::to_string(module_.minor_min) + " or newer; this one has " + own,
                        "update the host, or build the plugin against the SDK of this host");
    }
    if (module_.minor_min > module_.minor_built) {
      return broken("minor_min " + std::to_string(module_.minor_min) + " is above its minor_built " +
                    std::to_string(module_.minor_built));
    }
    // A newer plugin that can live with this host may set what this host does not know.
    const bool same_or_older = module_.minor_built <= NEXUS_ABI_MINOR;
    if (same_or_older && (module_.flags & ~kKnownFlags) != 0) {
      return broken("flags have unknown bits: " + std::to_string(module_.flags));
    }
    if (same_or_older && module_.reserved != 0) return broken("reserved member is not 0");
    info_.minor_built = module_.minor_built;
    info_.minor_min = module_.minor_min;
    info_.flags = module_.flags & kKnownFlags;
    return {};
  }

  Result<void> identity() {
    Result<void> step = text(module_.id, "id", kPluginIdBytesMax, info_.id);
    if (!step) return step;
    if (info_.id.empty()) return broken("id is empty", "give it one like com.example.orders");
    if (Result<void> id = check_plugin_id(info_.id); !id) return broken("id is wrong: " + id.error().message);
    if (step = text(module_.version, "version", kNameBytesMax, info_.version); !step) return step;
    if (Result<Version> version = parse_version(info_.version); !version) {
      return broken("version is wrong: " + version.error().message, version.error().help);
    }
    if (step = text(module_.name, "name", kNameBytesMax, info_.name); !step) return step;
    if (info_.name.empty()) info_.name = info_.id;
    if (step = text(module_.description, "description", kTextBytesMax, info_.description); !step) return step;
    return text(module_.vendor, "vendor", kNameBytesMax, info_.vendor);
  }

  Result<void> functions() const {
    if (module_.create == nullptr) return broken("create is null", "end the plugin's source with NEXUS_PLUGIN(...)");
    if (module_.destroy == nullptr) return broken("destroy is null", "end the plugin's source with NEXUS_PLUGIN(...)");
    return {};
  }

  Result<void> requirements() {
    Result<void> step = list(module_.requirements, module_.requirement_count, "requirement");
    if (!step) return step;
    std::set<std::string> seen;
    for (uint64_t i = 0; i < module_.requirement_count; ++i) {
      const nexus_requirement& from = module_.requirements[i];
      const std::string where = numbered("requirement", i);
      ModuleRequirement to;
      if (step = text(from.id, where + ", its id,", kPluginIdBytesMax, to.id); !step) return step;
      if (Result<void> id = check_plugin_id(to.id); !id) return broken(where + " is wrong: " + id.error().message);
      if (to.id == info_.id) return broken(where + " names the plugin itself");
      if (!seen.insert(to.id).second) return broken(where + " names " + to.id + " a second time");
      if (step = text(from.version, where + ", its version,", kNameBytesMax, to.version); !step) return step;
      if (Result<VersionRange> range = VersionRange::parse(to.version); !range) {
        return broken(where + " (" + to.id + ") is wrong: " + range.error().message, range.error().help);
      }
      info_.requirements.push_back(std::move(to));
    }
    return {};
  }

  Result<void> events() {
    Result<void> step = list(module_.events, module_.event_count, "event");
    if (!step) return step;
    for (uint64_t i = 0; i < module_.event_count; ++i) {
      const nexus_event_schema& from = module_.events[i];
      const std::string where = numbered("event", i);
      ModuleEvent to;
      if (step = text(from.type, where + ", its type,", kTypeBytesMax, to.type); !step) return step;
      if (Result<void> type = check_type(to.type); !type) return broken(where + " is wrong: " + type.error().message);
      if (step = text(from.json_schema, where + " (" + to.type + "), its schema,", kSchemaBytesMax, to.json_schema); !step) {
        return step;
      }
      to.version = from.version;
      info_.events.push_back(std::move(to));
    }
    return {};
  }

  Result<void> handlers() {
    Result<void> step = list(module_.handlers, module_.handler_count, "handler");
    if (!step) return step;
    for (uint64_t i = 0; i < module_.handler_count; ++i) {
      const nexus_declared_handler& from = module_.handlers[i];
      const std::string where = numbered("handler", i);
      ModuleHandler to;
      if (step = text(from.name, where + ", its name,", kSubscriptionNameBytesMax, to.name); !step) return step;
      if (Result<void> name = check_subscription_name(to.name); !name) {
        return broken(where + " is wrong: " + name.error().message);
      }
      if (step = text(from.pattern, where + " (" + to.name + "), its pattern,", kTypeBytesMax, to.pattern); !step) {
        return step;
      }
      if (Result<Pattern> pattern = Pattern::parse(to.pattern); !pattern) {
        return broken(where + " (" + to.name + ") is wrong: " + pattern.error().message);
      }
      to.priority = from.priority;
      info_.handlers.push_back(std::move(to));
    }
    return {};
  }

  const nexus_module& module_;
  ModuleInfo info_;
};

}  // namespace

Result<nexus_module> copy_module(const nexus_module* module) {
  if (module == nullptr) return make_error(NEXUS_E_LOAD_MODULE, "nexus_module_v1 returned null");
  const size_t size = module->size;
  if (size < kModuleBytesMin || size > kModuleBytesMax) {
    return broken("size is " + std::to_string(size) + " bytes, " +
                      (size < kModuleBytesMin ? "below the 1.0 layout of " + std::to_string(kModuleBytesMin)
                                              : "over the limit of " + std::to_string(kModuleBytesMax)),
                  "set size to sizeof(nexus_module)");
  }
  nexus_module copy{};
  std::memcpy(&copy, module, size < sizeof copy ? size : sizeof copy);
  copy.size = static_cast<uint32_t>(sizeof copy);
  return copy;
}

Result<ModuleInfo> read_module(const nexus_module* module) {
  Result<nexus_module> copy = copy_module(module);
  if (!copy) return copy.error();
  return Reader(*copy).run();
}

}  // namespace nexus::host
