// The program: a probe of a plugin file when the host runs it as that, else the command line.
#include <cstdio>
#include <exception>
#include <string_view>

#include "host/app/cli/options.hpp"
#include "host/app/exit_status.hpp"
#include "host/plugin/probe.hpp"

int main(int argc, char** argv) {
  if (argc >= 2 && std::string_view(argv[1]) == nexus::host::kProbeCommand) return nexus::host::probe_main(argc, argv);
  try {
    return nexus::host::cli::main(argc, argv);
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "nexus: %s\n", thrown.what());
    return nexus::host::exit_status::kSoftware;
  }
}
