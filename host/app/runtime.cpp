#include "host/app/runtime.hpp"

#include <csignal>
#include <cstdio>

#include <unistd.h>
#include <boost/asio/post.hpp>

#include "host/app/bus_log.hpp"
#include "host/app/config_methods.hpp"
#include "host/app/exit_status.hpp"
#include "host/app/runtime_parts.hpp"
#include "host/app/settings.hpp"
#include "host/base/log.hpp"
#include "host/base/os/thread_name.hpp"
#include "host/control/dlq_methods.hpp"
#include "host/control/plugin_methods.hpp"
#include "host/control/saga_methods.hpp"
#include "host/control/trace_methods.hpp"
#include "host/event/json.hpp"

namespace nexus::host {
namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::string_view kVersion = NEXUS_VERSION;
// A plugin's own thread that calls a control method waits no longer: the control thread may be joining that thread.
constexpr milliseconds kPluginPatience{10'000};

std::vector<uint8_t> bytes_of(const cbor::Buffer& buffer) { return {buffer.data(), buffer.data() + buffer.size()}; }

}  // namespace

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
  services.plugin_data = std::filesystem::path(config->host.data_dir) / "plugin-data";
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
  add_host_methods(*surface_,
                   HostMethodPorts{*bus_, metrics_, facts(), [this] { return std::string_view(state_.load()); },
                                   [this](std::string_view reason) { request_stop(reason); }});
  event_methods_->add_to(*surface_);
  add_dlq_methods(*surface_, *bus_);
  add_trace_methods(*surface_, *bus_);
  add_plugin_methods(*surface_, *plugins_);
  add_saga_methods(*surface_, *plugins_, control_);
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
