// Boost.JSON's basic_parser drives a handler that writes CBOR as it goes, so that no document is ever held as a tree.
// How many items a list or a map has is known only at its end: a one-byte head is written at first and filled in later;
// the few heads that turn out longer are noted, and all of them are put in by one pass over the finished bytes.
#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <cstring>

#include "host/event/big_number.hpp"
#include "host/event/json.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host {
namespace {

namespace bj = boost::json;

constexpr uint8_t kListHead = 0x80;
constexpr uint8_t kMapHead = 0xA0;
constexpr uint64_t kShortCountMax = 23;

class CborHandler {
 public:
  // Names that basic_parser asks for. The bound on the whole text bounds all of them.
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) {
    put_in_long_heads();
    return true;
  }

  bool on_object_begin(bj::error_code&) { return open(kMapHead); }
  bool on_object_end(std::size_t count, bj::error_code& ec) { return refuse_twins(ec) && close(kMapHead, count); }
  bool on_array_begin(bj::error_code&) { return open(kListHead); }
  bool on_array_end(std::size_t count, bj::error_code&) { return close(kListHead, count); }

  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) { return gather(part); }
  bool on_key(bj::string_view rest, std::size_t, bj::error_code&) {
    keys_.push_back(static_cast<uint32_t>(out_.size()));
    return write_text(rest);
  }
  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) { return gather(part); }
  bool on_string(bj::string_view rest, std::size_t, bj::error_code&) { return write_text(rest); }

  // The parser's own value is passed over: not every version of it is exact, and none keeps integers beyond 64 bits.
  bool on_number_part(bj::string_view part, bj::error_code&) { return gather(part); }
  bool on_int64(std::int64_t, bj::string_view rest, bj::error_code& ec) { return write_number(rest, 0, ec); }
  bool on_uint64(std::uint64_t, bj::string_view rest, bj::error_code& ec) { return write_number(rest, 0, ec); }
  bool on_double(double about, bj::string_view rest, bj::error_code& ec) { return write_number(rest, about, ec); }
  bool on_bool(bool value, bj::error_code&) { return write_byte(value ? 0xF5 : 0xF4); }
  bool on_null(bj::error_code&) { return write_byte(0xF6); }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

  std::vector<uint8_t> take() { return std::move(out_); }
  const std::string& complaint() const { return complaint_; }

 private:
  struct Container {
    uint32_t head;        // offset of its one-byte head
    uint32_t keys_begin;  // in keys_
  };
  struct LongHead {
    uint32_t at;  // offset of the one-byte head, before any head has been put in
    uint32_t count;
  };

  bool gather(bj::string_view part) {
    parts_.append(part.data(), part.size());
    return true;
  }
  // The whole of a token of which the parser may have handed over pieces before.
  std::string_view whole(bj::string_view rest) {
    if (parts_.empty()) return {rest.data(), rest.size()};
    parts_.append(rest.data(), rest.size());
    token_.swap(parts_);
    parts_.clear();
    return token_;
  }

  bool write_byte(uint8_t byte) {
    out_.push_back(byte);
    return true;
  }
  bool write_head(uint8_t major, uint64_t argument) {
    uint8_t head[cbor::put::kHeadSizeMax];
    out_.insert(out_.end(), head, cbor::put::head(head, major, argument));
    return true;
  }
  bool write_text(bj::string_view rest) {
    const std::string_view text = whole(rest);
    write_head(0x60, text.size());
    out_.insert(out_.end(), text.begin(), text.end());
    return true;
  }
  bool write_number(bj::string_view rest, double about, bj::error_code& ec);
  bool write_integer(std::string_view text, bj::error_code& ec);

  bool open(uint8_t head) {
    open_.push_back({static_cast<uint32_t>(out_.size()), static_cast<uint32_t>(keys_.size())});
    return write_byte(head);
  }
  bool close(uint8_t head, std::size_t count) {
    const Container& container = open_.back();
    if (count <= kShortCountMax) {
      out_[container.head] = static_cast<uint8_t>(head | count);
    } else {
      long_heads_.push_back({container.head, static_cast<uint32_t>(count)});
    }
    keys_.resize(container.keys_begin);
    open_.pop_back();
    return true;
  }
  bool refuse_twins(bj::error_code& ec);
  void put_in_long_heads();

  // A key as it was written: a head of the shortest form, then the text.
  std::string_view key_at(uint32_t offset) const {
    const uint8_t* at = out_.data() + offset;
    const unsigned info = *at++ & 0x1Fu;
    size_t size = info;
    if (info >= 24) {
      size = 0;
      for (unsigned left = 1u << (info - 24); left > 0; --left) size = size << 8 | *at++;
    }
    return {reinterpret_cast<const char*>(at), size};
  }
  bool fail(std::string complaint, bj::error_code& ec) {
    complaint_ = std::move(complaint);
    ec = bj::make_error_code(bj::error::syntax);
    return false;
  }

  std::vector<uint8_t> out_;
  std::vector<Container> open_;
  std::vector<uint32_t> keys_;  // offsets of the keys of all open objects
  std::vector<LongHead> long_heads_;
  std::string parts_;
  std::string token_;
  std::string complaint_;
};

