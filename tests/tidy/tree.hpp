// The source tree as plain values, so that a rule can be shown a planted tree as well as the real one. No threads.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nexus::tidy {

struct File {
  std::string path;  // from the root, with '/'
  std::string text;
};

using Tree = std::vector<File>;

// Every text file below the root; build folders, hidden folders but .ci, and files that hold a NUL are left out.
Tree read_tree(const std::filesystem::path& root);

const File* find(const Tree& tree, std::string_view path);

bool is_code(std::string_view path);                // .c .h .cpp .hpp .js .mjs
bool is_source(std::string_view path);              // .c .cpp
bool is_header(std::string_view path);              // .h .hpp
std::string_view folder_of(std::string_view path);  // "" for a file at the root
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace nexus::tidy
