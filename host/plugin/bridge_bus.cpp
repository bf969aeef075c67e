// "nexus.bus/1" for one instance: checks what a plugin passes in and hands it to the bus.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "host/event/name.hpp"
#include "host/plugin/bridge_call.hpp"
#include "host/plugin/bridge_task.hpp"

namespace nexus::host {
namespace {

// The sizes of the 1.0 layouts, which never change.
constexpr size_t kEmitOptionsMinimum = 200;
constexpr size_t kSubscribeOptionsMinimum = 88;
static_assert(sizeof(nexus_emit_options) >= kEmitOptionsMinimum);
static_assert(sizeof(nexus_subscribe_options) >= kSubscribeOptionsMinimum);

Result<uint64_t> intern(BridgeTables& tables, std::string_view type) {
  if (const uint64_t known = tables.participant->find_port(type); known != 0) return known;
  if (auto valid = check_type(type); !valid) return valid.error();
  if (tables.permissions.emit.has_value())
    if (auto allowed = tables.check_pattern_permitted(*tables.permissions.emit, type); !allowed) return allowed.error();
  return tables.owner->intern(*tables.participant, type);
}

int32_t bus_intern(void* ctx, nexus_string type, uint64_t* handle, nexus_error* error) {
  return abi_call(ctx, error, [&](BridgeTables& tables) {
    if (is_broken(type) || handle == nullptr) return refuse_argument(error, "type or handle is a null pointer");
    auto port = intern(tables, to_view(type));
    if (!port) return write_error(error, port.error());
    *handle = port.value();
    return NEXUS_OK;
  });
}

bool has_broken_text(const nexus_emit_options& options) {
  return is_broken(options.subject) || is_broken(options.key) || is_broken(options.correlation_id) ||
         is_broken(options.metadata) || is_broken(options.source);
}

[[gnu::noinline]] int32_t bus_emit_with_options(void* ctx, uint64_t type, const nexus_emit_options* options,
                                                nexus_bytes data, nexus_uuid* id, nexus_error* error) {
  return abi_call(ctx, error, [&](BridgeTables& tables) {
    if (is_broken(data)) return refuse_argument(error, "data is a null pointer");
    OptionsReader<nexus_emit_options> read;
    if (!read.read(options, kEmitOptionsMinimum, error)) return NEXUS_E_ARGUMENT;
    if (read.get() != nullptr && has_broken_text(*read.get()))
      return refuse_argument(error, "a text among the options is a null pointer");
    return Bus::emit(*tables.participant, type, read.get(), data, id, error);
  });
}

// The call that is made most: what is usual is passed on as it is, with nothing to undo behind it.
int32_t bus_emit(void* ctx, uint64_t type, const nexus_emit_options* options, nexus_bytes data, nexus_uuid* id,
                 nexus_error* error) {
  auto& tables = *static_cast<BridgeTables*>(ctx);
  if (is_broken(data) || tables.revoked.load(std::memory_order_relaxed)) [[unlikely]]
    return bus_emit_with_options(ctx, type, options, data, id, error);
  if (options == nullptr) [[likely]]
    return Bus::emit(*tables.participant, type, nullptr, data, id, error);
  if (options->size == sizeof(nexus_emit_options) && Bus::is_simple(*options))
    return Bus::emit_simple(*tables.participant, type, options, data, id, error);
  return bus_emit_with_options(ctx, type, options, data, id, error);
}

int32_t bus_emit_batch(void* ctx, const nexus_emit_item* items, uint64_t count, uint64_t* accepted, nexus_uuid* ids,
                       nexus_error* error) {
  return abi_call(ctx, error, [&](BridgeTables& tables) {
    if (accepted != nullptr) *accepted = 0;
    if (items == nullptr && count != 0) return refuse_argument(error, "items is a null pointer");
    bool plain = true;
    for (uint64_t i = 0; i < count; ++i) {
      if (is_broken(items[i].data)) return refuse_argument(error, "the data of an item is a null pointer");
      const nexus_emit_options* options = items[i].options;
      if (options == nullptr) continue;
      if (options->size != sizeof(nexus_emit_options)) plain = false;
      if (options->size >= kEmitOptionsMinimum && has_broken_text(*options))
        return refuse_argument(error, "a text among the options is a null pointer");
    }
    if (plain) return Bus::emit_batch(*tables.participant, items, count, accepted, ids, error);
    // Options of another size: one by one, each read with care.
    for (uint64_t i = 0; i < count; ++i) {
      const int32_t code =
          bus_emit(ctx, items[i].type, items[i].options, items[i].data, ids != nullptr ? &ids[i] : nullptr, error);
      if (code != NEXUS_OK) return code;
      if (accepted != nullptr) *accepted = i + 1;
    }
    return NEXUS_OK;
  });
}

Result<void> check_pattern_allowed(BridgeTables& tables, std::string_view pattern) {
  auto parsed = Pattern::parse(pattern);
  if (!parsed) return parsed.error();
  if (tables.permissions.subscribe.has_value())
    return tables.check_pattern_permitted(*tables.permissions.subscribe, pattern);
  if (parsed.value().is_all())
    return make_error(
        NEXUS_E_PERMISSION, tables.plugin + " wants to see every event ('" + std::string(pattern) + "')",
        "grant it by name in nexus.toml: [plugins.\"" + tables.plugin + "\".permissions] subscribe = [\"*\"]");
  return {};
}

Result<void> check_subscribe(BridgeTables& tables, std::string_view pattern, const nexus_subscribe_options& options) {
  constexpr uint32_t kKnown = NEXUS_SUBSCRIBE_FROM_BEGINNING | NEXUS_SUBSCRIBE_EVERY_HOST |
                              NEXUS_SUBSCRIBE_STRICT_ORDER | NEXUS_SUBSCRIBE_VOLATILE | NEXUS_SUBSCRIBE_HAS_RETRY |
                              NEXUS_SUBSCRIBE_NO_SELF;
  if ((options.flags & ~kKnown) != 0) return make_error(NEXUS_E_ARGUMENT, "a flag of the subscription is unknown");
  if (is_broken(options.name) || is_broken(options.filter_text))
    return make_error(NEXUS_E_ARGUMENT, "name or filter_text is a null pointer");
  if (options.name.size != 0)
    if (auto valid = check_subscription_name(to_view(options.name)); !valid) return valid.error();
  if (auto valid = check_utf8(to_view(options.filter_text), "filter_text"); !valid) return valid.error();
  return check_pattern_allowed(tables, pattern);
}

int32_t bus_subscribe(void* ctx, nexus_string pattern, const nexus_subscribe_options* options, nexus_handler_fn handler,
                      void* user, nexus_handle* subscription, nexus_error* error) {
  return abi_call(ctx, error, [&](BridgeTables& tables) {
    if (is_broken(pattern) || handler == nullptr || subscription == nullptr)
      return refuse_argument(error, "pattern, handler or subscription is a null pointer");
    OptionsReader<nexus_subscribe_options> read;
    if (!read.read(options, kSubscribeOptionsMinimum, error)) return NEXUS_E_ARGUMENT;
    nexus_subscribe_options none{};
    none.size = sizeof none;
    const nexus_subscribe_options& known = read.get() != nullptr ? *read.get() : none;
    if (auto valid = check_subscribe(tables, to_view(pattern), known); !valid) {
      const Error& why = valid.error();
      return write_error(error, why.code, why.help.empty() ? why.message : why.message + "; " + why.help);
    }
    auto made = tables.owner->subscribe(*tables.participant, to_view(pattern), known, handler, user);
    if (!made) return write_error(error, made.error());
    *subscription = made.value();
    return NEXUS_OK;
  });
}

int32_t bus_unsubscribe(void* ctx, nexus_handle subscription) {
  return abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    auto done = tables.owner->unsubscribe(*tables.participant, subscription);
    return done ? NEXUS_OK : done.error().code;
  });
}

