// The log as a whole: files, pipes that nobody reads, levels, scopes, limits.
#include "host/base/log.hpp"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/host/log/json_check.hpp"

using namespace nexus::host;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// A folder of one's own, and a log that is put back to how it was.
class LogFolder {
 public:
  LogFolder() {
    char name[] = "/tmp/nexus-log-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~LogFolder() {
    log::shutdown(1s);
    log::set_level(log::Level::info);
    fs::remove_all(path_);
  }
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

log::Options to_file(const fs::path& path) {
  log::Options out;
  out.file = path.string();
  return out;
}

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() { REQUIRE(::pipe2(ends, O_CLOEXEC) == 0); }
  ~Pipe() {
    close_reader();
    close_writer();
  }
  // For a log that hangs on it: the number must not become another file's.
  void keep_writer_open() { ends[1] = -1; }
  // Nothing more can be written until somebody reads.
  void fill() {
    const int flags = ::fcntl(ends[1], F_GETFL);
    REQUIRE(::fcntl(ends[1], F_SETFL, flags | O_NONBLOCK) == 0);
    const std::string block(4096, '.');
    while (::write(ends[1], block.data(), block.size()) > 0) {
    }
    REQUIRE(::fcntl(ends[1], F_SETFL, flags) == 0);
  }
  void close_reader() {
    if (ends[0] >= 0) ::close(ends[0]);
    ends[0] = -1;
  }
  void close_writer() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
};

}  // namespace

TEST_CASE("a file gets JSON lines, in order, with a mode that keeps others out") {
  const LogFolder folder;
  REQUIRE(log::init(to_file(folder / "a.log")));
  for (int i = 0; i < 500; ++i) log::info("line", {{"i", i}});
  REQUIRE(log::flush(5s));
  const auto written = lines(content(folder / "a.log"));
  REQUIRE(written.size() == 500);
  for (std::size_t i = 0; i < written.size(); ++i) {
    CHECK(log::is_json(written[i]));
    CHECK(written[i].find("\"i\":" + std::to_string(i) + "}") != std::string::npos);
  }
  struct stat info {};
  REQUIRE(::stat((folder / "a.log").c_str(), &info) == 0);
  CHECK((info.st_mode & 07) == 0);
  CHECK(log::dropped_lines() == 0);
}

TEST_CASE("a file is appended to, and opened anew when it was moved away") {
  const LogFolder folder;
  std::ofstream(folder / "a.log") << "before\n";
  REQUIRE(log::init(to_file(folder / "a.log")));
  log::info("first");
  REQUIRE(log::flush(5s));
  fs::rename(folder / "a.log", folder / "a.log.1");
  REQUIRE(log::reopen());
  log::info("second");
  REQUIRE(log::flush(5s));
  CHECK(lines(content(folder / "a.log.1")).size() == 2);
  const auto fresh = lines(content(folder / "a.log"));
  REQUIRE(fresh.size() == 1);
  CHECK(fresh[0].find("second") != std::string::npos);
}

TEST_CASE("a file that cannot be opened is an error, and the log goes on as it was") {
  const LogFolder folder;
  REQUIRE(log::init(to_file(folder / "a.log")));
  const auto failed = log::init(to_file(folder / "missing/a.log"));
  REQUIRE(failed.has_error());
  CHECK(failed.error().code == NEXUS_E_IO);
  CHECK(failed.error().message.find("missing/a.log") != std::string::npos);
  log::info("still here");
  REQUIRE(log::flush(5s));
  CHECK(content(folder / "a.log").find("still here") != std::string::npos);
}

TEST_CASE("levels hold back what is below them, and can be changed while it runs") {
  const LogFolder folder;
  log::Options options = to_file(folder / "a.log");
  options.level = log::Level::warn;
  REQUIRE(log::init(options));
  CHECK(log::level() == log::Level::warn);
  CHECK_FALSE(log::enabled(log::Level::info));
  log::info("no");
  log::warn("yes-1");
  log::set_level(log::Level::trace);
  log::trace("yes-2");
  log::set_level(log::Level::off);
  log::error("no");
  log::write(log::Level::off, "no");
  REQUIRE(log::flush(5s));
  CHECK(lines(content(folder / "a.log")).size() == 2);
}

