// Any CBOR item as an owned value, for members without a fixed shape and for tools. Maps keep their order and have text
// keys; tags are dropped on reading (a tagged time is its text or number); undefined reads as null; negative numbers
// below int64_t read as double. A map that names a key twice keeps both, and find() gives the first. It costs about
// 40 bytes an item: large data is better read with a Reader. Safe to read from several threads.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "nexus/cbor_reader.hpp"
#include "nexus/cbor_writer.hpp"
#include "nexus/schema_error.hpp"

namespace nexus {

// A byte string that is owned; std::span<const std::uint8_t> is one that is borrowed.
using Bytes = std::vector<std::uint8_t>;

}  // namespace nexus

namespace nexus::cbor {

class Value {
 public:
  using Array = std::vector<Value>;
  using Member = std::pair<std::string, Value>;
  using Map = std::vector<Member>;

  // In the order of the variant's alternatives. `integer` is whatever int64_t holds, `natural` only what is above.
  enum class Type : std::uint8_t { null, boolean, integer, natural, floating, text, bytes, array, map };

  Value() noexcept = default;
  Value(std::nullptr_t) noexcept {}
  Value(bool value) noexcept : data_(value) {}
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) Value(Number value)
  noexcept {
    if constexpr (std::is_unsigned_v<Number>) {
      if (value > static_cast<std::uint64_t>(INT64_MAX)) {
        data_ = static_cast<std::uint64_t>(value);
        return;
      }
    }
    data_ = static_cast<std::int64_t>(value);
  }
  Value(double value) noexcept : data_(value) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(std::string value) noexcept : data_(std::move(value)) {}
  Value(Bytes value) noexcept : data_(std::move(value)) {}
  Value(Array value) noexcept : data_(std::move(value)) {}
  Value(Map value) noexcept : data_(std::move(value)) {}
  // Value order = {{"order_id", "A-1"}, {"total", 12.5}, {"tags", Value::array({"new", "gift"})}};
  Value(std::initializer_list<Member> members) : data_(Map(members)) {}

  static Value array(std::initializer_list<Value> items = {}) { return Value(Array(items)); }
  static Value map(std::initializer_list<Member> members = {}) { return Value(Map(members)); }

  Type type() const noexcept { return static_cast<Type>(data_.index()); }
  // "text", "a whole number": for sentences.
  std::string_view type_name() const noexcept {
    constexpr std::string_view kNames[] = {"null", "true or false", "a whole number", "a whole number", "a number",
                                           "text", "bytes",         "a list",         "a map"};
    return kNames[data_.index()];
  }
  bool is_null() const noexcept { return type() == Type::null; }
  bool is_text() const noexcept { return type() == Type::text; }
  bool is_array() const noexcept { return type() == Type::array; }
  bool is_map() const noexcept { return type() == Type::map; }
  bool is_number() const noexcept {
    return type() == Type::integer || type() == Type::natural || type() == Type::floating;
  }

  // The value as bool, an integer (range-checked; a double without a fraction will do), a double (whole numbers will
  // do), std::string, std::string_view (borrowed), Bytes, Array or Map. Throws SchemaError where it is something else.
  template <class T>
  T get() const {
    T result{};
    if (!get_into(result)) wrong_type(wanted<T>());
    return result;
  }
  // The same, with `fallback` where it is something else.
  template <class T>
  T get_or(T fallback) const {
    T result{};
    return get_into(result) ? result : fallback;
  }
  bool get_into(bool& out) const noexcept { return copy_into(out); }
  bool get_into(double& out) const noexcept;
  template <std::integral Number>
  bool get_into(Number& out) const noexcept;
  bool get_into(std::string& out) const { return copy_into(out); }
  bool get_into(std::string_view& out) const noexcept {
    const auto* text = std::get_if<std::string>(&data_);
    if (text != nullptr) out = *text;
    return text != nullptr;
  }
  bool get_into(Bytes& out) const { return copy_into(out); }
  bool get_into(Array& out) const { return copy_into(out); }
  bool get_into(Map& out) const { return copy_into(out); }
  bool get_into(Value& out) const {
    out = *this;
    return true;
  }

