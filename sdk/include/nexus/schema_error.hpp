// What typed reading and writing throws when data and struct do not fit. The sentence names the field; path() is the
// field alone, for a caller that knows where it stands in a file.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace nexus {

// Data that does not fit its schema: "order.created: field items[2].price must be a number, is text".
class SchemaError : public std::runtime_error {
 public:
  explicit SchemaError(const std::string& sentence, std::string path = {})
      : std::runtime_error(sentence), path_(std::move(path)) {}

  // "items[2].price"; empty where the whole of the data is meant.
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

// A plugin's config with a key that is unknown or wrong: "unknown key limt; did you mean limit?".
class ConfigError : public SchemaError {
 public:
  explicit ConfigError(const std::string& sentence, std::string path = {}, std::string nearest = {})
      : SchemaError(sentence, std::move(path)), nearest_(std::move(nearest)) {}

  // The right key that looks most like an unknown one, or empty.
  const std::string& nearest() const noexcept { return nearest_; }

 private:
  std::string nearest_;
};

}  // namespace nexus
