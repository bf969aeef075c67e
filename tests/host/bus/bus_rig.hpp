// A bus with real workers and a few handlers that write down what they saw, for the tests of host/bus.
#pragma once

#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "host/bus/bus.hpp"
#include "host/event/block.hpp"

namespace nexus::host::test {

inline int64_t in_seconds(int seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             (std::chrono::steady_clock::now() + std::chrono::seconds(seconds)).time_since_epoch())
      .count();
}

// For handlers: Catch's own checks are for one thread at a time.
inline void must(bool holds) {
  if (!holds) std::abort();
}

// A handler made of a function; counts and remembers under a mutex, so that any thread may look.
struct Probe {
  std::function<int32_t(const nexus_delivery&, nexus_outcome&)> answer;
  std::mutex mutex;
  std::vector<std::string> seen;  // the data of each event, as text

  static int32_t handle(void* user, const nexus_delivery* delivery, nexus_outcome* outcome) {
    auto& self = *static_cast<Probe*>(user);
    {
      std::lock_guard guard(self.mutex);
      self.seen.emplace_back(reinterpret_cast<const char*>(delivery->event->data.data), delivery->event->data.size);
    }
    return self.answer ? self.answer(*delivery, *outcome) : NEXUS_DONE;
  }
  size_t count() {
    std::lock_guard guard(mutex);
    return seen.size();
  }
  std::vector<std::string> copy() {
    std::lock_guard guard(mutex);
    return seen;
  }
};

struct Rig {
  explicit Rig(BusOptions options = {}, const Clock& clock = FastClock::instance())
      : bus(Bus::create(options, clock)) {}

  std::shared_ptr<Participant> add(std::string id, bool own_thread = false) {
    ParticipantOptions options;
    options.id = std::move(id);
    options.own_thread = own_thread;
    auto participant = bus->add_participant(std::move(options));
    bus->activate(*participant);
    return participant;
  }
  nexus_handle subscribe(Participant& participant, std::string_view pattern, Probe& probe, int32_t priority = 0,
                         uint32_t concurrency = NEXUS_CONCURRENCY_SERIAL, std::string_view name = {},
                         nexus_condition_fn condition = nullptr, int64_t deadline_ns = 0) {
    nexus_subscribe_options options{};
    options.size = sizeof options;
    options.priority = priority;
    options.concurrency = concurrency;
    options.name = to_abi(name);
    options.condition = condition;
    options.deadline_ns = deadline_ns;
    return bus->subscribe(participant, pattern, options, &Probe::handle, &probe).value();
  }
  int32_t emit(Participant& from, std::string_view type, std::string_view data = {}, int32_t priority = 0,
               int64_t timeout_ns = 0, uint32_t flags = 0) {
    auto port = bus->intern(from, type);
    if (!port) return port.error().code;
    nexus_emit_options options{};
    options.size = sizeof options;
    options.priority = priority;
    options.data_format = NEXUS_DATA_BYTES;
    options.timeout_ns = timeout_ns;
    options.flags = flags;
    return bus->emit(from, port.value(), &options, {reinterpret_cast<const uint8_t*>(data.data()), data.size()},
                     nullptr, nullptr);
  }
  bool settle(int seconds = 30) { return bus->drain_all(in_seconds(seconds)); }

  std::unique_ptr<Bus> bus;
};

// Something a handler waits for and a test opens.
class Gate {
 public:
  void open() {
    {
      std::lock_guard guard(mutex_);
      open_ = true;
    }
    condition_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    condition_.notify_all();
    condition_.wait(lock, [this] { return open_; });
  }
  // Until `count` have come to wait.
  void await(int count) {
    std::unique_lock lock(mutex_);
    condition_.wait(lock, [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool open_ = false;
  int waiting_ = 0;
};

}  // namespace nexus::host::test
