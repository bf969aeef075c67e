// "nexus.timer/1", "nexus.metrics/1", "nexus.data/1" and "nexus.control/1" for one instance.
#include <string>
#include <vector>

#include "host/event/cloudevents.hpp"
#include "host/event/json.hpp"
#include "host/event/name.hpp"
#include "host/event/pattern.hpp"
#include "host/plugin/bridge_call.hpp"
#include "host/plugin/bridge_task.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host {
namespace {

// ---- nexus.timer/1 ------------------------------------------------------------------------------------------------

int32_t timer_after(void* ctx, int64_t delay_ns, nexus_task_fn task, void* user, nexus_handle* handle) {
  return abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    if (task == nullptr || handle == nullptr) return NEXUS_E_ARGUMENT;
    const int64_t due = TimerQueue::due_after(tables.owner->clock().monotonic_ns(), delay_ns);
    auto timer = tables.owner->timers().add(tables.participant, due, std::make_unique<PluginTask>(task, user));
    if (!timer) return timer.error().code;
    *handle = timer.value();
    return NEXUS_OK;
  });
}

int32_t timer_cancel(void* ctx, nexus_handle handle) {
  return abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    auto cancelled = tables.owner->timers().cancel(*tables.participant, handle);
    return cancelled ? NEXUS_OK : cancelled.error().code;
  });
}

// ---- nexus.metrics/1 ----------------------------------------------------------------------------------------------

constexpr size_t kMetricOptionsMinimum = 72;
static_assert(sizeof(nexus_metric_options) >= kMetricOptionsMinimum);
constexpr uint64_t kLabelsMax = 8;
constexpr uint64_t kBoundsMax = 64;

// Tells an instrument from all others.
const void* address_of(const Registry::Instrument& instrument) {
  if (instrument.counter != nullptr) return instrument.counter;
  if (instrument.gauge != nullptr) return instrument.gauge;
  return instrument.histogram;
}

int32_t metrics_define(void* ctx, const nexus_metric_options* options, nexus_handle* metric, nexus_error* error) {
  return abi_call(ctx, error, [&](BridgeTables& tables) {
    if (options == nullptr || metric == nullptr) return refuse_argument(error, "options or metric is a null pointer");
    OptionsReader<nexus_metric_options> read;
    if (!read.read(options, kMetricOptionsMinimum, error)) return NEXUS_E_ARGUMENT;
    const nexus_metric_options& known = *read.get();
    if (is_broken(known.name) || is_broken(known.help) || (known.labels == nullptr && known.label_count != 0) ||
        (known.bounds == nullptr && known.bound_count != 0))
      return refuse_argument(error, "a member of the options is a null pointer");
    if (known.kind > NEXUS_METRIC_HISTOGRAM) return refuse_argument(error, "the kind of the metric is unknown");
    if (known.label_count > kLabelsMax) return refuse_argument(error, "a metric has at most 8 labels");
    if (known.bound_count > kBoundsMax) return refuse_argument(error, "a histogram has at most 64 bounds");
    std::vector<Label> labels;
    for (uint64_t i = 0; i < known.label_count; ++i) {
      if (is_broken(known.labels[i].name) || is_broken(known.labels[i].value))
        return refuse_argument(error, "a label is a null pointer");
      labels.push_back({std::string(to_view(known.labels[i].name)), std::string(to_view(known.labels[i].value))});
    }
    Registry::Request request;
    request.kind = known.kind == NEXUS_METRIC_COUNTER ? MetricKind::kCounter
                   : known.kind == NEXUS_METRIC_GAUGE ? MetricKind::kGauge
                                                      : MetricKind::kHistogram;
    request.name = to_view(known.name);
    request.help = to_view(known.help);
    request.labels = labels;
    request.bounds = {known.bounds, known.bound_count};
    auto made = tables.services->metrics->define(tables.plugin, tables.metrics_owner, request);
    if (!made) return write_error(error, made.error());
    std::lock_guard guard(tables.metrics_mutex);
    const auto known_handle = tables.metric_handles.find(address_of(made.value()));
    if (known_handle != tables.metric_handles.end()) {
      *metric = known_handle->second;
      return NEXUS_OK;
    }
    const size_t index = tables.instruments.append([&](Registry::Instrument& entry) { entry = made.value(); });
    if (index == tables.instruments.kSizeMax)
      return write_error(error, NEXUS_E_TOO_LARGE, "a plugin has at most 10240 metrics");
    *metric = index + 1;
    tables.metric_handles.emplace(address_of(made.value()), *metric);
    return NEXUS_OK;
  });
}

int32_t metrics_record(void* ctx, nexus_handle metric, double value) {
  return abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    const Registry::Instrument* instrument = tables.instruments.find(metric - 1);
    if (instrument == nullptr) return NEXUS_E_HANDLE;
    if (instrument->counter != nullptr) {
      if (!(value >= 0)) return NEXUS_E_ARGUMENT;
      instrument->counter->add_double(value);
    } else if (instrument->gauge != nullptr) {
      instrument->gauge->add(value);
    } else {
      instrument->histogram->observe(value);
    }
    return NEXUS_OK;
  });
}

