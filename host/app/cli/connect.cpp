#include "host/app/cli/connect.hpp"

#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"

namespace nexus::host::cli {

Result<std::string> socket_of(const HostOptions& options) {
  if (!options.socket.empty()) return options.socket;
  config::LoadOptions load;
  load.file = config::find_file(options.config);
  const config::Loaded loaded = config::read(load);
  // A secret that only the host's environment has, or another mistake elsewhere, is not this command's business.
  if (!loaded.config.control.socket.empty()) return loaded.config.control.socket;
  return make_error(NEXUS_E_SCHEMA, config::render(loaded.diagnostics, has_colour(2)),
                    "name the socket with --socket, or another file with --config");
}

Result<Client> connect(const HostOptions& options) {
  auto socket = socket_of(options);
  if (!socket) return socket.error();
  return Client::connect(socket.value());
}

int connect_failed(const Error& error) {
  if (error.code == NEXUS_E_UNKNOWN || error.code == NEXUS_E_IO) return fail(exit_status::kUnavailable, error);
  if (error.code == NEXUS_E_SCHEMA || error.code == NEXUS_E_TOO_LARGE) return fail(exit_status::kConfig, error);
  return fail(error);
}

}  // namespace nexus::host::cli
