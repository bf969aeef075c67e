// All parts of a running host and the order in which they come and go; see runtime.hpp. Members are built from top to
// bottom. Only runtime*.cpp include this.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "host/app/bus_driver.hpp"
#include "host/app/config_holder.hpp"
#include "host/app/heartbeat.hpp"
#include "host/app/host_events.hpp"
#include "host/app/host_metrics.hpp"
#include "host/app/reload.hpp"
#include "host/app/runtime.hpp"
#include "host/base/os/notify.hpp"
#include "host/control/event_methods.hpp"
#include "host/control/host_methods.hpp"
#include "host/control/server.hpp"
#include "host/plugin/bridge.hpp"
#include "host/plugin/watcher.hpp"

namespace nexus::host {

class Runtime {
 public:
  Runtime(RunOptions options, Config config, os::Notifier notifier)
      : options_(std::move(options)), config_(std::move(config)), notifier_(std::move(notifier)) {}
  ~Runtime();

  int run();

 private:
  Result<void> build();
  HostFacts facts() const;
  void add_methods();
  Result<void> open_server();
  void start_io();
  void load_plugins();
  void announce();
  void serve_signals();
  void on_signal(int number);
  void each_second();
  void beat();
  Result<std::vector<config::Change>> reload();
  void request_stop(std::string_view reason);
  std::string wait_for_stop();
  void guard_exit(std::chrono::steady_clock::time_point deadline);
  void end_driver();
  bool shut_down(const std::string& reason);

  const RunOptions options_;
  ConfigHolder config_;
  os::Notifier notifier_;
  FastClock& clock_ = FastClock::instance();
  const int64_t started_unix_ns_ = clock_.unix_ns();
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::atomic<const char*> state_{"starting"};

  Registry metrics_;
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<HostEvents> events_;
  std::unique_ptr<HostMetrics> host_metrics_;
  ControlThread control_;
  std::unique_ptr<Surface> surface_;
  std::unique_ptr<EventMethods> event_methods_;
  std::unique_ptr<BridgeFactory> bridge_;
  std::unique_ptr<PluginManager> plugins_;
  std::unique_ptr<Server> server_;

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> io_guard_{io_.get_executor()};
  boost::asio::signal_set signals_{io_};
  boost::asio::steady_timer beat_timer_{io_};
  std::unique_ptr<BusDriver> driver_;
  std::unique_ptr<Heartbeat> heartbeat_;
  std::unique_ptr<PluginWatcher> watcher_;
  std::thread io_thread_;

  std::mutex mutex_;
  std::condition_variable stop_wanted_;
  std::condition_variable stop_done_;
  std::optional<std::string> stop_reason_;  // guarded by mutex_
  bool stopped_ = false;                    // guarded by mutex_
  std::thread exit_guard_;
};

}  // namespace nexus::host
