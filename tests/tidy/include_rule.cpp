#include <algorithm>
#include <array>
#include <optional>

#include "tests/tidy/rules.hpp"

namespace nexus::tidy {

namespace {

struct Layer {
  std::string_view name;
  std::vector<std::string_view> below;
};

const std::vector<Layer>& layers() {
  static const std::vector<Layer> table = {
      {"base", {}},
      {"event", {"base"}},
      {"observe", {"base"}},
      {"store", {"base", "event", "observe"}},
      {"transport", {"base", "event", "observe"}},
      {"bus", {"base", "event", "observe", "store", "transport"}},
      {"plugin", {"base", "event", "observe", "store", "transport", "bus"}},
      {"control", {"base", "event", "observe", "store", "transport", "bus", "plugin"}},
      {"app", {"base", "event", "observe", "store", "transport", "bus", "plugin", "control"}},
  };
  return table;
}

struct Include {
  std::string_view name;
  bool quoted = false;
  std::size_t line = 0;
};

std::vector<Include> includes_of(const File& file) {
  std::vector<Include> found;
  std::size_t number = 0;
  for (std::string_view line : lines_of(file.text)) {
    ++number;
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with('#')) continue;
    line.remove_prefix(1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with("include")) continue;
    const auto open = line.find_first_of("<\"");
    if (open == std::string_view::npos) continue;
    const auto close = line.find_first_of(">\"", open + 1);
    if (close == std::string_view::npos) continue;
    found.push_back({line.substr(open + 1, close - open - 1), line[open] == '"', number});
  }
  return found;
}

bool is_c_standard(std::string_view name) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "assert.h", "errno.h",  "float.h",  "inttypes.h", "limits.h", "math.h",  "stdalign.h",
      "stdarg.h", "stddef.h", "stdint.h", "stdio.h",    "stdlib.h", "string.h"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// A C++ standard header has neither a dot nor a slash in its name; cxxabi.h comes with the library as well.
bool is_cpp_standard(std::string_view name) {
  return name == "cxxabi.h" || name.find_first_of("./") == std::string_view::npos;
}

std::string_view first_part(std::string_view path) { return path.substr(0, path.find('/')); }

// Why the file may not have this include, or nothing.
std::optional<std::string> objection_in_sdk(const Tree& tree, const File& file, const Include& include) {
  const bool is_abi = file.path.starts_with("sdk/include/nexus/abi/");
  if (!include.quoted) {
    if (is_c_standard(include.name) || (!is_abi && is_cpp_standard(include.name))) return std::nullopt;
    if (!is_abi && include.name.starts_with("nexus/")) return std::nullopt;
    return is_abi ? "the C ABI includes standard C headers only" : "the SDK includes the standard library only";
  }
  if (include.name.starts_with("nexus/")) {
    if (!is_abi || include.name.starts_with("nexus/abi/")) return std::nullopt;
    return "the C ABI includes nothing above it";
  }
  // Beside it, or the folder above it (the drafts).
  std::string folder(folder_of(file.path));
  std::string_view name = include.name;
  while (name.starts_with("../")) {
    name.remove_prefix(3);
    folder = std::string(folder_of(folder));
  }
  if (!folder.starts_with("sdk/include/nexus")) return "it leaves the SDK";
  if (!find(tree, folder + "/" + std::string(name))) return "there is no such file beside it";
  return std::nullopt;
}

std::optional<std::string> objection_in_host(const File& file, const Include& include) {
  if (!include.quoted) {
    if (include.name.starts_with("host/")) return "a header of the host is included in quotes";
    return std::nullopt;
  }
  if (include.name.starts_with("nexus/")) return std::nullopt;
  if (!include.name.starts_with("host/")) return "write it as \"host/<layer>/…\" or \"nexus/…\"";
  const std::string_view own = first_part(std::string_view(file.path).substr(5));
  const std::string_view target = first_part(include.name.substr(5));
  if (own == target) return std::nullopt;
  for (const Layer& layer : layers()) {
    if (layer.name != own) continue;
    if (std::find(layer.below.begin(), layer.below.end(), target) != layer.below.end()) return std::nullopt;
    return "host/" + std::string(own) + " may not see host/" + std::string(target);
  }
  return "host/" + std::string(own) + " is no layer";
}

std::optional<std::string> objection_in_plugin(const Tree& tree, const File& file, const Include& include) {
  if (include.name.starts_with("host/")) return "a plugin never includes the host";
  if (!include.quoted || include.name.starts_with("nexus/")) return std::nullopt;
  const std::string own = "plugins/" + std::string(first_part(std::string_view(file.path).substr(8))) + "/";
  if (include.name.starts_with(own)) return std::nullopt;
  if (find(tree, std::string(folder_of(file.path)) + "/" + std::string(include.name))) return std::nullopt;
  return "a plugin includes the SDK, its own folder and its libraries";
}

}  // namespace

Findings check_includes(const Tree& tree) {
  Findings findings;
  for (const File& file : tree) {
    if (!is_source(file.path) && !is_header(file.path)) continue;
    for (const Include& include : includes_of(file)) {
      std::optional<std::string> objection;
      if (file.path.starts_with("sdk/include/")) objection = objection_in_sdk(tree, file, include);
      if (file.path.starts_with("host/")) objection = objection_in_host(file, include);
      if (file.path.starts_with("plugins/")) objection = objection_in_plugin(tree, file, include);
      if (!objection) continue;
      findings.push_back(file.path + ":" + std::to_string(include.line) + ": includes " + std::string(include.name) +
                         ": " + *objection);
    }
  }
  return findings;
}

// Headers that nobody includes are looked for here, since this file knows what an include is.
Findings check_headers_included(const Tree& tree) {
  std::set<std::string, std::less<>> included;
  for (const File& file : tree) {
    for (const Include& include : includes_of(file)) {
      std::string_view name = include.name;
      while (name.starts_with("../")) name.remove_prefix(3);
      included.emplace(name);
      included.emplace(std::string(folder_of(file.path)) + "/" + std::string(name));
      if (include.quoted && include.name.starts_with("../"))
        included.emplace(std::string(folder_of(folder_of(file.path))) + "/" + std::string(name));
    }
  }
  Findings findings;
  for (const File& file : tree) {
    if (!is_header(file.path)) continue;
    std::string_view name = file.path;
    if (name.starts_with("sdk/include/")) name.remove_prefix(12);
    if (included.contains(name) || included.contains(file.path)) continue;
    findings.push_back(file.path + ": no file includes it");
  }
  return findings;
}

}  // namespace nexus::tidy
