// Structs as events and as configs: one macro below a plain struct gives it a name on the bus, CBOR in and out by field
// name, and a JSON Schema. All macros stand at namespace scope, in the namespace of the type, below its definition and
// before its first use. A field is a public member: bool, any integer, float, double, std::string or nexus::Bytes
// (owned), std::string_view or std::span<const uint8_t> (borrowed from the event, and living as long as it), an enum
// with NEXUS_ENUM, a struct with NEXUS_STRUCT, system_clock time points, durations, nexus::cbor::Value for free-form
// data, and std::optional, std::vector and maps with text keys of all these. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "nexus/schema_struct.hpp"
#include "nexus/schema_time.hpp"

// NEXUS_EVENT(OrderCreated, "order.created", order_id, total_amount) makes the struct an event of that type, schema
// version 1; NEXUS_EVENT_V(OrderCreated, "order.created", 2, ...) gives another version. It may have no fields at all.
#define NEXUS_EVENT(Type, type_name, ...) NEXUS_EVENT_V(Type, type_name, 1 __VA_OPT__(, ) __VA_ARGS__)
#define NEXUS_EVENT_V(Type, type_name, schema_version, ...)                                                   \
  static_assert(::nexus::schema::is_type_name(type_name),                                                     \
                "NEXUS_EVENT: " type_name                                                                     \
                " cannot be an event's type; write lower-case words joined by dots, like \"order.created\": " \
                "a-z, 0-9, _ and -, at most 255 characters");                                                 \
  static_assert((schema_version) >= 1, "NEXUS_EVENT_V: schema versions count from 1");                        \
  NEXUS_PP_DESCRIBE_FIELDS(Type __VA_OPT__(, ) __VA_ARGS__)                                                   \
  [[maybe_unused]] constexpr auto nexus_describe_event(::nexus::schema::Tag<Type>) noexcept {                 \
    return ::nexus::schema::EventInfo{type_name, schema_version};                                             \
  }

// NEXUS_STRUCT(Item, sku, price) lets the struct be a field of an event, of a config or of another struct.
#define NEXUS_STRUCT(Type, ...) NEXUS_PP_DESCRIBE_FIELDS(Type __VA_OPT__(, ) __VA_ARGS__)

// NEXUS_CONFIG(Config, limit, sender) makes the struct a plugin's config.
#define NEXUS_CONFIG(Type, ...)                             \
  NEXUS_PP_DESCRIBE_FIELDS(Type __VA_OPT__(, ) __VA_ARGS__) \
  [[maybe_unused]] constexpr bool nexus_describe_config(::nexus::schema::Tag<Type>) noexcept { return true; }

// NEXUS_ENUM(Color, red, green) makes the enumerators travel as the texts "red" and "green".
#define NEXUS_ENUM(Type, ...)                                                                \
  [[maybe_unused]] constexpr auto nexus_describe_enum(::nexus::schema::Tag<Type>) noexcept { \
    return std::array{NEXUS_PP_EACH(NEXUS_PP_ENUMERATOR, Type, __VA_ARGS__)};                \
  }

namespace nexus {

// A struct that has a NEXUS_EVENT.
template <class T>
concept EventType = schema::HasEventInfo<T> && schema::HasFields<T>;
// A struct that has a NEXUS_CONFIG.
template <class T>
concept ConfigType = schema::HasConfigInfo<T> && schema::HasFields<T>;

namespace schema {

// "order.created: field items[2].price must be a number, is text".
NEXUS_COLD inline std::string sentence(std::string_view subject, const Failure& failure) {
  std::string text(subject);
  if (failure.broken) {
    text += ": " + failure.problem;
    if (!failure.path.empty()) text += ", in field " + failure.path;
  } else if (failure.path.empty()) {
    text += ": the data " + failure.problem;
  } else {
    text += ": field " + failure.path + " " + failure.problem;
  }
  return text;
}

// Reads exactly one item into `out`; empty bytes are a map without members. On failure `out` is partly filled.
template <class T>
bool decode_whole(Decoder& decoder, T& out) {
  if (decoder.reader.remaining() == 0) return true;
  if (!Codec<T>::take(decoder, out)) return false;
  return decoder.reader.finish() || decoder.broken();
}

}  // namespace schema

// What the macros have made of a struct; the C++ layer and tests use it, plugin authors seldom do.
template <class T>
struct EventTraits {
  static_assert(EventType<T>,
                "this type is no event: write NEXUS_EVENT(Type, \"some.name\", fields...) below the struct, "
                "in the same namespace");
  static_assert(std::is_default_constructible_v<T>,
                "an event must be default-constructible: its fields' defaults "
                "stand for what the data leaves out");

