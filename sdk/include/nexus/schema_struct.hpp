// A struct with described fields as a CBOR map with text keys. Reading expects the fields in the order of their
// declaration, which is how writing puts them, and recognises each by one comparison of its encoded key; from the first
// surprise on it searches by name.
#pragma once

#include <cstring>
#include <utility>

#include "nexus/schema_container.hpp"

namespace nexus::schema {

namespace detail {

template <class T>
inline constexpr char kTypeMark = 0;  // its address stands for the type

template <class T, class List>
struct StructCodec;

template <class T, class... Fields>
struct StructCodec<T, FieldList<Fields...>> {
  static constexpr std::size_t kSize = sizeof...(Fields);
  static constexpr std::size_t kHeadSize = 2;  // of a map of up to 64 pairs

  template <class Field>
  static bool present([[maybe_unused]] const T& value) noexcept {
    if constexpr (kIsOptional<typename Field::Type>) return (value.*Field::kMember).has_value();
    return true;
  }

  template <class Field>
  static std::uint8_t* put_field(std::uint8_t* at, const T& value, Encoding& encoding) noexcept {
    if (!present<Field>(value)) return at;
    std::memcpy(at, Field::kKey.data(), Field::kKey.size());
    return Codec<typename Field::Type>::put(at + Field::kKey.size(), value.*Field::kMember, encoding);
  }

  // Reads the field if its key comes next; true if it did not, or if all went well.
  template <class Field>
  static bool take_in_order(Decoder& decoder, T& out, cbor::Items& walk, std::uint64_t& seen, std::uint64_t bit,
                            const std::uint8_t*& at) {
    const std::uint8_t* end = decoder.reader.limit();
    constexpr auto& key = Field::kKey;
    if (walk.left == 0 || static_cast<std::size_t>(end - at) < key.size()) return true;
    if (std::memcmp(at, key.data(), key.size()) != 0) return true;
    auto& member = out.*Field::kMember;
    if constexpr (HasFast<typename Field::Type>) {
      if (const std::uint8_t* next = Codec<typename Field::Type>::fast(at + key.size(), end, member)) {
        at = next;
        --walk.left;
        seen |= bit;
        return true;
      }
    }
    decoder.reader.seek(at + key.size());
    if (!Codec<typename Field::Type>::take(decoder, member)) return decoder.in_field(Field::kName);
    at = decoder.reader.cursor();
    --walk.left;
    seen |= bit;
    return true;
  }

  template <std::size_t... Index>
  static bool take_all_in_order(Decoder& decoder, [[maybe_unused]] T& out, cbor::Items& walk, std::uint64_t& seen,
                                std::index_sequence<Index...>) {
    const std::uint8_t* at = decoder.reader.cursor();
    if (!(take_in_order<Fields>(decoder, out, walk, seen, std::uint64_t{1} << Index, at) && ...)) return false;
    decoder.reader.seek(at);
    return true;
  }

  template <class Field>
  static bool take_one(Decoder& decoder, T& out) {
    return Codec<typename Field::Type>::take(decoder, out.*Field::kMember);
  }

  // One pair, whatever its key.
  static bool take_by_name(Decoder& decoder, T& out, std::uint64_t& seen) {
    using Take = bool (*)(Decoder&, T&);
    static constexpr std::array<std::string_view, kSize> kNames = {Fields::kName...};
    static constexpr std::array<Take, kSize> kTakes = {&take_one<Fields>...};
    if (decoder.peek() != cbor::Kind::text) {
      if (decoder.strict()) return decoder.wrong("a map with text keys");
      return (decoder.reader.skip() && decoder.reader.skip()) || decoder.broken();
    }
    std::string_view key;
    cbor::Buffer scratch;
    if (!decoder.reader.read_text(key, scratch)) return decoder.broken();
    std::size_t index = 0;
    while (index < kSize && kNames[index] != key) ++index;
    if (index == kSize) {
      if (decoder.strict()) return decoder.unknown_key(key, kNames.data(), kSize);
      return decoder.reader.skip() || decoder.broken();
    }
    if ((seen >> index & 1u) != 0) {
      decoder.problem("must come once, but comes twice");
      return decoder.in_field(kNames[index]);
    }
    seen |= std::uint64_t{1} << index;
    return kTakes[index](decoder, out) || decoder.in_field(kNames[index]);
  }

  template <class Field>
  static void field_schema(SchemaText& text, const T& preset) {
    text.begin_member(Field::kName, '{');
    Codec<typename Field::Type>::schema(text, &(preset.*Field::kMember));
    put_default(text, preset.*Field::kMember);
    text.end('}');
  }
};

}  // namespace detail

template <HasFields T>
struct Codec<T> {
  // The fields show theirs.
  static constexpr bool kHidesDefault = true;

  static std::size_t bound(const T& value) noexcept { return bound_of(value, FieldsOf<T>{}); }
  static std::uint8_t* put(std::uint8_t* at, const T& value, Encoding& encoding) noexcept {
    return put_all(at, value, encoding, FieldsOf<T>{});
  }
  static bool take(Decoder& decoder, T& out) {
    if (decoder.peek() != cbor::Kind::map) return decoder.wrong("a map");
    cbor::Items walk;
    if (!decoder.reader.enter_map(walk)) return decoder.broken();
    std::uint64_t seen = 0;
    if (!Struct::take_all_in_order(decoder, out, walk, seen, std::make_index_sequence<Struct::kSize>{})) return false;
    while (decoder.reader.next(walk)) {
      if (!Struct::take_by_name(decoder, out, seen)) return false;
    }
    return !decoder.reader.failed() || decoder.broken();
  }
  static void schema(SchemaText& text, const T* preset) {
    text.member("type", "object");
    if (!text.open_type(&detail::kTypeMark<T>)) return;
    text.begin_member("properties", '{');
    if (preset != nullptr) {
      properties(text, *preset, FieldsOf<T>{});
    } else {
      properties(text, T{}, FieldsOf<T>{});
    }
    text.end('}');
    if (text.strict()) text.member_bool("additionalProperties", false);
    text.close_type();
  }

 private:
  using Struct = detail::StructCodec<T, FieldsOf<T>>;

  template <class... Fields>
  static std::size_t bound_of([[maybe_unused]] const T& value, FieldList<Fields...>) noexcept {
    return (Struct::kHeadSize + ... +
            (Fields::kKey.size() + Codec<typename Fields::Type>::bound(value.*Fields::kMember)));
  }
  template <class... Fields>
  static std::uint8_t* put_all(std::uint8_t* at, [[maybe_unused]] const T& value, [[maybe_unused]] Encoding& encoding,
                               FieldList<Fields...>) noexcept {
    const std::size_t count = (std::size_t{0} + ... + (Struct::template present<Fields>(value) ? 1u : 0u));
    at = cbor::put::head(at, 0xa0u, count);
    ((at = Struct::template put_field<Fields>(at, value, encoding)), ...);
    return at;
  }
  template <class... Fields>
  static void properties([[maybe_unused]] SchemaText& text, [[maybe_unused]] const T& preset, FieldList<Fields...>) {
    (Struct::template field_schema<Fields>(text, preset), ...);
  }
};

}  // namespace nexus::schema
