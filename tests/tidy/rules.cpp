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
    else if (lines < limit)
      findings.push_back("exceptions.txt: " + path + " has shrunk to " + std::to_string(lines) + ": lower its number");
  }
  return findings;
}

Findings check_reached(const Tree& tree) {
  Findings findings = check_headers_included(tree);
  for (const File& file : tree) {
    if (!is_source(file.path)) continue;
    bool is_reached = false;
    for (const File& list : tree) {
      if (!list.path.ends_with("CMakeLists.txt") && !list.path.ends_with(".cmake")) continue;
      const std::string_view folder = folder_of(list.path);
      std::string_view relative = file.path;
      if (!folder.empty()) {
        if (!relative.starts_with(folder) || relative.size() <= folder.size() || relative[folder.size()] != '/')
          continue;
        relative.remove_prefix(folder.size() + 1);
      }
      const std::string name(relative);
      const std::string stem = name.substr(0, name.rfind('.'));
      const bool loops = list.text.find("foreach(") != std::string::npos;  // and adds the extension itself
      for (std::string_view word : words_of(list.text, " \t\n\"();")) {
        const bool is_pattern = word.find('*') != std::string_view::npos;
        is_reached = is_reached || word == name || (loops && word == stem) ||
                     (is_pattern && fnmatch(std::string(word).c_str(), name.c_str(), FNM_PATHNAME) == 0);
      }
    }
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
