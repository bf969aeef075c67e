#include "tests/tidy/tree.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace nexus::tidy {

namespace fs = std::filesystem;

namespace {

bool is_left_out(const fs::path& folder) {
  const std::string name = folder.filename().string();
  if (name == ".ci") return false;
  return name.starts_with('.') || name == "build" || name == "node_modules" || name == "corpus";
}

bool has_extension(std::string_view path, std::initializer_list<std::string_view> extensions) {
  return std::any_of(extensions.begin(), extensions.end(), [&](std::string_view e) { return path.ends_with(e); });
}

}  // namespace

Tree read_tree(const fs::path& root) {
  Tree tree;
  for (auto at = fs::recursive_directory_iterator(root); at != fs::recursive_directory_iterator(); ++at) {
    if (at->is_directory() && is_left_out(at->path())) {
      at.disable_recursion_pending();
      continue;
    }
    if (!at->is_regular_file() || at->is_symlink()) continue;
    std::ifstream in(at->path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (text.find('\0') != std::string::npos) continue;
    tree.push_back({fs::relative(at->path(), root).generic_string(), std::move(text)});
  }
  std::sort(tree.begin(), tree.end(), [](const File& a, const File& b) { return a.path < b.path; });
  return tree;
}

const File* find(const Tree& tree, std::string_view path) {
  const auto it = std::find_if(tree.begin(), tree.end(), [&](const File& file) { return file.path == path; });
  return it == tree.end() ? nullptr : &*it;
}

bool is_source(std::string_view path) { return has_extension(path, {".c", ".cpp"}); }
bool is_header(std::string_view path) { return has_extension(path, {".h", ".hpp"}); }
bool is_code(std::string_view path) {
  return is_source(path) || is_header(path) || has_extension(path, {".js", ".mjs"});
}

std::string_view folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace nexus::tidy
