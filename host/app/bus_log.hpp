// Lines of the log and counts for handlers that fail or overrun, with the plugin, the event and its correlation.
#pragma once

#include "host/bus/bus.hpp"
#include "host/observe/metrics.hpp"

namespace nexus::host {

// Before the first emit. `metrics` outlives the bus's last delivery.
void log_failures(Bus& bus, Registry& metrics);

}  // namespace nexus::host