// `about` is the parser's own, less exact value of a number that is no integer.
bool CborHandler::write_number(bj::string_view rest, double about, bj::error_code& ec) {
  const std::string_view text = whole(rest);
  if (text.find_first_of(".eE") == std::string_view::npos) return write_integer(text, ec);
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault == std::errc::result_out_of_range) {
    // Too small is zero, as everywhere; too large has no double.
    if (std::abs(about) > 1) return fail("a number out of the range of a double", ec);
    value = text[0] == '-' ? -0.0 : 0.0;
  }
  uint8_t bytes[cbor::put::kHeadSizeMax];
  out_.insert(out_.end(), bytes, cbor::put::floating(bytes, value));
  return true;
}

bool CborHandler::write_integer(std::string_view text, bj::error_code& ec) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = negative ? text.substr(1) : text;
  uint64_t value = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (fault == std::errc()) {
    if (!negative || value == 0) return write_head(0x00, value);
    return write_head(0x20, value - 1);
  }
  if (digits.size() > kJsonIntegerDigitsMax) return fail("an integer of more than 1000 digits", ec);
  std::vector<uint8_t> big = digits_to_bytes(digits);
  if (negative) {
    decrement(big);
    // -2^64 is the one that has more than 64 bits and still fits: -1 - (2^64 - 1).
    if (big.size() == 8) return write_head(0x20, UINT64_MAX);
  }
  write_head(0xC0, negative ? 3 : 2);
  write_head(0x40, big.size());
  out_.insert(out_.end(), big.begin(), big.end());
  return true;
}

bool CborHandler::refuse_twins(bj::error_code& ec) {
  const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(open_.back().keys_begin);
  const auto end = keys_.end();
  const auto less = [this](uint32_t a, uint32_t b) { return key_at(a) < key_at(b); };
  const auto same = [this](uint32_t a, uint32_t b) { return key_at(a) == key_at(b); };
  std::sort(begin, end, less);
  const auto twin = std::adjacent_find(begin, end, same);
  if (twin == end) return true;
  std::string key;
  append_json_text(key, key_at(*twin).substr(0, 64));
  return fail("the key " + key + " stands twice in the object that ends here", ec);
}

// From the back, so that every byte is moved once and within the same memory.
void CborHandler::put_in_long_heads() {
  if (long_heads_.empty()) return;
  std::sort(long_heads_.begin(), long_heads_.end(), [](const LongHead& a, const LongHead& b) { return a.at < b.at; });
  const auto extra_bytes = [](uint32_t count) -> size_t { return count <= 0xFF ? 1 : count <= 0xFFFF ? 2 : 4; };
  size_t grown = 0;
  for (const LongHead& head : long_heads_) grown += extra_bytes(head.count);
  size_t source_end = out_.size();
  out_.resize(out_.size() + grown);
  uint8_t* const data = out_.data();
  for (size_t i = long_heads_.size(); i-- > 0;) {
    const LongHead& head = long_heads_[i];
    const size_t behind_head = size_t{head.at} + 1;
    std::memmove(data + behind_head + grown, data + behind_head, source_end - behind_head);
    grown -= extra_bytes(head.count);
    const uint8_t major = data[head.at] & 0xE0u;
    cbor::put::head(data + head.at + grown, major, head.count);
    source_end = head.at;
  }
}

// Where in the text, for a person: lines by \n, columns in bytes, both from 1.
std::string place(std::string_view json, size_t offset) {
  offset = std::min(offset, json.size());
  const std::string_view before = json.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t line_begin = before.find_last_of('\n') == std::string_view::npos ? 0 : before.find_last_of('\n') + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(offset - line_begin + 1) + " (byte " +
         std::to_string(offset + 1) + ')';
}

std::string describe(bj::error_code ec, std::string_view json, size_t offset) {
  if (ec == bj::error::incomplete || offset >= json.size()) return "the text ends in the middle of a value";
  if (ec == bj::error::too_deep) return "nested deeper than 128";
  if (ec == bj::error::extra_data) return "more text after the end of the value";
  const auto byte = static_cast<unsigned char>(json[offset]);
  if (ec == bj::error::syntax && byte > 0x20 && byte < 0x7F) {
    return std::string("'") + json[offset] + "' does not fit here";
  }
  if (byte >= 0x80 && ec == bj::error::syntax) return "text that is not UTF-8, or a character that does not fit here";
  return ec.message();
}

}  // namespace

Result<std::vector<uint8_t>> json_to_cbor(std::string_view json, size_t bytes_max) {
  bytes_max = std::min(bytes_max, kJsonBytesMax);
  if (json.size() > bytes_max) {
    return make_error(NEXUS_E_TOO_LARGE, "the JSON text has " + std::to_string(json.size()) + " bytes, the limit is " +
                                             std::to_string(bytes_max));
  }
  bj::parse_options options;
  options.max_depth = kJsonDepthMax;
  bj::basic_parser<CborHandler> parser(options);
  bj::error_code ec;
  const size_t used = parser.write_some(false, json.data(), json.size(), ec);
  if (!ec && used < json.size()) ec = bj::make_error_code(bj::error::extra_data);
  if (ec) {
    const std::string& own = parser.handler().complaint();
    const std::string what = own.empty() ? describe(ec, json, used) : own;
    return make_error(NEXUS_E_JSON, what + ", at " + place(json, used));
  }
  return parser.handler().take();
}

Result<void> check_json(std::string_view json, size_t bytes_max) {
  if (const auto converted = json_to_cbor(json, bytes_max); !converted) return converted.error();
  return {};
}

}  // namespace nexus::host
