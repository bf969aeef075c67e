// Writes JSON, indented, for the few texts that tools get from the config. Single-threaded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/base/printable.hpp"

namespace nexus::host::config {

class JsonWriter {
 public:
  void open(char bracket) {  // '{' or '['
    begin_value();
    out_ += bracket;
    levels_.push_back({bracket == '{' ? '}' : ']', true});
  }
  void close() {
    const Level level = levels_.back();
    levels_.pop_back();
    if (!level.empty) newline();
    out_ += level.bracket;
  }
  void key(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_ += ": ";
    after_key_ = true;
  }
  void text(std::string_view value) {
    begin_value();
    append_json_string(out_, value);
  }
  // A value that is JSON already.
  void raw(std::string_view json) {
    begin_value();
    out_ += json;
  }
  void member(std::string_view name, std::string_view value) {
    key(name);
    text(value);
  }
  void raw_member(std::string_view name, std::string_view json) {
    key(name);
    raw(json);
  }
  std::string take() { return std::move(out_) + "\n"; }

 private:
  struct Level {
    char bracket;
    bool empty;
  };

  void newline() {
    out_ += '\n';
    out_.append(2 * levels_.size(), ' ');
  }
  void separate() {
    if (levels_.empty()) return;
    if (!levels_.back().empty) out_ += ',';
    levels_.back().empty = false;
    newline();
  }
  void begin_value() {
    if (!after_key_) separate();
    after_key_ = false;
  }

  std::string out_;
  std::vector<Level> levels_;
  bool after_key_ = false;
};

}  // namespace nexus::host::config