  // The items or members in place; throws SchemaError where it is not a list or not a map.
  const Array& items() const { return const_cast<Value*>(this)->items(); }
  Array& items() {
    if (auto* array = std::get_if<Array>(&data_)) return *array;
    wrong_type("a list");
  }
  const Map& members() const { return const_cast<Value*>(this)->members(); }
  Map& members() {
    if (auto* map = std::get_if<Map>(&data_)) return *map;
    wrong_type("a map");
  }

  // How many items or members; 0 for everything else.
  std::size_t size() const noexcept {
    if (const auto* array = std::get_if<Array>(&data_)) return array->size();
    if (const auto* map = std::get_if<Map>(&data_)) return map->size();
    return 0;
  }

  // The member of exactly that name, or null; null as well where this is no map.
  const Value* find(std::string_view key) const noexcept {
    const auto* map = std::get_if<Map>(&data_);
    if (map == nullptr) return nullptr;
    for (const Member& member : *map) {
      if (member.first == key) return &member.second;
    }
    return nullptr;
  }
  Value* find(std::string_view key) noexcept { return const_cast<Value*>(std::as_const(*this).find(key)); }

  // The value at a dotted path, where a list takes a number: "items.0.price". A key that has dots itself is found too.
  // find_path gives null where there is none, at throws SchemaError.
  const Value* find_path(std::string_view path) const noexcept;
  const Value& at(std::string_view path) const {
    const Value* found = find_path(path);
    if (found == nullptr) throw SchemaError("there is no " + std::string(path), std::string(path));
    return *found;
  }

  // The member of that name, made as null if there is none; null turns into a map. Throws SchemaError on others.
  Value& operator[](std::string_view key) {
    if (is_null()) data_ = Map();
    if (Value* found = find(key)) return *found;
    return members().emplace_back(std::string(key), Value()).second;
  }
  // Appends to a list; null turns into one. Throws SchemaError on others.
  Value& push_back(Value item) {
    if (is_null()) data_ = Array();
    items().push_back(std::move(item));
    return items().back();
  }

  friend bool operator==(const Value& left, const Value& right) { return left.data_ == right.data_; }

  // At most so many bytes does put() write.
  std::size_t encoded_bound() const noexcept;
  std::uint8_t* put(std::uint8_t* at) const noexcept;
  void write(Writer& writer) const {
    Buffer& out = writer.buffer();
    out.commit(put(out.reserve(encoded_bound())));
  }
  Bytes encode() const {
    Buffer out;
    out.commit(put(out.reserve(encoded_bound())));
    return Bytes(out.data(), out.data() + out.size());
  }

  // Reads the next item. What cannot be held fails with Fault::unsupported: a key that is not text, a simple value.
  bool read(Reader& reader);
  // Exactly one item. try_decode tells why in `error`, decode throws SchemaError.
  static bool try_decode(std::span<const std::uint8_t> bytes, Value& out, Error& error) {
    Reader reader(bytes);
    const bool good = out.read(reader) && reader.finish();
    error = reader.error();
    return good;
  }
  static Value decode(std::span<const std::uint8_t> bytes) {
    Value value;
    Error error;
    if (!try_decode(bytes, value, error)) throw SchemaError(error.message());
    return value;
  }
  static Value decode(nexus_bytes bytes) { return decode(view(bytes)); }

 private:
  template <class T>
  bool copy_into(T& out) const {
    const T* held = std::get_if<T>(&data_);
    if (held != nullptr) out = *held;
    return held != nullptr;
  }

  template <class T>
  static constexpr std::string_view wanted() noexcept {
    if constexpr (std::same_as<T, bool>) return "true or false";
    if constexpr (std::integral<T>) return "a whole number in range";
    if constexpr (std::floating_point<T>) return "a number";
    if constexpr (std::same_as<T, Bytes>) return "bytes";
    if constexpr (std::same_as<T, Array>) return "a list";
    if constexpr (std::same_as<T, Map>) return "a map";
    return "text";
  }

  [[noreturn]] void wrong_type(std::string_view expected) const {
    throw SchemaError("must be " + std::string(expected) + ", is " + std::string(type_name()));
  }

  bool read_number(Reader& reader, Kind kind) noexcept;
  bool read_map(Reader& reader);

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Bytes, Array, Map> data_;
};

}  // namespace nexus::cbor

#include "nexus/cbor_value_impl.hpp"
