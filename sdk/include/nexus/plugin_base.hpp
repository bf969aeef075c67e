// The base class of every plugin. The host makes the instance, calls its
// handlers, timers and tasks in the plugin's mailbox, one at a time, and frees it; so a plugin needs no locks unless it
// has threads of its own or asks for overlap. Everything here may be called from any thread, from the constructor on.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "nexus/config_type.hpp"
#include "nexus/core.hpp"
#include "nexus/emit.hpp"
#include "nexus/emitter.hpp"
#include "nexus/event.hpp"
#include "nexus/filter.hpp"
#include "nexus/handler.hpp"
#include "nexus/later.hpp"
#include "nexus/log.hpp"
#include "nexus/metrics.hpp"
#include "nexus/request.hpp"
#include "nexus/subscription.hpp"
#include "nexus/timer.hpp"

namespace nexus {

class Plugin {
 public:
  // Made by the host the plugin has all of its abilities. Made by hand, as a test may do to call a method, it has a
  // log that drops every line, and everything that needs a host throws Error.
  Plugin() : core_(detail::current_core == nullptr ? nullptr : detail::current_core->shared_from_this()) {}
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  virtual ~Plugin() = default;

  // The table form of NEXUS_ON. A class that wants one has its own of this name, public or below a NEXUS_ON:
  //   static constexpr auto handlers() { return std::tuple{nexus::on<&Orders::record>({.priority = 10})}; }
  static constexpr std::tuple<> handlers() { return {}; }

  // Begins to work; the place for threads and sockets. Events come once it has returned. Throwing refuses the load.
  virtual void start() {}

  // Ends all work: own threads must be joined when it returns. No callback runs afterwards.
  virtual void stop() {}

  // Hands state over to the instance that takes this one's place in a hot swap, after stop(). Draft, may change.
  virtual void save(cbor::Buffer& state) const { (void)state; }
  // Takes over what the instance before saved, before start(). `version` is that one's. Throwing keeps the old one.
  virtual void restore(std::string_view version, std::span<const std::uint8_t> state) { (void)version, (void)state; }

  // The plugin's own interfaces, e.g. "nexus.transport/1": a static table of the ABI, or null. Its functions get the
  // instance that plugin_cast understands.
  virtual const void* provide(std::string_view interface_id) {
    (void)interface_id;
    return nullptr;
  }

 protected:
  // Structured lines: log().info("new order", {{"order_id", order.order_id}}).
  Log log() const { return Log(core_ == nullptr ? nullptr : core_->host()); }

  // The host's clock; virtual in tests.
  TimePoint now() const { return TimePoint(std::chrono::nanoseconds(core().now_unix_ns())); }

  // The folder for the plugin's own files: absolute, the same after a restart, made by the first call. Throws Error.
  std::filesystem::path data_folder() const {
    detail::ErrorBuffer error;
    const nexus_string folder = core().host()->data_folder(core().host()->ctx, error.get());
    if (folder.size == 0) throw Error(error.get()->code, error.sentence(error.get()->code));
    return std::filesystem::path(detail::from_abi(folder));
  }

  // Asks the host to stop, for a plugin that cannot go on.
  void request_stop(std::string_view reason) const {
    core().host()->request_stop(core().host()->ctx, detail::to_abi(reason));
  }

  // Emits one event. Inside a handler it leaves when the handler has succeeded, unless .now. Throws Rejected, and
  // SchemaError when the payload cannot be written.
  template <EventType T>
  Id emit(const T& payload) const {
    return detail::accepted(try_emit(payload));
  }
  template <EventType T>
  Id emit(const T& payload, const EmitOptions& options) const {
    return detail::accepted(try_emit(payload, options));
  }
  // The same for a type that is only known when running.
  Id emit(std::string_view type, const cbor::Value& data, const EmitOptions& options = {}) const {
    return detail::accepted(try_emit(type, data, options));
  }

  // Says what is missing, where the others would only not match.
  template <class T>
    requires(!EventType<T> && !std::convertible_to<const T&, std::string_view>)
  Id emit(const T&, const EmitOptions& = {}) const {
    static_assert(EventType<T>,
                  "emit() takes a type that was declared with NEXUS_EVENT, or the name of a type and its data");
    return {};
  }

  // The same, returning what became of it.
  template <EventType T>
  Status try_emit(const T& payload) const {
    return detail::emit_payload(core(), payload, nullptr);
  }
  template <EventType T>
  Status try_emit(const T& payload, const EmitOptions& options) const {
    return detail::emit_payload(core(), payload, &options);
  }
  Status try_emit(std::string_view type, const cbor::Value& data, const EmitOptions& options = {}) const {
    cbor::Buffer buffer;
    cbor::Writer writer(buffer);
    data.write(writer);
    return detail::emit_bytes(core(), type, buffer.abi(), NEXUS_DATA_CBOR, options);
  }

  // Emits bytes as they are; `format` is NEXUS_DATA_CBOR, _JSON, _BYTES or _NONE.
  Status try_emit_bytes(std::string_view type, nexus_bytes data, std::uint32_t format = NEXUS_DATA_CBOR,
                        const EmitOptions& options = {}) const {
    return detail::emit_bytes(core(), type, data, format, options);
  }

  // Emits many with one clock reading, in order, and stops at the first that is not accepted.
  template <EventType T>
  BatchStatus emit_batch(std::span<const T> payloads, const EmitOptions& options = {}) const {
    return detail::emit_batch(core(), payloads, options);
  }
  template <EventType T>
  BatchStatus emit_batch(const std::vector<T>& payloads, const EmitOptions& options = {}) const {
    return detail::emit_batch(core(), std::span<const T>(payloads), options);
  }

