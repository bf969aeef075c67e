// NEXUS_ON and NEXUS_PLUGIN, and the life of an instance behind the C ABI. NEXUS_PLUGIN defines the one function that a
// library exports; it builds the description once, from what the macros say, and calls nothing of the plugin.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "nexus/abi/draft/handover.h"
#include "nexus/abi/module.h"
#include "nexus/access.hpp"
#include "nexus/config_type.hpp"
#include "nexus/core.hpp"
#include "nexus/dispatch.hpp"
#include "nexus/failure.hpp"
#include "nexus/instance.hpp"
#include "nexus/known_type.hpp"
#include "nexus/plugin_base.hpp"
#include "nexus/plugin_info.hpp"

namespace nexus::detail {

// The description of one plugin class and what it points to; lives as long as the library.
template <class T>
class Module {
 public:
  explicit Module(const PluginInfo& info) {
    std::apply([&](auto... source) { (add_handler<typename decltype(source)::type>(), ...); }, Access::sources<T>());
    for (const KnownType* type = known_types; type != nullptr; type = type->next) {
      events_.push_back({to_abi(type->type), to_abi(type->schema()), type->version, 0});
    }
    for (const Requirement& requirement : info.requirements) {
      if (!requirement.id.empty()) requirements_.push_back({to_abi(requirement.id), to_abi(requirement.version)});
    }
    raw_.size = sizeof raw_;
    raw_.minor_built = NEXUS_ABI_MINOR;
    raw_.flags = (info.exclusive ? NEXUS_MODULE_EXCLUSIVE : 0U) | (info.provider ? NEXUS_MODULE_PROVIDER : 0U);
    raw_.id = to_abi(info.id);
    raw_.version = to_abi(info.version);
    raw_.name = to_abi(info.name);
    raw_.description = to_abi(info.description);
    raw_.vendor = to_abi(info.vendor);
    raw_.requirements = requirements_.data();
    raw_.requirement_count = requirements_.size();
    raw_.events = events_.data();
    raw_.event_count = events_.size();
    raw_.handlers = handlers_.data();
    raw_.handler_count = handlers_.size();
    if (info.config_schema != nullptr) {
      raw_.config_schema = to_abi(info.config_schema());
    } else if (config_uses == 1) {
      raw_.config_schema = to_abi(config_used());
    }
    raw_.create = &Instance<T>::create;
    raw_.start = &InstanceBase::start;
    raw_.quiesce = &InstanceBase::quiesce;
    raw_.destroy = &InstanceBase::destroy;
    raw_.query = &InstanceBase::query;
  }
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const nexus_module* raw() const { return &raw_; }

 private:
  template <class Source>
  void add_handler() {
    constexpr HandlerText text = handler_text<Source>();
    handlers_.push_back({to_abi(text.name), to_abi(text.pattern), text.priority, 0});
    using Declared = decltype(Source::get());
    if constexpr (!std::is_same_v<typename Declared::Payload, Event>)
      (void)known_type<typename Declared::Payload>.index;
  }

  std::vector<nexus_declared_handler> handlers_;
  std::vector<nexus_event_schema> events_;
  std::vector<nexus_requirement> requirements_;
  nexus_module raw_{};
};

// What the exported function returns; null only when there is no memory.
template <class T>
const nexus_module* module_of(const PluginInfo& info) noexcept {
  constexpr bool is_plugin = std::is_convertible_v<T*, Plugin*>;
  static_assert(is_plugin, "NEXUS_PLUGIN takes a class that derives publicly from nexus::Plugin");
  if constexpr (is_plugin) {
    constexpr bool is_whole = !std::is_abstract_v<T>;
    static_assert(is_whole, "NEXUS_PLUGIN: the class has pure virtual methods");
    static_assert(!is_whole || std::is_default_constructible_v<T>,
                  "NEXUS_PLUGIN: the class needs a public constructor without arguments");
    static_assert(check_handlers(Access::sources<T>()));
    if constexpr (is_whole && std::is_default_constructible_v<T>) {
      try {
        static const Module<T> module(info);
        return module.raw();
      } catch (...) {
        return nullptr;
      }
    }
  }
  return nullptr;
}

}  // namespace nexus::detail

