// A fake host with a virtual clock, to test a plugin in milliseconds and without waiting:
//
//   nexus::testing::Host host;
//   auto orders = host.load<Orders>();
//   host.emit(OrderCreated{"A-1", "u-7", 250});
//   host.run();
//   CHECK(host.emitted<ReviewOpened>().size() == 1);
//
// Plugins are loaded through the same C ABI as in the real host. Callbacks run inside run(), advance() and request(),
// on the test's thread; time passes in advance() alone. A test that only calls a method of a plugin needs no host at
// all.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nexus/emit.hpp"
#include "nexus/event.hpp"
#include "nexus/instance.hpp"
#include "nexus/plugin.hpp"
#include "nexus/testing/engine.hpp"
#include "nexus/testing/loaded.hpp"
#include "nexus/testing/member_host.hpp"
#include "nexus/testing/records.hpp"

namespace nexus::testing {

class Host {
 public:
  explicit Host(HostOptions options = {}) : shared_(std::make_unique<detail::Shared>(options)) {
    shared_->find_interface = [this](std::string_view plugin_id, const char* interface_id) -> const void* {
      for (const std::shared_ptr<detail::LoadedModule>& module : modules_) {
        if (module->id() == plugin_id) return module->query(interface_id);
      }
      return nullptr;
    };
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host() {
    while (!modules_.empty()) unload_module(modules_.back());
  }

  // Creates and starts a plugin with a config: host.load<Orders>({{"limit", 5}}). Throws nexus::Error with the code and
  // sentence that the real host would refuse it with.
  template <class T>
  Loaded<T> load(const cbor::Value& config = {}) {
    return Loaded<T>(load_module(*detail::module_of_class<T>(), config));
  }

  // The same for a module that is not of a class, e.g. one in C.
  std::shared_ptr<detail::LoadedModule> load_module(const nexus_module& module, const cbor::Value& config = {}) {
    auto loaded = std::make_shared<detail::LoadedModule>(*shared_, module);
    loaded->create(config);
    loaded->start();
    modules_.push_back(loaded);
    return loaded;
  }

  // Stops and frees the plugin; the handle is empty afterwards.
  template <class T>
  void unload(Loaded<T>& plugin) {
    if (plugin.module() != nullptr) unload_module(plugin.module());
    plugin = Loaded<T>();
  }

  // Replaces the plugin by a fresh instance as a hot swap does: the state that save() wrote goes to restore(). When the
  // new one fails the old one is gone as well, unlike in the real host; the failure is thrown.
  template <class T>
  void swap(Loaded<T>& plugin, cbor::Value config = {}) {
    auto fresh = std::make_shared<detail::LoadedModule>(*shared_, *detail::module_of_class<T>());
    fresh->create(config);
    plugin.module()->quiesce();
    fresh->take_over(*plugin.module());
    unload(plugin);
    fresh->start();
    modules_.push_back(fresh);
    plugin = Loaded<T>(fresh);
  }

  // Emits an event from outside; its source is "test". Returns its id, throws Rejected.
  template <EventType T>
  Id emit(const T& payload, const EmitOptions& options = {}) {
    cbor::Buffer data;
    EventTraits<T>::encode(payload, data);
    return emit_encoded(EventTraits<T>::type, EventTraits<T>::version, data.abi(), options);
  }
  Id emit(std::string_view type, const cbor::Value& data, const EmitOptions& options = {}) {
    cbor::Buffer buffer;
    cbor::Writer writer(buffer);
    data.write(writer);
    return emit_encoded(type, 0, buffer.abi(), options);
  }
  // Emits bytes as they are, well-formed or not.
  Id emit_bytes(std::string_view type, std::span<const std::uint8_t> data, const EmitOptions& options = {}) {
    return emit_encoded(type, 0, {data.data(), data.size()}, options, NEXUS_DATA_BYTES);
  }

  // Calls every handler, task and timer that is due, and those that follow from them; time stands still. Returns how
  // many calls that took. Throws std::runtime_error when there is no end to it.
  std::size_t run() { return shared_->engine.run(); }

  // Lets time pass, with timers and retries at their right moments.
  void advance(std::chrono::nanoseconds time) { shared_->engine.advance(time); }

  // Asks as another plugin would, and runs until the answer is there or the time is up.
  template <EventType R, EventType Q>
  std::optional<R> request(const Q& query, std::chrono::nanoseconds timeout = std::chrono::seconds(5)) {
    const Id asked = emit(query);
    run();
    std::optional<R> reply = reply_to<R>(asked);
    if (!reply) advance(timeout);
    return reply ? reply : reply_to<R>(asked);
  }

  TimePoint now() const { return TimePoint(std::chrono::nanoseconds(shared_->engine.now_ns())); }

  // The payloads of T's type that plugins have emitted or answered, oldest first.
  template <EventType T>
  std::vector<T> emitted() const {
    std::vector<T> found;
    for (const EventRef& event : shared_->engine.events()) {
      if (!event->by_test && event->event().template is<T>()) found.push_back(event->event().template as<T>());
    }
    return found;
  }
  // The events behind them; `pattern` as for subscribe. Those of the test's own are left out.
  std::vector<EventRef> emitted(std::string_view pattern) const {
    std::vector<EventRef> found;
    for (const EventRef& event : shared_->engine.events()) {
      if (!event->by_test && pattern_matches(pattern, event->type)) found.push_back(event);
    }
    return found;
  }
  // Every event that has left, whoever emitted it.
  const std::vector<EventRef>& events() const { return shared_->engine.events(); }

  // Failed attempts, oldest first.
  const std::vector<Failure>& failures() const { return shared_->engine.failures(); }
  // How many deliveries have ended well, and how many a condition passed over.
  std::size_t delivered() const { return shared_->engine.delivered(); }
  std::size_t filtered() const { return shared_->engine.filtered(); }

  std::vector<LogLine> logs() const {
    const std::lock_guard lock(shared_->engine.log_mutex());
    return shared_->logs;
  }
  // Has a line with exactly that message been written?
  bool logged(std::string_view message) const {
    for (const LogLine& line : logs()) {
      if (line.message == message) return true;
    }
    return false;
  }

  // The value of a counter or a gauge, 0 where there is none; what a histogram has observed.
  double metric(std::string_view name, const std::map<std::string, std::string>& labels = {}) const {
    return shared_->metrics.value(name, labels);
  }
  std::vector<double> observed(std::string_view name, const std::map<std::string, std::string>& labels = {}) const {
    return shared_->metrics.observed(name, labels);
  }

  // The folder that a plugin with this id has for its files; temporary, gone with the host.
  std::filesystem::path data_folder(std::string_view plugin_id) { return shared_->data_folders.of(plugin_id); }

  // Why a plugin asked the host to stop; empty when none did.
  const std::string& stop_reason() const { return shared_->stop_reason; }

  // Grants control, with this method: host.on_control("stat", [](const Value& params) { return Value{...}; }).
  void on_control(std::string method, std::function<cbor::Value(const cbor::Value&)> answer) {
    shared_->control[std::move(method)] = std::move(answer);
  }
  // Gives plugins an interface of the test's own, or takes one of the fake's away with null.
  void set_interface(std::string id, const void* table) { shared_->interfaces[std::move(id)] = table; }

  // Forgets what has been emitted and counted so far; plugins and time stay.
  void clear() { shared_->engine.clear(); }

 private:
  Id emit_encoded(std::string_view type, std::uint32_t version, nexus_bytes data, const EmitOptions& options,
                  std::uint32_t format = NEXUS_DATA_CBOR) {
    cbor::Buffer metadata;
    const nexus_emit_options raw = nexus::detail::to_abi(options, version, format, shared_->engine.now_ns(), metadata);
    nexus::detail::ErrorBuffer error;
    Id id;
    const std::int32_t code = shared_->engine.emit_as("test", true, type, raw, data, id, error.get());
    if (code != NEXUS_OK && code != NEXUS_OK_DUPLICATE) throw Rejected(code, error.sentence(code));
    return id;
  }

  template <class R>
  std::optional<R> reply_to(const Id& asked) const {
    for (const EventRef& event : shared_->engine.events()) {
      if (event->event().causation_id() == asked && event->event().template is<R>())
        return event->event().template as<R>();
    }
    return std::nullopt;
  }

  // By value: the caller's may be the one that is erased.
  void unload_module(std::shared_ptr<detail::LoadedModule> module) {
    std::erase(modules_, module);
    std::exchange(module, nullptr)->unload();
  }

  std::unique_ptr<detail::Shared> shared_;
  std::vector<std::shared_ptr<detail::LoadedModule>> modules_;  // in the order of loading
};

}  // namespace nexus::testing
