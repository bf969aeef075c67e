#include "host/base/log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <system_error>
#include <vector>

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include "host/base/log_line.hpp"

namespace nexus::host::log {

namespace detail {
std::atomic<int32_t> level_now{static_cast<int32_t>(Level::info)};
}

namespace {

// A reader that takes nothing for this long loses the line; the bus does not wait for it meanwhile.
constexpr int kWriteWaitMs = 2000;
// A pipe that polls as writable takes this many bytes without blocking (PIPE_BUF).
constexpr std::size_t kChunk = 4096;
constexpr int64_t kLossReportNs = 1'000'000'000;

thread_local const Context* current_context = nullptr;

int64_t system_now_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

bool write_chunk(int descriptor, const char* data, std::size_t size, int wait_ms, std::size_t& written) {
  pollfd poll_for{descriptor, POLLOUT, 0};
  const int ready = ::poll(&poll_for, 1, wait_ms);
  if (ready < 0) return errno == EINTR;
  if (ready == 0) return false;
  const ssize_t count = ::write(descriptor, data, std::min(size, kChunk));
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  written = static_cast<std::size_t>(count);
  return true;
}

// Writes all of it; false when the descriptor did not take it.
bool write_all(int descriptor, std::string_view data, int wait_ms) {
  while (!data.empty()) {
    std::size_t written = 0;
    if (!write_chunk(descriptor, data.data(), data.size(), wait_ms, written)) return false;
    data.remove_prefix(written);
  }
  return true;
}

// Where the background thread writes. spdlog calls it under the sink's own mutex.
class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  DescriptorSink(int descriptor, bool owned, Style style) : descriptor_(descriptor), owned_(owned), style_(style) {}
  ~DescriptorSink() override { close_owned(); }

  void replace(int descriptor) {
    const std::lock_guard lock(mutex_);
    close_owned();
    descriptor_ = descriptor;
  }

  // Lines that the queue gave up; read by the background thread. The pool outlives its thread.
  void watch(spdlog::details::thread_pool* pool) { pool_ = pool; }

  uint64_t flushes() {
    const std::lock_guard lock(flush_mutex_);
    return flushes_;
  }
  bool wait_beyond(uint64_t flushes, std::chrono::milliseconds limit) {
    std::unique_lock lock(flush_mutex_);
    return flushed_.wait_for(lock, limit, [&] { return flushes_ > flushes; });
  }
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

  // Whoever owns the descriptor may close it from now on, and another file may get its number: nothing more is written.
  void abandon() { abandoned_.store(true, std::memory_order_relaxed); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    report_loss();
    put(std::string_view(message.payload.data(), message.payload.size()));
  }
  void flush_() override {
    const std::lock_guard lock(flush_mutex_);
    ++flushes_;
    flushed_.notify_all();
  }

 private:
  void put(std::string_view line) {
    if (abandoned_.load(std::memory_order_relaxed)) return;
    buffer_.assign(torn_ ? "\n" : "");
    buffer_ += line;
    buffer_ += '\n';
    // After a lost line the next ones are not waited for, else a reader that hangs costs two seconds each.
    torn_ = !write_all(descriptor_, buffer_, torn_ ? 0 : kWriteWaitMs);
    if (torn_) lost_.fetch_add(1, std::memory_order_relaxed);
  }
  void report_loss() {
    const uint64_t lost = lost_.load(std::memory_order_relaxed) + (pool_ ? pool_->overrun_counter() : 0);
    if (lost == lost_reported_) return;
    const int64_t now = system_now_ns();
    if (now < report_next_ns_ && now > report_next_ns_ - 2 * kLossReportNs) return;
    report_next_ns_ = now + kLossReportNs;
    const Field field("lines", lost - lost_reported_);
    lost_reported_ = lost;
    std::string line;
    append_line(line, {Level::warn, now, "log lines were lost: the output is too slow", Fields(&field, 1), nullptr},
                style_);
    put(line);
  }
  void close_owned() {
    if (owned_) ::close(descriptor_);
  }

  int descriptor_;  // guarded by the base's mutex_
  const bool owned_;
  const Style style_;
  bool torn_ = false;  // the last line was not written to its end
  spdlog::details::thread_pool* pool_ = nullptr;
  std::string buffer_;
  std::atomic<bool> abandoned_{false};
  std::atomic<uint64_t> lost_{0};
  uint64_t lost_reported_ = 0;
  int64_t report_next_ns_ = 0;
  std::mutex flush_mutex_;
  std::condition_variable flushed_;
  uint64_t flushes_ = 0;  // guarded by flush_mutex_
};

struct Backend {
  Options options;
  Style style;
  std::shared_ptr<DescriptorSink> sink;
  std::shared_ptr<spdlog::async_logger> logger;
  // Goes before the logger, and joins its thread: a queued line owns the logger too, and must not be its last owner.
  std::shared_ptr<spdlog::details::thread_pool> pool;
};

struct State {
  std::shared_mutex mutex;
  std::shared_ptr<Backend> backend;  // guarded by mutex; null before init and after shutdown
  std::mutex flush_mutex;            // one flush at a time
  uint64_t dropped_before = 0;       // guarded by mutex: by backends that are gone
};

State& state() {
  // Leaked on purpose: lines are written from static destructors too.
  static auto* const instance = new State;
  return *instance;
}

std::shared_ptr<Backend> backend() {
  State& all = state();
  const std::shared_lock lock(all.mutex);
  return all.backend;
}

spdlog::level::level_enum spdlog_level(Level level) { return static_cast<spdlog::level::level_enum>(level); }

Style style_for(Format format, int descriptor) {
  const bool terminal = ::isatty(descriptor) == 1;
  const char* const no_color = std::getenv("NO_COLOR");
  Style style;
  style.json = format == Format::json || (format == Format::automatic && !terminal);
  style.color = !style.json && terminal && !(no_color && *no_color);
  return style;
}

Result<int> open_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (descriptor >= 0) return descriptor;
  return make_error(NEXUS_E_IO, "cannot open the log file " + path + ": " + std::generic_category().message(errno),
                    "check that its folder exists and that the host may write there");
}

