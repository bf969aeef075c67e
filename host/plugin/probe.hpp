// Reads a plugin file in a process of its own, so that whatever its constructors do happens there: the host maps no
// file that has not passed. The parent's side runs on any thread and waits; the child's side is `nexus __probe FILE`.
//
// The child writes one line per step to descriptor 3: "open", "module", then the module as one JSON object behind
// "describe ", then "close", and "done mapped" or "done unmapped"; or "error CODE TEXT" and "help TEXT", with which it
// ends. The last line tells how far it came when it dies.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/plugin/module_info.hpp"

namespace nexus::host {

inline constexpr std::string_view kProbeCommand = "__probe";

struct ProbeOptions {
  std::filesystem::path program;  // run as `program __probe FILE`
  std::chrono::milliseconds timeout{5000};
  unsigned parallel_max = 4;
};

struct ProbeReport {
  ModuleInfo module;
  bool unmaps = true;  // the child could unmap it again
  std::chrono::microseconds elapsed{0};
};

// Probes each file, several at a time, and calls `done(index, result)` on this thread as each ends. Errors:
// NEXUS_E_LOAD_* with a sentence that is to follow the file's name; NEXUS_E_IO when no child could be started.
void probe_files(const std::vector<std::filesystem::path>& files, const ProbeOptions& options,
                 const std::function<void(size_t, Result<ProbeReport>)>& done);

Result<ProbeReport> probe_file(const std::filesystem::path& file, const ProbeOptions& options);

// The child's main: argv[1] is kProbeCommand, argv[2] the file. Called first thing by the host's main; never returns
// while a library is mapped, so that nothing of it runs at exit.
int probe_main(int argc, char** argv);

}  // namespace nexus::host
