/* The layout of every struct of the published ABI, on 64-bit machines whose pointers, int64_t and double are aligned
 * to 8. A line of this file that must change is an ABI that has changed: new members go to the end, and get new lines.
 * Compiled as C and as C++; it has nothing to run. */
#include <stddef.h>

#include "nexus/abi/abi.h"

#ifdef __cplusplus
#define ASSERT(condition, text) static_assert(condition, text)
#else
#define ASSERT(condition, text) _Static_assert(condition, text)
#endif
#define SIZE(type, bytes) ASSERT(sizeof(type) == (bytes), "the size of " #type " has changed")
#define AT(type, member, offset) ASSERT(offsetof(type, member) == (offset), #type "." #member " has moved")

ASSERT(sizeof(void*) == 8 && sizeof(void (*)(void)) == 8, "these layouts are those of 64-bit machines");

SIZE(nexus_string, 16); /* base.h */
AT(nexus_string, data, 0);
AT(nexus_string, size, 8);

SIZE(nexus_bytes, 16); /* base.h */
AT(nexus_bytes, data, 0);
AT(nexus_bytes, size, 8);

SIZE(nexus_uuid, 16); /* base.h */
AT(nexus_uuid, bytes, 0);

SIZE(nexus_emit_options, 200); /* bus.h */
AT(nexus_emit_options, size, 0);
AT(nexus_emit_options, flags, 4);
AT(nexus_emit_options, priority, 8);
AT(nexus_emit_options, schema_version, 12);
AT(nexus_emit_options, data_format, 16);
AT(nexus_emit_options, reserved, 20);
AT(nexus_emit_options, subject, 24);
AT(nexus_emit_options, key, 40);
AT(nexus_emit_options, correlation_id, 56);
AT(nexus_emit_options, metadata, 72);
AT(nexus_emit_options, expires_unix_ns, 88);
AT(nexus_emit_options, delay_ns, 96);
AT(nexus_emit_options, timeout_ns, 104);
AT(nexus_emit_options, id, 112);
AT(nexus_emit_options, causation_id, 128);
AT(nexus_emit_options, source, 144);
AT(nexus_emit_options, time_unix_ns, 160);
AT(nexus_emit_options, trace_id, 168);
AT(nexus_emit_options, parent_span_id, 184);
AT(nexus_emit_options, trace_flags, 192);
AT(nexus_emit_options, reserved2, 196);

SIZE(nexus_emit_item, 32); /* bus.h */
AT(nexus_emit_item, type, 0);
AT(nexus_emit_item, options, 8);
AT(nexus_emit_item, data, 16);

SIZE(nexus_subscribe_options, 88); /* bus.h */
AT(nexus_subscribe_options, size, 0);
AT(nexus_subscribe_options, flags, 4);
AT(nexus_subscribe_options, priority, 8);
AT(nexus_subscribe_options, concurrency, 12);
AT(nexus_subscribe_options, name, 16);
AT(nexus_subscribe_options, condition, 32);
AT(nexus_subscribe_options, deadline_ns, 40);
AT(nexus_subscribe_options, retry_attempts, 48);
AT(nexus_subscribe_options, retry_exponential, 52);
AT(nexus_subscribe_options, retry_delay_ns, 56);
AT(nexus_subscribe_options, retry_delay_ns_max, 64);
AT(nexus_subscribe_options, filter_text, 72);

SIZE(nexus_bus, 120); /* bus.h */
AT(nexus_bus, size, 0);
AT(nexus_bus, reserved, 4);
AT(nexus_bus, ctx, 8);
AT(nexus_bus, intern, 16);
AT(nexus_bus, emit, 24);
AT(nexus_bus, emit_batch, 32);
AT(nexus_bus, subscribe, 40);
AT(nexus_bus, unsubscribe, 48);
AT(nexus_bus, complete, 56);
AT(nexus_bus, request, 64);
AT(nexus_bus, wait_for, 72);
AT(nexus_bus, cancel, 80);
AT(nexus_bus, retain, 88);
AT(nexus_bus, release, 96);
AT(nexus_bus, post, 104);
AT(nexus_bus, code_text, 112);

SIZE(nexus_control, 24); /* control.h */
AT(nexus_control, size, 0);
AT(nexus_control, reserved, 4);
AT(nexus_control, ctx, 8);
AT(nexus_control, call, 16);

SIZE(nexus_data, 56); /* data.h */
AT(nexus_data, size, 0);
AT(nexus_data, reserved, 4);
AT(nexus_data, ctx, 8);
AT(nexus_data, cbor_to_json, 16);
AT(nexus_data, json_to_cbor, 24);
AT(nexus_data, event_to_json, 32);
AT(nexus_data, cbor_check, 40);
AT(nexus_data, pattern_matches, 48);

SIZE(nexus_error, 24); /* error.h */
AT(nexus_error, size, 0);
AT(nexus_error, code, 4);
AT(nexus_error, cap, 8);
AT(nexus_error, len, 12);
AT(nexus_error, text, 16);

