#include "host/base/os/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "host/base/os/file_check.hpp"
#include "host/base/os/unique_fd.hpp"

extern char** environ;

namespace nexus::host::os {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kErrorBytesMax = 4096;
constexpr int kPollWithoutPidfdMs = 5;

// A plugin's constructors run in this environment before the file is trusted, so secrets stay out of it; what the
// loader and the sanitizers read stays in.
bool passed_on(std::string_view variable) {
  constexpr std::array<std::string_view, 16> kPrefixes = {
      "PATH=",   "HOME=",        "TMPDIR=",       "LANG=",          "LC_",           "LD_LIBRARY_PATH=", "TZ=",     "USER=",
      "MALLOC_", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",   "LSAN_OPTIONS",  "GLIBC_TUNABLES",   "GCOV_",   "LLVM_PROFILE_"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return variable.substr(0, prefix.size()) == prefix; });
}

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

// The write end is moved above the low numbers, so that the child's dup2 calls cannot tread on each other.
Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return make_error(NEXUS_E_IO, "cannot make a pipe: " + errno_text(errno));
  Pipe made{UniqueFd(ends[0]), UniqueFd(ends[1])};
  UniqueFd high(::fcntl(made.write.get(), F_DUPFD_CLOEXEC, kChildResultFd + 1));
  if (!high) return make_error(NEXUS_E_IO, "cannot make a pipe: " + errno_text(errno));
  made.write = std::move(high);
  if (::fcntl(made.read.get(), F_SETFL, O_NONBLOCK) != 0) {
    return make_error(NEXUS_E_IO, "cannot make a pipe: " + errno_text(errno));
  }
  return made;
}

class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  // 0, or an errno.
  int run(const ChildSpec& spec, int result_fd, int error_fd, pid_t* pid) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = 0;
    auto step = [&](int code) {
      if (error == 0) error = code;
    };
    step(::posix_spawnattr_setsigmask(&attributes_, &none));
    step(::posix_spawnattr_setsigdefault(&attributes_, &all));
    step(::posix_spawnattr_setpgroup(&attributes_, 0));
    step(::posix_spawnattr_setflags(&attributes_,
                                    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
    step(::posix_spawn_file_actions_adddup2(&actions_, result_fd, kChildResultFd));
    step(::posix_spawn_file_actions_adddup2(&actions_, error_fd, STDERR_FILENO));
    step(::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
    step(::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0));
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
    step(::posix_spawn_file_actions_addclosefrom_np(&actions_, kChildResultFd + 1));
#endif
#endif
    if (error != 0) return error;

    std::vector<std::string> words = {spec.program.string()};
    words.insert(words.end(), spec.arguments.begin(), spec.arguments.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<char*> environment;
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
      if (passed_on(*variable)) environment.push_back(*variable);
    }
    environment.push_back(nullptr);
    return ::posix_spawn(pid, spec.program.c_str(), &actions_, &attributes_, arguments.data(), environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

class Child {
 public:
  // Starts the child; where that fails, it has ended at once and `result` says why.
  Child(size_t index, const ChildSpec& spec) : index_(index), spec_(spec), started_(Clock::now()) {
    Result<Pipe> answer = make_pipe();
    Result<Pipe> errors = make_pipe();
    if (!answer || !errors) {
      result_.error = !answer ? answer.error() : errors.error();
      return;
    }
    SpawnPlan plan;
    const int error = plan.run(spec, answer->write.get(), errors->write.get(), &pid_);
    if (error != 0) {
      pid_ = -1;
      result_.error = make_error(NEXUS_E_IO, "cannot run " + spec.program.string() + ": " + errno_text(error));
      return;
    }
    answer_ = std::move(answer->read);
    errors_ = std::move(errors->read);
#if defined(SYS_pidfd_open)
    pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
#endif
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) finish(ChildResult::End::timed_out);
  }

  size_t index() const { return index_; }
  bool ended() const { return pid_ <= 0; }
  Clock::time_point deadline() const { return started_ + spec_.timeout; }
  bool has_pidfd() const { return static_cast<bool>(pidfd_); }
  ChildResult take_result() { return std::move(result_); }

  void add_to(std::vector<pollfd>& set) const {
    if (answer_) set.push_back({answer_.get(), POLLIN, 0});
    if (errors_) set.push_back({errors_.get(), POLLIN, 0});
    if (pidfd_) set.push_back({pidfd_.get(), POLLIN, 0});
  }

  // Reads what is there, and looks whether it has ended or must be ended.
  void advance(Clock::time_point now) {
    drain();
    if (result_.result.size() > spec_.result_bytes_max) return finish(ChildResult::End::too_much);
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
      if (errno == ECHILD) return lost();
    } else if (info.si_pid == pid_) {
      return finish(info.si_code == CLD_EXITED ? ChildResult::End::exited : ChildResult::End::signalled);
    }
    if (now >= deadline()) finish(ChildResult::End::timed_out);
  }

 private:
  static void read_all(UniqueFd& fd, std::string& into, size_t limit) {
    std::array<char, 16384> buffer;
    while (fd && into.size() <= limit) {
      const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return;
      if (got == 0) return fd.reset();
      into.append(buffer.data(), static_cast<size_t>(got));
    }
  }

  void drain() {
    read_all(answer_, result_.result, spec_.result_bytes_max);
    // Bounded per turn, so that a child which floods its stderr cannot hold this loop.
    read_all(errors_, result_.errors, 16 * kErrorBytesMax);
    if (result_.errors.size() > kErrorBytesMax) result_.errors.erase(0, result_.errors.size() - kErrorBytesMax);
  }

  // Somebody else reaped it (SIGCHLD is ignored in this process): its number may be another process's by now.
  void lost() {
    drain();
    pid_ = -1;
    result_.error = make_error(NEXUS_E_INTERNAL, "the end of the child process was taken by another part of the host");
  }

  // The group is killed while its leader is a zombie at most: until it is reaped, nobody else can have its number.
  void finish(ChildResult::End how) {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    drain();
    result_.end = how;
    if (how == ChildResult::End::exited) result_.status = WEXITSTATUS(status);
    if (how == ChildResult::End::signalled) result_.status = WTERMSIG(status);
    result_.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started_);
    answer_.reset();
    errors_.reset();
    pidfd_.reset();
  }

  size_t index_;
  const ChildSpec& spec_;
  Clock::time_point started_;
  pid_t pid_ = -1;
  UniqueFd answer_;
  UniqueFd errors_;
  UniqueFd pidfd_;
  ChildResult result_;
};

int wait_ms(const std::vector<std::unique_ptr<Child>>& running, Clock::time_point now) {
  std::chrono::milliseconds wait{60'000};
  for (const auto& child : running) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(child->deadline() - now);
    wait = std::min(wait, left + std::chrono::milliseconds(1));
    if (!child->has_pidfd()) wait = std::min(wait, std::chrono::milliseconds(kPollWithoutPidfdMs));
  }
  return static_cast<int>(std::max<int64_t>(0, wait.count()));
}

}  // namespace

