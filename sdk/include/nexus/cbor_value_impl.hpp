// The bodies of cbor::Value; include cbor_value.hpp (or cbor.hpp), never this.
#pragma once

#include <charconv>
#include <limits>

#include "nexus/cbor_value.hpp"

namespace nexus::cbor {

namespace detail {

// A double without a fraction as an integer of any width; false if it has one or does not fit.
template <std::integral Number>
bool whole(double value, Number& out) noexcept {
  // The bounds are powers of two, hence exact; the upper one is the first value that does not fit.
  constexpr double kBelow = static_cast<double>(std::numeric_limits<Number>::min());
  constexpr Number kHalf = std::numeric_limits<Number>::max() / 2 + 1;
  constexpr double kAbove = static_cast<double>(kHalf) * 2.0;
  if (!(value >= kBelow && value < kAbove)) return false;
  const auto number = static_cast<Number>(value);
  if (static_cast<double>(number) != value) return false;
  out = number;
  return true;
}

}  // namespace detail

inline bool Value::get_into(double& out) const noexcept {
  if (const auto* number = std::get_if<double>(&data_)) {
    out = *number;
  } else if (const auto* integer = std::get_if<std::int64_t>(&data_)) {
    out = static_cast<double>(*integer);
  } else if (const auto* natural = std::get_if<std::uint64_t>(&data_)) {
    out = static_cast<double>(*natural);
  } else {
    return false;
  }
  return true;
}

template <std::integral Number>
bool Value::get_into(Number& out) const noexcept {
  if (const auto* integer = std::get_if<std::int64_t>(&data_)) {
    if (!std::in_range<Number>(*integer)) return false;
    out = static_cast<Number>(*integer);
    return true;
  }
  if (const auto* natural = std::get_if<std::uint64_t>(&data_)) {
    if (!std::in_range<Number>(*natural)) return false;
    out = static_cast<Number>(*natural);
    return true;
  }
  const auto* number = std::get_if<double>(&data_);
  return number != nullptr && detail::whole(*number, out);
}

inline const Value* Value::find_path(std::string_view path) const noexcept {
  if (const auto* array = std::get_if<Array>(&data_)) {
    std::size_t index = 0;
    const char* end = path.data() + path.size();
    const auto [stop, fault] = std::from_chars(path.data(), end, index);
    if (fault != std::errc() || index >= array->size()) return nullptr;
    if (stop == end) return &(*array)[index];
    return *stop == '.' ? (*array)[index].find_path({stop + 1, static_cast<std::size_t>(end - stop - 1)}) : nullptr;
  }
  if (const Value* whole = find(path)) return whole;
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1)) {
    const Value* child = find(path.substr(0, dot));
    const Value* found = child == nullptr ? nullptr : child->find_path(path.substr(dot + 1));
    if (found != nullptr) return found;
  }
  return nullptr;
}

inline std::size_t Value::encoded_bound() const noexcept {
  std::size_t bound = put::kHeadSizeMax;
  if (const auto* text = std::get_if<std::string>(&data_)) bound += text->size();
  if (const auto* bytes = std::get_if<Bytes>(&data_)) bound += bytes->size();
  if (const auto* array = std::get_if<Array>(&data_)) {
    for (const Value& item : *array) bound += item.encoded_bound();
  }
  if (const auto* map = std::get_if<Map>(&data_)) {
    for (const auto& [key, value] : *map) bound += put::kHeadSizeMax + key.size() + value.encoded_bound();
  }
  return bound;
}

inline std::uint8_t* Value::put(std::uint8_t* at) const noexcept {
  switch (type()) {
    case Type::null:
      break;
    case Type::boolean:
      return put::boolean(at, *std::get_if<bool>(&data_));
    case Type::integer:
      return put::integer(at, *std::get_if<std::int64_t>(&data_));
    case Type::natural:
      return put::head(at, 0x00u, *std::get_if<std::uint64_t>(&data_));
    case Type::floating:
      return put::floating(at, *std::get_if<double>(&data_));
    case Type::text:
      return put::text(at, *std::get_if<std::string>(&data_));
    case Type::bytes:
      return put::bytes(at, *std::get_if<Bytes>(&data_));
    case Type::array: {
      const Array& array = *std::get_if<Array>(&data_);
      at = put::head(at, 0x80u, array.size());
      for (const Value& item : array) at = item.put(at);
      return at;
    }
    case Type::map: {
      const Map& map = *std::get_if<Map>(&data_);
      at = put::head(at, 0xa0u, map.size());
      for (const auto& [key, value] : map) at = value.put(put::text(at, key));
      return at;
    }
  }
  return put::null(at);
}

inline bool Value::read_number(Reader& reader, Kind kind) noexcept {
  if (kind == Kind::uint) {
    std::uint64_t natural = 0;
    if (!reader.read_uint(natural)) return false;
    *this = Value(natural);
    return true;
  }
  std::uint64_t n = 0;
  if (kind == Kind::negint && reader.read_negint(n)) {
    if (n <= static_cast<std::uint64_t>(INT64_MAX)) {
      data_ = static_cast<std::int64_t>(~n);
    } else {
      data_ = -1.0 - static_cast<double>(n);
    }
    return true;
  }
  double number = 0;
  if (!reader.read_double(number)) return false;
  data_ = number;
  return true;
}

inline bool Value::read_map(Reader& reader) {
  Items walk;
  if (!reader.enter_map(walk)) return false;
  Map& map = data_.emplace<Map>();
  Buffer scratch;
  while (reader.next(walk)) {
    std::string_view key;
    if (reader.peek() != Kind::text && reader.peek() != Kind::end) return reader.fail(Fault::unsupported);
    if (!reader.read_text(key, scratch)) return false;
    if (!map.emplace_back(std::string(key), Value()).second.read(reader)) return false;
  }
  return !reader.failed();
}

// Recursion is bounded by the reader, which enters no more than kDepthMax containers.
inline bool Value::read(Reader& reader) {
  std::uint64_t tag = 0;
  while (reader.peek() == Kind::tag) {
    if (!reader.read_tag(tag)) return false;
  }
  const Kind kind = reader.peek();
  switch (kind) {
    case Kind::uint:
    case Kind::negint:
    case Kind::floating:
      return read_number(reader, kind);
    case Kind::null:
    case Kind::undefined: {
      data_ = std::monostate();
      return kind == Kind::null ? reader.read_null() : reader.read_undefined();
    }
    case Kind::boolean:
      return reader.read_bool(data_.emplace<bool>());
    case Kind::text: {
      Buffer scratch;
      std::string_view text;
      if (!reader.read_text(text, scratch)) return false;
      data_ = std::string(text);
      return true;
    }
    case Kind::bytes: {
      Buffer scratch;
      std::span<const std::uint8_t> bytes;
      if (!reader.read_bytes(bytes, scratch)) return false;
      data_ = Bytes(bytes.begin(), bytes.end());
      return true;
    }
    case Kind::array: {
      Items walk;
      if (!reader.enter_array(walk)) return false;
      Array& array = data_.emplace<Array>();
      while (reader.next(walk)) {
        if (!array.emplace_back().read(reader)) return false;
      }
      return !reader.failed();
    }
    case Kind::map:
      return read_map(reader);
    case Kind::tag:
    case Kind::simple:
      break;
    case Kind::end:
      return reader.skip();  // says whether the data is cut short or a break stands here
  }
  return reader.fail(Fault::unsupported);
}

}  // namespace nexus::cbor
