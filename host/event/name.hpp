// What a name may look like: event types, plugin ids, subscription names, and text as such (UTF-8). Pure functions, any
// thread; the is_... forms cost nothing but the scan, the check_... forms also build the sentence that says what is
// wrong.
#pragma once

#include <string_view>

#include "host/base/error.hpp"

namespace nexus::host {

inline constexpr size_t kTypeBytesMax = 255;
inline constexpr size_t kPluginIdBytesMin = 3;
inline constexpr size_t kPluginIdBytesMax = 128;
inline constexpr size_t kSubscriptionNameBytesMax = 128;
inline constexpr size_t kKeyBytesMax = 255;

// An event type: segments of [a-z0-9_-] joined by single dots, 1 to 255 bytes in all, no wildcards.
bool is_valid_type(std::string_view type);

// NEXUS_E_TYPE_NAME with a sentence that names the offending character and its place.
Result<void> check_type(std::string_view type);

// True for system.* and plugin.*, which the host alone may emit. The type must be valid.
bool is_reserved_type(std::string_view type);

// A plugin id: reverse-DNS, at least two segments of [a-z0-9_-], 3 to 128 bytes in all.
bool is_valid_plugin_id(std::string_view id);
Result<void> check_plugin_id(std::string_view id);

// The stable name of a subscription within its plugin: [A-Za-z0-9_.-], 1 to 128 bytes. An empty one, which means
// "dynamic", is for the caller to tell apart.
bool is_valid_subscription_name(std::string_view name);
Result<void> check_subscription_name(std::string_view name);

// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. Empty text is UTF-8.
bool is_utf8(std::string_view text);

// NEXUS_E_UTF8; `what` begins the sentence: "the subject is not UTF-8 at byte 3".
Result<void> check_utf8(std::string_view text, std::string_view what);

}  // namespace nexus::host
