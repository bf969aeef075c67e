// How each type of field travels as CBOR. Codec<T> has four parts: bound() and put() write, the first saying how much
// room the second may take; take() reads with every tolerance and sentence; fast(), where a type has it, reads the
// usual encoding only and returns null for everything else. Pure functions, any thread.
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "nexus/cbor.hpp"
#include "nexus/schema_decoder.hpp"
#include "nexus/schema_field.hpp"
#include "nexus/schema_json.hpp"

namespace nexus::schema {

template <class T>
inline constexpr bool kNever = false;

template <class T>
struct Codec {
  static_assert(kNever<T>,
                "a field of this type cannot travel in an event: give the struct a NEXUS_STRUCT, the enum a "
                "NEXUS_ENUM, or use a number, bool, text, nexus::Bytes, a time, optional, vector, map<string, ...> "
                "or nexus::cbor::Value");
};

namespace detail {

// The argument of the definite head at `at`, which is not the end; null for every other form, and where the bytes end.
inline const std::uint8_t* fast_argument(const std::uint8_t* at, const std::uint8_t* end,
                                         std::uint64_t& argument) noexcept {
  const std::uint8_t info = *at & 0x1fu;
  ++at;
  argument = info;
  if (info < 24) [[likely]]
    return at;
  if (info > 27) return nullptr;
  const unsigned size = 1u << (info - 24u);
  if (static_cast<std::size_t>(end - at) < size) return nullptr;
  argument = cbor::detail::argument_at(at, info);
  return at + size;
}

// False where `number` is finite and T has no room for it: the plain cast would be undefined.
template <class T>
bool narrow(double number, T& out) noexcept {
  if constexpr (std::same_as<T, float>) {
    constexpr double kMax = static_cast<double>(std::numeric_limits<float>::max());
    if ((number > kMax || number < -kMax) && number - number == 0) return false;
  }
  out = static_cast<T>(number);
  return true;
}

inline const std::uint8_t* fast_string(const std::uint8_t* at, const std::uint8_t* end, std::uint8_t major,
                                       const std::uint8_t*& data, std::size_t& size) noexcept {
  std::uint64_t length = 0;
  if (at == end || (*at & 0xe0u) != major) return nullptr;
  at = fast_argument(at, end, length);
  if (at == nullptr || length > static_cast<std::uint64_t>(end - at)) return nullptr;
  data = at;
  size = static_cast<std::size_t>(length);
  if (major == 0x60u && !cbor::is_utf8(data, size)) return nullptr;
  return at + size;
}

}  // namespace detail

template <>
struct Codec<bool> {
  static std::size_t bound(bool) noexcept { return 1; }
  static std::uint8_t* put(std::uint8_t* at, bool value, Encoding&) noexcept { return cbor::put::boolean(at, value); }
  static const std::uint8_t* fast(const std::uint8_t* at, const std::uint8_t* end, bool& out) noexcept {
    if (at == end || (*at & 0xfeu) != 0xf4u) return nullptr;
    out = *at == 0xf5u;
    return at + 1;
  }
  static bool take(Decoder& decoder, bool& out) {
    if (decoder.peek() != cbor::Kind::boolean) return decoder.wrong("true or false");
    return decoder.reader.read_bool(out);
  }
  static void schema(SchemaText& text, const bool*) { text.member("type", "boolean"); }
};

// Every integer type that counts; char, wchar_t and the like are letters, not numbers.
template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
                  !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

template <Integer T>
struct Codec<T> {
  static std::size_t bound(T) noexcept { return cbor::put::kHeadSizeMax; }
  static std::uint8_t* put(std::uint8_t* at, T value, Encoding&) noexcept {
    if constexpr (std::unsigned_integral<T>) {
      return cbor::put::head(at, 0x00u, value);
    } else {
      return cbor::put::integer(at, value);
    }
  }
  static const std::uint8_t* fast(const std::uint8_t* at, const std::uint8_t* end, T& out) noexcept {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    constexpr std::uint8_t kMajorMax = std::signed_integral<T> ? 1 : 0;
    if (at == end || *at >> 5 > kMajorMax) return nullptr;
    const bool is_negative = *at >> 5 == 1;
    std::uint64_t argument = 0;
    at = detail::fast_argument(at, end, argument);
    if (at == nullptr || argument > kMax) return nullptr;
    out = static_cast<T>(is_negative ? ~argument : argument);  // -1 - n is ~n
    return at;
  }
  static bool take(Decoder& decoder, T& out) {
    const cbor::Kind kind = decoder.peek();
    const std::uint8_t* at = decoder.reader.cursor();
    if (const std::uint8_t* next = fast(at, decoder.reader.limit(), out)) {
      decoder.reader.seek(next);
      return true;
    }
    double number = 0;
    if (kind != cbor::Kind::uint && kind != cbor::Kind::negint && kind != cbor::Kind::floating) {
      return decoder.wrong("a whole number");
    }
    if (!decoder.reader.read_double(number)) return decoder.broken();
    // JSON's writers do not all tell 2 from 2.0, so a number without a fraction is as good as an integer.
    if (kind == cbor::Kind::floating && cbor::detail::whole(number, out)) return true;
    if (kind == cbor::Kind::floating && number != std::trunc(number)) {
      return decoder.problem("must be a whole number, is one with a fraction");
    }
    return decoder.problem("must be a whole number from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                           std::to_string(std::numeric_limits<T>::max()));
  }
  static void schema(SchemaText& text, const T*) {
    text.member("type", "integer");
    if constexpr (sizeof(T) < 8 || std::unsigned_integral<T>) text.number("minimum", std::numeric_limits<T>::min());
    if constexpr (sizeof(T) < 8) text.number("maximum", std::numeric_limits<T>::max());
  }
};

template <class T>
requires std::same_as<T, double> || std::same_as<T, float>
struct Codec<T> {
  static std::size_t bound(T) noexcept { return cbor::put::kHeadSizeMax; }
  static std::uint8_t* put(std::uint8_t* at, T value, Encoding&) noexcept {
    return cbor::put::floating(at, static_cast<double>(value));
  }
  static const std::uint8_t* fast(const std::uint8_t* at, const std::uint8_t* end, T& out) noexcept {
    const auto left = static_cast<std::size_t>(end - at);
    if (left >= 9 && *at == 0xfbu) {
      const auto number = std::bit_cast<double>(cbor::detail::load<std::uint64_t>(at + 1));
      return detail::narrow(number, out) ? at + 9 : nullptr;
    }
    if (left >= 3 && *at == 0xf9u) {
      out = static_cast<T>(cbor::detail::from_half(cbor::detail::load<std::uint16_t>(at + 1)));
      return at + 3;
    }
    if (left >= 5 && *at == 0xfau) {
      out = std::bit_cast<float>(cbor::detail::load<std::uint32_t>(at + 1));
      return at + 5;
    }
    return nullptr;
  }
  static bool take(Decoder& decoder, T& out) {
    const cbor::Kind kind = decoder.peek();
    if (kind != cbor::Kind::uint && kind != cbor::Kind::negint && kind != cbor::Kind::floating) {
      return decoder.wrong("a number");
    }
    double number = 0;
    if (!decoder.reader.read_double(number)) return decoder.broken();
    return detail::narrow(number, out) || decoder.problem("must be a number that single precision can hold");
  }
  static void schema(SchemaText& text, const T*) { text.member("type", "number"); }
};

// std::string owns its text; std::string_view borrows it from the event and lives as long as that does.
template <class T>
requires std::same_as<T, std::string> || std::same_as<T, std::string_view>
struct Codec<T> {
  static std::size_t bound(std::string_view value) noexcept { return cbor::put::kHeadSizeMax + value.size(); }
  static std::uint8_t* put(std::uint8_t* at, std::string_view value, Encoding& encoding) noexcept {
    if (!cbor::is_utf8(value)) encoding.broken = true;
    return cbor::put::text(at, value);
  }
  static const std::uint8_t* fast(const std::uint8_t* at, const std::uint8_t* end, T& out) {
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    at = detail::fast_string(at, end, 0x60u, data, size);
    if (at != nullptr) out = std::string_view(reinterpret_cast<const char*>(data), size);
    return at;
  }
  static bool take(Decoder& decoder, T& out) {
    if (decoder.peek() != cbor::Kind::text) return decoder.wrong("text");
    std::string_view text;
    if constexpr (std::same_as<T, std::string>) {
      cbor::Buffer scratch;
      if (!decoder.reader.read_text(text, scratch)) return decoder.broken_text();
      out = text;
    } else {
      if (!decoder.reader.read_text(text)) return decoder.broken_text();
      out = text;
    }
    return true;
  }
  static void schema(SchemaText& text, const T*) { text.member("type", "string"); }
};

// nexus::Bytes owns its bytes; a span borrows them as string_view does.
template <class T>
requires std::same_as<T, Bytes> || std::same_as<T, std::span<const std::uint8_t>>
struct Codec<T> {
  static std::size_t bound(std::span<const std::uint8_t> value) noexcept {
    return cbor::put::kHeadSizeMax + value.size();
  }
  static std::uint8_t* put(std::uint8_t* at, std::span<const std::uint8_t> value, Encoding&) noexcept {
    return cbor::put::bytes(at, value);
  }
  static bool take(Decoder& decoder, T& out) {
    if (decoder.peek() != cbor::Kind::bytes) return decoder.wrong("bytes");
    std::span<const std::uint8_t> bytes;
    if constexpr (std::same_as<T, Bytes>) {
      cbor::Buffer scratch;
      if (!decoder.reader.read_bytes(bytes, scratch)) return decoder.broken();
      out.assign(bytes.begin(), bytes.end());
    } else {
      if (!decoder.reader.read_bytes(bytes)) return decoder.broken();
      out = bytes;
    }
    return true;
  }
  static void schema(SchemaText& text, const T*) {
    text.member("type", "string");
    text.member("contentEncoding", "base64url");  // which is what bytes become where an event turns into JSON
  }
};

template <HasEnumerators T>
struct Codec<T> {
  static constexpr auto kEnumerators = nexus_describe_enum(Tag<T>{});

