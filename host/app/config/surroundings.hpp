// What loading a config needs of the machine: variables and files. Behind this seam, so that tests and the fuzzer bring
// their own. The real one reads the process's environment; call it from one thread while nobody changes that.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/error.hpp"

namespace nexus::host::config {

class Surroundings {
 public:
  virtual ~Surroundings() = default;

  // Every variable of the environment, sorted by name.
  virtual std::vector<std::pair<std::string, std::string>> variables() const = 0;

  // The bytes of a regular file of at most `size_max` bytes. Fails with NEXUS_E_IO or NEXUS_E_TOO_LARGE.
  virtual Result<std::string> read_file(const std::string& path, std::size_t size_max) const = 0;

  // Names of the entries of a folder, sorted; empty where there is no such folder.
  virtual std::vector<std::string> list(const std::string& folder) const = 0;

  virtual bool exists(const std::string& path) const = 0;
  virtual std::string current_folder() const = 0;

  std::optional<std::string> variable(std::string_view name) const;
};

// The machine itself.
const Surroundings& real_surroundings();

}  // namespace nexus::host::config
