#include "tests/bench/driver/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

extern char** environ;

namespace nexus::bench {
namespace {

// Two ends of a pipe; the child gets the writing one as `target`.
class Pipe {
 public:
  bool open() { return pipe2(ends_, O_CLOEXEC) == 0; }
  ~Pipe() {
    close_writing();
    if (ends_[0] >= 0) close(ends_[0]);
  }
  void give(posix_spawn_file_actions_t& actions, int target) const {
    posix_spawn_file_actions_adddup2(&actions, ends_[1], target);
  }
  void close_writing() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }
  int reading() const { return ends_[0]; }

 private:
  int ends_[2] = {-1, -1};
};

// Reads both until their other ends close; false when the time is over.
bool read_all(const Pipe& out, const Pipe& err, ChildResult& result, std::chrono::steady_clock::time_point deadline) {
  pollfd waiting[2] = {{out.reading(), POLLIN, 0}, {err.reading(), POLLIN, 0}};
  std::string* const texts[2] = {&result.output, &result.errors};
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    if (poll(waiting, 2, static_cast<int>(left.count())) <= 0) continue;
    for (size_t i = 0; i < 2; ++i) {
      if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t size = read(waiting[i].fd, buffer, sizeof buffer);
      if (size > 0)
        texts[i]->append(buffer, static_cast<size_t>(size));
      else if (size == 0 || errno != EINTR)
        waiting[i].fd = -1;
    }
  }
  return true;
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const size_t begin = text.rfind('\n');
  return begin == std::string::npos ? text : text.substr(begin + 1);
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& command, std::chrono::seconds timeout) {
  ChildResult result;
  Pipe out, err;
  if (!out.open() || !err.open()) return {{}, {}, std::string("no pipe: ") + std::strerror(errno)};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  out.give(actions, STDOUT_FILENO);
  err.give(actions, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int code = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  out.close_writing();
  err.close_writing();
  if (code != 0) return {{}, {}, command[0].substr(command[0].rfind('/') + 1) + ": " + std::strerror(code)};
  const bool ended = read_all(out, err, result, std::chrono::steady_clock::now() + timeout);
  if (!ended) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended)
    result.failure = "it did not end within " + std::to_string(timeout.count()) + " s";
  else if (WIFSIGNALED(status))
    result.failure = std::string("it died: ") + strsignal(WTERMSIG(status));
  else if (WEXITSTATUS(status) != 0)
    result.failure = last_line(result.errors);
  if (!ended || status != 0)
    if (result.failure.empty()) result.failure = "it ended with " + std::to_string(WEXITSTATUS(status));
  return result;
}

}  // namespace nexus::bench
