// Tells the service manager how the host is doing, by the datagrams of sd_notify(3), written by hand: no dependency on
// libsystemd. Without NOTIFY_SOCKET everything is a no-op. One Notifier may be used from any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/error.hpp"

namespace nexus::host::os {

class Notifier {
 public:
  // Sends to the socket named by $NOTIFY_SOCKET: a path, or '@' for the abstract name space. The variable is taken out
  // of the environment, so that child processes do not speak for the host; call it while only one thread runs.
  static Notifier from_environment();

  // Sends to `address`, written as in NOTIFY_SOCKET; empty: nowhere. An address that cannot be one gives a Notifier
  // whose calls fail with NEXUS_E_ARGUMENT.
  explicit Notifier(std::string address, std::optional<std::chrono::microseconds> watchdog = {});

  bool active() const { return !address_.empty(); }

  Result<void> ready(std::string_view status = {});      // READY=1: the host serves
  Result<void> stopping(std::string_view status = {});   // STOPPING=1
  Result<void> reloading(std::string_view status = {});  // RELOADING=1 with MONOTONIC_USEC; ready() ends it
  Result<void> status(std::string_view text);            // STATUS=: one line for `systemctl status`
  Result<void> watchdog();                               // WATCHDOG=1: the dispatch loop is alive

  // How often watchdog() is expected at least ($WATCHDOG_USEC, if $WATCHDOG_PID is this process); send it at half of
  // it.
  std::optional<std::chrono::microseconds> watchdog_interval() const { return watchdog_; }

  // One datagram as it stands: lines of NAME=value. Fails with NEXUS_E_IO when nobody takes it.
  Result<void> send(std::string_view state);

 private:
  std::string address_;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace nexus::host::os