  static constexpr std::string_view type = nexus_describe_event(schema::Tag<T>{}).type;
  static constexpr std::uint32_t version = nexus_describe_event(schema::Tag<T>{}).version;

  // Appends the event's data. Allocates only if `out` must grow. Throws SchemaError, and leaves `out` as it was, when a
  // text is not UTF-8 or an enum has a value without a name.
  static void encode(const T& value, cbor::Buffer& out) {
    schema::Encoding encoding;
    std::uint8_t* begin = out.reserve(schema::Codec<T>::bound(value));
    const std::uint8_t* end = schema::Codec<T>::put(begin, value, encoding);
    if (encoding.broken) [[unlikely]]
      explain(std::span<const std::uint8_t>(begin, end));
    out.commit(end);
  }

  // Fills `out` from exactly one CBOR map, or from nothing at all: fields that are missing stay as they are, unknown
  // ones are passed over. Views in T point into `data`. Throws SchemaError naming the field; `out` is then partly
  // filled. Allocates only for the members of T that own what they hold.
  static void decode(std::span<const std::uint8_t> data, T& out) {
    schema::Decoder decoder(data, false);
    if (!schema::decode_whole(decoder, out)) [[unlikely]]
      fail(*decoder.failure());
  }
  static void decode(nexus_bytes data, T& out) { decode(cbor::view(data), out); }

  // The same without SchemaError: false, and the sentence in `why` if that is not null.
  static bool try_decode(std::span<const std::uint8_t> data, T& out, std::string* why = nullptr) {
    schema::Decoder decoder(data, false);
    if (schema::decode_whole(decoder, out)) return true;
    if (why != nullptr) *why = schema::sentence(type, *decoder.failure());
    return false;
  }
  static bool try_decode(nexus_bytes data, T& out, std::string* why = nullptr) {
    return try_decode(cbor::view(data), out, why);
  }

  // JSON Schema draft-07 of the data as JSON, with the fields' defaults; lives as long as the plugin.
  static const std::string& json_schema() {
    static const std::string text = make_schema();
    return text;
  }

 private:
  NEXUS_COLD [[noreturn]] static void fail(const schema::Failure& failure) {
    throw SchemaError(schema::sentence(type, failure), failure.path);
  }

  // Reading the data back finds the field that could not be written.
  NEXUS_COLD [[noreturn]] static void explain(std::span<const std::uint8_t> data) {
    T scratch{};
    decode(data, scratch);
    throw SchemaError(std::string(type) + ": a field holds a value that cannot be written");
  }

  static std::string make_schema() {
    schema::SchemaText text(false);
    text.begin('{');
    text.member("$schema", "http://json-schema.org/draft-07/schema#");
    text.member("title", type);
    text.number("x-nexus-version", version);
    schema::Codec<T>::schema(text, nullptr);
    text.end('}');
    return text.take();
  }
};

// A plugin's config: read strictly, since a key that nobody reads is a key that somebody mistyped.
template <class T>
struct ConfigTraits {
  static_assert(ConfigType<T>,
                "this type is no config: write NEXUS_CONFIG(Type, fields...) below the struct, in the same namespace");
  static_assert(std::is_default_constructible_v<T>, "a config must be default-constructible");

  // Fills `out` from a CBOR map, or from nothing at all; keys that are missing stay as they are. Throws ConfigError for
  // an unknown key, naming the nearest right one, and for a value of the wrong type.
  static void read(std::span<const std::uint8_t> config, T& out) {
    schema::Decoder decoder(config, true);
    if (!schema::decode_whole(decoder, out)) fail(*decoder.failure());
  }
  static void read(nexus_bytes config, T& out) { read(cbor::view(config), out); }

  // JSON Schema draft-07 with defaults and no additional keys; lives as long as the plugin.
  static const std::string& schema() {
    static const std::string text = make_schema();
    return text;
  }

 private:
  NEXUS_COLD [[noreturn]] static void fail(const schema::Failure& failure) {
    std::string text;
    if (failure.unknown) {
      text = "unknown key " + failure.path;
      text += failure.nearest.empty() ? "; " + failure.problem : "; did you mean " + failure.nearest + "?";
    } else if (failure.broken) {
      text = "the config: " + failure.problem;
      if (!failure.path.empty()) text += ", in key " + failure.path;
    } else {
      text = (failure.path.empty() ? "the config " : "key " + failure.path + " ") + failure.problem;
    }
    throw ConfigError(text, failure.path, failure.nearest);
  }

  static std::string make_schema() {
    schema::SchemaText text(true);
    text.begin('{');
    text.member("$schema", "http://json-schema.org/draft-07/schema#");
    schema::Codec<T>::schema(text, nullptr);
    text.end('}');
    return text.take();
  }
};

}  // namespace nexus
