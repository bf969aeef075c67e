// Structured log lines: a message and fields. The host adds the plugin's id and the ids of the event being handled. May
// be used from any thread; a line costs one call, and nothing is allocated for up to sixteen fields.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "nexus/abi/host.h"
#include "nexus/errors.hpp"
#include "nexus/id.hpp"

namespace nexus {

// A name and a value: text (borrowed for the call), a number, a truth value or an id.
class LogField {
 public:
  LogField(std::string_view name, std::string_view value) : name_(name), value_(value) {}
  LogField(std::string_view name, const char* value) : name_(name), value_(value == nullptr ? "" : value) {}
  LogField(std::string_view name, const std::string& value) : name_(name), value_(value) {}
  LogField(std::string_view name, bool value) : name_(name), value_(value ? "true" : "false") {}
  LogField(std::string_view name, char value) : name_(name), size_(1) { digits_[0] = value; }
  template <class Number>
    requires(std::integral<Number> || std::floating_point<Number>)
  LogField(std::string_view name, Number value) : name_(name) {
    const auto written = std::to_chars(digits_, digits_ + sizeof digits_, value);
    size_ = static_cast<std::size_t>(written.ptr - digits_);
  }
  LogField(std::string_view name, const Id& id) : LogField(name, std::string_view{}) {
    const std::string text = id.str();
    size_ = text.copy(digits_, sizeof digits_);
  }

  nexus_log_field raw() const {
    return {detail::to_abi(name_), detail::to_abi(size_ != 0 ? std::string_view(digits_, size_) : value_)};
  }

 private:
  std::string_view name_;
  std::string_view value_;
  std::size_t size_ = 0;  // of digits_, when the value is in there
  char digits_[40];
};

class Log {
 public:
  // Null: every line is dropped.
  explicit Log(const nexus_host* host) : host_(host) {}

  using Fields = std::initializer_list<LogField>;
  void trace(std::string_view message, Fields fields = {}) const { write(NEXUS_LOG_TRACE, message, fields); }
  void debug(std::string_view message, Fields fields = {}) const { write(NEXUS_LOG_DEBUG, message, fields); }
  void info(std::string_view message, Fields fields = {}) const { write(NEXUS_LOG_INFO, message, fields); }
  void warn(std::string_view message, Fields fields = {}) const { write(NEXUS_LOG_WARN, message, fields); }
  void error(std::string_view message, Fields fields = {}) const { write(NEXUS_LOG_ERROR, message, fields); }

  // Would a line of this NEXUS_LOG_* level be written? Ask before costly fields are made.
  bool enabled(std::int32_t level) const { return host_ != nullptr && host_->log_enabled(host_->ctx, level) != 0; }

  void write(std::int32_t level, std::string_view message, Fields fields = {}) const {
    if (!enabled(level)) return;
    if (fields.size() <= kFieldsInline) {
      nexus_log_field raw[kFieldsInline];
      std::uint32_t count = 0;
      for (const LogField& field : fields) raw[count++] = field.raw();
      host_->log(host_->ctx, level, detail::to_abi(message), raw, count);
      return;
    }
    std::vector<nexus_log_field> raw;
    raw.reserve(fields.size());
    for (const LogField& field : fields) raw.push_back(field.raw());
    host_->log(host_->ctx, level, detail::to_abi(message), raw.data(), static_cast<std::uint32_t>(raw.size()));
  }

 private:
  static constexpr std::size_t kFieldsInline = 16;
  const nexus_host* host_;
};

}  // namespace nexus
