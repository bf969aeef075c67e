#include "tests/tidy/rules.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fnmatch.h>

namespace nexus::tidy {

Findings check_headers_included(const Tree& tree);  // include_rule.cpp

namespace {

std::vector<std::string_view> words_of(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(separators, at)) != std::string_view::npos) {
    const auto end = std::min(text.find_first_of(separators, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::size_t number_of(std::string_view word) {
  std::size_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

}  // namespace

Exceptions read_exceptions(std::string_view text) {
  Exceptions result;
  for (std::string_view line : lines_of(text)) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto words = words_of(line, " \t");
    if (words.size() == 3 && words[0] == "length" && number_of(words[2]) > kLinesMax)
      result.lengths.emplace(words[1], number_of(words[2]));
    else if (words.size() == 2 && words[0] == "host")
      result.hosts.emplace(words[1]);
    else
      result.findings.push_back("exceptions.txt: not understood: " + std::string(line));
  }
  return result;
}

Findings check_lengths(const Tree& tree, const Exceptions& exceptions) {
  Findings findings;
  for (const File& file : tree) {
    if (!is_code(file.path)) continue;
    const std::size_t lines = lines_of(file.text).size();
    const auto listed = exceptions.lengths.find(file.path);
    const std::size_t limit = listed == exceptions.lengths.end() ? kLinesMax : listed->second;
    if (lines > limit)
      findings.push_back(file.path + ": " + std::to_string(lines) + " lines, at most " + std::to_string(limit) +
                         ": it holds two nouns, give each a file");
  }
  for (const auto& [path, limit] : exceptions.lengths) {
    const File* file = find(tree, path);
    const std::size_t lines = file ? lines_of(file->text).size() : 0;
    if (lines <= kLinesMax)
      findings.push_back("exceptions.txt: " + path + " needs no exception any more: remove it");
    else if (lines + kSlackMax < limit)
      findings.push_back("exceptions.txt: " + path + " has shrunk to " + std::to_string(lines) + ": lower its number");
  }
  return findings;
}

namespace {

// The words of a CMake file, with each `${item}` of a `foreach(item a b c)` written out.
std::set<std::string, std::less<>> cmake_words(std::string_view text) {
  std::set<std::string, std::less<>> words;
  constexpr std::string_view kHere = "${CMAKE_CURRENT_SOURCE_DIR}/";
  for (std::string_view word : words_of(text, " \t\n\"();"))
    words.emplace(word.starts_with(kHere) ? word.substr(kHere.size()) : word);
  constexpr std::string_view kLoop = "foreach(";
  for (auto at = text.find(kLoop); at != std::string_view::npos; at = text.find(kLoop, at + 1)) {
    const std::string_view head = text.substr(at + kLoop.size(), text.find(')', at) - at - kLoop.size());
    const auto items = words_of(head, " \t\n\"");
    if (items.empty()) continue;
    const std::string variable = "${" + std::string(items.front()) + "}";
    const auto templates = words;
    for (const std::string& word : templates) {
      const auto hole = word.find(variable);
      if (hole == std::string::npos) continue;
      for (std::string_view item : items) words.insert(std::string(word).replace(hole, variable.size(), item));
    }
  }
  return words;
}

// What a file is called by a CMake file of its folder or above; empty for one that stands elsewhere.
std::string_view name_within(std::string_view path, std::string_view folder) {
  if (folder.empty()) return path;
  if (!path.starts_with(folder) || path.size() <= folder.size() || path[folder.size()] != '/') return {};
  return path.substr(folder.size() + 1);
}

}  // namespace

Findings check_reached(const Tree& tree) {
  struct List {
    std::string_view folder;
    std::set<std::string, std::less<>> words;
  };
  std::vector<List> lists;
  for (const File& file : tree)
    if (file.path.ends_with("CMakeLists.txt") || file.path.ends_with(".cmake"))
      lists.push_back({folder_of(file.path), cmake_words(file.text)});

  Findings findings = check_headers_included(tree);
  for (const File& file : tree) {
    if (!is_source(file.path)) continue;
    const bool is_reached = std::any_of(lists.begin(), lists.end(), [&](const List& list) {
      const std::string name(name_within(file.path, list.folder));
      if (name.empty()) {
        // From a folder beside: `../a.cpp`.
        const auto relative = std::filesystem::path(file.path).lexically_relative(list.folder).generic_string();
        return list.words.contains(relative);
      }
      if (list.words.contains(name)) return true;
      return std::any_of(list.words.begin(), list.words.end(), [&](const std::string& word) {
        return word.find('*') != std::string::npos && fnmatch(word.c_str(), name.c_str(), FNM_PATHNAME) == 0;
      });
    });
    if (!is_reached) findings.push_back(file.path + ": no CMakeLists.txt in its folder or above names it");
  }
  return findings;
}

Findings check_places(const Tree& tree, const Exceptions& exceptions, const std::vector<std::string>& private_roots) {
  static constexpr std::string_view kOwn[] = {"localhost", "127.0.0.1", "example.com", "example.org", "example.net"};
  Findings findings;
  for (const File& file : tree) {
    std::size_t number = 0;
    for (std::string_view line : lines_of(file.text)) {
      ++number;
      const std::string where = file.path + ":" + std::to_string(number) + ": ";
      for (const std::string& root : private_roots)
        if (line.find(root) != std::string_view::npos) findings.push_back(where + "names a folder of this machine");
      for (auto at = line.find("://"); at != std::string_view::npos; at = line.find("://", at + 3)) {
        std::string_view host = line.substr(at + 3);
        host = host.substr(0, host.find_first_of("/\"'`<>)]} \t\\?#,;"));
        if (const auto user = host.find('@'); user != std::string_view::npos) host.remove_prefix(user + 1);
        host = host.substr(0, host.find(':'));
        // A reserved name of RFC 2606, a variable, a word without a dot: no place in the world.
        while (host.ends_with('.')) host.remove_suffix(1);
        if (host.find('.') == std::string_view::npos || host.find_first_of("$%{*") != std::string_view::npos) continue;
        if (host.find_first_not_of("0123456789.") == std::string_view::npos) continue;  // an address, in an example
        if (host.ends_with(".example") || host.ends_with(".test") || host.ends_with(".invalid")) continue;
        if (!std::isalnum(static_cast<unsigned char>(host.front()))) continue;
        const bool is_own = std::any_of(std::begin(kOwn), std::end(kOwn), [&](std::string_view own) {
          return host == own || (host.ends_with(own) && host[host.size() - own.size() - 1] == '.');
        });
        if (!is_own && !exceptions.hosts.contains(host))
          findings.push_back(where + "names the host " + std::string(host) + ", which exceptions.txt does not allow");
      }
    }
  }
  return findings;
}

}  // namespace nexus::tidy
