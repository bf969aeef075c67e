// Structs with every type of field, in every kind of scope, and what the schema tests do with them. For tests only.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "nexus/schema.hpp"

// The macros work at global scope, in any namespace, and for types inside a class.
enum class Color { red, green, blue };
NEXUS_ENUM(Color, red, green, blue)

struct GlobalPing {};
NEXUS_EVENT(GlobalPing, "ping")

namespace shop {

struct Item {
  std::string sku;
  double price = 0;
  std::vector<Item> parts;
};
NEXUS_STRUCT(Item, sku, price, parts)

struct Everything {
  bool flag = true;
  std::int8_t i8 = -8;
  std::int16_t i16 = -16;
  std::int32_t i32 = -32;
  std::int64_t i64 = -64;
  std::uint8_t u8 = 8;
  std::uint16_t u16 = 16;
  std::uint32_t u32 = 32;
  std::uint64_t u64 = 64;
  float single = 1.5f;
  double number = 2.25;
  std::string text = "text";
  std::string_view view = "view";
  nexus::Bytes bytes = {1, 2};
  std::span<const std::uint8_t> span;
  Color color = Color::green;
  Item item;
  std::optional<std::int32_t> maybe;
  std::vector<Item> items;
  std::vector<bool> flags;
  std::map<std::string, std::int32_t> counts;
  std::unordered_map<std::string, Item> by_name;
  nexus::cbor::Value free;
  std::chrono::system_clock::time_point at;
  std::chrono::milliseconds wait{1500};
};
NEXUS_EVENT_V(Everything, "shop.everything", 7, flag, i8, i16, i32, i64, u8, u16, u32, u64, single, number, text, view,
              bytes, span, color, item, maybe, items, flags, counts, by_name, free, at, wait)

struct Shelf {
  struct Place {
    std::int32_t row;  // with a default, C++ could not make it an optional before Shelf is complete
  };
  enum class Side { left, right };
  std::optional<Place> place;
  Side side = Side::right;
};
NEXUS_STRUCT(Shelf::Place, row)
NEXUS_ENUM(Shelf::Side, left, right)
NEXUS_EVENT(Shelf, "shop.shelf", place, side)

// A name beyond 23 bytes has a longer head in its encoded key.
struct LongNames {
  std::int32_t a_name_of_23_characters = 1;
  std::int32_t a_name_of_24_characters_ = 2;
  std::int32_t a_name_that_is_considerably_longer_than_all_the_others = 3;
};
NEXUS_EVENT(LongNames, "shop.long_names", a_name_of_23_characters, a_name_of_24_characters_,
            a_name_that_is_considerably_longer_than_all_the_others)

struct Order {
  std::string order_id = "none";
  std::string_view user_id;
  double total_amount = 0;
  std::int32_t count = 1;
  std::string currency = "USD";
  std::vector<shop::Item> items;
};
NEXUS_EVENT(Order, "order.created", order_id, user_id, total_amount, count, currency, items)

}  // namespace shop

namespace nexus::testing {

template <class T>
inline Bytes encoded(const T& value) {
  cbor::Buffer out;
  EventTraits<T>::encode(value, out);
  return Bytes(out.data(), out.data() + out.size());
}

template <class T>
inline std::string why_not(const Bytes& data) {
  T scratch;
  std::string why = "no error";
  EventTraits<T>::try_decode(std::span<const std::uint8_t>(data), scratch, &why);
  return why;
}

inline std::string why_not(const cbor::Value& data) { return why_not<shop::Order>(data.encode()); }

}  // namespace nexus::testing
