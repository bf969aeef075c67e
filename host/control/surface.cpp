#include "host/control/surface.hpp"

#include <exception>
#include <new>
#include <optional>

#include "host/bus/thread_state.hpp"
#include "host/observe/metrics.hpp"

namespace nexus::host {
namespace control {

struct MethodRow {
  std::string name, summary, scope, thread;
  bool streams = false;
  std::string params_schema, result_schema;
};
NEXUS_STRUCT(MethodRow, name, summary, scope, thread, streams, params_schema, result_schema)
struct MethodList {
  std::vector<MethodRow> methods;
};
NEXUS_STRUCT(MethodList, methods)

Error params_error(std::string_view method, const schema::Failure& failure) {
  std::string help;
  if (!failure.nearest.empty()) help = "did you mean '" + failure.nearest + "'?";
  return make_error(failure.broken ? NEXUS_E_CBOR : NEXUS_E_SCHEMA, schema::sentence(method, failure), std::move(help));
}

Error result_error(std::string_view method) {
  return make_error(NEXUS_E_INTERNAL, std::string(method) + ": the result holds text that is not UTF-8");
}

}  // namespace control

std::string_view scope_name(Scope scope) {
  switch (scope) {
    case Scope::read:
      return "read";
    case Scope::emit:
      return "emit";
    case Scope::admin:
      break;
  }
  return "admin";
}

Surface::Surface(ControlThread& thread) : thread_(thread) { add_list(); }

void Surface::add_list() {
  add_typed<control::NoParams, control::MethodList>(
      {"control.methods", "Every method with its schemas (JSON Schema draft-07, as text).", Scope::read,
       RunsOn::caller},
      [this](const Caller&, const control::NoParams&) -> Result<control::MethodList> {
        control::MethodList list;
        for (const auto& [name, method] : methods_)
          list.methods.push_back({name, method.summary, std::string(scope_name(method.scope)),
                                  method.runs_on == RunsOn::control ? "control" : "any", method.open != nullptr,
                                  method.params_schema, method.result_schema});
        return list;
      });
}

void Surface::add(Method method) {
  std::string name = method.name;
  methods_.insert_or_assign(std::move(name), std::move(method));
}

Result<const Method*> Surface::find(std::string_view name, const Caller& caller) const {
  const auto found = methods_.find(name);
  if (found == methods_.end()) {
    std::vector<std::string_view> names;
    for (const auto& entry : methods_) names.push_back(entry.first);
    const std::string_view nearest = schema::nearest_name(name, names.data(), names.size());
    std::string shown(name.substr(0, 64));
    while (!cbor::is_utf8(shown)) shown.pop_back();
    return make_error(NEXUS_E_UNKNOWN, "there is no control method '" + shown + "'",
                      nearest.empty() ? "the method control.methods lists all"
                                      : "did you mean '" + std::string(nearest) + "'?");
  }
  if (found->second.scope > caller.scope)
    return make_error(NEXUS_E_PERMISSION, std::string(name) + " needs the scope " +
                                              std::string(scope_name(found->second.scope)) + ", and this caller has " +
                                              std::string(scope_name(caller.scope)));
  return &found->second;
}

void Surface::count(std::string_view method, bool failed) const {
  if (metrics_ == nullptr) return;
  const Labels labels{{"method", std::string(method)}};
  metrics_->counter(metric::kControlRequests, labels).add();
  if (failed) metrics_->counter(metric::kControlErrors, labels).add();
}

// Puts the call on its thread and turns what is thrown into an error.
Result<void> Surface::run_guarded(const Method& method, const Caller& caller,
                                  const std::function<Result<void>()>& run) const {
  std::optional<Error> failure;
  const auto guarded = [&] {
    try {
      if (auto result = run(); !result) failure = result.error();
    } catch (const std::bad_alloc&) {
      failure = make_error(NEXUS_E_MEMORY, "out of memory");
    } catch (const std::exception& thrown) {
      failure = make_error(NEXUS_E_INTERNAL, method.name + ": " + thrown.what());
    } catch (...) {
      failure = make_error(NEXUS_E_INTERNAL, method.name + ": an exception of an unknown type");
    }
  };
  if (method.runs_on == RunsOn::control) {
    // In a callback the plugin might be the one to be stopped, which waits for that callback.
    if (thread_state().in_callback)
      failure = make_error(NEXUS_E_THREAD, method.name + " cannot be called from a handler, a timer or a task",
                           "call it from a thread of the plugin's own");
    else if (auto ran = thread_.run(guarded, caller.patience); !ran)
      failure = ran.error();
  } else {
    guarded();
  }
  count(method.name, failure.has_value());
  if (failure) return *failure;
  return {};
}

Result<void> Surface::call(const Caller& caller, std::string_view name, std::span<const uint8_t> params,
                           cbor::Buffer& out) const {
  auto method = find(name, caller);
  if (!method) {
    count("other", true);
    return method.error();
  }
  if (method.value()->call == nullptr)
    return make_error(NEXUS_E_UNSUPPORTED, std::string(name) + " is a stream, which only the socket can give");
  const size_t before = out.size();
  auto done = run_guarded(*method.value(), caller, [&] { return method.value()->call(caller, params, out); });
  if (!done) out.truncate(before);
  return done;
}

Result<cbor::Value> Surface::call(std::string_view method, const cbor::Value& params, const Caller& caller) const {
  const Bytes encoded = params.is_null() ? Bytes{} : params.encode();
  cbor::Buffer out;
  if (auto done = call(caller, method, encoded, out); !done) return done.error();
  cbor::Value value;
  cbor::Error error;
  if (!cbor::Value::try_decode(out.bytes(), value, error)) return make_error(NEXUS_E_CBOR, error.message());
  return value;
}

Result<std::unique_ptr<Stream>> Surface::open(const Caller& caller, std::string_view name,
                                              std::span<const uint8_t> params, std::shared_ptr<StreamSink> sink) const {
  auto method = find(name, caller);
  if (!method) return method.error();
  if (method.value()->open == nullptr) return make_error(NEXUS_E_ARGUMENT, std::string(name) + " is no stream");
  std::unique_ptr<Stream> stream;
  auto done = run_guarded(*method.value(), caller, [&]() -> Result<void> {
    auto opened = method.value()->open(caller, params, std::move(sink));
    if (!opened) return opened.error();
    stream = std::move(opened.value());
    return {};
  });
  if (!done) return done.error();
  return stream;
}

}  // namespace nexus::host