SIZE(nexus_event, 208); /* event.h */
AT(nexus_event, size, 0);
AT(nexus_event, flags, 4);
AT(nexus_event, type, 8);
AT(nexus_event, source, 24);
AT(nexus_event, subject, 40);
AT(nexus_event, key, 56);
AT(nexus_event, correlation_id, 72);
AT(nexus_event, id, 88);
AT(nexus_event, time_unix_ns, 104);
AT(nexus_event, causation_id, 112);
AT(nexus_event, trace_id, 128);
AT(nexus_event, span_id, 144);
AT(nexus_event, expires_unix_ns, 152);
AT(nexus_event, priority, 160);
AT(nexus_event, schema_version, 164);
AT(nexus_event, data_format, 168);
AT(nexus_event, trace_flags, 172);
AT(nexus_event, data, 176);
AT(nexus_event, metadata, 192);

SIZE(nexus_delivery, 48); /* event.h */
AT(nexus_delivery, size, 0);
AT(nexus_delivery, flags, 4);
AT(nexus_delivery, event, 8);
AT(nexus_delivery, subscription, 16);
AT(nexus_delivery, attempt, 24);
AT(nexus_delivery, reserved, 28);
AT(nexus_delivery, token, 32);
AT(nexus_delivery, deadline_unix_ns, 40);

SIZE(nexus_outcome, 72); /* event.h */
AT(nexus_outcome, size, 0);
AT(nexus_outcome, reply_format, 4);
AT(nexus_outcome, retry_after_ns, 8);
AT(nexus_outcome, error, 16);
AT(nexus_outcome, error_type, 24);
AT(nexus_outcome, reply_type, 40);
AT(nexus_outcome, reply, 56);

SIZE(nexus_log_field, 32); /* host.h */
AT(nexus_log_field, name, 0);
AT(nexus_log_field, value, 16);

SIZE(nexus_host, 80); /* host.h */
AT(nexus_host, size, 0);
AT(nexus_host, major, 4);
AT(nexus_host, minor, 6);
AT(nexus_host, ctx, 8);
AT(nexus_host, log, 16);
AT(nexus_host, log_enabled, 24);
AT(nexus_host, query, 32);
AT(nexus_host, query_plugin, 40);
AT(nexus_host, now_unix_ns, 48);
AT(nexus_host, request_stop, 56);
AT(nexus_host, thread_kind, 64);
AT(nexus_host, data_folder, 72);

SIZE(nexus_label, 32); /* metrics.h */
AT(nexus_label, name, 0);
AT(nexus_label, value, 16);

SIZE(nexus_metric_options, 72); /* metrics.h */
AT(nexus_metric_options, size, 0);
AT(nexus_metric_options, kind, 4);
AT(nexus_metric_options, name, 8);
AT(nexus_metric_options, help, 24);
AT(nexus_metric_options, labels, 40);
AT(nexus_metric_options, label_count, 48);
AT(nexus_metric_options, bounds, 56);
AT(nexus_metric_options, bound_count, 64);

SIZE(nexus_metrics, 48); /* metrics.h */
AT(nexus_metrics, size, 0);
AT(nexus_metrics, reserved, 4);
AT(nexus_metrics, ctx, 8);
AT(nexus_metrics, define, 16);
AT(nexus_metrics, record, 24);
AT(nexus_metrics, set, 32);
AT(nexus_metrics, expose, 40);

SIZE(nexus_requirement, 32); /* module.h */
AT(nexus_requirement, id, 0);
AT(nexus_requirement, version, 16);

SIZE(nexus_event_schema, 40); /* module.h */
AT(nexus_event_schema, type, 0);
AT(nexus_event_schema, json_schema, 16);
AT(nexus_event_schema, version, 32);
AT(nexus_event_schema, reserved, 36);

SIZE(nexus_declared_handler, 40); /* module.h */
AT(nexus_declared_handler, name, 0);
AT(nexus_declared_handler, pattern, 16);
AT(nexus_declared_handler, priority, 32);
AT(nexus_declared_handler, reserved, 36);

SIZE(nexus_module, 200); /* module.h */
AT(nexus_module, size, 0);
AT(nexus_module, minor_built, 4);
AT(nexus_module, minor_min, 6);
AT(nexus_module, flags, 8);
AT(nexus_module, reserved, 12);
AT(nexus_module, id, 16);
AT(nexus_module, version, 32);
AT(nexus_module, name, 48);
AT(nexus_module, description, 64);
AT(nexus_module, vendor, 80);
AT(nexus_module, requirements, 96);
AT(nexus_module, requirement_count, 104);
AT(nexus_module, events, 112);
AT(nexus_module, event_count, 120);
AT(nexus_module, handlers, 128);
AT(nexus_module, handler_count, 136);
AT(nexus_module, config_schema, 144);
AT(nexus_module, create, 160);
AT(nexus_module, start, 168);
AT(nexus_module, quiesce, 176);
AT(nexus_module, destroy, 184);
AT(nexus_module, query, 192);

SIZE(nexus_timer, 32); /* timer.h */
AT(nexus_timer, size, 0);
AT(nexus_timer, reserved, 4);
AT(nexus_timer, ctx, 8);
AT(nexus_timer, after, 16);
AT(nexus_timer, cancel, 24);
