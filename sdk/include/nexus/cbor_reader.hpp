// Reads CBOR (RFC 8949) from a span, item by item, without allocating and without exceptions. A call that fails returns
// false, keeps the position at the item it could not take, and makes every later call fail too: check failed() once at
// the end if you like. Forged lengths cost nothing, since nothing is believed that the remaining bytes cannot hold.
// Borrowed views live as long as the bytes. Not thread-safe.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "nexus/abi/base.h"
#include "nexus/cbor_buffer.hpp"
#include "nexus/cbor_utf8.hpp"

namespace nexus::cbor {

// Arrays and maps may be nested this deep, and no deeper; skip() and check() count tags too.
inline constexpr std::uint32_t kDepthMax = 128;

// What comes next; the first seven are the major types in their order. `end` is the end of the input, or of a container
// of unknown length.
enum class Kind : std::uint8_t {
  uint,
  negint,
  bytes,
  text,
  array,
  map,
  tag,
  boolean,
  null,
  undefined,
  floating,
  simple,
  end
};

// "a number", "text": a kind in words, for sentences.
constexpr std::string_view kind_name(Kind kind) noexcept {
  switch (kind) {
    case Kind::uint:
      return "a whole number";
    case Kind::negint:
      return "a negative number";
    case Kind::bytes:
      return "bytes";
    case Kind::text:
      return "text";
    case Kind::array:
      return "a list";
    case Kind::map:
      return "a map";
    case Kind::tag:
      return "a tagged item";
    case Kind::boolean:
      return "true or false";
    case Kind::null:
      return "null";
    case Kind::undefined:
      return "undefined";
    case Kind::floating:
      return "a number with a fraction";
    case Kind::simple:
      return "a simple value";
    case Kind::end:
      break;
  }
  return "missing";
}

enum class Fault : std::uint8_t {
  none,
  truncated,    // the bytes end inside an item, or a length is larger than what follows
  malformed,    // a head that RFC 8949 does not allow
  stray_break,  // the "break" code where an item must stand
  chunk,        // an indefinite string with a chunk of another kind
  utf8,         // text that is not UTF-8
  depth,        // nested deeper than kDepthMax
  trailing,     // more bytes after the item
  type,         // another kind of item than was asked for
  range,        // a number out of the range that was asked for
  chunked,      // a string in several chunks, read without a buffer to join them in
  unsupported,  // well-formed, but a Value has no room for it: a map key that is not text, a simple value
};

// Why reading stopped, and where.
struct Error {
  Fault fault = Fault::none;
  std::uint64_t offset = 0;  // in bytes from the beginning of what the reader was given

  explicit operator bool() const noexcept { return fault != Fault::none; }

  // Without the place, without a full stop: "the bytes end inside an item".
  std::string_view sentence() const noexcept {
    switch (fault) {
      case Fault::none:
        return "no error";
      case Fault::truncated:
        return "the data is cut short";
      case Fault::malformed:
        return "the data is not well-formed CBOR";
      case Fault::stray_break:
        return "a break code stands where an item must";
      case Fault::chunk:
        return "a string has a chunk of another kind";
      case Fault::utf8:
        return "the text is not UTF-8";
      case Fault::depth:
        return "the data is nested deeper than 128";
      case Fault::trailing:
        return "bytes follow after the item";
      case Fault::type:
        return "the item is of another kind";
      case Fault::range:
        return "the number is out of range";
      case Fault::chunked:
        return "the string comes in several chunks";
      case Fault::unsupported:
        return "the item cannot be held as a value";
    }
    return "unknown error";
  }

  // With the place: "the text is not UTF-8, at byte 17".
  std::string message() const { return std::string(sentence()) + ", at byte " + std::to_string(offset); }
};

// Where a walk through one array or map stands; filled by enter_array and enter_map, moved by next.
struct Items {
  std::uint64_t left = 0;   // items, or pairs of a map, still to come; unused if indefinite
  bool indefinite = false;  // the end is marked by a break code

  // How many there are, as far as it is known; a hint for reserving that the input can be trusted with, since it
  // never exceeds the number of bytes.
  std::uint64_t known() const noexcept { return indefinite ? 0 : left; }
};

class Reader {
 public:
  Reader() noexcept = default;
  explicit Reader(std::span<const std::uint8_t> bytes) noexcept
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}
  explicit Reader(nexus_bytes bytes) noexcept : Reader(view(bytes)) {}

  Kind peek() const noexcept { return at_ == end_ ? Kind::end : kind_of(*at_); }
  std::uint64_t position() const noexcept { return static_cast<std::uint64_t>(at_ - begin_); }
  std::uint64_t remaining() const noexcept { return static_cast<std::uint64_t>(end_ - at_); }
  bool failed() const noexcept { return error_.fault != Fault::none; }
  const Error& error() const noexcept { return error_; }

  // True at the end of the input; fails with Fault::trailing if bytes are left.
  bool finish() noexcept {
    if (failed()) return false;
    return at_ == end_ || fail(Fault::trailing);
  }

