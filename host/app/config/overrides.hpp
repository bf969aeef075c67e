// Values from the environment (NEXUS_EVENTS__WORKER_COUNT=8) and from the command line, put into the tree that the
// files gave. Each is a source of its own, so that messages and origins can name it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/app/config/document.hpp"
#include "host/app/config/load.hpp"

namespace nexus::host::config {

// Takes the variables that begin with NEXUS_ and have a double underscore; the others are not ours. One that names no
// key is an error with the nearest name; NEXUS_EVENTS_WORKER_COUNT, which lacks an underscore, is a warning.
void apply_environment(const std::vector<std::pair<std::string, std::string>>& variables, Document& document,
                       Node& root, std::vector<Diagnostic>& diagnostics);

void apply_overrides(const std::vector<Override>& overrides, Document& document, Node& root,
                     std::vector<Diagnostic>& diagnostics);

// Puts the members of `from` over those of `to`: tables are merged, arrays of tables are joined, all else is replaced.
void merge(Node& to, Node from);

}  // namespace nexus::host::config
