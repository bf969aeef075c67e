// The real host as a process, and the real command line beside it. A test waits for what it needs to happen (a line of
// the log, a message to the service manager, the end of a process), never for time to pass; minutes without it fail.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nexus/cbor.hpp"

namespace nexus::system_test {

namespace fs = std::filesystem;

#ifdef NEXUS_SANITIZED
inline constexpr std::chrono::seconds kPatience{300};
#else
inline constexpr std::chrono::seconds kPatience{60};
#endif

// A folder that goes with the test.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }
  fs::path operator/(const fs::path& name) const { return path_ / name; }
  void write(const fs::path& name, const std::string& text) const;
  std::string read(const fs::path& name) const;

 private:
  fs::path path_;
};

// A child with pipes. Its output is read line by line.
class Process {
 public:
  // `environment` is added to a short one of the test's own.
  Process(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {});
  ~Process();  // kills it if it still runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  int pid() const { return pid_; }
  void signal(int number) const;
  void write_input(const std::string& text);
  void close_input();
  void close_errors();  // nobody reads them any more
  // Writes all of `text`, closes the input and reads both outputs to their end, all at once: a command that answers
  // while it reads must not wait for a test that only writes. What they said is for rest_of_output() and
  // rest_of_errors().
  void converse(const std::string& text);

  // The first line from here on that holds `text`; fails the test when the stream ends or time runs out.
  std::string wait_for_error_line(const std::string& text);
  std::string wait_for_output_line(const std::string& text);
  // All that came so far and what comes until the end.
  std::string rest_of_output();
  std::string rest_of_errors();
  // Waits for the end: the exit status, or 1000 + the signal that ended it.
  int wait();

 private:
  struct Stream {
    int fd = -1;
    std::string unread;
  };
  std::string wait_for_line(Stream& stream, const std::string& text);
  std::string rest(Stream& stream);
  bool fill(Stream& stream);
  bool read_some(Stream& stream);

  int pid_ = -1;
  int input_ = -1;
  Stream output_, errors_;
  std::optional<int> status_;
};

// What a finished command said.
struct Outcome {
  int status = 0;
  std::string output;
  std::string errors;
};

// A host that runs in a folder of its own: nexus.toml, plugins/, data/, n.sock.
class Host {
 public:
  // `config` is appended to a nexus.toml that names the folders above; `environment` to the variables of the process.
  explicit Host(const std::string& config = {}, std::vector<std::string> environment = {});

  // Copies a plugin's file into the folder by a rename, so that it is never there half-written. Before or after start.
  void add_plugin(const fs::path& file, const std::string& name = {}) const;
  void remove_plugin(const std::string& name) const;

  // Starts it and waits until it is ready.
  void start(const std::vector<std::string>& arguments = {});
  // The same without waiting.
  void launch(const std::vector<std::string>& arguments = {});
  // Waits for a message to the service manager that has this line.
  void wait_for_notice(const std::string& line);
  // SIGTERM and the end of it: the exit status.
  int stop();

  Process& process() { return *process_; }
  const Folder& folder() const { return folder_; }
  fs::path socket() const { return folder_ / "n.sock"; }
  fs::path config() const { return folder_ / "nexus.toml"; }

  // `nexus ARGUMENTS --socket …`, with this input.
  Outcome nexus(std::vector<std::string> arguments, const std::string& input = {}) const;
  // A command that goes on running.
  std::unique_ptr<Process> begin(std::vector<std::string> arguments) const;
  // The result of a control method.
  cbor::Value call(const std::string& method, const cbor::Value& params = {}) const;
  // Asks for stat until the condition holds.
  template <class Condition>
  cbor::Value wait_for_stat(Condition condition) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      cbor::Value stat = call("stat");
      if (condition(stat) || std::chrono::steady_clock::now() > deadline) return stat;
    }
  }

 private:
  Folder folder_;
  const std::vector<std::string> environment_;
  int notify_ = -1;
  std::unique_ptr<Process> process_;
};

// The command line without a host.
Outcome run_nexus(const std::vector<std::string>& arguments, const std::string& input = {},
                  const std::vector<std::string>& environment = {});

// The lines of a text that are not empty.
std::vector<std::string> lines_of(const std::string& text);

}  // namespace nexus::system_test