// NEXUS_ON(method, .priority = 10, .when = ...) above a method makes it a handler. The options are those of
// nexus::HandlerOptions, in their order; they are constant expressions, in which 1s and 500ms are durations.
#define NEXUS_ON(...) \
  NEXUS_ON_stands_on_a_line_of_its_own_(NEXUS_ON_FIRST_(__VA_ARGS__, ), NEXUS_ON_REST_(__VA_ARGS__, ))
#define NEXUS_ON_FIRST_(first, ...) first
#define NEXUS_ON_REST_(first, ...) __VA_ARGS__
#define NEXUS_ON_stands_on_a_line_of_its_own_(...) NEXUS_ON_SLOT_(__VA_ARGS__)
#define NEXUS_ON_SLOT_(method, ...)                                                                        \
  friend struct ::nexus::Access;                                                                           \
  static_assert(::nexus::detail::check_line<__LINE__>());                                                  \
  static void nexus_line(::nexus::detail::NEXUS_ON_stands_on_a_line_of_its_own<__LINE__>*);                \
  template <class Self>                                                                                    \
  static constexpr auto nexus_slot(::nexus::detail::NEXUS_ON_stands_on_a_line_of_its_own<__LINE__>*) {     \
    using namespace ::std::chrono_literals; /* so that 1s can be written */                                \
    using namespace ::nexus::words;         /* and type_is(...), parallel, ... */                          \
    static_assert(                                                                                         \
        requires { &Self::method; }, "NEXUS_ON(" #method                                                   \
                                     "): the class has no method of that name, or more than one; name an " \
                                     "ordinary method that is not overloaded");                            \
    return ::nexus::Handler<&Self::method>{#method, {__VA_ARGS__}};                                        \
  }

// NEXUS_PLUGIN(Class, "com.example.orders", "1.0.0", .name = "Orders", ...) below the class, in its namespace, once in
// a library. The options are those of nexus::PluginInfo, in their order.
#define NEXUS_PLUGIN(Class, plugin_id, plugin_version, ...)                                   \
  NEXUS_PLUGIN_INFO(Class, plugin_id, plugin_version __VA_OPT__(, ) __VA_ARGS__)              \
  extern "C" NEXUS_EXPORT const nexus_module* nexus_module_v1(void) {                         \
    return ::nexus::detail::module_of<Class>(nexus_plugin_info(::nexus::PluginTag<Class>{})); \
  }
// The same without the exported function, for a test program that has several plugins in it.
#define NEXUS_PLUGIN_INFO(Class, plugin_id, plugin_version, ...)                                                  \
  static_assert(::nexus::detail::is_plugin_id(plugin_id),                                                         \
                "NEXUS_PLUGIN: the id must be two or more segments joined by dots, like \"com.example.orders\"; " \
                "a-z, 0-9, _ and -, 3 to 128 characters");                                                        \
  static_assert(::nexus::detail::is_version(plugin_version),                                                      \
                "NEXUS_PLUGIN: the version must be semantic, like \"1.2.3\" or \"1.2.3-rc.1\"");                  \
  [[maybe_unused]] constexpr ::nexus::PluginInfo nexus_plugin_info(::nexus::PluginTag<Class>) {                   \
    return ::nexus::PluginInfo{.id = plugin_id, .version = plugin_version __VA_OPT__(, ) __VA_ARGS__};            \
  }                                                                                                               \
  static_assert(::nexus::detail::are_requirements(nexus_plugin_info(::nexus::PluginTag<Class>{})),                \
                "NEXUS_PLUGIN: each of .requirements names a plugin by its id and a range of versions, "          \
                "like {\"com.example.users\", \"^1.0\"}");
