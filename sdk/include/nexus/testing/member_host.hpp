// The tables of the C ABI that one plugin of the fake host is given, each function forwarding to the engine. Every
// thunk is noexcept: an exception in the fake is a broken test and ends it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "nexus/abi/bus.h"
#include "nexus/abi/control.h"
#include "nexus/abi/data.h"
#include "nexus/abi/host.h"
#include "nexus/abi/metrics.h"
#include "nexus/abi/timer.h"
#include "nexus/cbor.hpp"
#include "nexus/cbor_json.hpp"
#include "nexus/testing/data_folders.hpp"
#include "nexus/testing/engine.hpp"
#include "nexus/testing/metrics.hpp"

namespace nexus::testing::detail {

// What all members of one fake host share.
struct Shared {
  explicit Shared(HostOptions options) : engine(options) {}

  Engine engine;
  MetricStore metrics;
  std::vector<LogLine> logs;  // guarded by engine.log_mutex()
  std::string stop_reason;
  std::map<std::string, std::function<cbor::Value(const cbor::Value&)>, std::less<>> control;
  std::function<const void*(std::string_view plugin_id, const char* interface_id)> find_interface;
  std::map<std::string, const void*, std::less<>> interfaces;  // the test's own, by id
  DataFolders data_folders;
};

struct MemberHost {
  explicit MemberHost(Shared& owner) : shared(owner) {}
  MemberHost(const MemberHost&) = delete;
  MemberHost& operator=(const MemberHost&) = delete;

  const nexus_host* abi() const { return &host; }

  Shared& shared;
  Member member;
  bool with_control = false;

 private:
  static MemberHost& from(void* ctx) { return *static_cast<MemberHost*>(ctx); }
  static Engine& engine(void* ctx) { return from(ctx).shared.engine; }
  static Member& self(void* ctx) { return from(ctx).member; }

  // --- nexus_host ---
  static void log(void* ctx, std::int32_t level, nexus_string message, const nexus_log_field* fields,
                  std::uint32_t count) noexcept {
    LogLine line;
    line.plugin = self(ctx).id;
    line.level = level;
    line.message = from_abi(message);
    for (std::uint32_t i = 0; i < count; ++i)
      line.fields[std::string(from_abi(fields[i].name))] = from_abi(fields[i].value);
    const std::lock_guard lock(engine(ctx).log_mutex());
    from(ctx).shared.logs.push_back(std::move(line));
  }
  static std::int32_t log_enabled(void*, std::int32_t) noexcept { return 1; }
  static const void* query(void* ctx, const char* interface_id) noexcept {
    const std::string_view id = interface_id;
    MemberHost& me = from(ctx);
    const auto own = me.shared.interfaces.find(id);
    if (own != me.shared.interfaces.end()) return own->second;
    if (id == NEXUS_BUS_ID) return &me.bus;
    if (id == NEXUS_TIMER_ID) return &me.timer;
    if (id == NEXUS_METRICS_ID) return &me.metrics;
    if (id == NEXUS_DATA_ID) return &me.data;
    if (id == NEXUS_CONTROL_ID && !me.shared.control.empty()) return &me.control;
    return nullptr;
  }
  static const void* query_plugin(void* ctx, nexus_string plugin_id, const char* interface_id) noexcept {
    return from(ctx).shared.find_interface(from_abi(plugin_id), interface_id);
  }
  static std::int64_t now_unix_ns(void* ctx) noexcept { return engine(ctx).now_ns(); }
  static void request_stop(void* ctx, nexus_string reason) noexcept { from(ctx).shared.stop_reason = from_abi(reason); }

  static std::uint32_t thread_kind(void* ctx) noexcept { return engine(ctx).thread_kind(); }
  static nexus_string data_folder(void* ctx, nexus_error*) noexcept {
    return nexus::detail::to_abi(from(ctx).shared.data_folders.of(self(ctx).id));
  }

