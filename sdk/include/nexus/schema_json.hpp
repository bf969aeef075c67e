// Writes a JSON Schema (draft-07) text: commas by itself, and a guard against types that contain themselves.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "nexus/cbor_json.hpp"

namespace nexus::schema {

class SchemaText {
 public:
  // `strict`: structs take no keys but their own.
  explicit SchemaText(bool strict) : strict_(strict) {}

  bool strict() const noexcept { return strict_; }
  std::string take() { return std::move(text_); }

  void begin(char bracket) {
    comma();
    text_ += bracket;
  }
  void end(char bracket) { text_ += bracket; }
  void begin_member(std::string_view name, char bracket) {
    key(name);
    text_ += bracket;
  }
  void item(std::string_view text) {
    comma();
    cbor::append_json_text(text_, text);
  }
  void member(std::string_view name, std::string_view text) {
    key(name);
    cbor::append_json_text(text_, text);
  }
  void member_bool(std::string_view name, bool value) {
    key(name);
    text_ += value ? "true" : "false";
  }
  template <class Number>
  void number(std::string_view name, Number value) {
    key(name);
    text_ += std::to_string(value);
  }
  // An encoded item as JSON.
  void member_cbor(std::string_view name, std::span<const std::uint8_t> item) {
    key(name);
    text_ += cbor::to_json(item);
  }

  // False if the type is open already, that is, contains itself; else close_type() must follow.
  bool open_type(const void* type) {
    if (std::find(open_.begin(), open_.end(), type) != open_.end()) return false;
    open_.push_back(type);
    return true;
  }
  void close_type() { open_.pop_back(); }

 private:
  void comma() {
    if (!text_.empty() && text_.back() != '{' && text_.back() != '[' && text_.back() != ':') text_ += ',';
  }
  void key(std::string_view name) {
    comma();
    cbor::append_json_text(text_, name);
    text_ += ':';
  }

  bool strict_;
  std::string text_;
  std::vector<const void*> open_;
};

}  // namespace nexus::schema