TEST_CASE("levels and formats have words") {
  for (const log::Level level :
       {log::Level::trace, log::Level::debug, log::Level::info, log::Level::warn, log::Level::error, log::Level::off}) {
    log::Level parsed = log::Level::off;
    CHECK(log::parse_level(log::level_name(level), parsed));
    CHECK(parsed == level);
  }
  log::Level level = log::Level::info;
  CHECK_FALSE(log::parse_level("loud", level));
  CHECK_FALSE(log::parse_level("", level));
  CHECK(level == log::Level::info);
  log::Format format = log::Format::text;
  CHECK(log::parse_format("json", format));
  CHECK(format == log::Format::json);
  CHECK_FALSE(log::parse_format("xml", format));
}

TEST_CASE("a scope gives its ids to every line of its thread, and only there") {
  const LogFolder folder;
  REQUIRE(log::init(to_file(folder / "a.log")));
  log::Context outer;
  outer.plugin = "com.example.outer";
  log::Context inner;
  inner.plugin = "com.example.inner";
  {
    const log::Scope first(outer);
    log::info("one");
    {
      const log::Scope second(inner);
      log::info("two");
    }
    log::info("three");
    std::thread([] { log::info("four"); }).join();
  }
  log::info("five");
  log::write(log::Level::info, inner, "six");
  REQUIRE(log::flush(5s));
  const auto written = lines(content(folder / "a.log"));
  REQUIRE(written.size() == 6);
  const auto has = [&](std::size_t line, const char* text) { return written[line].find(text) != std::string::npos; };
  CHECK(has(0, "com.example.outer"));
  CHECK(has(1, "com.example.inner"));
  CHECK(has(2, "com.example.outer"));
  CHECK_FALSE(has(3, "plugin"));
  CHECK_FALSE(has(4, "plugin"));
  CHECK(has(5, "com.example.inner"));
}

TEST_CASE("lines of many threads are whole") {
  const LogFolder folder;
  log::Options options = to_file(folder / "a.log");
  options.queue_lines = 20'000;
  REQUIRE(log::init(options));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 1000; ++i) log::info("line", {{"thread", t}, {"i", i}, {"text", std::string(200, 'x')}});
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(log::flush(10s));
  const auto written = lines(content(folder / "a.log"));
  CHECK(written.size() == 4000);
  for (const auto& line : written) REQUIRE(log::is_json(line));
}

TEST_CASE("an output that nobody reads does not hold up who logs") {
  Pipe pipe;
  pipe.fill();
  const LogFolder folder;
  log::Options options;
  options.descriptor = pipe.ends[1];
  options.queue_lines = 64;
  REQUIRE(log::init(options));
  const uint64_t dropped_before = log::dropped_lines();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20'000; ++i) log::info("nobody reads this", {{"i", i}});
  // Waiting for the reader would take two seconds a line.
  CHECK(std::chrono::steady_clock::now() - begin < 10s);
  CHECK(log::dropped_lines() > dropped_before);
  CHECK_FALSE(log::flush(1ms));
  log::shutdown(1ms);
  pipe.keep_writer_open();
}

TEST_CASE("a reader that comes back is told how much it missed") {
  Pipe pipe;
  const LogFolder folder;
  log::Options options;
  options.descriptor = pipe.ends[1];
  options.queue_lines = 16;
  REQUIRE(log::init(options));
  for (int i = 0; i < 5000; ++i) log::info("line", {{"i", i}, {"text", std::string(500, 'x')}});
  std::string seen;
  std::promise<void> told;
  std::thread reader([&] {
    char buffer[4096];
    bool waited_for = true;
    // To the end, so that the log is never left with a line that it cannot write.
    for (ssize_t count = 1; count > 0; count = ::read(pipe.ends[0], buffer, sizeof buffer)) {
      seen.append(buffer, static_cast<std::size_t>(count));
      if (!waited_for || seen.find("log lines were lost") == std::string::npos) continue;
      told.set_value();
      waited_for = false;
    }
  });
  CHECK(told.get_future().wait_for(60s) == std::future_status::ready);
  log::shutdown(60s);
  pipe.close_writer();
  reader.join();
  CHECK(seen.find("\"message\":\"log lines were lost: the output is too slow\",\"lines\":") != std::string::npos);
}

