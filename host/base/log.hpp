// The host's log: a message and fields, one line each, as text on a terminal and as JSON lines elsewhere. Any thread;
// a call formats the line and hands it to a background thread, so that a slow terminal or disk never holds up the bus:
// when its queue is full the oldest line gives way, and the loss is counted and reported. Every line is valid UTF-8
// without control characters, and registered secrets (host/base/secret.hpp) print as ***.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>

#include "host/base/error.hpp"

namespace nexus::host::log {

// The first five are NEXUS_LOG_* of the ABI.
enum class Level : int32_t { trace = 0, debug = 1, info = 2, warn = 3, error = 4, off = 5 };

enum class Format { automatic, text, json };

// "info" and the like; false for an unknown word.
bool parse_level(std::string_view word, Level& level);
bool parse_format(std::string_view word, Format& format);
std::string_view level_name(Level level);

// A name and a value. Both are borrowed for the call that they are passed to.
class Field {
 public:
  enum class Kind : uint8_t { text, integer, unsigned_integer, number, boolean };

  Field(std::string_view name, std::string_view value) : name_(name), text_(value) {}
  Field(std::string_view name, const char* value) : Field(name, std::string_view(value ? value : "")) {}
  Field(std::string_view name, const std::string& value) : Field(name, std::string_view(value)) {}
  Field(std::string_view name, bool value) : name_(name), kind_(Kind::boolean), unsigned_(value ? 1 : 0) {}
  Field(std::string_view name, double value) : name_(name), kind_(Kind::number), number_(value) {}
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  Field(std::string_view name, T value) : name_(name) {
    if constexpr (std::is_signed_v<T>) {
      kind_ = Kind::integer;
      integer_ = value;
    } else {
      kind_ = Kind::unsigned_integer;
      unsigned_ = value;
    }
  }

  std::string_view name() const { return name_; }
  Kind kind() const { return kind_; }
  std::string_view text() const { return text_; }
  int64_t integer() const { return integer_; }
  uint64_t unsigned_integer() const { return unsigned_; }
  double number() const { return number_; }

 private:
  std::string_view name_;
  std::string_view text_;
  Kind kind_ = Kind::text;
  union {
    int64_t integer_ = 0;
    uint64_t unsigned_;
    double number_;
  };
};

// A list of fields of any length, borrowed.
struct Fields {
  const Field* first = nullptr;
  std::size_t count = 0;

  Fields() = default;
  Fields(std::initializer_list<Field> list) : count(list.size()) { first = std::data(list); }
  Fields(const Field* fields, std::size_t size) : first(fields), count(size) {}
  const Field* begin() const { return first; }
  const Field* end() const { return first + count; }
};

// Whose work a thread does; each of its lines carries what is known. Empty and null members are left out.
struct Context {
  std::string_view plugin;
  std::string_view event_type;
  std::string_view correlation_id;
  const uint8_t* event_id = nullptr;  // 16 bytes
  const uint8_t* trace_id = nullptr;  // 16 bytes
  const uint8_t* span_id = nullptr;   // 8 bytes
};

// Sets the calling thread's context for the life of the scope. Costs two stores; `context` must outlive it.
class Scope {
 public:
  explicit Scope(const Context& context);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  const Context* before_;
};

struct Options {
  Format format = Format::automatic;  // text with colours on a terminal, else JSON lines
  Level level = Level::info;
  std::string file;                    // appended to, mode 0640; empty: `descriptor`
  int descriptor = 2;                  // not closed
  std::size_t queue_lines = 2048;      // lines waiting for the background thread
  int64_t (*now_unix_ns)() = nullptr;  // null: the system's clock
};

// Begins to write by these options; may be called again to change them. Before the first call lines go to standard
// error as text, at once. Fails with NEXUS_E_IO when the file cannot be opened; then all stays as it was.
Result<void> init(const Options& options);

// Opens the file anew, for logrotate. A no-op without a file.
Result<void> reopen();

// Waits until all lines so far are written, at most `limit`; false when time ran out.
bool flush(std::chrono::milliseconds limit);

// Writes what waits, at most `limit`, and ends the background thread; later lines go to standard error at once.
void shutdown(std::chrono::milliseconds limit = std::chrono::milliseconds(1000));

// Lines that were lost because the queue was full or the output did not take them.
uint64_t dropped_lines();

void set_level(Level level);
Level level();

namespace detail {
extern std::atomic<int32_t> level_now;
}

inline bool enabled(Level level) {
  return static_cast<int32_t>(level) >= detail::level_now.load(std::memory_order_relaxed);
}

// Writes one line, with the fields of the calling thread's context or of the one given.
void write(Level level, std::string_view message, Fields fields = {});
void write(Level level, const Context& context, std::string_view message, Fields fields = {});

inline void trace(std::string_view message, Fields fields = {}) {
  if (enabled(Level::trace)) write(Level::trace, message, fields);
}
inline void debug(std::string_view message, Fields fields = {}) {
  if (enabled(Level::debug)) write(Level::debug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) {
  if (enabled(Level::info)) write(Level::info, message, fields);
}
inline void warn(std::string_view message, Fields fields = {}) {
  if (enabled(Level::warn)) write(Level::warn, message, fields);
}
inline void error(std::string_view message, Fields fields = {}) {
  if (enabled(Level::error)) write(Level::error, message, fields);
}

// Keeps a repeated message from filling the log: one line an interval, which tells how many were left out.
//   static log::Limit limit(std::chrono::seconds(5));
//   uint64_t left_out = 0;
//   if (limit.admit(left_out)) log::warn("queue full", {{"left_out", left_out}});
// Any thread.
class Limit {
 public:
  explicit Limit(std::chrono::nanoseconds interval) : interval_ns_(interval.count()) {}

  bool admit(uint64_t& left_out);                  // by the steady clock
  bool admit(int64_t now_ns, uint64_t& left_out);  // by the caller's clock, for tests

 private:
  const int64_t interval_ns_;
  std::atomic<int64_t> next_ns_{INT64_MIN};
  std::atomic<uint64_t> left_out_{0};
};

}  // namespace nexus::host::log
