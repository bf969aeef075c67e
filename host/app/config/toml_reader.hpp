// TOML text to a tree of plain nodes with places, by toml++. Syntax errors do not end the reading: the statement is
// left out and the rest is read, so that one run shows them all. Never throws; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/app/config/document.hpp"

namespace nexus::host::config {

// Reads the text of sources[index]. Errors are appended to `diagnostics`, in the order of the text; `root` gets what
// could be read. Members keep the order of the text.
void read_toml(const std::vector<Source>& sources, uint32_t index, Node& root, std::vector<Diagnostic>& diagnostics);

// One TOML value, "8" or "[\"a\"]", with `place` for all that is in it; false when it is none.
bool read_toml_value(const std::string& text, const Place& place, Node& node);

}  // namespace nexus::host::config
