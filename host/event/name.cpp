#include "host/event/name.hpp"

#include <algorithm>
#include <string>

#include "host/base/printable.hpp"
#include "nexus/cbor_utf8.hpp"

namespace nexus::host {
namespace {

constexpr bool is_segment_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

constexpr bool is_subscription_character(char c) {
  return is_segment_character(c) || (c >= 'A' && c <= 'Z') || c == '.';
}

// How many bytes of `text` are segments joined by single dots; text.size() means all of it. A dot in a wrong place
// counts as the first wrong byte, a missing segment at the end as the byte past the end minus one.
size_t dotted_prefix(std::string_view text) {
  bool segment_open = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_segment_character(text[i])) {
      segment_open = true;
    } else if (text[i] == '.' && segment_open && i + 1 < text.size()) {
      segment_open = false;
    } else {
      return i;
    }
  }
  return text.size();
}

// The byte as a reader can see it, whatever it is.
std::string show_byte(char c) {
  if (c >= 0x20 && c < 0x7F) return {'\'', c, '\''};
  constexpr char kDigits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 0x0F]};
}

std::string quote_start(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, 64)) quoted += c >= 0x20 && c < 0x7F ? c : '?';
  quoted += text.size() > 64 ? "...\"" : "\"";
  return quoted;
}

// The sentence about a dotted name of which `good` bytes are right.
std::string dotted_complaint(std::string_view what, std::string_view text, size_t good) {
  std::string message(what);
  message += ' ' + quote_start(text) + ": ";
  if (text[good] == '.') {
    message += good + 1 == text.size() ? "it ends with a dot" : good == 0 ? "it begins with a dot" : "an empty segment";
  } else if (text[good] == '*') {
    message += "a wildcard, which only patterns may have,";
  } else if (text[good] >= 'A' && text[good] <= 'Z') {
    message += "a capital letter, " + show_byte(text[good]) + ',';
  } else {
    message += show_byte(text[good]) + " is not allowed";
  }
  message += " (byte " + std::to_string(good + 1) + ')';
  return message;
}

}  // namespace

bool is_valid_type(std::string_view type) {
  return !type.empty() && type.size() <= kTypeBytesMax && dotted_prefix(type) == type.size();
}

Result<void> check_type(std::string_view type) {
  constexpr const char* kHelp = "a type is made of segments of a-z, 0-9, '_' and '-', joined by dots: order.created";
  if (type.empty()) return make_error(NEXUS_E_TYPE_NAME, "the event type is empty", kHelp);
  if (type.size() > kTypeBytesMax) {
    return make_error(NEXUS_E_TYPE_NAME, "the event type " + quote_start(type) + " has " + std::to_string(type.size()) +
                                             " bytes, the limit is " + std::to_string(kTypeBytesMax));
  }
  const size_t good = dotted_prefix(type);
  if (good < type.size()) return make_error(NEXUS_E_TYPE_NAME, dotted_complaint("event type", type, good), kHelp);
  return {};
}

bool is_reserved_type(std::string_view type) {
  return type.starts_with("system.") || type.starts_with("plugin.") || type == "system" || type == "plugin";
}

bool is_valid_plugin_id(std::string_view id) {
  return id.size() >= kPluginIdBytesMin && id.size() <= kPluginIdBytesMax && id.find('.') != std::string_view::npos &&
         dotted_prefix(id) == id.size();
}

Result<void> check_plugin_id(std::string_view id) {
  constexpr const char* kHelp =
      "a plugin id is reverse-DNS, 3 to 128 bytes of a-z, 0-9, '_', '-' and dots: com.example.orders";
  if (id.empty()) return make_error(NEXUS_E_ARGUMENT, "the plugin id is empty", kHelp);
  if (id.size() < kPluginIdBytesMin || id.size() > kPluginIdBytesMax) {
    return make_error(NEXUS_E_ARGUMENT,
                      "the plugin id " + quote_start(id) + " has " + std::to_string(id.size()) + " bytes", kHelp);
  }
  const size_t good = dotted_prefix(id);
  if (good < id.size()) return make_error(NEXUS_E_ARGUMENT, dotted_complaint("plugin id", id, good), kHelp);
  if (id.find('.') == std::string_view::npos) {
    return make_error(NEXUS_E_ARGUMENT, "the plugin id " + quote_start(id) + " has only one segment", kHelp);
  }
  return {};
}

bool is_valid_subscription_name(std::string_view name) {
  return !name.empty() && name.size() <= kSubscriptionNameBytesMax &&
         std::all_of(name.begin(), name.end(), is_subscription_character);
}

Result<void> check_subscription_name(std::string_view name) {
  constexpr const char* kHelp = "a subscription's name is 1 to 128 bytes of A-Z, a-z, 0-9, '_', '.' and '-'";
  if (is_valid_subscription_name(name)) return {};
  if (name.empty()) return make_error(NEXUS_E_ARGUMENT, "the subscription's name is empty", kHelp);
  if (name.size() > kSubscriptionNameBytesMax) {
    return make_error(NEXUS_E_ARGUMENT,
                      "the subscription's name " + quote_start(name) + " has " + std::to_string(name.size()) + " bytes",
                      kHelp);
  }
  const auto* bad = std::find_if_not(name.begin(), name.end(), is_subscription_character);
  return make_error(NEXUS_E_ARGUMENT,
                    "subscription name " + quote_start(name) + ": " + show_byte(*bad) + " is not allowed (byte " +
                        std::to_string(bad - name.begin() + 1) + ')',
                    kHelp);
}

bool is_utf8(std::string_view text) { return cbor::is_utf8(text); }

Result<void> check_utf8(std::string_view text, std::string_view what) {
  if (is_utf8(text)) return {};
  std::string_view rest = text;
  char32_t ignored = 0;
  while (const unsigned length = utf8_front(rest, ignored)) rest.remove_prefix(length);
  std::string message(what);
  message += " is not UTF-8 at byte " + std::to_string(text.size() - rest.size() + 1);
  return make_error(NEXUS_E_UTF8, std::move(message), "send UTF-8 text; raw bytes belong into a CBOR byte string");
}

}  // namespace nexus::host
