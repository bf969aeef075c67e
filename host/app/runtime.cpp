#include "host/app/runtime.hpp"

#include <csignal>
#include <cstdio>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unistd.h>

#include "host/app/bus_driver.hpp"
#include "host/app/bus_log.hpp"
#include "host/app/config_methods.hpp"
#include "host/app/exit_status.hpp"
#include "host/app/heartbeat.hpp"
#include "host/app/host_events.hpp"
#include "host/app/host_metrics.hpp"
#include "host/app/reload.hpp"
#include "host/app/settings.hpp"
#include "host/base/log.hpp"
#include "host/base/os/notify.hpp"
#include "host/base/os/thread_name.hpp"
#include "host/control/event_methods.hpp"
#include "host/control/host_methods.hpp"
#include "host/control/plugin_methods.hpp"
#include "host/control/server.hpp"
#include "host/event/json.hpp"
#include "host/plugin/bridge.hpp"
#include "host/plugin/watcher.hpp"

namespace nexus::host {
namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::string_view kVersion = NEXUS_VERSION;
// A plugin's own thread that calls a control method waits no longer: the control thread may be joining that thread.
constexpr milliseconds kPluginPatience{10'000};

std::vector<uint8_t> bytes_of(const cbor::Buffer& buffer) { return {buffer.data(), buffer.data() + buffer.size()}; }

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
  void guard_exit(steady_clock::time_point deadline);
  void end_driver();
  bool shut_down(const std::string& reason);

  const RunOptions options_;
  ConfigHolder config_;
  os::Notifier notifier_;
  FastClock& clock_ = FastClock::instance();
  const int64_t started_unix_ns_ = clock_.unix_ns();
  const steady_clock::time_point started_ = steady_clock::now();
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

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> io_guard_{io_.get_executor()};
  asio::signal_set signals_{io_};
  asio::steady_timer beat_timer_{io_};
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

// Whatever was built is taken down, also after a start that failed half-way.
Runtime::~Runtime() {
  watcher_.reset();
  if (server_ != nullptr) server_->stop();
  control_.stop();
  io_guard_.reset();
  io_.stop();
  if (io_thread_.joinable()) io_thread_.join();
  driver_.reset();
  if (bus_ != nullptr) bus_->stop();
  server_.reset();
  plugins_.reset();
  bridge_.reset();
  {
    std::lock_guard guard(mutex_);
    stopped_ = true;
  }
  stop_done_.notify_all();
  if (exit_guard_.joinable()) exit_guard_.join();
}

// ---- Start --------------------------------------------------------------------------------------------------------

Result<void> Runtime::build() {
  const auto config = config_.get();
  if (auto supported = check_supported(*config); !supported) return supported;
  bus_ = Bus::create(bus_options(*config), clock_);
  log_failures(*bus_, metrics_);
  events_ = std::make_unique<HostEvents>(*bus_, metrics_);
  host_metrics_ = std::make_unique<HostMetrics>(*bus_, metrics_, kVersion, started_unix_ns_);
  surface_ = std::make_unique<Surface>(control_);
  surface_->count_in(metrics_);
  event_methods_ = std::make_unique<EventMethods>(*bus_);

  BridgeServices services;
  services.metrics = &metrics_;
  services.control = [this](std::string_view caller, std::string_view method,
                            nexus_bytes params) -> Result<std::vector<uint8_t>> {
    cbor::Buffer result;
    const Caller who{caller, Scope::admin, kPluginPatience};
    if (auto called = surface_->call(who, method, cbor::view(params), result); !called) return called.error();
    return bytes_of(result);
  };
  services.request_stop = [this](std::string_view reason) { request_stop(reason); };
  bridge_ = std::make_unique<BridgeFactory>(*bus_, std::move(services));

  PluginManagerPorts ports{*bridge_, *events_, {}, {}, &clock_};
  ports.settings = [this](std::string_view id) { return plugin_settings(*config_.get(), id); };
  ports.check_config = [this](const ModuleInfo& module, PluginSettings& settings) -> Result<void> {
    auto typed = typed_plugin_config(*config_.get(), module);
    if (!typed) return typed.error();
    settings.config = std::move(typed.value());
    return {};
  };
  auto plugins = PluginManager::create(manager_options(*config), std::move(ports));
  if (!plugins) return plugins.error();
  plugins_ = std::move(plugins.value());
  add_methods();
  return {};
}

HostFacts Runtime::facts() const {
  const auto config = config_.get();
  HostFacts facts;
  facts.name = config->host.name;
  facts.version = kVersion;
  facts.config_file = config->file;
  facts.socket = config->control.socket;
  facts.data_dir = config->host.data_dir;
  facts.started_unix_ns = started_unix_ns_;
  facts.safe_mode = options_.safe_mode;
  return facts;
}

void Runtime::add_methods() {
  add_host_methods(*surface_, HostMethodPorts{*bus_, metrics_, facts(),
                                              [this] { return std::string_view(state_.load()); },
                                              [this](std::string_view reason) { request_stop(reason); }});
  event_methods_->add_to(*surface_);
  add_plugin_methods(*surface_, *plugins_);
  add_config_methods(*surface_, ConfigMethodPorts{config_, [this] { return reload(); }});
}

Result<void> Runtime::open_server() {
  ServerOptions options;
  options.socket = config_.get()->control.socket;
  // The largest event must fit into a frame, with its header fields around it.
  constexpr uint32_t kAround = 1u << 20;
  options.limits.frame_bytes_max = std::max(kFrameBytesMax, config_.get()->events.max_event_size + kAround);
  auto server = Server::open(*surface_, std::move(options));
  if (!server) return server.error();
  server_ = std::move(server.value());
  return {};
}

void Runtime::start_io() {
  driver_ = std::make_unique<BusDriver>(io_, *bus_, clock_, [this] { each_second(); });
  if (notifier_.watchdog_interval()) {
    heartbeat_ = std::make_unique<Heartbeat>(*bus_);
    asio::post(io_, [this] { beat(); });
  }
  io_thread_ = std::thread([this] {
    os::name_thread("nexus-io");
    io_.run();
  });
}

void Runtime::load_plugins() {
  if (options_.safe_mode) {
    log::warn("safe mode: no plugin is loaded", {{"help", "`nexus plugins enable ID` loads one by hand"}});
    return;
  }
  static_cast<void>(control_.run([this] { static_cast<void>(plugins_->scan()); }, ControlThread::kForever));
  if (!config_.get()->plugins.watch) return;
  auto watcher = PluginWatcher::open(*plugins_, io_.get_executor(),
                                     [this](std::function<void()> work) { control_.post(std::move(work)); });
  if (watcher)
    watcher_ = std::move(watcher.value());
  else
    events_->system_error("watch_failed", "the plugin folders are not watched: " + watcher.error().message);
}

void Runtime::announce() {
  cbor::Value shown = cbor::Value::map();
  config::ShowOptions as_json;
  as_json.json = true;
  if (auto encoded = json_to_cbor(config::show(*config_.get(), as_json))) {
    cbor::Error ignored;
    static_cast<void>(cbor::Value::try_decode(encoded.value(), shown, ignored));
  }
  events_->started(kVersion, std::move(shown));
  state_ = "running";
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - started_);
  const std::string socket = config_.get()->control.socket;
  log::info("host started", {{"version", kVersion},
                             {"pid", ::getpid()},
                             {"socket", socket},
                             {"config", config_.get()->file},
                             {"start_ms", took.count()}});
  log::info("watch the events", {{"command", "nexus tap '*' --socket " + socket}});
  static_cast<void>(notifier_.ready("serving"));
}

// ---- Serving ------------------------------------------------------------------------------------------------------

void Runtime::serve_signals() {
  signals_.async_wait([this](const boost::system::error_code& cancelled, int number) {
    if (cancelled) return;
    on_signal(number);
    serve_signals();
  });
}

void Runtime::on_signal(int number) {
  if (number == SIGHUP) {
    control_.post([this] {
      static_cast<void>(notifier_.reloading("reading the config again"));
      static_cast<void>(reload());
      static_cast<void>(notifier_.ready("serving"));
    });
    return;
  }
  bool is_second = false;
  {
    std::lock_guard guard(mutex_);
    is_second = stop_reason_.has_value();
  }
  if (is_second) {
    log::warn("stopped at once by a second signal", {{"signal", number}});
    log::flush(milliseconds(200));
    ::_exit(128 + number);
  }
  request_stop(number == SIGINT ? "interrupt" : "signal");
}

Result<std::vector<config::Change>> Runtime::reload() {
  if (auto reopened = log::reopen(); !reopened) events_->system_error("log_failed", reopened.error().message);
  auto changes = reload_config(options_.config, config_, *plugins_);
  if (!changes)
    events_->system_error("config_invalid", "the config was not read again, the old one stays in force: " +
                                                changes.error().message);
  else
    log::info("config read again", {{"changes", changes.value().size()}});
  return changes;
}

void Runtime::each_second() {
  host_metrics_->refresh();
  if (control_.is_idle()) control_.post([this] { static_cast<void>(plugins_->collect()); });
}

void Runtime::beat() {
  if (heartbeat_->beat())
    static_cast<void>(notifier_.watchdog());
  else
    log::error("events are not dispatched any more: the service manager's watchdog is not fed");
  beat_timer_.expires_after(*notifier_.watchdog_interval() / 2);
  beat_timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) beat();
  });
}

