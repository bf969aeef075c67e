// An operating failure as a value: a code of the ABI's one table (abi/error.h), a sentence for a person, and what to do
// about it. Copied freely; no thread restrictions. Functions that can fail return Result<T>.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>

#include <boost/system/result.hpp>

#include "nexus/abi/error.h"

namespace nexus::host {

struct Error {
  int32_t code = NEXUS_E_INTERNAL;
  std::string message;  // a sentence without a final full stop: "no such plugin: com.example.orders"
  std::string help;     // what the reader can do, or empty
};

// For messages of tests and asserts: "NX0101 handle: no such subscription".
std::ostream& operator<<(std::ostream& out, const Error& error);

// What result::value() throws when nobody looked: a programmer's error, and it says which failure was passed over.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& location);

template <class T>
using Result = boost::system::result<T, Error>;

inline Error make_error(int32_t code, std::string message, std::string help = {}) {
  return Error{code, std::move(message), std::move(help)};
}

// One row of the error table, for `nexus explain-error` and for every face that prints a code.
struct ErrorText {
  int32_t code;
  std::string_view name;      // "queue_full"
  std::string_view sentence;  // what it means
  std::string_view help;      // what to do
};

// The row of a code; an unknown code gives the row of NEXUS_E_INTERNAL. Never fails.
const ErrorText& error_text(int32_t code);

// "NX0300 queue_full", living for the whole program. Unknown codes give "NX???? unknown".
std::string_view error_label(int32_t code);

// Every row, in the order of codes.
struct ErrorTable {
  const ErrorText* first;
  const ErrorText* last;
  const ErrorText* begin() const { return first; }
  const ErrorText* end() const { return last; }
};
ErrorTable error_table();

// Writes code and sentence into the caller's buffer of the ABI, cut at a UTF-8 character; returns the code. A null
// buffer, or one whose size is below the 1.0 layout, is left alone.
int32_t write_error(nexus_error* out, int32_t code, std::string_view sentence);
// What was thrown, as a code and a sentence. Only inside a catch block.
int32_t write_exception(nexus_error* out) noexcept;
inline int32_t write_error(nexus_error* out, const Error& error) { return write_error(out, error.code, error.message); }

}  // namespace nexus::host