constexpr size_t kOutcomeMinimum = 72;
static_assert(sizeof(nexus_outcome) == kOutcomeMinimum);

int32_t bus_complete(void* ctx, uint64_t token, int32_t verdict, const nexus_outcome* outcome) {
  return abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    Completion completion;
    completion.verdict = verdict;
    OptionsReader<nexus_outcome> read;
    if (!read.read(outcome, kOutcomeMinimum, nullptr)) return NEXUS_E_ARGUMENT;
    if (const nexus_outcome* known = read.get(); known != nullptr) {
      if (is_broken(known->error_type) || is_broken(known->reply_type) || is_broken(known->reply))
        return NEXUS_E_ARGUMENT;
      completion.retry_after_ns = known->retry_after_ns;
      completion.error_type = to_view(known->error_type);
      if (known->error != nullptr && known->error->text != nullptr)
        completion.error_text.assign(known->error->text, std::min(known->error->len, known->error->cap));
      completion.reply_type = to_view(known->reply_type);
      completion.reply_format = known->reply_format;
      if (known->reply.size != 0) completion.reply.assign(known->reply.data, known->reply.data + known->reply.size);
    }
    return tables.owner->complete(*tables.participant, token, std::move(completion));
  });
}

int32_t bus_request(void* ctx, uint64_t type, const nexus_emit_options* options, nexus_bytes data,
                    nexus_string reply_pattern, int64_t timeout_ns, nexus_waiter_fn call, void* user,
                    nexus_handle* handle, nexus_error* error) {
  return abi_call(ctx, error, [&](BridgeTables& tables) {
    if (is_broken(data) || is_broken(reply_pattern) || call == nullptr || handle == nullptr)
      return refuse_argument(error, "data, reply_pattern, waiter or handle is a null pointer");
    OptionsReader<nexus_emit_options> read;
    if (!read.read(options, kEmitOptionsMinimum, error)) return NEXUS_E_ARGUMENT;
    if (read.get() != nullptr && has_broken_text(*read.get()))
      return refuse_argument(error, "a text among the options is a null pointer");
    const auto waiter = std::make_shared<Waiter>();
    waiter->participant = tables.participant;
    waiter->call = call;
    waiter->user = user;
    if (reply_pattern.size != 0) {
      auto parsed = Pattern::parse(to_view(reply_pattern));
      if (!parsed) return write_error(error, parsed.error());
      waiter->pattern = std::move(parsed.value());
    }
    const int32_t code = tables.owner->request(*tables.participant, type, read.get(), data, waiter, timeout_ns, error);
    *handle = waiter->handle;
    return code;
  });
}

