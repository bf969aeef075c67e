#include "host/base/os/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <system_error>

namespace nexus::host::os {
namespace {

std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  std::string out = value ? value : "";
  ::unsetenv(name);
  return out;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A status is one line: a newline in it would begin another assignment.
std::string with_status(std::string state, std::string_view status) {
  if (status.empty()) return state;
  if (!state.empty()) state += '\n';
  state += "STATUS=";
  for (const char c : status) state += c == '\n' || c == '\r' || c == '\0' ? ' ' : c;
  return state;
}

Result<void> io_error(const char* what) {
  return make_error(NEXUS_E_IO,
                    std::string(what) + " the service manager's socket: " + std::generic_category().message(errno));
}

}  // namespace

Notifier Notifier::from_environment() {
  std::string address = take_variable("NOTIFY_SOCKET");
  const std::string interval = take_variable("WATCHDOG_USEC");
  const std::string process = take_variable("WATCHDOG_PID");
  const bool ours = process.empty() || parse_number<int64_t>(process) == int64_t{::getpid()};
  std::optional<std::chrono::microseconds> watchdog;
  if (const auto us = parse_number<int64_t>(interval); us && *us > 0 && ours) watchdog = std::chrono::microseconds(*us);
  return Notifier(std::move(address), watchdog);
}

Notifier::Notifier(std::string address, std::optional<std::chrono::microseconds> watchdog)
    : address_(std::move(address)), watchdog_(watchdog) {}

Result<void> Notifier::ready(std::string_view status) { return send(with_status("READY=1", status)); }
Result<void> Notifier::stopping(std::string_view status) { return send(with_status("STOPPING=1", status)); }
Result<void> Notifier::status(std::string_view text) { return send(with_status({}, text.empty() ? " " : text)); }
Result<void> Notifier::watchdog() { return send("WATCHDOG=1"); }

Result<void> Notifier::reloading(std::string_view status) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t us = int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  return send(with_status("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(us), status));
}

Result<void> Notifier::send(std::string_view state) {
  if (address_.empty()) return {};
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  const bool abstract = address_.front() == '@';
  // A path needs room for its final zero; an abstract name has none.
  if ((!abstract && address_.front() != '/') || address_.size() + (abstract ? 0 : 1) > sizeof to.sun_path) {
    return make_error(NEXUS_E_ARGUMENT, "NOTIFY_SOCKET is neither a path nor an abstract name: " + address_);
  }
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (abstract) to.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size() + (abstract ? 0 : 1));
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return io_error("cannot make");
  ssize_t sent = 0;
  do {
    sent = ::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), size);
  } while (sent < 0 && errno == EINTR);
  Result<void> result;
  if (sent < 0) result = io_error("cannot write to");
  ::close(descriptor);
  return result;
}

}  // namespace nexus::host::os
