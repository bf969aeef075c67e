// The datagrams to the service manager, against sockets of our own.
#include "host/base/os/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>

#include <catch2/catch_test_macros.hpp>

using namespace nexus::host;
using nexus::host::os::Notifier;

namespace {

// A service manager: a datagram socket, at a path or at an abstract name ("@…").
class Manager {
 public:
  explicit Manager(std::string address) : address_(std::move(address)) {
    descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, address_.data(), address_.size());
    std::size_t size = offsetof(sockaddr_un, sun_path) + address_.size();
    if (address_[0] == '@') {
      at.sun_path[0] = '\0';
    } else {
      ++size;
    }
    REQUIRE(::bind(descriptor_, reinterpret_cast<sockaddr*>(&at), static_cast<socklen_t>(size)) == 0);
  }
  ~Manager() {
    ::close(descriptor_);
    if (address_[0] != '@') ::unlink(address_.c_str());
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // The next datagram; "nothing" when there is none.
  std::string next() {
    char buffer[4096];
    const ssize_t size = ::recv(descriptor_, buffer, sizeof buffer, 0);
    return size < 0 ? "nothing" : std::string(buffer, static_cast<std::size_t>(size));
  }
  const std::string& address() const { return address_; }

 private:
  std::string address_;
  int descriptor_ = -1;
};

// A folder for a socket, gone with the test.
struct SocketFolder {
  std::filesystem::path path;
  SocketFolder() {
    char name[] = "/tmp/nexus-notify-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~SocketFolder() { std::filesystem::remove_all(path); }
};

std::string abstract_name() { return "@nexus-notify-test-" + std::to_string(::getpid()); }

}  // namespace

TEST_CASE("each state is one datagram, at a path and at an abstract name") {
  const SocketFolder folder;
  for (const std::string& address : {(folder.path / "notify").string(), abstract_name()}) {
    Manager manager(address);
    Notifier notifier(address);
    CHECK(notifier.active());
    REQUIRE(notifier.ready());
    CHECK(manager.next() == "READY=1");
    REQUIRE(notifier.ready("12 plugins"));
    CHECK(manager.next() == "READY=1\nSTATUS=12 plugins");
    REQUIRE(notifier.status("busy"));
    CHECK(manager.next() == "STATUS=busy");
    REQUIRE(notifier.watchdog());
    CHECK(manager.next() == "WATCHDOG=1");
    REQUIRE(notifier.stopping("SIGTERM"));
    CHECK(manager.next() == "STOPPING=1\nSTATUS=SIGTERM");
    CHECK(manager.next() == "nothing");
  }
}

TEST_CASE("reloading carries the monotonic time") {
  Manager manager(abstract_name());
  Notifier notifier(manager.address());
  timespec before{};
  ::clock_gettime(CLOCK_MONOTONIC, &before);
  REQUIRE(notifier.reloading());
  timespec after{};
  ::clock_gettime(CLOCK_MONOTONIC, &after);
  const std::string text = manager.next();
  const std::string prefix = "RELOADING=1\nMONOTONIC_USEC=";
  REQUIRE(text.compare(0, prefix.size(), prefix) == 0);
  const long long us = std::stoll(text.substr(prefix.size()));
  CHECK(us >= before.tv_sec * 1'000'000LL + before.tv_nsec / 1000);
  CHECK(us <= after.tv_sec * 1'000'000LL + after.tv_nsec / 1000);
}

TEST_CASE("a status cannot smuggle in another state") {
  Manager manager(abstract_name());
  Notifier notifier(manager.address());
  REQUIRE(notifier.status("fine\nSTOPPING=1\r" + std::string(1, '\0') + "x"));
  CHECK(manager.next() == "STATUS=fine STOPPING=1  x");
}

TEST_CASE("without a socket nothing happens") {
  Notifier notifier("");
  CHECK_FALSE(notifier.active());
  CHECK(notifier.ready());
  CHECK(notifier.watchdog());
}

TEST_CASE("a socket that is not there, or cannot be one, is an error and no more") {
  CHECK(Notifier("/nonexistent/notify").ready().error().code == NEXUS_E_IO);
  CHECK(Notifier("@nexus-nobody-listens").ready().error().code == NEXUS_E_IO);
  CHECK(Notifier("relative/path").ready().error().code == NEXUS_E_ARGUMENT);
  CHECK(Notifier("/" + std::string(200, 'x')).ready().error().code == NEXUS_E_ARGUMENT);
  CHECK(Notifier("@" + std::string(107, 'x')).ready().error().code == NEXUS_E_IO);
  CHECK(Notifier("@" + std::string(108, 'x')).ready().error().code == NEXUS_E_ARGUMENT);
}

TEST_CASE("a manager that does not read does not hold up the host") {
  Manager manager(abstract_name());
  Notifier notifier(manager.address());
  Result<void> result;
  for (int i = 0; i < 100'000 && result; ++i) result = notifier.watchdog();
  CHECK(result.has_error());
}

TEST_CASE("the environment is read once and taken away from child processes") {
  Manager manager(abstract_name());
  ::setenv("NOTIFY_SOCKET", manager.address().c_str(), 1);
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  Notifier notifier = Notifier::from_environment();
  CHECK(::getenv("NOTIFY_SOCKET") == nullptr);
  CHECK(::getenv("WATCHDOG_USEC") == nullptr);
  CHECK(notifier.watchdog_interval() == std::chrono::seconds(3));
  REQUIRE(notifier.ready());
  CHECK(manager.next() == "READY=1");
  CHECK_FALSE(Notifier::from_environment().active());
}

TEST_CASE("a watchdog that is not ours, or is no number, is none") {
  const auto interval = [](const char* usec, const char* pid) {
    ::setenv("WATCHDOG_USEC", usec, 1);
    if (pid) ::setenv("WATCHDOG_PID", pid, 1);
    return Notifier::from_environment().watchdog_interval();
  };
  CHECK(interval("1000000", nullptr) == std::chrono::seconds(1));
  CHECK_FALSE(interval("1000000", "1").has_value());
  CHECK_FALSE(interval("1000000", "x").has_value());
  CHECK_FALSE(interval("0", nullptr).has_value());
  CHECK_FALSE(interval("-5", nullptr).has_value());
  CHECK_FALSE(interval("12x", nullptr).has_value());
  CHECK_FALSE(interval("99999999999999999999", nullptr).has_value());
}