void Runtime::request_stop(std::string_view reason) {
  {
    std::lock_guard guard(mutex_);
    if (stop_reason_) return;
    stop_reason_ = std::string(reason);
  }
  stop_wanted_.notify_all();
}

std::string Runtime::wait_for_stop() {
  std::unique_lock lock(mutex_);
  stop_wanted_.wait(lock, [this] { return stop_reason_.has_value(); });
  return *stop_reason_;
}

// ---- Stop ---------------------------------------------------------------------------------------------------------

// Whatever hangs, the process ends. A thread of its own, since any other may be what hangs.
void Runtime::guard_exit(steady_clock::time_point deadline) {
  exit_guard_ = std::thread([this, deadline] {
    os::name_thread("nexus-guard");
    std::unique_lock lock(mutex_);
    if (stop_done_.wait_until(lock, deadline, [this] { return stopped_; })) return;
    log::error("the shutdown deadline has passed; what is left is not waited for");
    log::flush(milliseconds(200));
    ::_exit(exit_status::kFailure);
  });
}

// The tick looks at workers, which are about to be joined one by one; signals must be heard meanwhile.
void Runtime::end_driver() {
  std::promise<void> ended;
  asio::post(io_, [&] {
    driver_->stop();
    ended.set_value();
  });
  ended.get_future().wait();
}

