// nexus_bench_host: measures the real host as a process, each figure by what an operator would see.
//   --start   milliseconds from fork until the host, with ten plugins to load, says READY to the service manager
//   --load    milliseconds to take one plugin file in: checks, copy, probe in a child, mapping, create and start
//   --idle    percent of a core, and megabytes of resident memory, of a host that has nothing to do
// Prints one figure a line.
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "host/plugin/gate.hpp"
#include "tests/bench/bus/rig.hpp"
#include "tests/bench/command_line.hpp"

extern char** environ;

namespace nexus::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kPlugins = 10;
constexpr auto kReadyMax = std::chrono::seconds(30);
constexpr auto kIdle = std::chrono::seconds(3);

double ms_since(Clock::time_point began) {
  return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

// A folder of this run's own, gone with it.
class Scratch {
 public:
  Scratch() : path_(fs::temp_directory_path() / ("nexus-bench-host." + std::to_string(getpid()))) {
    fs::create_directories(path_);
    fs::permissions(path_, fs::perms::owner_all);
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  const fs::path path_;
};

// Where READY=1 arrives.
class NotifySocket {
 public:
  explicit NotifySocket(const fs::path& file) : descriptor_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, file.c_str(), sizeof address.sun_path - 1);
    if (descriptor_ < 0 || bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      die(std::string("no socket for READY: ") + std::strerror(errno));
    const timeval limit{.tv_sec = kReadyMax.count(), .tv_usec = 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~NotifySocket() { close(descriptor_); }
  void wait_until_ready() {
    char text[1024];
    for (;;) {
      const ssize_t size = recv(descriptor_, text, sizeof text, 0);
      if (size <= 0) die("the host did not say READY");
      if (std::string(text, static_cast<size_t>(size)).find("READY=1") != std::string::npos) return;
    }
  }

 private:
  const int descriptor_;
};

class HostProcess {
 public:
  // `plugins` holds the files that the host shall load.
  HostProcess(const fs::path& program, const Scratch& scratch, const fs::path& plugins) {
    const fs::path config = scratch.path() / "nexus.toml", socket_file = scratch.path() / "ready.sock";
    std::ofstream(config) << "[host]\ndata_dir = \"" << (scratch.path() / "data").string()
                          << "\"\n[control]\nsocket = \"" << (scratch.path() / "nexus.sock").string()
                          << "\"\n[log]\nfile = \"" << (scratch.path() / "log").string()
                          << "\"\n[plugins]\ndirectory = \"" << plugins.string() << "\"\n";
    NotifySocket ready(socket_file);
    const std::string variable = "NOTIFY_SOCKET=" + socket_file.string();
    std::vector<char*> environment;
    for (char** entry = environ; *entry != nullptr; ++entry)
      if (std::strncmp(*entry, "NOTIFY_SOCKET=", 14) != 0) environment.push_back(*entry);
    environment.push_back(const_cast<char*>(variable.c_str()));
    environment.push_back(nullptr);
    const std::vector<std::string> words = {program.string(), "run", "--config", config.string()};
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const auto began = Clock::now();
    if (posix_spawn(&process_, arguments[0], nullptr, nullptr, arguments.data(), environment.data()) != 0)
      die("cannot start " + program.string());
    ready.wait_until_ready();
    start_ms_ = ms_since(began);
  }
  ~HostProcess() {
    kill(process_, SIGTERM);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  double start_ms() const { return start_ms_; }

  double cpu_seconds() const {
    std::ifstream file("/proc/" + std::to_string(process_) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    // The fields after the name, which may hold blanks; utime and stime are the 12th and 13th of them.
    text.erase(0, text.rfind(')') + 2);
    unsigned long user = 0, system = 0;
    if (std::sscanf(text.c_str(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
      die("cannot read the host's processor time");
    return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  double resident_mb() const {
    std::ifstream file("/proc/" + std::to_string(process_) + "/status");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
    die("cannot read the host's memory");
  }

 private:
  pid_t process_ = 0;
  double start_ms_ = 0;
};

// Ten different plugins: those of the tree, and those of this benchmark.
void fill(const fs::path& folder, const std::vector<fs::path>& sources) {
  fs::create_directories(folder);
  fs::permissions(folder, fs::perms::owner_all);
  int count = 0;
  for (const fs::path& source : sources)
    for (const auto& entry : fs::directory_iterator(source))
      if (entry.path().extension() == ".so" && count < kPlugins) {
        fs::copy_file(entry.path(), folder / entry.path().filename());
        ++count;
      }
  if (count < kPlugins) die("there are fewer than ten plugins to load");
}

double load_ms(const fs::path& program, const Scratch& scratch, const fs::path& file) {
  Rig rig({.ticks = false}, file.parent_path());
  host::GateOptions options;
  options.private_folder = scratch.path() / "private";
  options.probe.program = program;
  auto gate = host::LoadGate::create(std::move(options));
  if (!gate) die(gate.error().message);
  const auto began = Clock::now();
  const auto passed = gate.value()->pass(file);
  if (!passed) die(passed.error().message);
  rig.load_file(passed.value().copy.path(), passed.value().module.id);
  return ms_since(began);
}

void print(double value) { std::printf("%.3f\n", value); }

void run(const std::string& what, const fs::path& bin) {
  const fs::path program = bin / "nexus", plugins = bin.parent_path() / "plugins";
  const Scratch scratch;
  if (what == "--load") {
    fs::create_directories(scratch.path() / "from");
    fs::permissions(scratch.path() / "from", fs::perms::owner_all);
    fs::copy_file(plugins / "hello.so", scratch.path() / "from" / "hello.so");
    print(load_ms(program, scratch, scratch.path() / "from" / "hello.so"));
    return;
  }
  fill(scratch.path() / "plugins", {plugins, bin / "bench_plugins"});
  const HostProcess host(program, scratch, scratch.path() / "plugins");
  if (what == "--start") {
    print(host.start_ms());
    return;
  }
  if (what != "--idle") die("what to measure: --start, --load or --idle");
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const double before = host.cpu_seconds();
  std::this_thread::sleep_for(kIdle);
  print((host.cpu_seconds() - before) / static_cast<double>(kIdle.count()) * 100);
  print(host.resident_mb());
}

}  // namespace
}  // namespace nexus::bench

int main(int argc, char** argv) {
  if (argc != 2) nexus::bench::die("what to measure: --start, --load or --idle");
  nexus::bench::run(argv[1], std::filesystem::read_symlink("/proc/self/exe").parent_path());
}
