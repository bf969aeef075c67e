// One value of the tree into one member, checked against its row of the table; and back into TOML. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "host/app/config/document.hpp"
#include "host/app/config/keys.hpp"

namespace nexus::host::config {

struct Problem {
  Place place;
  std::string message;
  std::string help;
};

// Where relative paths start.
struct Folders {
  std::string config;   // for values from files and defaults
  std::string current;  // for values from the environment and the command line
};

// Stores the node's value in the owner's member, or says why not; `path` is the key's full dotted path, for sentences.
std::optional<Problem> set_value(const Document& document, const Key& key, const std::string& path, const Node& node,
                                 void* owner, const Folders& folders);

// The member's value as TOML, which is JSON too, with *** for a secret that is not empty, unless `reveal`: for
// comparing only. nullopt for an optional that is empty.
std::optional<std::string> value_text(const Key& key, const void* owner, bool reveal = false);

// A tree as TOML on one line, and as JSON. Secrets, by mark or by name, are ***; `secret` says that the whole is one.
std::string node_toml(const Node& node, bool secret = false);
std::string node_json(const Node& node, bool secret = false);

// Equal in value; places do not matter.
bool same_value(const Node& a, const Node& b);

// "4", "0.1": the shortest text of a number, without an exponent where it is whole.
std::string number_text(double value);

// The type in words, with its bounds or choices: "an integer from 1 to 1024 (threads)", "block, reject or drop_oldest".
std::string expectation(const Key& key);

}  // namespace nexus::host::config