  // Calls `function` for each event of T's type from now on, as long as the Subscription lives. The function takes
  // const T&, or const T& and const Event&. Throws Error.
  template <EventType T, class F>
  Subscription subscribe(HandlerOptions<T> options, F function) {
    static_assert(std::is_invocable_v<F&, T&&> || std::is_invocable_v<F&, T&&, const Event&>,
                  "subscribe<T>() takes a function of const T&, or of const T& and const nexus::Event&");
    const std::string_view pattern = options.topic.empty() ? std::string_view(EventTraits<T>::type) : options.topic;
    return detail::subscribe<T>(core(), pattern, std::move(options), std::move(function));
  }
  template <EventType T, class F>
  Subscription subscribe(F function) {
    return subscribe<T>(HandlerOptions<T>{}, std::move(function));
  }
  // Calls `function` for each event whose type matches. It takes const Event&.
  template <class F>
  Subscription subscribe(std::string_view pattern, HandlerOptions<Event> options, F function) {
    static_assert(std::is_invocable_v<F&, const Event&>,
                  "subscribe(pattern, ...) takes a function of const nexus::Event&");
    return detail::subscribe<Event>(core(), pattern, std::move(options), std::move(function));
  }
  template <class F>
  Subscription subscribe(std::string_view pattern, F function) {
    return subscribe(pattern, HandlerOptions<Event>{}, std::move(function));
  }

  // Asks with an event and waits without blocking: request(ValidateUser{...}, 5s).then([this](const UserVerdict& v)
  // {}).
  template <EventType T>
  Request request(const T& query, std::chrono::nanoseconds timeout, const EmitOptions& options = {}) const {
    return detail::make_request(core(), query, timeout, options);
  }
  // Waits for the next event of T's type, or of a pattern.
  template <EventType T>
  Wait wait_for(std::chrono::nanoseconds timeout, Filter filter = {}) const {
    return Wait(core(), EventTraits<T>::type, timeout, std::move(filter));
  }
  Wait wait_for(std::string_view pattern, std::chrono::nanoseconds timeout, Filter filter = {}) const {
    return Wait(core(), pattern, timeout, std::move(filter));
  }
  // An answer that the plugin gives itself, from any thread.
  Promise promise() const {
    core();
    return Promise(core_);
  }

  // The plugin's config, [plugins."<id>".config], read strictly. Throws ConfigError; thrown in the constructor, that
  // refuses the load with file, line and the nearest right key.
  template <class C>
  C config() const {
    (void)detail::config_type<C>;
    C result{};
    ConfigTraits<C>::read(core().config(), result);
    return result;
  }

  // Runs `function` once, `delay` from now, as long as the Timer lives.
  template <std::invocable F>
  Timer after(std::chrono::nanoseconds delay, F function) {
    return detail::start_timer(core(), delay, std::chrono::nanoseconds(0), std::move(function));
  }
  // Runs it again and again, the first time one `period` from now.
  template <std::invocable F>
  Timer every(std::chrono::nanoseconds period, F function) {
    if (period.count() <= 0) throw Error(NEXUS_E_ARGUMENT, "every() needs a period above zero");
    return detail::start_timer(core(), period, period, std::move(function));
  }

  // Runs `function` in the mailbox, behind what waits there: the way from an own thread to where the handlers run.
  template <std::invocable F>
  void post(F function) const {
    detail::post(core(), std::move(function));
  }

  // Metrics of the plugin's own; the same name and labels again give the same one.
  Counter counter(std::string_view name, std::string_view help = {}, std::initializer_list<Label> labels = {}) const {
    return detail::define_metric<Counter>(core(), NEXUS_METRIC_COUNTER, name, help, labels, {});
  }
  Gauge gauge(std::string_view name, std::string_view help = {}, std::initializer_list<Label> labels = {}) const {
    return detail::define_metric<Gauge>(core(), NEXUS_METRIC_GAUGE, name, help, labels, {});
  }
  // `bounds` are the upper bounds of the buckets, rising; none: the host's own for seconds.
  Histogram histogram(std::string_view name, std::string_view help = {}, std::initializer_list<Label> labels = {},
                      std::initializer_list<double> bounds = {}) const {
    return detail::define_metric<Histogram>(core(), NEXUS_METRIC_HISTOGRAM, name, help, labels, bounds);
  }

  // Keeps an event beyond its handler.
  KeptEvent keep(const Event& event) const { return KeptEvent(*core().bus(), event.raw()); }

  // An interface of the ABI: the host's, or one of a plugin that is named in .requirements. Null where there is none.
  template <class T>
  const T* query(const char* interface_id) const {
    return core().template interface<T>(interface_id);
  }
  template <class T>
  const T* query_plugin(std::string_view plugin_id, const char* interface_id) const {
    const nexus_host* host = core().host();
    return static_cast<const T*>(host->query_plugin(host->ctx, detail::to_abi(plugin_id), interface_id));
  }

  // Calls a method of the control surface, which the config must grant. Throws Error.
  cbor::Value control(std::string_view method, const cbor::Value& params = {}) const {
    return detail::call_control(core(), method, params);
  }

 private:
  detail::Core& core() const {
    if (core_ == nullptr) throw Error(NEXUS_E_STATE, "this plugin was not made by a host");
    return *core_;
  }

  std::shared_ptr<detail::Core> core_;
};

}  // namespace nexus
