#include "host/app/plugin_template.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <system_error>

#include "host/app/template/files.hpp"

namespace nexus::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNameLengthMin = 2;
constexpr std::size_t kNameLengthMax = 40;

// Targets that CMake keeps for itself or makes in every build.
constexpr std::array<std::string_view, 8> kTakenTargets = {"all",     "clean",         "edit_cache", "help",
                                                           "install", "rebuild_cache", "package",    "test"};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "welcome-mail" to "welcome_mail": an event type's segment and a C++ name.
std::string word(std::string_view name) {
  std::string result(name);
  std::replace(result.begin(), result.end(), '-', '_');
  return result;
}

Result<void> check_name(std::string_view name) {
  const auto refuse = [&](std::string reason) {
    return make_error(
        NEXUS_E_ARGUMENT,
        "'" + std::string(name.substr(0, kNameLengthMax + 1)) + "' is no name for a plugin: " + std::move(reason),
        "Choose something like `orders` or `welcome-mail`.");
  };
  if (name.size() < kNameLengthMin || name.size() > kNameLengthMax) return refuse("it takes 2 to 40 characters");
  if (!is_lower(name.front())) return refuse("it begins with a lower-case letter");
  if (!is_lower(name.back()) && !is_digit(name.back())) return refuse("it ends with a letter or a digit");
  for (char c : name)
    if (!is_lower(c) && !is_digit(c) && c != '-' && c != '_')
      return refuse("only lower-case letters, digits, '-' and '_' may stand in it");
  if (std::find(kTakenTargets.begin(), kTakenTargets.end(), word(name)) != kTakenTargets.end())
    return refuse("CMake has a target of that name in every build");
  return {};
}

// "welcome-mail" to "WelcomeMail".
std::string class_name(std::string_view name) {
  std::string result;
  bool starts_word = true;
  for (char c : name) {
    if (c == '-' || c == '_') {
      starts_word = true;
      continue;
    }
    result += starts_word ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    starts_word = false;
  }
  return result;
}

struct Substitution {
  std::string_view placeholder;
  std::string value;
};

std::string fill_in(std::string_view text, const std::vector<Substitution>& substitutions) {
  std::string result(text);
  for (const Substitution& substitution : substitutions) {
    std::size_t at = 0;
    while ((at = result.find(substitution.placeholder, at)) != std::string::npos) {
      result.replace(at, substitution.placeholder.size(), substitution.value);
      at += substitution.value.size();
    }
  }
  return result;
}

Error io_error(const fs::path& path, const std::error_code& code) {
  return make_error(NEXUS_E_IO, "cannot write " + path.string() + ": " + code.message());
}

Result<void> write_file(const fs::path& path, std::string_view text) {
  std::error_code code;
  fs::create_directories(path.parent_path(), code);
  if (code) return io_error(path, code);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) return io_error(path, std::make_error_code(std::errc::io_error));
  return {};
}

}  // namespace

Result<PluginProject> write_plugin_project(const fs::path& parent, std::string_view name) {
  if (auto valid = check_name(name); !valid) return valid.error();

  PluginProject project;
  project.folder = parent / name;
  project.id = "com.example." + std::string(name);
  std::error_code code;
  if (fs::exists(fs::symlink_status(project.folder, code))) {
    const bool is_free = fs::is_directory(project.folder, code) && fs::is_empty(project.folder, code);
    if (code || !is_free)
      return make_error(NEXUS_E_STATE, project.folder.string() + " exists already",
                        "Choose another name, or remove it.");
  }

  const std::vector<Substitution> substitutions = {
      {"@NAME@", std::string(name)}, {"@WORD@", word(name)}, {"@CLASS@", class_name(name)}, {"@ID@", project.id}};
  for (const TemplateFile& file : template_files()) {
    const std::string path = fill_in(file.path, substitutions);
    if (auto written = write_file(project.folder / path, fill_in(file.text, substitutions)); !written)
      return written.error();
    project.files.push_back(path);
  }
  return project;
}

}  // namespace nexus::host
