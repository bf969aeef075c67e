#include "host/app/host_events.hpp"

#include <exception>
#include <string>

#include "host/base/log.hpp"
#include "host/base/printable.hpp"
#include "nexus/events.hpp"

namespace nexus::host {
namespace {

// A plugin's sentence or a file's name may be anything; an event is UTF-8.
std::string clean(std::string_view text) { return cbor::is_utf8(text) ? std::string(text) : printable(text); }

}  // namespace

template <class Event>
void HostEvents::emit(const Event& event) {
  try {
    cbor::Buffer data;
    EventTraits<Event>::encode(event, data);
    const int32_t code = bus_.emit_host_event(EventTraits<Event>::type, data.abi());
    if (code != NEXUS_OK)
      log::warn("an event of the host was not accepted",
                {{"event_type", EventTraits<Event>::type}, {"code", error_label(code)}});
  } catch (const std::exception& thrown) {
    log::error("an event of the host could not be made",
               {{"event_type", EventTraits<Event>::type}, {"error", thrown.what()}});
  }
}

void HostEvents::started(std::string_view version, cbor::Value config) {
  events::SystemStarted event;
  event.version = version;
  event.config = std::move(config);
  emit(event);
}

void HostEvents::shutting_down(std::string_view reason) {
  events::SystemShuttingDown event;
  event.reason = clean(reason);
  emit(event);
}

void HostEvents::system_error(std::string_view error_type, std::string_view message) {
  log::error(message, {{"error_type", error_type}});
  events::SystemError event;
  event.error_type = error_type;
  event.error_message = clean(message);
  emit(event);
}

void HostEvents::plugin_loaded(std::string_view plugin_id, std::string_view name, std::string_view version) {
  metrics_.counter(metric::kPluginLoads).add();
  emit(events::PluginLoaded{clean(plugin_id), clean(name), clean(version)});
}

void HostEvents::plugin_unloaded(std::string_view plugin_id, std::string_view reason) {
  emit(events::PluginUnloaded{clean(plugin_id), clean(reason)});
}

void HostEvents::plugin_error(std::string_view plugin_id, std::string_view error_type, std::string_view message) {
  if (error_type.starts_with("load_")) metrics_.counter(metric::kPluginRefusals, {{"reason", std::string(error_type)}}).add();
  emit(events::PluginError{clean(plugin_id), clean(error_type), clean(message)});
}

}  // namespace nexus::host