void run_children(const std::vector<ChildSpec>& specs, unsigned parallel_max,
                  const std::function<void(size_t, ChildResult)>& done) {
  std::vector<std::unique_ptr<Child>> running;
  std::vector<pollfd> set;
  size_t next = 0;
  while (next < specs.size() || !running.empty()) {
    while (next < specs.size() && running.size() < std::max(1u, parallel_max)) {
      running.push_back(std::make_unique<Child>(next, specs[next]));
      ++next;
    }
    set.clear();
    const bool waiting = std::none_of(running.begin(), running.end(), [](const auto& child) { return child->ended(); });
    for (const auto& child : running) child->add_to(set);
    if (waiting) ::poll(set.data(), set.size(), wait_ms(running, Clock::now()));

    const Clock::time_point now = Clock::now();
    for (auto& child : running) {
      if (!child->ended()) child->advance(now);
    }
    for (size_t i = 0; i < running.size();) {
      if (!running[i]->ended()) {
        ++i;
        continue;
      }
      const std::unique_ptr<Child> ended = std::move(running[i]);
      running.erase(running.begin() + static_cast<ptrdiff_t>(i));
      done(ended->index(), ended->take_result());
    }
  }
}

ChildResult run_child(const ChildSpec& spec) {
  ChildResult out;
  run_children({spec}, 1, [&](size_t, ChildResult result) { out = std::move(result); });
  return out;
}

std::string signal_text(int signal) {
  const char* name = nullptr;
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 32)
  name = ::sigabbrev_np(signal);
#endif
#endif
  const char* text = ::strsignal(signal);
  const std::string label = name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
  return text != nullptr ? label + " (" + text + ")" : label;
}

void confine_this_child(const ChildLimits& limits) {
  auto limit = [](auto what, rlim_t value) {
    rlimit current{};
    if (::getrlimit(what, &current) != 0) return;
    value = std::min(value, current.rlim_max);
    const rlimit wanted{value, value};
    ::setrlimit(what, &wanted);
  };
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, limits.cpu_seconds);
  limit(RLIMIT_FSIZE, limits.file_bytes);
  limit(RLIMIT_NOFILE, limits.descriptors);
#if !defined(NEXUS_SANITIZED)
  limit(RLIMIT_AS, limits.memory_bytes);
#endif
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

}  // namespace nexus::host::os