  static constexpr std::string_view name(T value) noexcept {
    for (const auto& enumerator : kEnumerators) {
      if (enumerator.value == value) return enumerator.name;
    }
    return {};
  }
  static std::size_t bound(T value) noexcept { return cbor::put::kHeadSizeMax + name(value).size(); }
  static std::uint8_t* put(std::uint8_t* at, T value, Encoding& encoding) noexcept {
    const std::string_view text = name(value);
    if (text.empty()) encoding.broken = true;
    return cbor::put::text(at, text);
  }
  static bool take(Decoder& decoder, T& out) {
    if (decoder.peek() != cbor::Kind::text) return decoder.wrong(choices());
    std::string_view text;
    cbor::Buffer scratch;
    if (!decoder.reader.read_text(text, scratch)) return decoder.broken();
    for (const auto& enumerator : kEnumerators) {
      if (enumerator.name == text) {
        out = enumerator.value;
        return true;
      }
    }
    return decoder.unfit(choices(), text);
  }
  static void schema(SchemaText& text, const T*) {
    text.member("type", "string");
    text.begin_member("enum", '[');
    for (const auto& enumerator : kEnumerators) text.item(enumerator.name);
    text.end(']');
  }

 private:
  static std::string choices() {
    std::string text = kEnumerators.size() == 1 ? "" : "one of ";
    for (std::size_t i = 0; i < kEnumerators.size(); ++i) {
      if (i != 0) text += ", ";
      text += std::string(kEnumerators[i].name);
    }
    return text;
  }
};

template <>
struct Codec<cbor::Value> {
  static std::size_t bound(const cbor::Value& value) noexcept { return value.encoded_bound(); }
  static std::uint8_t* put(std::uint8_t* at, const cbor::Value& value, Encoding& encoding) noexcept {
    std::uint8_t* end = value.put(at);
    if (!cbor::check(std::span<const std::uint8_t>(at, end))) encoding.broken = true;
    return end;
  }
  static bool take(Decoder& decoder, cbor::Value& out) { return out.read(decoder.reader) || decoder.broken(); }
  static void schema(SchemaText&, const cbor::Value*) {}
};

}  // namespace nexus::schema