  // --- nexus_bus ---
  static std::int32_t intern(void* ctx, nexus_string type, std::uint64_t* handle, nexus_error* error) noexcept {
    return engine(ctx).intern(self(ctx), from_abi(type), *handle, error);
  }
  static std::int32_t emit(void* ctx, std::uint64_t type, const nexus_emit_options* options, nexus_bytes data,
                           nexus_uuid* id, nexus_error* error) noexcept {
    return engine(ctx).emit(self(ctx), type, options, data, id, error);
  }
  static std::int32_t emit_batch(void* ctx, const nexus_emit_item* items, std::uint64_t count, std::uint64_t* accepted,
                                 nexus_uuid* ids, nexus_error* error) noexcept {
    std::uint64_t done = 0;
    std::int32_t code = NEXUS_OK;
    for (; done < count; ++done) {
      nexus_uuid id{};
      code = engine(ctx).emit(self(ctx), items[done].type, items[done].options, items[done].data, &id, error);
      if (code != NEXUS_OK && code != NEXUS_OK_DUPLICATE) break;
      if (ids != nullptr) ids[done] = id;
      code = NEXUS_OK;
    }
    if (accepted != nullptr) *accepted = done;
    return code;
  }
  static std::int32_t subscribe(void* ctx, nexus_string pattern, const nexus_subscribe_options* options,
                                nexus_handler_fn handler, void* user, nexus_handle* subscription,
                                nexus_error* error) noexcept {
    return engine(ctx).subscribe(self(ctx), from_abi(pattern), options, handler, user, *subscription, error);
  }
  static std::int32_t unsubscribe(void* ctx, nexus_handle subscription) noexcept {
    return engine(ctx).unsubscribe(self(ctx), subscription);
  }
  static std::int32_t complete(void* ctx, std::uint64_t token, std::int32_t verdict,
                               const nexus_outcome* outcome) noexcept {
    return engine(ctx).complete(self(ctx), token, verdict, outcome);
  }
  static std::int32_t request(void* ctx, std::uint64_t type, const nexus_emit_options* options, nexus_bytes data,
                              nexus_string reply_pattern, std::int64_t timeout_ns, nexus_waiter_fn call, void* user,
                              nexus_handle* handle, nexus_error* error) noexcept {
    Waiter waiter;
    waiter.member = &self(ctx);
    waiter.pattern = from_abi(reply_pattern);
    waiter.call = call;
    waiter.user = user;
    return engine(ctx).request(self(ctx), type, options, data, std::move(waiter), timeout_ns, *handle, error);
  }
  static std::int32_t wait_for(void* ctx, nexus_string pattern, nexus_condition_fn condition, void* condition_user,
                               std::int64_t timeout_ns, nexus_waiter_fn call, void* user, nexus_handle* handle,
                               nexus_error* error) noexcept {
    Waiter waiter;
    waiter.member = &self(ctx);
    waiter.pattern = from_abi(pattern);
    waiter.condition = condition;
    waiter.condition_user = condition_user;
    waiter.call = call;
    waiter.user = user;
    return engine(ctx).add_waiter(std::move(waiter), timeout_ns, *handle, error);
  }
  static std::int32_t cancel(void* ctx, nexus_handle handle) noexcept {
    return engine(ctx).cancel_waiter(self(ctx), handle);
  }
  static const nexus_event* retain(void* ctx, const nexus_event* event) noexcept { return engine(ctx).retain(event); }
  static void release(void* ctx, const nexus_event* event) noexcept { engine(ctx).release(event); }
  static std::int32_t post(void* ctx, nexus_task_fn task, void* user) noexcept {
    return engine(ctx).post(self(ctx), [task, user] { task(user); });
  }
  static nexus_string code_text(void*, std::int32_t) noexcept { return to_abi("NX???? a code of the fake host"); }

  // --- nexus_timer ---
  static std::int32_t after(void* ctx, std::int64_t delay_ns, nexus_task_fn task, void* user,
                            nexus_handle* handle) noexcept {
    return engine(ctx).start_timer(
        self(ctx), delay_ns, [task, user] { task(user); }, *handle);
  }
  static std::int32_t cancel_timer(void* ctx, nexus_handle handle) noexcept {
    return engine(ctx).cancel_timer(self(ctx), handle);
  }

