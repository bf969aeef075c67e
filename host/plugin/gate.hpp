// The load gate: takes a file from a folder to a private copy whose module description is known and which a child
// process has loaded and unloaded without harm. Nothing of the file runs in this process here. Control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/os/file_check.hpp"
#include "host/plugin/copy_folder.hpp"
#include "host/plugin/module_info.hpp"
#include "host/plugin/probe.hpp"

namespace nexus::host {

struct GateOptions {
  std::filesystem::path private_folder;
  os::FilePolicy policy;
  ProbeOptions probe;
};

// A copy that was made and whose headers are in order; not yet probed.
struct StagedFile {
  std::filesystem::path file;
  FileCopy copy;
  uint64_t generation = 0;
};

// A file that has passed.
struct GatedFile {
  std::filesystem::path file;
  FileCopy copy;
  uint64_t generation = 0;  // unique in this host; rises with each file that is staged
  ModuleInfo module;
  bool unmaps = true;  // the child could unmap it again
  std::chrono::microseconds elapsed{0};
};

class LoadGate {
 public:
  static Result<std::unique_ptr<LoadGate>> create(GateOptions options);

  // Checks, opens and copies one file. Every error is a whole sentence that names the file.
  Result<StagedFile> stage(const std::filesystem::path& file);

  // Probes what was staged, several at a time; the results are in the same order.
  std::vector<Result<GatedFile>> probe(std::vector<StagedFile> staged);

  // Both steps for one file.
  Result<GatedFile> pass(const std::filesystem::path& file);

  const GateOptions& options() const { return options_; }

 private:
  LoadGate(GateOptions options, std::unique_ptr<CopyFolder> copies)
      : options_(std::move(options)), copies_(std::move(copies)) {}
  Result<GatedFile> finish(StagedFile staged, Result<ProbeReport> report);

  GateOptions options_;
  std::unique_ptr<CopyFolder> copies_;
  uint64_t last_generation_ = 0;
};

}  // namespace nexus::host
