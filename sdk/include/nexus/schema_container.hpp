// Fields that hold other fields: optional, vector, and maps with text keys.
#pragma once

#include "nexus/schema_codec.hpp"

namespace nexus::schema {

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

// Any map from std::string or std::string_view that can emplace: std::map, std::unordered_map, boost's and others'.
template <class T>
concept TextMap = requires(T map, typename T::key_type key, typename T::mapped_type value) {
  requires std::same_as<typename T::key_type, std::string> || std::same_as<typename T::key_type, std::string_view>;
  map.try_emplace(key);
  map.clear();
  map.size();
};

template <class T>
concept HasFast = requires(const std::uint8_t* at, T& out) {
  Codec<T>::fast(at, at, out);
};
// A default that says nothing, like the epoch, is left out of schemas.
template <class T>
concept ShowsDefault = !requires {
  Codec<T>::kHidesDefault;
};

// Adds what the field holds when nothing is given. An empty optional and a null say nothing and are left out.
template <class T>
void put_default(SchemaText& text, const T& preset) {
  if constexpr (ShowsDefault<T>) {
    cbor::Buffer out;
    Encoding encoding;
    out.commit(Codec<T>::put(out.reserve(Codec<T>::bound(preset)), preset, encoding));
    const bool says_nothing = out.bytes()[0] == 0xf6u;
    if (!encoding.broken && !says_nothing) text.member_cbor("default", out.bytes());
  }
}

// Absent from the map when empty; null and absence both read as empty.
template <class T>
struct Codec<std::optional<T>> {
  static std::size_t bound(const std::optional<T>& value) noexcept { return value ? Codec<T>::bound(*value) : 1; }
  static std::uint8_t* put(std::uint8_t* at, const std::optional<T>& value, Encoding& encoding) noexcept {
    return value ? Codec<T>::put(at, *value, encoding) : cbor::put::null(at);
  }
  static const std::uint8_t* fast(const std::uint8_t* at, const std::uint8_t* end,
                                  std::optional<T>& out) requires HasFast<T> {
    return Codec<T>::fast(at, end, out.emplace());
  }
  static bool take(Decoder& decoder, std::optional<T>& out) {
    const cbor::Kind kind = decoder.peek();
    if (kind != cbor::Kind::null && kind != cbor::Kind::undefined) return Codec<T>::take(decoder, out.emplace());
    out.reset();
    return kind == cbor::Kind::null ? decoder.reader.read_null() : decoder.reader.read_undefined();
  }
  static void schema(SchemaText& text, const std::optional<T>*) { Codec<T>::schema(text, nullptr); }
};

template <class T>
requires(!std::same_as<T, std::uint8_t>) struct Codec<std::vector<T>> {
  static std::size_t bound(const std::vector<T>& value) noexcept {
    std::size_t bound = cbor::put::kHeadSizeMax;
    for (const auto& item : value) bound += Codec<T>::bound(item);
    return bound;
  }
  static std::uint8_t* put(std::uint8_t* at, const std::vector<T>& value, Encoding& encoding) noexcept {
    at = cbor::put::head(at, 0x80u, value.size());
    for (const auto& item : value) at = Codec<T>::put(at, item, encoding);
    return at;
  }
  static bool take(Decoder& decoder, std::vector<T>& out) {
    if (decoder.peek() != cbor::Kind::array) return decoder.wrong("a list");
    cbor::Items walk;
    if (!decoder.reader.enter_array(walk)) return decoder.broken();
    out.clear();
    // A length is only a claim until the items have come: reserve no more than a page's worth on its word.
    constexpr std::uint64_t kReserveMax = 4096 / sizeof(T) + 1;
    out.reserve(static_cast<std::size_t>(std::min(walk.known(), kReserveMax)));
    for (std::uint64_t index = 0; decoder.reader.next(walk); ++index) {
      if constexpr (std::same_as<T, bool>) {
        bool item = false;
        if (!Codec<bool>::take(decoder, item)) return decoder.in_item(index);
        out.push_back(item);
      } else {
        if (!Codec<T>::take(decoder, out.emplace_back())) return decoder.in_item(index);
      }
    }
    return !decoder.reader.failed() || decoder.broken();
  }
  static void schema(SchemaText& text, const std::vector<T>*) {
    text.member("type", "array");
    text.begin_member("items", '{');
    Codec<T>::schema(text, nullptr);
    text.end('}');
  }
};

template <TextMap Map>
struct Codec<Map> {
  using Key = typename Map::key_type;
  using Mapped = typename Map::mapped_type;

  static std::size_t bound(const Map& value) noexcept {
    std::size_t bound = cbor::put::kHeadSizeMax;
    for (const auto& [key, mapped] : value) bound += Codec<Key>::bound(key) + Codec<Mapped>::bound(mapped);
    return bound;
  }
  static std::uint8_t* put(std::uint8_t* at, const Map& value, Encoding& encoding) noexcept {
    at = cbor::put::head(at, 0xa0u, value.size());
    for (const auto& [key, mapped] : value) {
      at = Codec<Mapped>::put(Codec<Key>::put(at, key, encoding), mapped, encoding);
    }
    return at;
  }
  static bool take(Decoder& decoder, Map& out) {
    if (decoder.peek() != cbor::Kind::map) return decoder.wrong("a map");
    cbor::Items walk;
    if (!decoder.reader.enter_map(walk)) return decoder.broken();
    out.clear();
    while (decoder.reader.next(walk)) {
      Key key;
      if (decoder.peek() != cbor::Kind::text) return decoder.wrong("a map with text keys");
      if (!Codec<Key>::take(decoder, key)) return false;
      const auto [place, is_new] = out.try_emplace(key);
      if (!is_new) return decoder.problem("must name each key once, but names \"" + std::string(key) + "\" twice");
      if (!Codec<Mapped>::take(decoder, place->second)) return decoder.in_field(key);
    }
    return !decoder.reader.failed() || decoder.broken();
  }
  static void schema(SchemaText& text, const Map*) {
    text.member("type", "object");
    text.begin_member("additionalProperties", '{');
    Codec<Mapped>::schema(text, nullptr);
    text.end('}');
  }
};

}  // namespace nexus::schema
