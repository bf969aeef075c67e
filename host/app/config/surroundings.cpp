#include "host/app/config/surroundings.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

extern char** environ;

namespace nexus::host::config {
namespace {

Result<std::string> io_error(const std::string& path, const std::string& reason) {
  return make_error(NEXUS_E_IO, "cannot read " + path + ": " + reason);
}

class Machine final : public Surroundings {
 public:
  std::vector<std::pair<std::string, std::string>> variables() const override {
    std::vector<std::pair<std::string, std::string>> out;
    for (char** entry = environ; entry && *entry; ++entry) {
      const std::string_view text = *entry;
      const auto equals = text.find('=');
      if (equals != std::string_view::npos) out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  Result<std::string> read_file(const std::string& path, std::size_t size_max) const override {
    // Not blocking, so that a pipe in the place of a file is refused and not waited for.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return io_error(path, std::generic_category().message(errno));
    auto content = read_descriptor(descriptor, path, size_max);
    ::close(descriptor);
    return content;
  }

  std::vector<std::string> list(const std::string& folder) const override {
    std::vector<std::string> out;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      out.push_back(entry->path().filename().string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  bool exists(const std::string& path) const override {
    std::error_code error;
    return std::filesystem::exists(path, error);
  }

  std::string current_folder() const override {
    std::error_code error;
    const auto path = std::filesystem::current_path(error);
    return error ? "/" : path.string();
  }

 private:
  static Result<std::string> read_descriptor(int descriptor, const std::string& path, std::size_t size_max) {
    struct stat info {};
    if (::fstat(descriptor, &info) != 0) return io_error(path, std::generic_category().message(errno));
    if (!S_ISREG(info.st_mode)) return io_error(path, "it is not a regular file");
    std::string out;
    char buffer[16 * 1024];
    while (true) {
      const ssize_t count = ::read(descriptor, buffer, sizeof buffer);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return io_error(path, std::generic_category().message(errno));
      if (count == 0) return out;
      out.append(buffer, static_cast<std::size_t>(count));
      if (out.size() > size_max) {
        return make_error(NEXUS_E_TOO_LARGE,
                          "cannot read " + path + ": it is larger than " + std::to_string(size_max) + " bytes");
      }
    }
  }
};

}  // namespace

std::optional<std::string> Surroundings::variable(std::string_view name) const {
  for (auto& [key, value] : variables()) {
    if (key == name) return value;
  }
  return std::nullopt;
}

const Surroundings& real_surroundings() {
  static const Machine machine;
  return machine;
}

}  // namespace nexus::host::config
