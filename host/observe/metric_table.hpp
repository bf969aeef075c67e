// The one table of the host's own metrics: name, kind, labels and help, from which the registry is fed and the
// reference is printed. Everything here is constant.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace nexus::host {

enum class MetricKind : uint8_t { kCounter, kGauge, kHistogram };

struct MetricDef {
  std::string_view name;
  MetricKind kind;
  std::string_view labels;  // names, separated by commas; empty: none
  std::string_view help;
};

namespace metric {

inline constexpr auto kC = MetricKind::kCounter;
inline constexpr auto kG = MetricKind::kGauge;
inline constexpr auto kH = MetricKind::kHistogram;

inline constexpr MetricDef kEventsEmitted{"nexus_events_emitted_total", kC, "", "Events accepted by the bus."};
inline constexpr MetricDef kEventsRejected{"nexus_events_rejected_total", kC, "reason",
                                           "Events that the bus did not accept."};
inline constexpr MetricDef kEventsProcessed{"nexus_events_processed_total", kC, "event_type",
                                            "Deliveries that a handler has finished with success."};
inline constexpr MetricDef kEventProcessingSeconds{"nexus_event_processing_seconds", kH, "event_type",
                                                   "Time spent in handlers (sampled, weighted to the full count)."};
inline constexpr MetricDef kEventQueueSeconds{
    "nexus_event_queue_seconds", kH, "",
    "Time from emit to the start of a handler (sampled, weighted to the full count)."};
inline constexpr MetricDef kEventsUnmatched{"nexus_events_unmatched_total", kC, "",
                                            "Events accepted for which no subscription was there."};
inline constexpr MetricDef kActiveSubscriptions{"nexus_active_subscriptions", kG, "", "Subscriptions at this moment."};
inline constexpr MetricDef kEventTypes{"nexus_event_types", kG, "", "Event types known to the bus."};
inline constexpr MetricDef kEventMemoryBytes{"nexus_event_memory_bytes", kG, "",
                                             "Memory held by events, pooled blocks included."};

inline constexpr MetricDef kDeliveries{
    "nexus_deliveries_total", kC, "", "Deliveries placed in mailboxes; one event has as many as it has subscriptions."};
inline constexpr MetricDef kDeliveriesFiltered{"nexus_deliveries_filtered_total", kC, "",
                                               "Deliveries that a condition or the handler left aside."};
inline constexpr MetricDef kDeliveriesDiscarded{
    "nexus_deliveries_discarded_total", kC, "reason",
    "Deliveries dropped unhandled: overflow, unsubscribed, unloaded, expired."};
inline constexpr MetricDef kRetries{"nexus_retries_total", kC, "", "Deliveries that were tried again."};
inline constexpr MetricDef kDeadLetters{"nexus_dead_letters_total", kC, "reason", "Deliveries given up."};
inline constexpr MetricDef kDeadLettersHeld{"nexus_dead_letters_held", kG, "", "Dead letters at this moment."};
inline constexpr MetricDef kDeadLettersDropped{"nexus_dead_letters_dropped_total", kC, "",
                                               "Dead letters that were dropped because there were too many."};
inline constexpr MetricDef kDeadLettersRedriven{"nexus_dead_letters_redriven_total", kC, "",
                                                "Dead letters that were sent again."};
inline constexpr MetricDef kHandlerErrors{"nexus_handler_errors_total", kC, "plugin", "Handler calls that failed."};
inline constexpr MetricDef kHandlerTimeouts{"nexus_handler_timeouts_total", kC, "plugin",
                                            "Handler calls that ran over their deadline."};

inline constexpr MetricDef kMailboxDepth{"nexus_mailbox_depth", kG, "plugin",
                                         "Deliveries waiting in a plugin's mailbox."};
inline constexpr MetricDef kMailboxStuck{"nexus_mailbox_stuck", kG, "plugin",
                                         "1 while a handler of the plugin is over its deadline."};
inline constexpr MetricDef kWorkers{"nexus_workers", kG, "", "Threads that run handlers."};
inline constexpr MetricDef kWorkersBusy{"nexus_workers_busy", kG, "", "Threads that run a handler at this moment."};
inline constexpr MetricDef kTimersPending{"nexus_timers_pending", kG, "", "Timers that have not run yet."};
inline constexpr MetricDef kWaitersPending{"nexus_waiters_pending", kG, "",
                                           "Requests and waits without an answer yet."};

inline constexpr MetricDef kPluginsLoaded{"nexus_plugins_loaded", kG, "", "Plugins that are running."};
inline constexpr MetricDef kPluginLoads{"nexus_plugin_loads_total", kC, "", "Plugins loaded since the start."};
inline constexpr MetricDef kPluginRefusals{"nexus_plugin_refusals_total", kC, "reason",
                                           "Plugin files that were refused."};
inline constexpr MetricDef kPluginUnloads{"nexus_plugin_unloads_total", kC, "result",
                                          "Plugins unloaded: unmapped, or retained in memory by something."};
inline constexpr MetricDef kPluginLoadSeconds{"nexus_plugin_load_seconds", kH, "",
                                              "Time from a file's first check to its plugin running."};

inline constexpr MetricDef kControlRequests{"nexus_control_requests_total", kC, "method",
                                            "Calls of the control surface."};
inline constexpr MetricDef kControlErrors{"nexus_control_errors_total", kC, "method",
                                          "Calls of the control surface that failed."};
inline constexpr MetricDef kLogLines{"nexus_log_lines_total", kC, "level", "Lines written to the log."};
inline constexpr MetricDef kBuildInfo{"nexus_build_info", kG, "version,abi",
                                      "Always 1; the labels tell what is running."};
inline constexpr MetricDef kStartTimeSeconds{"nexus_start_time_seconds", kG, "",
                                             "When the host was started, in seconds since 1970."};
inline constexpr MetricDef kMetricSeriesDropped{"nexus_metric_series_dropped_total", kC, "",
                                                "Label sets over the limit, which were counted under \"other\"."};
inline constexpr MetricDef kProcessResidentBytes{"process_resident_memory_bytes", kG, "",
                                                 "Resident memory of the process."};
inline constexpr MetricDef kProcessCpuSeconds{"process_cpu_seconds_total", kC, "",
                                              "Processor time of the process, user and system."};
inline constexpr MetricDef kProcessOpenFds{"process_open_fds", kG, "", "Open file descriptors of the process."};

}  // namespace metric

