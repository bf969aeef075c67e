// Start and stop of the real host.
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>

#include <csignal>

#include "tests/system/host_process.hpp"

using namespace nexus::system_test;
using nexus::cbor::Value;

namespace {

const fs::path kPlugins = TEST_PLUGINS;

}  // namespace

TEST_CASE("a host tells the service manager when it is ready and when it stops, and ends with 0") {
  Host host;
  host.add_plugin(kPlugins / "versioned_1.0.0.so");
  host.start();
  const Value info = host.call("host.info");
  CHECK(info.at("state").get<std::string>() == "running");
  CHECK(info.at("process").get<int>() == host.process().pid());
  struct stat status {};
  REQUIRE(::stat(host.socket().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  host.process().signal(SIGTERM);
  host.wait_for_notice("STOPPING=1");
  const std::string log = host.process().rest_of_errors();
  CHECK(host.process().wait() == 0);
  CHECK(log.find("\"plugin unloaded\"") != std::string::npos);
  CHECK(log.find("\"host stopped\"") != std::string::npos);
  CHECK_FALSE(fs::exists(host.socket()));
}

TEST_CASE("the service manager's watchdog is fed as long as the bus dispatches") {
  Host host("", {"WATCHDOG_USEC=50000"});
  host.start();
  for (int beat = 0; beat < 3; ++beat) host.wait_for_notice("WATCHDOG=1");
  CHECK(host.stop() == 0);
}

TEST_CASE("variables and conf.d are stronger than the file, and the variables the strongest") {
  Host host("[events]\nworker_count = 2\nmax_queue_size = 100\nretry_attempts = 1\n",
            {"NEXUS_EVENTS__WORKER_COUNT=3"});
  fs::create_directory(host.folder() / "conf.d");
  host.folder().write("conf.d/10.toml", "[events]\nworker_count = 5\nmax_queue_size = 200\n");
  host.start();
  const std::string shown = host.nexus({"call", "config.show", "{}"}).output;
  CHECK(host.stop() == 0);
  INFO(shown);
  CHECK(shown.find("worker_count = 3") != std::string::npos);
  CHECK(shown.find("max_queue_size = 200") != std::string::npos);
  CHECK(shown.find("retry_attempts = 1") != std::string::npos);
}

TEST_CASE("SIGINT and the method host.stop end it in order, too") {
  for (const bool by_method : {false, true}) {
    Host host;
    host.start();
    if (by_method)
      host.call("host.stop", {{"reason", "maintenance"}});
    else
      host.process().signal(SIGINT);
    const std::string line = host.process().wait_for_error_line("host stopping");
    CHECK(line.find(by_method ? "maintenance" : "interrupt") != std::string::npos);
    CHECK(host.process().wait() == 0);
  }
}

TEST_CASE("what was accepted before the stop is delivered before the end") {
  Host host;
  host.add_plugin(kPlugins / "stubborn.so");
  host.start();
  CHECK(host.nexus({"emit", "stubborn.slow", "--send-on", "newline"},
                   "{\"milliseconds\":20}\n{\"milliseconds\":20}\n{\"milliseconds\":20}\n{\"milliseconds\":20}\n{}\n{}\n")
            .status == 0);
  host.process().signal(SIGTERM);
  const std::string line = host.process().wait_for_error_line("host stopped");
  CHECK(line.find("\"handled\":6") != std::string::npos);
  CHECK(line.find("\"discarded\":0") != std::string::npos);
  CHECK(host.process().wait() == 0);
}

TEST_CASE("a second signal ends the host at once") {
  Host host;
  host.add_plugin(kPlugins / "stubborn.so");
  host.start();
  host.nexus({"emit", "stubborn.hang"});
  host.process().wait_for_error_line("hanging");
  host.process().signal(SIGTERM);
  host.process().wait_for_error_line("host stopping");
  host.process().signal(SIGTERM);
  CHECK(host.process().wait() == 128 + SIGTERM);
}

TEST_CASE("a handler that never returns cannot hold the end up beyond the deadline") {
  Host host("[host.nothing]\n");  // replaced below: the deadline stands in [host]
  host.folder().write("nexus.toml",
                      "[host]\ndata_dir = \"data\"\nshutdown_deadline = 1.0\n[control]\nsocket = \"n.sock\"\n");
  host.add_plugin(kPlugins / "stubborn.so");
  host.start();
  host.nexus({"emit", "stubborn.hang"});
  host.process().wait_for_error_line("hanging");
  const auto begin = std::chrono::steady_clock::now();
  CHECK(host.stop() == 1);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

TEST_CASE("after a kill the next host takes the socket over") {
  Host host;
  host.start();
  host.process().signal(SIGKILL);
  CHECK(host.process().wait() == 1000 + SIGKILL);
  CHECK(fs::exists(host.socket()));
  host.start();
  CHECK(host.call("host.info").at("process").get<int>() == host.process().pid());
  CHECK(host.stop() == 0);
}

TEST_CASE("two hosts cannot share a socket, and the second says who is there") {
  Host host;
  host.start();
  const Outcome second = run_nexus({"run", "--config", host.config().string()});
  CHECK(second.status == 69);
  CHECK(second.errors.find("process " + std::to_string(host.process().pid())) != std::string::npos);
  CHECK(host.nexus({"stat"}).status == 0);
  CHECK(host.stop() == 0);
}

TEST_CASE("SIGHUP takes over what can be, reports what needs a restart, and survives a broken file") {
  Host host("[log]\nlevel = \"info\"\n[events]\nworker_count = 2\n");
  host.add_plugin(kPlugins / "versioned_1.0.0.so");
  host.start();
  const auto reload = [&](const std::string& config) {
    host.folder().write("nexus.toml", "[host]\ndata_dir = \"data\"\n[control]\nsocket = \"n.sock\"\n" + config);
    host.process().signal(SIGHUP);
  };
  reload("[log]\nlevel = \"debug\"\n[events]\nworker_count = 3\n[plugins.\"test.versioned\".config]\nword = \"new\"\n");
  const std::string worker = host.process().wait_for_error_line("events.worker_count");
  CHECK(worker.find("needs a restart") != std::string::npos);
  // The plugin starts again, with its new config.
  CHECK(host.process().wait_for_error_line("versioned starts").find("\"word\":\"new\"") != std::string::npos);
  CHECK(host.call("log.level").at("level").get<std::string>() == "debug");

  reload("[log]\nlevel = \"verbose\"\n");
  const std::string error = host.process().wait_for_error_line("config_invalid");
  CHECK(error.find("verbose") != std::string::npos);
  CHECK(host.call("log.level").at("level").get<std::string>() == "debug");

  reload("[plugins.\"test.versioned\"]\nenabled = false\n");
  host.process().wait_for_error_line("plugin unloaded");
  CHECK(host.stop() == 0);
}

TEST_CASE("a config that is wrong, or asks for what is not there, is exit status 78 with its place") {
  Host host;
  host.folder().write("nexus.toml", "[events]\nworker_cuont = 4\n");
  const Outcome typo = run_nexus({"run", "--config", host.config().string()});
  CHECK(typo.status == 78);
  CHECK(typo.errors.find("nexus.toml:2:1: error:") != std::string::npos);
  CHECK(typo.errors.find("worker_count") != std::string::npos);
  CHECK(run_nexus({"run", "--check-config", "--config", host.config().string()}).status == 78);
  CHECK(run_nexus({"run", "--config", (host.folder() / "none.toml").string()}).status == 78);
  for (const char* config : {"backend = \"redis\"", "persist_events = true"}) {
    host.folder().write("nexus.toml", std::string("[host]\ndata_dir = \"d\"\n[control]\nsocket = \"n.sock\"\n[events]\n") + config);
    const Outcome refused = run_nexus({"run", "--config", host.config().string()});
    CHECK(refused.status == 78);
    CHECK(refused.errors.find("events.") != std::string::npos);
  }
}

TEST_CASE("a host that cannot have its folder or socket says so and ends") {
  Host host;
  host.folder().write("file", "in the way");
  host.folder().write("nexus.toml", "[host]\ndata_dir = \"file/data\"\n[control]\nsocket = \"n.sock\"\n");
  CHECK(run_nexus({"run", "--config", host.config().string()}).status != 0);
  host.folder().write("nexus.toml",
                      "[host]\ndata_dir = \"data\"\n[control]\nsocket = \"" + std::string(200, 'x') + "\"\n");
  const Outcome outcome = run_nexus({"run", "--config", host.config().string()});
  CHECK(outcome.status == 78);
  CHECK(outcome.errors.find("control.socket") != std::string::npos);
}

TEST_CASE("safe mode loads nothing by itself") {
  Host host;
  host.add_plugin(kPlugins / "versioned_1.0.0.so");
  host.start({"--safe-mode"});
  CHECK(host.call("plugins.list").at("plugins").size() == 0);
  CHECK(host.call("host.info").at("safe_mode").get<bool>());
  CHECK(host.nexus({"plugins", "check", (kPlugins / "versioned_1.0.0.so").string()}).status == 0);
  CHECK(host.stop() == 0);
}
