// The reflection that the NEXUS_EVENT family of macros writes: a struct's fields as types, found by argument-dependent
// lookup in the struct's own namespace. All of it happens at compile time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "nexus/cbor_writer.hpp"

namespace nexus::schema {

// More would not fit the set of fields already seen, which is one 64-bit word.
inline constexpr std::size_t kFieldsMax = 64;

// Stands for T in a call without an object: nexus_describe_fields(Tag<T>{}) looks in T's namespace.
template <class T>
struct Tag {};

// A string literal as a template argument.
template <std::size_t Size>
struct FixedString {
  char text[Size]{};

  constexpr FixedString(const char (&literal)[Size]) noexcept {  // implicit: Field<&T::a, "a">
    for (std::size_t i = 0; i < Size; ++i) text[i] = literal[i];
  }
  constexpr std::string_view view() const noexcept { return {text, Size - 1}; }
};

namespace detail {

template <class Member>
struct MemberOf;
template <class Owner, class Type>
struct MemberOf<Type Owner::*> {
  using type = Type;
};

// The name as CBOR text, so that writing a key is one copy and recognising it one comparison.
template <FixedString Name>
constexpr auto encoded_key() noexcept {
  constexpr std::size_t size = Name.view().size();
  static_assert(size >= 1 && size <= 255, "a field's name has 1 to 255 characters");
  constexpr std::size_t head = size < 24 ? 1 : 2;
  std::array<std::uint8_t, head + size> key{};
  if constexpr (head == 1) {
    key[0] = static_cast<std::uint8_t>(0x60u + size);
  } else {
    key[0] = 0x78u;
    key[1] = static_cast<std::uint8_t>(size);
  }
  for (std::size_t i = 0; i < size; ++i) key[head + i] = static_cast<std::uint8_t>(Name.view()[i]);
  return key;
}

}  // namespace detail

template <auto Member, FixedString Name>
struct Field {
  using Type = typename detail::MemberOf<decltype(Member)>::type;
  static constexpr auto kMember = Member;
  static constexpr std::string_view kName = {Name.text, sizeof(Name.text) - 1};
  static constexpr auto kKey = detail::encoded_key<Name>();
};

template <class... Fields>
struct FieldList {
  static constexpr std::size_t kSize = sizeof...(Fields);
  static_assert(kSize <= kFieldsMax, "an event, struct or config has at most 64 fields; nest some in a NEXUS_STRUCT");
};

template <class Enum>
struct Enumerator {
  Enum value;
  std::string_view name;
};

struct EventInfo {
  std::string_view type;
  std::uint32_t version;
};

// A type with one of NEXUS_EVENT, NEXUS_STRUCT and NEXUS_CONFIG; with NEXUS_ENUM; with NEXUS_EVENT.
template <class T>
concept HasFields = requires {
  nexus_describe_fields(Tag<T>{});
};
template <class T>
concept HasEnumerators = requires {
  nexus_describe_enum(Tag<T>{});
};
template <class T>
concept HasEventInfo = requires {
  nexus_describe_event(Tag<T>{});
};
template <class T>
concept HasConfigInfo = requires {
  nexus_describe_config(Tag<T>{});
};

template <class T>
using FieldsOf = decltype(nexus_describe_fields(Tag<T>{}));

// Whether the bus takes this as an event's type: segments of [a-z0-9_-] joined by single dots, 1 to 255 bytes.
constexpr bool is_type_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > 255) return false;
  bool at_start = true;  // of a segment, where a dot would make an empty one
  for (const char c : name) {
    const bool legal = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!legal && (c != '.' || at_start)) return false;
    at_start = c == '.';
  }
  return !at_start;
}

}  // namespace nexus::schema

// The preprocessor part: NEXUS_PP_EACH(macro, data, a, b, c) gives macro(data, a), macro(data, b), macro(data, c).
// A macro cannot call itself, so the step names its successor only, and each rescan of EXPAND runs one more step;
// three levels of four rescans make 85 steps, so that the message about 64 fields comes from a static_assert.
#define NEXUS_PP_PARENS ()
#define NEXUS_PP_EXPAND(...) NEXUS_PP_EXPAND_3(NEXUS_PP_EXPAND_3(NEXUS_PP_EXPAND_3(NEXUS_PP_EXPAND_3(__VA_ARGS__))))
#define NEXUS_PP_EXPAND_3(...) NEXUS_PP_EXPAND_2(NEXUS_PP_EXPAND_2(NEXUS_PP_EXPAND_2(NEXUS_PP_EXPAND_2(__VA_ARGS__))))
#define NEXUS_PP_EXPAND_2(...) NEXUS_PP_EXPAND_1(NEXUS_PP_EXPAND_1(NEXUS_PP_EXPAND_1(NEXUS_PP_EXPAND_1(__VA_ARGS__))))
#define NEXUS_PP_EXPAND_1(...) __VA_ARGS__
#define NEXUS_PP_EACH(macro, data, ...) __VA_OPT__(NEXUS_PP_EXPAND(NEXUS_PP_EACH_STEP(macro, data, __VA_ARGS__)))
#define NEXUS_PP_EACH_STEP(macro, data, first, ...) \
  macro(data, first) __VA_OPT__(, NEXUS_PP_EACH_NEXT NEXUS_PP_PARENS(macro, data, __VA_ARGS__))
#define NEXUS_PP_EACH_NEXT() NEXUS_PP_EACH_STEP

#define NEXUS_PP_FIELD(Type, name) ::nexus::schema::Field<&Type::name, #name>
#define NEXUS_PP_ENUMERATOR(Type, name) \
  ::nexus::schema::Enumerator<Type> { Type::name, #name }

#define NEXUS_PP_DESCRIBE_FIELDS(Type, ...)                                                    \
  [[maybe_unused]] constexpr auto nexus_describe_fields(::nexus::schema::Tag<Type>) noexcept { \
    return ::nexus::schema::FieldList<NEXUS_PP_EACH(NEXUS_PP_FIELD, Type, __VA_ARGS__)>{};     \
  }