void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

bool flush_backend(Backend& target, std::chrono::milliseconds limit) {
  State& all = state();
  const std::lock_guard lock(all.flush_mutex);
  const uint64_t before = target.sink->flushes();
  target.logger->flush();
  return target.sink->wait_beyond(before, limit);
}

// Ends a backend. One whose output hangs is left alive, with its thread: a join could wait for ever.
void retire(std::shared_ptr<Backend> old, std::chrono::milliseconds limit) {
  if (!old) return;
  const bool written = flush_backend(*old, limit);
  {
    State& all = state();
    const std::lock_guard lock(all.mutex);
    all.dropped_before += old->sink->lost() + old->pool->overrun_counter();
  }
  if (!written) {
    old->sink->abandon();
    static auto* const hanging = new std::vector<std::shared_ptr<Backend>>;
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    hanging->push_back(std::move(old));
  }
}

}  // namespace

bool parse_level(std::string_view word, Level& level) {
  for (const Level candidate : {Level::trace, Level::debug, Level::info, Level::warn, Level::error, Level::off}) {
    if (word != level_name(candidate)) continue;
    level = candidate;
    return true;
  }
  return false;
}

bool parse_format(std::string_view word, Format& format) {
  if (word != "auto" && word != "text" && word != "json") return false;
  format = word == "auto" ? Format::automatic : word == "text" ? Format::text : Format::json;
  return true;
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::trace:
      return "trace";
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
    case Level::off:
      break;
  }
  return "off";
}

Scope::Scope(const Context& context) : before_(current_context) { current_context = &context; }
Scope::~Scope() { current_context = before_; }

Result<void> init(const Options& options) {
  int descriptor = options.descriptor;
  if (!options.file.empty()) {
    auto opened = open_file(options.file);
    if (!opened) return opened.error();
    descriptor = *opened;
  }
  auto next = std::make_shared<Backend>();
  next->options = options;
  next->style = style_for(options.format, descriptor);
  next->sink = std::make_shared<DescriptorSink>(descriptor, !options.file.empty(), next->style);
  try {
    next->pool = std::make_shared<spdlog::details::thread_pool>(options.queue_lines, 1, block_signals);
  } catch (const std::exception& exception) {
    return make_error(NEXUS_E_IO, std::string("cannot start the log's thread: ") + exception.what());
  }
  next->sink->watch(next->pool.get());
  next->logger = std::make_shared<spdlog::async_logger>("nexus", next->sink, next->pool,
                                                        spdlog::async_overflow_policy::overrun_oldest);
  next->logger->set_level(spdlog::level::trace);
  set_level(options.level);
  State& all = state();
  {
    const std::lock_guard lock(all.mutex);
    std::swap(all.backend, next);
  }
  retire(std::move(next), std::chrono::milliseconds(kWriteWaitMs));
  return {};
}

Result<void> reopen() {
  const auto current = backend();
  if (!current || current->options.file.empty()) return {};
  auto opened = open_file(current->options.file);
  if (!opened) return opened.error();
  // What was said before belongs in the old file, and still waits for the log's thread.
  flush_backend(*current, std::chrono::milliseconds(kWriteWaitMs));
  current->sink->replace(*opened);
  return {};
}

bool flush(std::chrono::milliseconds limit) {
  const auto current = backend();
  return !current || flush_backend(*current, limit);
}

void shutdown(std::chrono::milliseconds limit) {
  std::shared_ptr<Backend> old;
  {
    State& all = state();
    const std::lock_guard lock(all.mutex);
    std::swap(all.backend, old);
  }
  retire(std::move(old), limit);
}

uint64_t dropped_lines() {
  State& all = state();
  const std::shared_lock lock(all.mutex);
  return all.dropped_before + (all.backend ? all.backend->sink->lost() + all.backend->pool->overrun_counter() : 0);
}

void set_level(Level level) { detail::level_now.store(static_cast<int32_t>(level), std::memory_order_relaxed); }
Level level() { return static_cast<Level>(detail::level_now.load(std::memory_order_relaxed)); }

void write(Level level, std::string_view message, Fields fields) {
  static const Context kNothing;
  write(level, current_context ? *current_context : kNothing, message, fields);
}

void write(Level level, const Context& context, std::string_view message, Fields fields) {
  if (!enabled(level) || level >= Level::off) return;
  const auto current = backend();
  Line line{level, 0, message, fields, &context};
  line.unix_ns = current && current->options.now_unix_ns ? current->options.now_unix_ns() : system_now_ns();
  std::string out;
  out.reserve(256);
  if (current) {
    append_line(out, line, current->style);
    current->logger->log(spdlog_level(level), spdlog::string_view_t(out.data(), out.size()));
    return;
  }
  append_line(out, line, {});
  out += '\n';
  write_all(2, out, kWriteWaitMs);
}

bool Limit::admit(uint64_t& left_out) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return admit(int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec, left_out);
}

bool Limit::admit(int64_t now_ns, uint64_t& left_out) {
  int64_t next = next_ns_.load(std::memory_order_relaxed);
  if (now_ns < next || !next_ns_.compare_exchange_strong(next, now_ns + interval_ns_, std::memory_order_relaxed)) {
    left_out_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  left_out = left_out_.exchange(0, std::memory_order_relaxed);
  return true;
}

}  // namespace nexus::host::log
