// `nexus plugins check` where no host answers: the load gate run by the command itself.
#pragma once

#include <string>

#include "host/app/cli/options.hpp"
#include "host/control/plugin_methods.hpp"

namespace nexus::host::cli {

// The verdict on a file. What only a running host can tell (whether a required plugin is there) is a warning.
Result<control::CheckAnswer> check_without_host(const HostOptions& options, const std::string& file);

}  // namespace nexus::host::cli
