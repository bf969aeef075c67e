// A bus, a surface and plugins made of lambdas, for tests of the control methods.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "host/base/clock.hpp"
#include "host/bus/bus.hpp"
#include "host/control/surface.hpp"
#include "host/event/block.hpp"
#include "host/observe/metrics.hpp"

namespace nexus::host {

struct BusRig {
  using Handler = std::function<int32_t(const nexus_event&)>;

  SystemClock clock;
  ControlThread thread;
  Registry metrics;
  std::unique_ptr<Bus> bus;
  Surface surface{thread};
  std::map<std::string, std::shared_ptr<Participant>> plugins;
  std::list<Handler> handlers;

  explicit BusRig(BusOptions options = small()) : bus(Bus::create(options, clock)) {}
  ~BusRig() {
    bus->stop();
    plugins.clear();
  }

  static BusOptions small() {
    BusOptions options;
    options.worker_count = 2;
    return options;
  }

  Participant& plugin(const std::string& id) {
    auto& entry = plugins[id];
    if (entry == nullptr) {
      ParticipantOptions options;
      options.id = id;
      entry = bus->add_participant(std::move(options));
      bus->activate(*entry);
    }
    return *entry;
  }

  void subscribe(const std::string& id, std::string_view pattern, Handler handler) {
    handlers.push_back(std::move(handler));
    nexus_subscribe_options options{};
    options.size = sizeof options;
    const auto run = [](void* user, const nexus_delivery* delivery, nexus_outcome*) {
      return (*static_cast<Handler*>(user))(*delivery->event);
    };
    if (!bus->subscribe(plugin(id), pattern, options, run, &handlers.back())) std::abort();
  }

  int32_t emit(const std::string& id, std::string_view type, int32_t priority) {
    Participant& from = plugin(id);
    auto port = bus->intern(from, type);
    nexus_emit_options options{};
    options.size = sizeof options;
    options.priority = priority;
    return port ? bus->emit(from, port.value(), &options, {}, nullptr, nullptr) : port.error().code;
  }

  void remove(const std::string& id) {
    const auto gone = plugins.extract(id);
    bus->remove(gone.mapped());
  }

  void drain() {
    const int64_t minute = 60'000'000'000;
    if (!bus->drain_all(clock.monotonic_ns() + minute)) std::abort();
  }
};

}  // namespace nexus::host
