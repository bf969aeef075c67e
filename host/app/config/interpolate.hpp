// Replaces `${NAME}`, `${NAME:-default}` and `file:/path` in the texts of a config. A variable that is not set and has
// no default is an error; so is a file that cannot be read. Runs on the thread that loads the config.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/app/config/document.hpp"
#include "host/app/config/surroundings.hpp"

namespace nexus::host::config {

class Interpolator {
 public:
  Interpolator(const Document& document, const Surroundings& surroundings, std::vector<Diagnostic>& diagnostics);

  // What `${host.data_dir}` stands for from now on.
  void set_data_dir(std::string path) { data_dir_ = std::move(path); }

  // Replaces in all texts of the node. `path` is its dotted key, for messages. A text whose references fail is left as
  // it is, and its error appended to the diagnostics.
  void run(Node& node, const std::string& path);

 private:
  struct Failure {
    std::string message;
    std::string help;
    std::string reference;  // what stands in the text: "${REDIS_PASSWORD}"
  };

  bool text(std::string_view from, std::string& to, bool& secret, int depth, Failure& failure) const;
  bool reference(std::string_view inner, std::string& to, bool& secret, int depth, Failure& failure) const;
  bool file(std::string_view path, std::string& to, Failure& failure) const;
  void string(Node& node, const std::string& path);
  const std::string* variable(std::string_view name) const;

  const Document& document_;
  const Surroundings& surroundings_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<std::pair<std::string, std::string>> variables_;  // sorted
  std::string data_dir_;
};

}  // namespace nexus::host::config
