// The host's own events: system.started and the like, plugin.loaded and the like, with the fields of nexus/events.hpp,
// and the counts that go with them. Any thread.
#pragma once

#include <string_view>

#include "host/bus/bus.hpp"
#include "host/observe/metrics.hpp"
#include "host/plugin/instance_host.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host {

class HostEvents final : public LifecycleSink {
 public:
  // Both outlive this.
  HostEvents(Bus& bus, Registry& metrics) : bus_(bus), metrics_(metrics) {}

  // `config` has no secrets in it any more.
  void started(std::string_view version, cbor::Value config);
  void shutting_down(std::string_view reason);
  // Something failed in the host itself: an event and a line of the log. `error_type` is a short stable word.
  void system_error(std::string_view error_type, std::string_view message);

  // LifecycleSink
  void plugin_loaded(std::string_view plugin_id, std::string_view name, std::string_view version) override;
  void plugin_unloaded(std::string_view plugin_id, std::string_view reason) override;
  void plugin_error(std::string_view plugin_id, std::string_view error_type, std::string_view message) override;

 private:
  template <class Event>
  void emit(const Event& event);

  Bus& bus_;
  Registry& metrics_;
};

}  // namespace nexus::host
