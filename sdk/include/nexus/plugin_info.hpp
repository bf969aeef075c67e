// What a plugin says about itself beside its code, and the rules for ids and versions. Constants, no threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "nexus/pattern.hpp"

namespace nexus {

// "This plugin needs that one": {"com.example.users", "^1.0"}. Ranges are "^1.2", "~1.2.3", ">=1.2 <2.0", "1.2.3", "*".
struct Requirement {
  std::string_view id;
  std::string_view version;
};

// The options of NEXUS_PLUGIN, in the order in which they must be given.
struct PluginInfo {
  std::string_view id;
  std::string_view version;
  std::string_view name{};         // for people
  std::string_view description{};  // one sentence
  std::string_view vendor{};
  Requirement requirements[16]{};  // the other plugins that must be there first
  bool exclusive = false;          // a hot swap stops the old instance before it starts the new one: it owns a port
  bool provider = false;           // provides a transport or a store
  std::string_view (*config_schema)() = nullptr;  // only where the plugin reads more than one config type
};

template <class T>
struct PluginTag {};

namespace detail {

constexpr bool is_plugin_id(std::string_view id) {
  if (id.size() < 3 || id.size() > 128 || !is_type_name(id)) return false;
  return id.find('.') != std::string_view::npos;
}

constexpr bool is_number_without_leading_zero(std::string_view text) {
  if (text.empty() || text.size() > 9 || (text.size() > 1 && text.front() == '0')) return false;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

// Dot-separated words of a pre-release or build part.
constexpr bool are_version_words(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  char before = '.';
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (!letter && c != '.') return false;
    if (c == '.' && before == '.') return false;
    before = c;
  }
  return true;
}

// Semantic versions: major.minor.patch[-pre.release][+build].
constexpr bool is_version(std::string_view text) {
  const std::size_t plus = text.find('+');
  if (plus != std::string_view::npos) {
    if (!are_version_words(text.substr(plus + 1))) return false;
    text = text.substr(0, plus);
  }
  const std::size_t dash = text.find('-');
  if (dash != std::string_view::npos) {
    if (!are_version_words(text.substr(dash + 1))) return false;
    text = text.substr(0, dash);
  }
  const std::size_t first = text.find('.');
  if (first == std::string_view::npos) return false;
  const std::size_t second = text.find('.', first + 1);
  if (second == std::string_view::npos) return false;
  return is_number_without_leading_zero(text.substr(0, first)) &&
         is_number_without_leading_zero(text.substr(first + 1, second - first - 1)) &&
         is_number_without_leading_zero(text.substr(second + 1));
}

// Can this be a range at all? The host reads it for good; here only words such as "newest" are found out.
constexpr bool looks_like_version_range(std::string_view text) {
  if (text.empty()) return true;
  constexpr std::string_view kBegin = "^~<>=*0123456789 ";
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && c != '.' && c != '-' && c != '+' && c != '|' && kBegin.find(c) == std::string_view::npos)
      return false;
  }
  return kBegin.find(text.front()) != std::string_view::npos;
}

constexpr bool are_requirements(const PluginInfo& info) {
  for (const Requirement& requirement : info.requirements) {
    if (requirement.id.empty() && requirement.version.empty()) continue;
    if (!is_plugin_id(requirement.id) || !looks_like_version_range(requirement.version)) return false;
  }
  return true;
}

}  // namespace detail
}  // namespace nexus
