// Finds the host's socket and connects to it.
#pragma once

#include <string>

#include "host/app/cli/options.hpp"
#include "host/app/config/load.hpp"
#include "host/control/client.hpp"

namespace nexus::host::cli {

// --socket, else control.socket of the config that --config names or that is found. NEXUS_E_SCHEMA when the config is
// so broken that it does not tell.
Result<std::string> socket_of(const HostOptions& options);

Result<Client> connect(const HostOptions& options);

// The exit status when connecting failed.
int connect_failed(const Error& error);

}  // namespace nexus::host::cli
