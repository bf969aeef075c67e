#include <algorithm>
#include <optional>

#include "tests/tidy/rules.hpp"

namespace nexus::tidy {

namespace {

constexpr std::string_view kMarker = "<!-- from ";

std::string join(const std::vector<std::string_view>& lines) {
  std::string text;
  for (std::string_view line : lines) text += std::string(line) + "\n";
  return text;
}

void dedent(std::vector<std::string_view>& lines) {
  std::size_t indent = std::string_view::npos;
  for (std::string_view line : lines)
    if (const auto first = line.find_first_not_of(' '); first != std::string_view::npos)
      indent = std::min(indent, first);
  if (indent == std::string_view::npos) return;
  for (std::string_view& line : lines) line.remove_prefix(std::min(indent, line.size()));
}

// What `PATH` or `PATH#NAME` stands for, or nothing if there is no such file or part.
std::optional<std::string> text_of(const Tree& tree, std::string_view reference) {
  const auto hash = reference.find('#');
  const File* file = find(tree, reference.substr(0, hash));
  if (!file) return std::nullopt;
  if (hash == std::string_view::npos) return join(lines_of(file->text));
  const std::string begin = "snippet: " + std::string(reference.substr(hash + 1));
  std::vector<std::string_view> part;
  bool inside = false;
  for (std::string_view line : lines_of(file->text)) {
    if (inside && line.find("end snippet") != std::string_view::npos) {
      dedent(part);
      return join(part);
    }
    if (inside) part.push_back(line);
    if (line.ends_with(begin)) inside = true;
  }
  return std::nullopt;
}

void check_readme(const Tree& tree, const File& readme, Findings& findings) {
  const auto lines = lines_of(readme.text);
  std::string_view reference;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    const std::string_view line = lines[at];
    const std::string where = readme.path + ":" + std::to_string(at + 1) + ": ";
    if (line.starts_with(kMarker)) {
      reference = line.substr(kMarker.size());
      reference = reference.substr(0, reference.find(" -->"));
      continue;
    }
    if (!line.starts_with("```")) {
      if (!line.empty() && !reference.empty()) findings.push_back(where + "no code block follows `from`");
      if (!line.empty()) reference = {};
      continue;
    }
    std::vector<std::string_view> block;
    const std::string_view language = line.substr(3);
    for (++at; at < lines.size() && lines[at] != "```"; ++at) block.push_back(lines[at]);
    if (reference.empty()) {
      if (readme.path == "README.md" && (language == "cpp" || language == "c"))
        findings.push_back(where + "a code block that is not cut from a compiled file (<!-- from PATH -->)");
      continue;
    }
    const auto expected = text_of(tree, reference);
    if (!expected)
      findings.push_back(where + "there is no " + std::string(reference));
    else if (*expected != join(block))
      findings.push_back(where + "is not what stands in " + std::string(reference));
    reference = {};
  }
}

}  // namespace

Findings check_snippets(const Tree& tree) {
  Findings findings;
  for (const File& file : tree)
    if (file.path == "README.md" || file.path.ends_with("/README.md")) check_readme(tree, file, findings);
  return findings;
}

}  // namespace nexus::tidy
