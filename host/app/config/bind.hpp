// From the merged tree to the values of Config, by the table of keys: names, types, bounds and choices are checked
// here, and nowhere else. Appends a diagnostic for each thing that is wrong; the value then stays as it was.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/app/config/config.hpp"
#include "host/app/config/document.hpp"
#include "host/app/config/keys.hpp"

namespace nexus::host::config {

// Reports the names in a tree of files and variables (without the defaults) that the table does not know. `backend` and
// `store` name what [events.<backend>] and [store.<store>] may hold tables of, whatever their names.
void check_names(const Document& document, const Node& root, std::string_view backend, std::string_view store,
                 std::vector<Diagnostic>& diagnostics);

// Fills the config from the document's root.
void fill(const Document& document, const std::string& current_folder, Config& config,
          std::vector<Diagnostic>& diagnostics);

// The path made absolute and plain. Relative ones start at `folder`.
std::string absolute(const std::string& path, const std::string& folder);

}  // namespace nexus::host::config
