#include "host/app/bus_log.hpp"

#include <chrono>
#include <memory>
#include <string>

#include "host/base/log.hpp"
#include "host/base/uuid.hpp"
#include "host/bus/participant.hpp"
#include "host/event/block.hpp"

namespace nexus::host {
namespace {

std::string_view handler_name(const Subscription& subscription) {
  return subscription.name.empty() ? std::string_view(subscription.pattern.text()) : std::string_view(subscription.name);
}

}  // namespace

void log_failures(Bus& bus, Registry& metrics) {
  // A handler that fails for every event must not fill the disk.
  const auto limit = std::make_shared<log::Limit>(std::chrono::milliseconds(10));
  bus.set_logs(
      [&metrics, limit](const nexus_event& event, const Subscription& subscription, std::string_view error_type,
                        std::string_view message) {
        const std::string& plugin = subscription.participant->id();
        metrics.counter(metric::kHandlerErrors, {{"plugin", plugin}}).add();
        uint64_t left_out = 0;
        if (!limit->admit(left_out)) return;
        log::Context context;
        context.plugin = plugin;
        context.event_type = to_view(event.type);
        context.correlation_id = to_view(event.correlation_id);
        context.event_id = event.id.bytes;
        if (!is_nil(event.trace_id)) {
          context.trace_id = event.trace_id.bytes;
          context.span_id = event.span_id;
        }
        log::write(log::Level::error, context, "handler failed",
                   {{"handler", handler_name(subscription)},
                    {"error_type", error_type},
                    {"error", message},
                    {"left_out", left_out}});
      },
      [&metrics](const Subscription& subscription, std::string_view message) {
        const std::string& plugin = subscription.participant->id();
        metrics.counter(metric::kHandlerTimeouts, {{"plugin", plugin}}).add();
        log::Context context;
        context.plugin = plugin;
        log::write(log::Level::error, context, message, {{"handler", handler_name(subscription)}});
      });
}

}  // namespace nexus::host