TEST_CASE("an output that is gone is no end of the host") {
  Pipe pipe;
  const LogFolder folder;
  ::signal(SIGPIPE, SIG_IGN);
  log::Options options;
  options.descriptor = pipe.ends[1];
  REQUIRE(log::init(options));
  pipe.close_reader();
  const uint64_t dropped_before = log::dropped_lines();
  for (int i = 0; i < 10; ++i) log::info("to nobody");
  CHECK(log::flush(5s));
  CHECK(log::dropped_lines() >= dropped_before + 10);
}

TEST_CASE("a terminal gets text, with colours unless NO_COLOR") {
  const LogFolder folder;
  const auto line_on_terminal = [] {
    int controller = -1;
    int terminal = -1;
    REQUIRE(::openpty(&controller, &terminal, nullptr, nullptr, nullptr) == 0);
    log::Options options;
    options.descriptor = terminal;
    REQUIRE(log::init(options));
    log::warn("hello", {{"n", 1}});
    REQUIRE(log::flush(5s));
    log::shutdown(1s);
    char buffer[1024];
    const ssize_t count = ::read(controller, buffer, sizeof buffer);
    ::close(controller);
    ::close(terminal);
    return std::string(buffer, static_cast<std::size_t>(count > 0 ? count : 0));
  };
  ::unsetenv("NO_COLOR");
  const std::string colored = line_on_terminal();
  CHECK(colored.find("\x1b[33mwarn\x1b[0m") != std::string::npos);
  ::setenv("NO_COLOR", "1", 1);
  const std::string plain = line_on_terminal();
  CHECK(plain.find('\x1b') == std::string::npos);
  CHECK(plain.find(" warn  hello n=1") != std::string::npos);
  ::unsetenv("NO_COLOR");
}

TEST_CASE("the time is the given clock's") {
  const LogFolder folder;
  log::Options options = to_file(folder / "a.log");
  options.now_unix_ns = [] { return int64_t{1'000'000'000'000'000}; };
  REQUIRE(log::init(options));
  log::info("x");
  REQUIRE(log::flush(5s));
  CHECK(content(folder / "a.log").find("1970-01-12T13:46:40.000000Z") != std::string::npos);
}

TEST_CASE("a repeated message passes once an interval and tells how many were left out") {
  log::Limit limit(10ns);
  uint64_t left_out = 99;
  CHECK(limit.admit(100, left_out));
  CHECK(left_out == 0);
  CHECK_FALSE(limit.admit(100, left_out));
  CHECK_FALSE(limit.admit(109, left_out));
  CHECK(limit.admit(110, left_out));
  CHECK(left_out == 2);
  CHECK(limit.admit(1000, left_out));
  CHECK(left_out == 0);
  log::Limit by_clock(1h);
  CHECK(by_clock.admit(left_out));
  CHECK_FALSE(by_clock.admit(left_out));
}

TEST_CASE("a limit counts every call of every thread") {
  log::Limit limit(1000ns);
  std::atomic<uint64_t> admitted{0};
  std::atomic<uint64_t> told{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int64_t now = 0; now < 10'000; ++now) {
        uint64_t left_out = 0;
        if (limit.admit(now, left_out)) {
          admitted += 1;
          told += left_out;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  uint64_t rest = 0;
  CHECK(limit.admit(1'000'000, rest));
  CHECK(admitted + told + rest == 40'000);
  CHECK(admitted >= 10);
}
