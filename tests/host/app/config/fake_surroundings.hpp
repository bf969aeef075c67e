// A machine in memory for the tests of the config: files and variables as maps.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "host/app/config/load.hpp"

namespace nexus::host::config {

class FakeSurroundings final : public Surroundings {
 public:
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> environment;
  std::string folder = "/here";

  std::vector<std::pair<std::string, std::string>> variables() const override {
    return {environment.begin(), environment.end()};
  }
  Result<std::string> read_file(const std::string& path, std::size_t size_max) const override {
    const auto found = files.find(path);
    if (found == files.end()) return make_error(NEXUS_E_IO, "cannot read " + path + ": no such file");
    if (found->second.size() > size_max) return make_error(NEXUS_E_TOO_LARGE, "cannot read " + path + ": too large");
    return found->second;
  }
  std::vector<std::string> list(const std::string& folder_path) const override {
    std::vector<std::string> out;
    for (const auto& [path, text] : files) {
      const auto slash = path.rfind('/');
      if (path.substr(0, slash) == folder_path) out.push_back(path.substr(slash + 1));
    }
    return out;
  }
  bool exists(const std::string& path) const override { return files.contains(path); }
  std::string current_folder() const override { return folder; }
};

inline constexpr const char* kMainFile = "/etc/nexus/nexus.toml";

// A machine with that text as its config file.
inline FakeSurroundings machine_with(const std::string& toml) {
  FakeSurroundings machine;
  machine.files[kMainFile] = toml;
  return machine;
}

inline Loaded read_from(const FakeSurroundings& machine, const std::string& file = kMainFile) {
  LoadOptions options;
  options.file = file;
  options.surroundings = &machine;
  return read(options);
}

inline Loaded read_text(const std::string& toml) { return read_from(machine_with(toml)); }

// The one diagnostic of a text that has exactly one, rendered; else all of them, which no expectation equals.
inline std::string only_error(const std::string& toml) {
  const Loaded loaded = read_text(toml);
  if (loaded.diagnostics.size() != 1) return "not one: " + render(loaded.diagnostics);
  return render(loaded.diagnostics[0]);
}

}  // namespace nexus::host::config
