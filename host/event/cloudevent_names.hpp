// The attribute names of CloudEvents that the reader and the writer share. Not for others: include cloudevents.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace nexus::host::ce {

inline constexpr std::string_view kMetadata = "nexusmetadata";
inline constexpr std::string_view kContentType = "datacontenttype";
inline constexpr std::string_view kDataSchema = "dataschema";
inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kCborType = "application/cbor";
inline constexpr std::string_view kBytesType = "application/octet-stream";

// Attributes with a place of their own in nexus_event, or of the format itself: no metadata key may stand for them.
inline constexpr auto kOwnNames = std::to_array<std::string_view>(
    {"id", "source", "specversion", "type", "datacontenttype", "dataschema", "subject", "time", "data", "correlationid",
     "causationid", "partitionkey", "expirytime", "traceparent", "nexuspriority", "nexusschemaversion", kMetadata});

constexpr bool is_own_name(std::string_view name) {
  return std::find(kOwnNames.begin(), kOwnNames.end(), name) != kOwnNames.end();
}

// CloudEvents 1.0 section 3.1: lower-case letters and digits; 20 of them are advised, so more are taken.
constexpr bool is_attribute_name(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// The media type without its parameters says "JSON" (section 3.1.1 of the JSON format).
constexpr bool is_json_type(std::string_view media_type) {
  media_type = media_type.substr(0, media_type.find(';'));
  while (media_type.ends_with(' ')) media_type.remove_suffix(1);
  return media_type.empty() || media_type == kJsonType || media_type == "text/json" || media_type.ends_with("+json");
}

}  // namespace nexus::host::ce
