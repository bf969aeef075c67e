// The event types that this library emits, handles or replies with. Each is numbered when the library is loaded, so
// that an emit finds the host's number by an index, and so that tools can list them. Read-only afterwards.
#pragma once

#include <cstdint>
#include <string_view>

#include "nexus/schema.hpp"

namespace nexus::detail {

struct KnownType {
  using SchemaText = std::string_view (*)();

  KnownType(std::string_view type_name, std::uint32_t schema_version, SchemaText schema_text);

  std::string_view type;
  std::uint32_t version;
  SchemaText schema;
  std::uint32_t index;
  const KnownType* next;
};

inline constinit const KnownType* known_types = nullptr;
inline constinit std::uint32_t known_types_size = 0;

inline KnownType::KnownType(std::string_view type_name, std::uint32_t schema_version, SchemaText schema_text)
    : type(type_name), version(schema_version), schema(schema_text), index(known_types_size++), next(known_types) {
  known_types = this;
}

inline std::uint32_t known_type_count() { return known_types_size; }

// Naming it anywhere in the code puts the type on the list.
template <class T>
inline KnownType known_type{EventTraits<T>::type, EventTraits<T>::version,
                            []() -> std::string_view { return EventTraits<T>::json_schema(); }};

}  // namespace nexus::detail
