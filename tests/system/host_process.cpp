#include "tests/system/host_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "host/control/client.hpp"

namespace nexus::system_test {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }
[[noreturn]] void fail_errno(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

int milliseconds_left(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail_errno("pipe");
    read = ends[0];
    write = ends[1];
  }
};

}  // namespace

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "nexus-system-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) fail_errno(name);
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Folder::write(const fs::path& name, const std::string& text) const { std::ofstream(path_ / name) << text; }

std::string Folder::read(const fs::path& name) const {
  std::ifstream file(path_ / name);
  return {std::istreambuf_iterator<char>(file), {}};
}

// ---- Process ------------------------------------------------------------------------------------------------------

Process::Process(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
  const Pipe in, out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write, 2);
  std::vector<std::string> variables = environment;
  for (const char* name : {"PATH", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"})
    if (const char* value = ::getenv(name)) variables.push_back(std::string(name) + "=" + value);
  std::vector<char*> argv, envp;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  for (const std::string& variable : variables) envp.push_back(const_cast<char*>(variable.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  // A test must not die of a child that has ended; the child gets the usual behaviour back.
  ::signal(SIGPIPE, SIG_IGN);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const int failed = ::posix_spawn(&pid_, argv[0], &actions, &attributes, argv.data(), envp.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  for (const int fd : {in.read, out.write, err.write}) ::close(fd);
  input_ = in.write;
  output_.fd = out.read;
  errors_.fd = err.read;
  if (failed != 0) fail(arguments[0] + ": " + std::generic_category().message(failed));
}

Process::~Process() {
  if (!status_) {
    ::kill(pid_, SIGKILL);
    ::kill(pid_, SIGCONT);
    ::waitpid(pid_, nullptr, 0);
  }
  close_input();
  ::close(output_.fd);
  close_errors();
}

void Process::signal(int number) const {
  if (::kill(pid_, number) != 0) fail_errno("kill");
}

void Process::write_input(const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t size = ::write(input_, text.data() + at, text.size() - at);
    if (size < 0 && errno == EPIPE) return;  // it has ended: its status tells
    if (size < 0) fail_errno("write to the child");
    at += static_cast<size_t>(size);
  }
}

void Process::close_input() {
  if (input_ >= 0) ::close(input_);
  input_ = -1;
}

void Process::close_errors() {
  if (errors_.fd >= 0) ::close(errors_.fd);
  errors_.fd = -1;
}

void Process::converse(const std::string& text) {
  // Else a write of more than the pipe holds waits, although the pipe has room.
  if (::fcntl(input_, F_SETFL, O_NONBLOCK) != 0) fail_errno("fcntl");
  size_t at = 0;
  bool output_open = true, errors_open = true;
  while (output_open || errors_open) {
    if (input_ >= 0 && at == text.size()) close_input();
    // poll passes a negative descriptor over.
    pollfd wanted[] = {
        {input_, POLLOUT, 0}, {output_open ? output_.fd : -1, POLLIN, 0}, {errors_open ? errors_.fd : -1, POLLIN, 0}};
    if (::poll(wanted, std::size(wanted), static_cast<int>(std::chrono::milliseconds(kPatience).count())) <= 0)
      fail("nothing moved in time; so far: " + output_.unread + errors_.unread);
    if (wanted[0].revents != 0) {
      const ssize_t size = ::write(input_, text.data() + at, text.size() - at);
      if (size >= 0) at += static_cast<size_t>(size);
      if (size < 0 && errno == EPIPE) at = text.size();  // it reads no more: its status tells
    }
    if (wanted[1].revents != 0) output_open = read_some(output_);
    if (wanted[2].revents != 0) errors_open = read_some(errors_);
  }
}

bool Process::fill(Stream& stream) {
  pollfd wanted{stream.fd, POLLIN, 0};
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  if (::poll(&wanted, 1, milliseconds_left(deadline)) <= 0) fail("nothing came in time; so far: " + stream.unread);
  return read_some(stream);
}

bool Process::read_some(Stream& stream) {
  char bytes[65536];
  const ssize_t size = ::read(stream.fd, bytes, sizeof bytes);
  if (size < 0) fail_errno("read from the child");
  stream.unread.append(bytes, static_cast<size_t>(size));
  return size != 0;
}

std::string Process::wait_for_line(Stream& stream, const std::string& text) {
  std::string seen;
  for (;;) {
    const size_t end = stream.unread.find('\n');
    if (end == std::string::npos) {
      if (!fill(stream)) fail("the stream ended before '" + text + "'; it said: " + seen + stream.unread);
      continue;
    }
    const std::string line = stream.unread.substr(0, end);
    stream.unread.erase(0, end + 1);
    if (line.find(text) != std::string::npos) return line;
    seen += line + "\n";
  }
}

std::string Process::wait_for_error_line(const std::string& text) { return wait_for_line(errors_, text); }
std::string Process::wait_for_output_line(const std::string& text) { return wait_for_line(output_, text); }

std::string Process::rest(Stream& stream) {
  while (fill(stream)) {
  }
  return std::move(stream.unread);
}

std::string Process::rest_of_output() { return rest(output_); }
std::string Process::rest_of_errors() { return rest(errors_); }

int Process::wait() {
  if (status_) return *status_;
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) fail_errno("waitpid");
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  return *status_;
}

// ---- Host ---------------------------------------------------------------------------------------------------------

Host::Host(const std::string& config, std::vector<std::string> environment) : environment_(std::move(environment)) {
  fs::create_directory(folder_ / "plugins");
  folder_.write("nexus.toml", "[host]\ndata_dir = \"data\"\n[control]\nsocket = \"n.sock\"\n" + config + "\n");
  notify_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (folder_ / "notify").c_str(), sizeof address.sun_path - 1);
  if (::bind(notify_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail_errno("bind");
}

void Host::add_plugin(const fs::path& file, const std::string& name) const {
  const fs::path target = folder_ / "plugins" / (name.empty() ? file.filename().string() : name);
  const fs::path temporary = folder_ / "copying";
  fs::copy_file(file, temporary, fs::copy_options::overwrite_existing);
  fs::permissions(temporary, fs::perms::owner_read | fs::perms::owner_write);
  fs::rename(temporary, target);
}

void Host::remove_plugin(const std::string& name) const { fs::remove(folder_ / "plugins" / name); }

void Host::launch(const std::vector<std::string>& arguments) {
  std::vector<std::string> all{NEXUS_PROGRAM, "run", "--config", config().string()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = environment_;
  environment.push_back("NOTIFY_SOCKET=" + (folder_ / "notify").string());
  environment.push_back("HOME=" + folder_.path().string());
  process_ = std::make_unique<Process>(all, environment);
}

void Host::start(const std::vector<std::string>& arguments) {
  launch(arguments);
  wait_for_notice("READY=1");
}

void Host::wait_for_notice(const std::string& line) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    pollfd wanted{notify_, POLLIN, 0};
    if (::poll(&wanted, 1, milliseconds_left(deadline)) <= 0) fail("no notice '" + line + "' came in time");
    char bytes[4096];
    const ssize_t size = ::recv(notify_, bytes, sizeof bytes, 0);
    if (size < 0) fail_errno("recv");
    for (const std::string& said : lines_of(std::string(bytes, static_cast<size_t>(size))))
      if (said == line) return;
  }
}

int Host::stop() {
  process_->signal(SIGTERM);
  return process_->wait();
}

Outcome Host::nexus(std::vector<std::string> arguments, const std::string& input) const {
  arguments.insert(arguments.end(), {"--socket", socket().string()});
  return run_nexus(arguments, input);
}

std::unique_ptr<Process> Host::begin(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), NEXUS_PROGRAM);
  arguments.insert(arguments.end(), {"--socket", socket().string()});
  return std::make_unique<Process>(arguments);
}

cbor::Value Host::call(const std::string& method, const cbor::Value& params) const {
  auto client = host::Client::connect(socket());
  if (!client) fail(client.error().message);
  auto answer = client->call(method, params);
  if (!answer) fail(method + ": " + answer.error().message);
  return std::move(answer.value());
}

Outcome run_nexus(const std::vector<std::string>& arguments, const std::string& input,
                  const std::vector<std::string>& environment) {
  std::vector<std::string> all{NEXUS_PROGRAM};
  all.insert(all.end(), arguments.begin(), arguments.end());
  Process process(all, environment);
  process.converse(input);
  Outcome outcome;
  outcome.output = process.rest_of_output();
  outcome.errors = process.rest_of_errors();
  outcome.status = process.wait();
  return outcome;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

}  // namespace nexus::system_test