int32_t metrics_set(void* ctx, nexus_handle metric, double value) {
  return abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    const Registry::Instrument* instrument = tables.instruments.find(metric - 1);
    if (instrument == nullptr) return NEXUS_E_HANDLE;
    if (instrument->gauge == nullptr) return NEXUS_E_ARGUMENT;
    instrument->gauge->set(value);
    return NEXUS_OK;
  });
}

void write_out(nexus_write_fn write, void* user, std::string_view text) {
  write(user, reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

int32_t metrics_expose(void* ctx, uint32_t format, nexus_write_fn write, void* user) {
  return abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    if (write == nullptr || format > 1) return NEXUS_E_ARGUMENT;
    std::string text;
    if (format == 0)
      tables.services->metrics->write_prometheus(text);
    else
      tables.services->metrics->write_openmetrics(text);
    write_out(write, user, text);
    return NEXUS_OK;
  });
}

// ---- nexus.data/1 -------------------------------------------------------------------------------------------------

int32_t data_cbor_to_json(void* ctx, nexus_bytes cbor, nexus_write_fn write, void* user, nexus_error* error) {
  return abi_call(ctx, error, [&](BridgeTables&) {
    if (is_broken(cbor) || write == nullptr) return refuse_argument(error, "cbor or write is a null pointer");
    auto json = cbor_to_json({cbor.data, cbor.size});
    if (!json) return write_error(error, json.error());
    write_out(write, user, json.value());
    return NEXUS_OK;
  });
}

int32_t data_json_to_cbor(void* ctx, nexus_string json, nexus_write_fn write, void* user, nexus_error* error) {
  return abi_call(ctx, error, [&](BridgeTables&) {
    if (is_broken(json) || write == nullptr) return refuse_argument(error, "json or write is a null pointer");
    auto cbor = json_to_cbor(to_view(json));
    if (!cbor) return write_error(error, cbor.error());
    write(user, cbor.value().data(), cbor.value().size());
    return NEXUS_OK;
  });
}

int32_t data_event_to_json(void* ctx, const nexus_event* event, nexus_write_fn write, void* user, nexus_error* error) {
  return abi_call(ctx, error, [&](BridgeTables&) {
    if (event == nullptr || write == nullptr) return refuse_argument(error, "event or write is a null pointer");
    write_out(write, user, cloudevent_json(*event));
    return NEXUS_OK;
  });
}

int32_t data_cbor_check(void* ctx, nexus_bytes cbor, nexus_error* error) {
  return abi_call(ctx, error, [&](BridgeTables&) {
    if (is_broken(cbor)) return refuse_argument(error, "cbor is a null pointer");
    cbor::Error why;
    if (cbor::check(std::span(cbor.data, cbor.size), why)) return NEXUS_OK;
    return write_error(error, NEXUS_E_CBOR, why.message());
  });
}

int32_t data_pattern_matches(void* ctx, nexus_string pattern, nexus_string type) {
  return abi_call(ctx, nullptr, [&](BridgeTables&) {
    if (is_broken(pattern) || is_broken(type)) return NEXUS_E_ARGUMENT;
    auto parsed = Pattern::parse(to_view(pattern));
    if (!parsed) return parsed.error().code;
    if (!is_valid_type(to_view(type))) return NEXUS_E_TYPE_NAME;
    return parsed.value().matches(to_view(type)) ? 1 : 0;
  });
}

// ---- nexus.control/1 ----------------------------------------------------------------------------------------------

int32_t control_call(void* ctx, nexus_string method, nexus_bytes params, nexus_write_fn write, void* user,
                     nexus_error* error) {
  return abi_call(ctx, error, [&](BridgeTables& tables) {
    if (is_broken(method) || is_broken(params) || write == nullptr)
      return refuse_argument(error, "method, params or write is a null pointer");
    auto result = tables.services->control(tables.plugin, to_view(method), params);
    if (!result) return write_error(error, result.error());
    write(user, result.value().data(), result.value().size());
    return NEXUS_OK;
  });
}

}  // namespace

void fill_service_tables(BridgeTables& tables) {
  tables.timer.size = sizeof(nexus_timer);
  tables.timer.ctx = &tables;
  tables.timer.after = timer_after;
  tables.timer.cancel = timer_cancel;
  tables.metrics.size = sizeof(nexus_metrics);
  tables.metrics.ctx = &tables;
  tables.metrics.define = metrics_define;
  tables.metrics.record = metrics_record;
  tables.metrics.set = metrics_set;
  tables.metrics.expose = metrics_expose;
  tables.data.size = sizeof(nexus_data);
  tables.data.ctx = &tables;
  tables.data.cbor_to_json = data_cbor_to_json;
  tables.data.json_to_cbor = data_json_to_cbor;
  tables.data.event_to_json = data_event_to_json;
  tables.data.cbor_check = data_cbor_check;
  tables.data.pattern_matches = data_pattern_matches;
  tables.control.size = sizeof(nexus_control);
  tables.control.ctx = &tables;
  tables.control.call = control_call;
}

}  // namespace nexus::host