  // --- nexus_metrics ---
  static std::int32_t define(void* ctx, const nexus_metric_options* options, nexus_handle* metric,
                             nexus_error* error) noexcept {
    return from(ctx).shared.metrics.define(*options, *metric, error);
  }
  static std::int32_t record(void* ctx, nexus_handle metric, double value) noexcept {
    return from(ctx).shared.metrics.record(metric, value);
  }
  static std::int32_t set(void* ctx, nexus_handle metric, double value) noexcept {
    return from(ctx).shared.metrics.set(metric, value);
  }
  static std::int32_t expose(void*, std::uint32_t, nexus_write_fn, void*) noexcept { return NEXUS_E_UNSUPPORTED; }

  // --- nexus_data ---
  static void write_text(std::string_view text, nexus_write_fn write, void* user) {
    write(user, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  }
  static std::int32_t cbor_check(void*, nexus_bytes bytes, nexus_error* error) noexcept {
    cbor::Error fault;
    if (cbor::check(cbor::view(bytes), fault)) return NEXUS_OK;
    return write_error(error, NEXUS_E_CBOR, fault.message());
  }
  static std::int32_t cbor_to_json(void* ctx, nexus_bytes bytes, nexus_write_fn write, void* user,
                                   nexus_error* error) noexcept {
    const std::int32_t code = cbor_check(ctx, bytes, error);
    if (code != NEXUS_OK) return code;
    const std::string json = cbor::to_json(cbor::view(bytes));
    if (json.empty())
      return write_error(error, NEXUS_E_CBOR, "a list or a map is the key of a map, which JSON cannot say");
    write_text(json, write, user);
    return NEXUS_OK;
  }
  static std::int32_t json_to_cbor(void*, nexus_string, nexus_write_fn, void*, nexus_error* error) noexcept {
    return write_error(error, NEXUS_E_UNSUPPORTED, "the fake host reads no JSON");
  }
  static std::int32_t event_to_json(void*, const nexus_event*, nexus_write_fn, void*, nexus_error* error) noexcept {
    return write_error(error, NEXUS_E_UNSUPPORTED, "the fake host writes no CloudEvents");
  }
  static std::int32_t matches(void*, nexus_string pattern, nexus_string type) noexcept {
    if (!is_pattern(from_abi(pattern))) return NEXUS_E_PATTERN;
    if (!is_type_name(from_abi(type))) return NEXUS_E_TYPE_NAME;
    return pattern_matches(from_abi(pattern), from_abi(type)) ? 1 : 0;
  }

  // --- nexus_control ---
  static std::int32_t call(void* ctx, nexus_string method, nexus_bytes params, nexus_write_fn write, void* user,
                           nexus_error* error) noexcept {
    const auto found = from(ctx).shared.control.find(from_abi(method));
    if (found == from(ctx).shared.control.end()) return write_error(error, NEXUS_E_UNKNOWN, "there is no such method");
    try {
      const Bytes result = found->second(params.size == 0 ? cbor::Value() : cbor::Value::decode(params)).encode();
      write(user, result.data(), result.size());
      return NEXUS_OK;
    } catch (const std::exception& failure) {
      return write_error(error, NEXUS_E_ARGUMENT, failure.what());
    }
  }

  nexus_host host{sizeof(nexus_host), NEXUS_ABI_MAJOR, NEXUS_ABI_MINOR, this,         &log,        &log_enabled, &query,
                  &query_plugin,      &now_unix_ns,    &request_stop,   &thread_kind, &data_folder};
  nexus_bus bus{sizeof(nexus_bus), 0,        this,      &intern, &emit,   &emit_batch, &subscribe, &unsubscribe,
                &complete,         &request, &wait_for, &cancel, &retain, &release,    &post,      &code_text};
  nexus_timer timer{sizeof(nexus_timer), 0, this, &after, &cancel_timer};
  nexus_metrics metrics{sizeof(nexus_metrics), 0, this, &define, &record, &set, &expose};
  nexus_data data{sizeof(nexus_data), 0, this, &cbor_to_json, &json_to_cbor, &event_to_json, &cbor_check, &matches};
  nexus_control control{sizeof(nexus_control), 0, this, &call};
};

}  // namespace nexus::testing::detail
