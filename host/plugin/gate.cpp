#include "host/plugin/gate.hpp"

#include <fcntl.h>

#include <utility>

#include "host/base/os/shared_object.hpp"

namespace nexus::host {

Result<std::unique_ptr<LoadGate>> LoadGate::create(GateOptions options) {
  Result<std::unique_ptr<CopyFolder>> copies = CopyFolder::open(options.private_folder);
  if (!copies) return copies.error();
  return std::unique_ptr<LoadGate>(new LoadGate(std::move(options), std::move(*copies)));
}

Result<StagedFile> LoadGate::stage(const std::filesystem::path& file) {
  Result<os::OpenedFile> opened = os::open_trusted_file(file, options_.policy);
  if (!opened) return opened.error();
  // Looked at before the copy, so that a large file of another kind is not copied; and after it, since only the copy is
  // out of everybody's reach.
  if (Result<void> looks = os::check_shared_object(opened->fd.get(), file); !looks) return looks.error();
  const uint64_t generation = ++last_generation_;
  Result<FileCopy> copy = copies_->copy(*opened, file, generation);
  if (!copy) return copy.error();
  const os::UniqueFd fd(::open(copy->path().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return make_error(NEXUS_E_IO, "cannot open the private copy of " + file.string());
  if (Result<void> looks = os::check_shared_object(fd.get(), file); !looks) return looks.error();
  return StagedFile{file, std::move(*copy), generation};
}

std::vector<Result<GatedFile>> LoadGate::probe(std::vector<StagedFile> staged) {
  std::vector<std::filesystem::path> files;
  for (const StagedFile& one : staged) files.push_back(one.copy.path());
  std::vector<std::optional<Result<ProbeReport>>> reports(staged.size());
  probe_files(files, options_.probe, [&](size_t index, Result<ProbeReport> report) { reports[index] = std::move(report); });
  std::vector<Result<GatedFile>> out;
  for (size_t i = 0; i < staged.size(); ++i) out.push_back(finish(std::move(staged[i]), std::move(*reports[i])));
  return out;
}

Result<GatedFile> LoadGate::pass(const std::filesystem::path& file) {
  Result<StagedFile> staged = stage(file);
  if (!staged) return staged.error();
  Result<ProbeReport> report = probe_file(staged->copy.path(), options_.probe);
  return finish(std::move(*staged), std::move(report));
}

Result<GatedFile> LoadGate::finish(StagedFile staged, Result<ProbeReport> report) {
  if (!report) {
    return make_error(report.error().code, staged.file.string() + ": " + report.error().message, report.error().help);
  }
  if (Result<void> named = copies_->rename(staged.copy, report->module.id, staged.generation); !named) return named.error();
  return GatedFile{std::move(staged.file), std::move(staged.copy), staged.generation, std::move(report->module),
                   report->unmaps,         report->elapsed};
}

}  // namespace nexus::host