// True when all that was accepted was delivered and every plugin has ended.
bool Runtime::shut_down(const std::string& reason) {
  const auto begin = steady_clock::now();
  const auto all = std::chrono::duration_cast<steady_clock::duration>(
      std::chrono::duration<double>(config_.get()->host.shutdown_deadline));
  // A short deadline of zero still leaves the time that it takes to end in order when nothing is left to do.
  guard_exit(begin + std::max<steady_clock::duration>(all, milliseconds(500)));
  state_ = "stopping";
  static_cast<void>(notifier_.stopping(reason));
  log::info("host stopping", {{"reason", reason}, {"deadline_s", config_.get()->host.shutdown_deadline}});
  watcher_.reset();
  events_->shutting_down(reason);
  bus_->refuse_outside_emits();
  const auto monotonic = [](steady_clock::time_point at) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
  };
  // Six tenths for what waits, three for the plugins' own ends, one for the rest.
  bool clean = bus_->drain_all(monotonic(begin + all / 10 * 6));
  if (!clean)
    log::warn("not all events were delivered within the deadline", {{"waiting", bus_->totals().waiting}});
  const auto left = begin + all / 10 * 9 - steady_clock::now();
  const auto patience = std::max(milliseconds(100), std::chrono::duration_cast<milliseconds>(left));
  bool unmapped = true;
  static_cast<void>(control_.run([&] { unmapped = plugins_->stop_all(reason, patience); }, ControlThread::kForever));
  // What the plugins emitted at their end, for those who watch.
  static_cast<void>(bus_->drain_all(monotonic(steady_clock::now() + milliseconds(100))));
  server_->stop(milliseconds(500));
  control_.stop();
  end_driver();
  bus_->stop();
  const BusTotals totals = bus_->totals();
  log::info("host stopped", {{"accepted", totals.accepted},
                             {"handled", totals.deliveries.handled},
                             {"failed", totals.deliveries.failed},
                             {"discarded", totals.deliveries.discarded},
                             {"uptime_s", std::chrono::duration<double>(steady_clock::now() - started_).count()}});
  return clean;
}

int Runtime::run() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) signals_.add(number);
  serve_signals();
  if (auto built = build(); !built) {
    log::error(built.error().message, {{"code", error_label(built.error().code)}, {"help", built.error().help}});
    return exit_status::of_start(built.error().code);
  }
  if (auto opened = open_server(); !opened) {
    log::error(opened.error().message, {{"code", error_label(opened.error().code)}, {"help", opened.error().help}});
    return exit_status::of_start(opened.error().code);
  }
  start_io();
  load_plugins();
  announce();
  const bool clean = shut_down(wait_for_stop());
  return clean ? exit_status::kOk : exit_status::kFailure;
}

}  // namespace

int run_host(RunOptions options) {
  // First, while this is the only thread.
  os::Notifier notifier = os::Notifier::from_environment();
  std::signal(SIGPIPE, SIG_IGN);
  auto config = config::load(options.config);
  if (!config) {
    std::fputs(config.error().message.c_str(), stderr);
    if (!config.error().message.ends_with('\n')) std::fputc('\n', stderr);
    return exit_status::kConfig;
  }
  if (auto begun = log::init(log_options(config.value())); !begun) {
    log::error(begun.error().message, {{"key", "log.file"}});
    return exit_status::kConfig;
  }
  int status = 0;
  {
    Runtime runtime(std::move(options), std::move(config.value()), std::move(notifier));
    status = runtime.run();
  }
  log::shutdown();
  return status;
}

}  // namespace nexus::host
