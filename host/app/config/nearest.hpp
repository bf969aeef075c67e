// "Did you mean …?": the name that a misspelt one is nearest to. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nexus::host::config {

// The candidate with the fewest edits (insert, delete, replace, swap of neighbours; case and '-' against '_' are free),
// if these are few for its length; else empty.
std::string_view nearest(std::string_view name, const std::vector<std::string_view>& candidates);

// "did you mean 'worker_count'?", or empty.
std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace nexus::host::config
