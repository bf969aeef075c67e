// Runs short-lived helper processes to their end, several at a time, and never longer than allowed. A child gets
// nothing of this process but what its spec names: stdin and stdout are /dev/null, descriptor kChildResultFd is a pipe
// for its answer, stderr is kept for the report, every other descriptor is closed, and the environment is a short list
// of variables. POSIX (posix_spawn, since a threaded process must not fork); any thread, and the caller waits.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"

namespace nexus::host::os {

inline constexpr int kChildResultFd = 3;

struct ChildSpec {
  std::filesystem::path program;
  std::vector<std::string> arguments;  // without the program's own name
  std::chrono::milliseconds timeout{5000};
  size_t result_bytes_max = size_t{1} << 20;
};

struct ChildResult {
  enum class End {
    exited,      // `status` is its exit status
    signalled,   // `status` is the signal
    timed_out,   // killed, with all that it had started
    too_much,    // killed, because its answer was longer than allowed
    not_started  // `error` says why
  };
  End end = End::not_started;
  int status = 0;
  std::string result;  // what it wrote to kChildResultFd
  std::string errors;  // the last few kilobytes of its stderr
  Error error;         // with not_started
  std::chrono::microseconds elapsed{0};
};

// Runs each spec and calls `done(index, result)` as it ends, in any order, on this thread. At most `parallel_max` run at
// once. Each child leads a process group of its own, which is killed when the child has ended or is out of time, so
// that nothing it started outlives it.
void run_children(const std::vector<ChildSpec>& specs, unsigned parallel_max,
                  const std::function<void(size_t, ChildResult)>& done);

ChildResult run_child(const ChildSpec& spec);

// "SIGSEGV (Segmentation fault)".
std::string signal_text(int signal);

struct ChildLimits {
  unsigned cpu_seconds = 60;
  uint64_t memory_bytes = uint64_t{8} << 30;  // address space; not set under sanitizers, which reserve terabytes
  uint64_t file_bytes = uint64_t{16} << 20;   // of a file that it writes
  unsigned descriptors = 256;
};

// For the child itself, before it does anything dangerous: resource limits, no core dump, no new privileges, and death
// when the parent dies. A limit that the system refuses is left as it is.
void confine_this_child(const ChildLimits& limits);

}  // namespace nexus::host::os