  bool read_uint(std::uint64_t& value) noexcept;
  // Takes both signs; a number that int64_t cannot hold fails with Fault::range.
  bool read_int(std::int64_t& value) noexcept;
  // The n of a negative number -1 - n.
  bool read_negint(std::uint64_t& n) noexcept;
  // Takes whole numbers as well, rounded to the nearest double where they are beyond 2^53.
  bool read_double(double& value) noexcept;
  bool read_bool(bool& value) noexcept;
  bool read_null() noexcept { return constant(0xf6u); }
  bool read_undefined() noexcept { return constant(0xf7u); }
  bool read_simple(std::uint8_t& value) noexcept;
  // Takes the tag alone; the tagged item comes next.
  bool read_tag(std::uint64_t& number) noexcept;

  // A view into the input. Fails with Fault::chunked if the string came in more than one chunk, which only an
  // encoder that streams does.
  bool read_text(std::string_view& value) noexcept;
  bool read_bytes(std::span<const std::uint8_t>& value) noexcept;
  // The same, and joins chunks in `scratch`, which is cleared first when it is needed; the view is then into it.
  // May throw std::bad_alloc.
  bool read_text(std::string_view& value, Buffer& scratch);
  bool read_bytes(std::span<const std::uint8_t>& value, Buffer& scratch);

  // while (reader.next(items)) { read one item, or a key and a value } walks a container of either form; next also
  // steps over the end of an indefinite one, and returns false when reading has failed.
  bool enter_array(Items& items) noexcept { return enter(0x80u, Kind::array, items); }
  bool enter_map(Items& items) noexcept { return enter(0xa0u, Kind::map, items); }
  bool next(Items& items) noexcept;

  // Steps over one whole item, checking that it is well-formed; needs no memory beyond 2 KB of stack.
  bool skip() noexcept;
  // The same, and gives its bytes.
  bool read_raw(std::span<const std::uint8_t>& item) noexcept;

  // For decoders that look ahead themselves: the unread bytes, and a jump within them.
  const std::uint8_t* cursor() const noexcept { return at_; }
  const std::uint8_t* limit() const noexcept { return end_; }
  void seek(const std::uint8_t* at) noexcept { at_ = at; }

  // Records the first fault and ends the input here; always false.
  bool fail(Fault fault) noexcept { return fail_at(fault, at_); }

 private:
  static constexpr Kind kind_of(std::uint8_t initial) noexcept {
    if (initial < 0xe0u) return static_cast<Kind>(initial >> 5);
    if (initial == 0xf4u || initial == 0xf5u) return Kind::boolean;
    if (initial == 0xf6u) return Kind::null;
    if (initial == 0xf7u) return Kind::undefined;
    if (initial >= 0xf9u && initial <= 0xfbu) return Kind::floating;
    return initial == 0xffu ? Kind::end : Kind::simple;
  }

  bool fail_at(Fault fault, const std::uint8_t* where) noexcept {
    if (!failed()) error_ = Error{fault, static_cast<std::uint64_t>(where - begin_)};
    end_ = at_;
    return false;
  }

  bool wrong_kind() noexcept {
    if (at_ == end_) return fail(Fault::truncated);
    return fail(*at_ == 0xffu ? Fault::stray_break : Fault::type);
  }

  bool constant(std::uint8_t initial) noexcept {
    if (at_ == end_ || *at_ != initial) return wrong_kind();
    ++at_;
    return true;
  }

  // Reads the head at `at`, moving it behind; the initial byte's lower bits decide. Indefinite heads give argument 0.
  bool head(const std::uint8_t*& at, std::uint64_t& argument) noexcept;
  bool float_bits(const std::uint8_t*& at, double& value) noexcept;
  bool string(std::uint8_t major, Kind kind, std::span<const std::uint8_t>& value, Buffer* scratch);
  bool chunks(std::uint8_t major, std::span<const std::uint8_t>& value, Buffer* scratch);
  bool chunk(const std::uint8_t*& at, std::uint8_t major, std::span<const std::uint8_t>& value) noexcept;
  bool enter(std::uint8_t major, Kind kind, Items& items) noexcept;
  bool enter_any(std::uint8_t major, Kind kind, Items& items) noexcept;
  bool skip_scalar(std::uint8_t initial) noexcept;

  const std::uint8_t* begin_ = nullptr;
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  Error error_;
  std::uint32_t depth_ = 0;
};

// True if `bytes` are exactly one well-formed item (RFC 8949 section 1.2 and appendix C) with valid UTF-8 in its text,
// nested at most kDepthMax deep. Else `error` says what is wrong and where.
inline bool check(std::span<const std::uint8_t> bytes, Error& error) noexcept {
  Reader reader(bytes);
  const bool good = reader.skip() && reader.finish();
  error = reader.error();
  return good;
}

inline bool check(std::span<const std::uint8_t> bytes) noexcept {
  Error ignored;
  return check(bytes, ignored);
}

}  // namespace nexus::cbor

#include "nexus/cbor_reader_impl.hpp"
