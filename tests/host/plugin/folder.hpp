// A temporary folder for a test, and the specimens of tests/bad_plugins to put into it.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nexus::host::test {

namespace fs = std::filesystem;

// The build's folder of specimens; BAD_PLUGINS is set by CMake.
inline fs::path specimen(const std::string& name) { return fs::path(BAD_PLUGINS) / (name + ".so"); }
inline fs::path probe_program() { return PROBE_PROGRAM; }

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "nexus-plugin-test.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
    fs::create_directory(plugins());
    ::chmod(plugins().c_str(), 0755);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }
  fs::path plugins() const { return path_ / "plugins"; }
  fs::path private_folder() const { return path_ / "private"; }

  // Puts a specimen there in one step, as a rename does.
  fs::path put(const std::string& specimen_name, const std::string& as) const {
    return put_file(specimen(specimen_name), as);
  }
  fs::path put(const std::string& specimen_name) const { return put(specimen_name, specimen_name + ".so"); }
  fs::path put_file(const fs::path& from, const std::string& as) const {
    const fs::path partial = path_ / "partial";
    fs::copy_file(from, partial, fs::copy_options::overwrite_existing);
    ::chmod(partial.c_str(), 0644);
    fs::rename(partial, plugins() / as);
    return plugins() / as;
  }
  fs::path put_bytes(std::string_view bytes, const std::string& as) const {
    const fs::path partial = path_ / "partial";
    std::ofstream(partial, std::ios::binary | std::ios::trunc) << bytes;
    ::chmod(partial.c_str(), 0644);
    fs::rename(partial, plugins() / as);
    return plugins() / as;
  }

 private:
  fs::path path_;
};

inline std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

}  // namespace nexus::host::test
