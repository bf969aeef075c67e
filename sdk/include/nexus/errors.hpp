// The exceptions and the status of the authoring layer. A handler fails by throwing one of the first group; a call into
// the host fails by throwing one of the second, or by returning a Status. All are plain values without thread rules.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "nexus/abi/error.h"
#include "nexus/id.hpp"

namespace nexus {

// --- thrown by a handler ---

// Failed for good: the event goes straight to the dead letters, without another attempt. `type` is a short stable word
// for tools; it must be a literal.
class Reject : public std::runtime_error {
 public:
  explicit Reject(const std::string& why, const char* type = "rejected") : std::runtime_error(why), type_(type) {}
  const char* type() const { return type_; }

 private:
  const char* type_;
};

// Failed for now: try again after `delay` instead of the subscription's own delay.
class RetryAfter : public std::runtime_error {
 public:
  explicit RetryAfter(std::chrono::nanoseconds delay, const std::string& why = "asked to be tried again later")
      : std::runtime_error(why), delay_(delay) {}
  std::chrono::nanoseconds delay() const { return delay_; }

 private:
  std::chrono::nanoseconds delay_;
};

// Looked at, and not for this handler: counted as filtered, never as a failure.
struct Skip {};

// --- thrown by calls into the host ---

// A call failed with one of NEXUS_E_*; what() is the host's sentence.
class Error : public std::runtime_error {
 public:
  Error(std::int32_t code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
  std::int32_t code() const { return code_; }

 private:
  std::int32_t code_;
};

// An emit was not accepted. With in_doubt() it may still have been: repeat it with the same id.
class Rejected : public Error {
 public:
  using Error::Error;
  bool in_doubt() const { return code() == NEXUS_E_IN_DOUBT; }
};

// What try_emit returns.
struct [[nodiscard]] Status {
  std::int32_t code = NEXUS_OK;  // NEXUS_OK, NEXUS_OK_DUPLICATE, or NEXUS_E_*
  std::string message;           // the host's sentence when it failed
  Id id;                         // of the event, when it was accepted

  bool ok() const { return code == NEXUS_OK || code == NEXUS_OK_DUPLICATE; }
  bool duplicate() const { return code == NEXUS_OK_DUPLICATE; }
  bool in_doubt() const { return code == NEXUS_E_IN_DOUBT; }
  explicit operator bool() const { return ok(); }
};

namespace detail {

constexpr nexus_string to_abi(std::string_view text) { return {text.data(), text.size()}; }
constexpr std::string_view from_abi(nexus_string text) {
  return text.size == 0 ? std::string_view{} : std::string_view{text.data, static_cast<std::size_t>(text.size)};
}

// Room for a sentence on the caller's stack, in the form the ABI wants it.
class ErrorBuffer {
 public:
  ErrorBuffer() : raw_{sizeof(nexus_error), NEXUS_OK, sizeof text_, 0, text_} {}
  ErrorBuffer(const ErrorBuffer&) = delete;
  ErrorBuffer& operator=(const ErrorBuffer&) = delete;

  nexus_error* get() { return &raw_; }

  // The sentence, or a stand-in that names the code when the host wrote none.
  std::string sentence(std::int32_t code) const {
    const std::size_t size = raw_.len <= sizeof text_ ? raw_.len : sizeof text_;
    if (size != 0) return std::string(text_, size);
    return "the host answered with code " + std::to_string(code);
  }

 private:
  nexus_error raw_;
  char text_[512];
};

// Writes code and sentence into a buffer that belongs to the host, cut at a UTF-8 character.
inline std::int32_t write_error(nexus_error* out, std::int32_t code, std::string_view sentence) noexcept {
  if (out == nullptr || out->size < sizeof(nexus_error)) return code;
  out->code = code;
  std::size_t size = sentence.size();
  if (size > out->cap) {
    size = out->cap;
    while (size > 0 && (static_cast<unsigned char>(sentence[size]) & 0xC0U) == 0x80U) --size;
  }
  if (out->text == nullptr) size = 0;
  for (std::size_t i = 0; i < size; ++i) out->text[i] = sentence[i];
  out->len = static_cast<std::uint32_t>(size);
  return code;
}

}  // namespace detail
}  // namespace nexus
