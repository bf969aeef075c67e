// What a running host does by itself, and how it ends.
#include <csignal>

#include <future>

#include <unistd.h>
#include <boost/asio/post.hpp>

#include "host/app/exit_status.hpp"
#include "host/app/runtime_parts.hpp"
#include "host/base/log.hpp"
#include "host/base/os/thread_name.hpp"

namespace nexus::host {
namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

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
    events_->system_error("config_invalid",
                          "the config was not read again, the old one stays in force: " + changes.error().message);
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
  if (!clean) log::warn("not all events were delivered within the deadline", {{"waiting", bus_->totals().waiting}});
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

}  // namespace nexus::host
