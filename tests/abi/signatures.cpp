// What each function of the published ABI takes and returns. A changed parameter keeps the layout and breaks every
// plugin all the same, so it is written down a second time here. It has nothing to run.
#include <string_view>
#include <type_traits>

#include "nexus/abi/abi.h"

#define TYPE(name, ...) static_assert(std::is_same_v<name, std::add_pointer_t<__VA_ARGS__>>, #name " has changed")
#define MEMBER(type, member, ...)                                                        \
  static_assert(std::is_same_v<decltype(type::member), std::add_pointer_t<__VA_ARGS__>>, \
                #type "." #member " has changed")

static_assert(std::string_view(NEXUS_BUS_ID) == "nexus.bus/1");
static_assert(std::string_view(NEXUS_CONTROL_ID) == "nexus.control/1");
static_assert(std::string_view(NEXUS_DATA_ID) == "nexus.data/1");
static_assert(std::string_view(NEXUS_METRICS_ID) == "nexus.metrics/1");
static_assert(std::string_view(NEXUS_TIMER_ID) == "nexus.timer/1");

TYPE(nexus_write_fn, void(void*, const uint8_t*, uint64_t));
TYPE(nexus_waiter_fn, void(void*, int32_t, const nexus_event*));
TYPE(nexus_task_fn, void(void*));
MEMBER(nexus_bus, intern, int32_t(void*, nexus_string, uint64_t*, nexus_error*));
MEMBER(nexus_bus, emit, int32_t(void*, uint64_t, const nexus_emit_options*, nexus_bytes, nexus_uuid*, nexus_error*));
MEMBER(nexus_bus, emit_batch, int32_t(void*, const nexus_emit_item*, uint64_t, uint64_t*, nexus_uuid*, nexus_error*));
MEMBER(nexus_bus, subscribe,
       int32_t(void*, nexus_string, const nexus_subscribe_options*, nexus_handler_fn, void*, nexus_handle*,
               nexus_error*));
MEMBER(nexus_bus, unsubscribe, int32_t(void*, nexus_handle));
MEMBER(nexus_bus, complete, int32_t(void*, uint64_t, int32_t, const nexus_outcome*));
MEMBER(nexus_bus, request,
       int32_t(void*, uint64_t, const nexus_emit_options*, nexus_bytes, nexus_string, int64_t, nexus_waiter_fn, void*,
               nexus_handle*, nexus_error*));
MEMBER(nexus_bus, wait_for,
       int32_t(void*, nexus_string, nexus_condition_fn, void*, int64_t, nexus_waiter_fn, void*, nexus_handle*,
               nexus_error*));
MEMBER(nexus_bus, cancel, int32_t(void*, nexus_handle));
MEMBER(nexus_bus, retain, const nexus_event*(void*, const nexus_event*));
MEMBER(nexus_bus, release, void(void*, const nexus_event*));
MEMBER(nexus_bus, post, int32_t(void*, nexus_task_fn, void*));
MEMBER(nexus_bus, code_text, nexus_string(void*, int32_t));
MEMBER(nexus_control, call, int32_t(void*, nexus_string, nexus_bytes, nexus_write_fn, void*, nexus_error*));
MEMBER(nexus_data, cbor_to_json, int32_t(void*, nexus_bytes, nexus_write_fn, void*, nexus_error*));
MEMBER(nexus_data, json_to_cbor, int32_t(void*, nexus_string, nexus_write_fn, void*, nexus_error*));
MEMBER(nexus_data, event_to_json, int32_t(void*, const nexus_event*, nexus_write_fn, void*, nexus_error*));
MEMBER(nexus_data, cbor_check, int32_t(void*, nexus_bytes, nexus_error*));
MEMBER(nexus_data, pattern_matches, int32_t(void*, nexus_string, nexus_string));
TYPE(nexus_handler_fn, int32_t(void*, const nexus_delivery*, nexus_outcome*));
TYPE(nexus_condition_fn, int32_t(void*, const nexus_event*));
MEMBER(nexus_host, log, void(void*, int32_t, nexus_string, const nexus_log_field*, uint32_t));
MEMBER(nexus_host, log_enabled, int32_t(void*, int32_t));
MEMBER(nexus_host, query, const void*(void*, const char*));
MEMBER(nexus_host, query_plugin, const void*(void*, nexus_string, const char*));
MEMBER(nexus_host, now_unix_ns, int64_t(void*));
MEMBER(nexus_host, request_stop, void(void*, nexus_string));
MEMBER(nexus_host, thread_kind, uint32_t(void*));
MEMBER(nexus_host, data_folder, nexus_string(void*, nexus_error*));
MEMBER(nexus_metrics, define, int32_t(void*, const nexus_metric_options*, nexus_handle*, nexus_error*));
MEMBER(nexus_metrics, record, int32_t(void*, nexus_handle, double));
MEMBER(nexus_metrics, set, int32_t(void*, nexus_handle, double));
MEMBER(nexus_metrics, expose, int32_t(void*, uint32_t, nexus_write_fn, void*));
MEMBER(nexus_module, create, int32_t(const nexus_host*, nexus_bytes, void**, nexus_error*));
MEMBER(nexus_module, start, int32_t(void*, nexus_error*));
MEMBER(nexus_module, quiesce, void(void*, int64_t));
MEMBER(nexus_module, destroy, void(void*));
MEMBER(nexus_module, query, const void*(void*, const char*));
MEMBER(nexus_timer, after, int32_t(void*, int64_t, nexus_task_fn, void*, nexus_handle*));
MEMBER(nexus_timer, cancel, int32_t(void*, nexus_handle));
TYPE(nexus_module_fn, const nexus_module*());
static_assert(std::is_same_v<decltype(nexus_module_v1), const nexus_module*()>, "the exported function has changed");