// Every row, in the order in which the reference lists them.
inline constexpr auto kMetricTable = std::to_array<MetricDef>({
    metric::kEventsEmitted,
    metric::kEventsRejected,
    metric::kEventsProcessed,
    metric::kEventProcessingSeconds,
    metric::kEventQueueSeconds,
    metric::kEventsUnmatched,
    metric::kActiveSubscriptions,
    metric::kEventTypes,
    metric::kEventMemoryBytes,
    metric::kDeliveries,
    metric::kDeliveriesFiltered,
    metric::kDeliveriesDiscarded,
    metric::kRetries,
    metric::kDeadLetters,
    metric::kDeadLettersHeld,
    metric::kDeadLettersDropped,
    metric::kDeadLettersRedriven,
    metric::kHandlerErrors,
    metric::kHandlerTimeouts,
    metric::kMailboxDepth,
    metric::kMailboxStuck,
    metric::kWorkers,
    metric::kWorkersBusy,
    metric::kTimersPending,
    metric::kWaitersPending,
    metric::kPluginsLoaded,
    metric::kPluginLoads,
    metric::kPluginRefusals,
    metric::kPluginUnloads,
    metric::kPluginLoadSeconds,
    metric::kControlRequests,
    metric::kControlErrors,
    metric::kLogLines,
    metric::kBuildInfo,
    metric::kStartTimeSeconds,
    metric::kMetricSeriesDropped,
    metric::kProcessResidentBytes,
    metric::kProcessCpuSeconds,
    metric::kProcessOpenFds,
});

}  // namespace nexus::host
