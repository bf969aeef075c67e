/* metrics.h - "nexus.metrics/1": counters, gauges and histograms of the plugin's own.
 *
 * A metric is registered once and then named by its handle; updating one costs a few nanoseconds. The host adds the
 * label plugin="<id>" and exports all of them together with its own. Registering the same name, kind and labels again
 * gives the same handle. Names follow Prometheus: [a-zA-Z_][a-zA-Z0-9_]*; "nexus_" is the host's. */
#ifndef NEXUS_ABI_METRICS_H
#define NEXUS_ABI_METRICS_H

#include "base.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NEXUS_METRICS_ID "nexus.metrics/1"

#define NEXUS_METRIC_COUNTER 0u
#define NEXUS_METRIC_GAUGE 1u
#define NEXUS_METRIC_HISTOGRAM 2u

/* This struct never grows. */
typedef struct nexus_label {
  nexus_string name;
  nexus_string value;
} nexus_label;

typedef struct nexus_metric_options {
  uint32_t size;
  uint32_t kind;           /* NEXUS_METRIC_* */
  nexus_string name;
  nexus_string help;
  const nexus_label* labels;
  uint64_t label_count;    /* at most 8 */
  const double* bounds;    /* upper bounds of a histogram's buckets, rising; null: the host's default for seconds */
  uint64_t bound_count;    /* at most 64 */
} nexus_metric_options;

typedef struct nexus_metrics {
  uint32_t size;
  uint32_t reserved;
  void* ctx;

  /* At most 10,000 per plugin: NEXUS_E_TOO_LARGE. [any-thread] */
  int32_t (*define)(void* ctx, const nexus_metric_options* options, nexus_handle* metric, nexus_error* error);

  /* counter: adds (a negative value is NEXUS_E_ARGUMENT); gauge: adds; histogram: observes. [any-thread] */
  int32_t (*record)(void* ctx, nexus_handle metric, double value);

  /* gauge only. [any-thread] */
  int32_t (*set)(void* ctx, nexus_handle metric, double value);

  /* Everything that the host knows, host and plugins, in Prometheus text (format 0) or OpenMetrics (1). [any-thread] */
  int32_t (*expose)(void* ctx, uint32_t format, nexus_write_fn write, void* user);
} nexus_metrics;

#ifdef __cplusplus
}
#endif

#endif