int32_t bus_wait_for(void* ctx, nexus_string pattern, nexus_condition_fn condition, void* condition_user,
                     int64_t timeout_ns, nexus_waiter_fn call, void* user, nexus_handle* handle, nexus_error* error) {
  return abi_call(ctx, error, [&](BridgeTables& tables) {
    if (is_broken(pattern) || call == nullptr || handle == nullptr)
      return refuse_argument(error, "pattern, waiter or handle is a null pointer");
    if (auto valid = check_pattern_allowed(tables, to_view(pattern)); !valid) return write_error(error, valid.error());
    const auto waiter = std::make_shared<Waiter>();
    waiter->participant = tables.participant;
    waiter->call = call;
    waiter->user = user;
    waiter->condition = condition;
    waiter->condition_user = condition_user;
    auto begun = tables.owner->wait_for(to_view(pattern), waiter, timeout_ns);
    if (!begun) return write_error(error, begun.error());
    *handle = begun.value();
    return NEXUS_OK;
  });
}

int32_t bus_cancel(void* ctx, nexus_handle handle) {
  return abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    auto done = tables.owner->cancel_wait(*tables.participant, handle);
    return done ? NEXUS_OK : done.error().code;
  });
}

const nexus_event* bus_retain(void*, const nexus_event* event) {
  if (event != nullptr) EventBlock::of(event)->retain();
  return event;
}

void bus_release(void*, const nexus_event* event) {
  if (event != nullptr) EventBlock::of(event)->release();
}

int32_t bus_post(void* ctx, nexus_task_fn task, void* user) {
  return abi_call(ctx, nullptr, [&](BridgeTables& tables) {
    if (task == nullptr) return NEXUS_E_ARGUMENT;
    auto posted = tables.owner->post(*tables.participant, std::make_unique<PluginTask>(task, user));
    return posted ? NEXUS_OK : posted.error().code;
  });
}

nexus_string bus_code_text(void*, int32_t code) { return to_abi(error_label(code)); }

}  // namespace

void fill_bus_table(BridgeTables& tables) {
  nexus_bus& bus = tables.bus;
  bus.size = sizeof(nexus_bus);
  bus.ctx = &tables;
  bus.intern = bus_intern;
  bus.emit = bus_emit;
  bus.emit_batch = bus_emit_batch;
  bus.subscribe = bus_subscribe;
  bus.unsubscribe = bus_unsubscribe;
  bus.complete = bus_complete;
  bus.request = bus_request;
  bus.wait_for = bus_wait_for;
  bus.cancel = bus_cancel;
  bus.retain = bus_retain;
  bus.release = bus_release;
  bus.post = bus_post;
  bus.code_text = bus_code_text;
}

}  // namespace nexus::host
