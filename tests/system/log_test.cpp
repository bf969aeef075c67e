// Where the log of the real host goes: to a file that logrotate moves away, or to a reader that may leave.
#include <catch2/catch_test_macros.hpp>

#include <csignal>

#include "tests/system/host_process.hpp"

using namespace nexus::system_test;

TEST_CASE("SIGHUP opens the log file anew, as logrotate wants it") {
  Host host("[log]\nfile = \"host.log\"\n");
  host.start();
  fs::rename(host.folder() / "host.log", host.folder() / "host.log.1");
  host.process().signal(SIGHUP);
  host.wait_for_notice("READY=1");
  CHECK(fs::exists(host.folder() / "host.log"));
  CHECK(host.stop() == 0);
  const std::string before = host.folder().read("host.log.1");
  CHECK(before.find("\"host started\"") != std::string::npos);
  CHECK(before.find("\"host stopped\"") == std::string::npos);
  const std::string after = host.folder().read("host.log");
  CHECK(after.find("\"config read again\"") != std::string::npos);
  CHECK(after.find("\"host stopped\"") != std::string::npos);
  CHECK(after.find("\"host started\"") == std::string::npos);
}

TEST_CASE("a log file that cannot be opened anew is told, and the old one goes on") {
  Host host("[log]\nfile = \"logs/host.log\"\n");
  fs::create_directory(host.folder() / "logs");
  host.start();
  fs::rename(host.folder() / "logs", host.folder() / "old");
  host.process().signal(SIGHUP);
  host.wait_for_notice("READY=1");
  CHECK(host.stop() == 0);
  const std::string log = host.folder().read("old/host.log");
  CHECK(log.find("log_failed") != std::string::npos);
  CHECK(log.find("\"host stopped\"") != std::string::npos);
}

TEST_CASE("a host outlives the reader of its log") {
  Host host("[log]\nlevel = \"debug\"\n");
  host.start();
  host.process().close_errors();
  for (int round = 0; round < 3; ++round) {
    host.process().signal(SIGHUP);  // writes some lines
    host.wait_for_notice("READY=1");
  }
  CHECK(host.call("host.info").at("state").get<std::string>() == "running");
  CHECK(host.stop() == 0);
}
