#include <algorithm>

#include "host/base/log.hpp"
#include "host/plugin/manager_impl.hpp"

namespace nexus::host {

std::pair<size_t, std::filesystem::path> ManagerImpl::rank(const Path& file) const {
  const auto folder = std::find(options_.folders.begin(), options_.folders.end(), file.parent_path());
  return {static_cast<size_t>(folder - options_.folders.begin()), file};
}

ScanReport ManagerImpl::scan(const ScanRequest& request) {
  report_ = {};
  const FolderListing listing = list_files(options_.folders, request, files_);
  for (const Path& folder : listing.missing_folders) {
    if (!missing_folders_.insert(folder).second) continue;
    log::warn("plugin folder cannot be read; plugins that were loaded from it run on", {{"folder", folder.string()}});
  }
  if (request.everything) {
    std::erase_if(missing_folders_, [&](const Path& folder) {
      return std::find(listing.missing_folders.begin(), listing.missing_folders.end(), folder) ==
             listing.missing_folders.end();
    });
  }
  look_at(listing.present, false);
  forget(listing.gone);
  settle();

  // A successor that was to take over from a removed file could not: now there is nothing to run any more.
  const std::set<Path> left = std::exchange(gone_, {});
  for (const Path& file : left) {
    if (const RunningPlugin* plugin = running_from(file)) (void)stop(plugin->id(), "its file was removed");
    files_.erase(file);
  }
  if (!left.empty()) settle();
  return report_;
}

void ManagerImpl::look_at(const std::vector<Path>& files, bool forced) {
  std::vector<StagedFile> staged;
  for (const Path& file : files) {
    FileEntry& entry = files_[file];
    if (!stage(file, entry, forced, staged)) continue;
    entry.stopped_by_hand = false;
    entry.wanted_again = false;
    entry.gated.reset();
  }
  std::vector<Path> names;
  for (const StagedFile& one : staged) names.push_back(one.file);
  std::vector<Result<GatedFile>> gated = gate_->probe(std::move(staged));
  for (size_t i = 0; i < names.size(); ++i) {
    FileEntry& entry = files_[names[i]];
    if (!gated[i]) {
      entry.module.reset();
      refuse(names[i], entry, gated[i].error());
      continue;
    }
    entry.module = gated[i]->module;
    entry.gated = std::move(*gated[i]);
  }
}

// True when the file is new or changed and was staged for the probe.
bool ManagerImpl::stage(const Path& file, FileEntry& entry, bool forced, std::vector<StagedFile>& staged) {
  const Result<os::FileIdentity> identity = os::file_identity(file);
  if (!forced && identity && entry.identity == *identity && !entry.worth_another_look()) return false;
  entry.identity.reset();
  if (identity) entry.identity = *identity;

  Result<StagedFile> made = gate_->stage(file);
  if (!made) {
    entry.gated.reset();
    entry.content_hash.clear();
    refuse(file, entry, made.error());
    return false;
  }
  entry.identity = made->copy.source();
  const bool same = made->copy.content_hash() == entry.content_hash;
  entry.content_hash = made->copy.content_hash();
  const RunningPlugin* running = running_from(file);
  const bool runs = running != nullptr && running->loaded->gated.copy.content_hash() == entry.content_hash;
  if (!forced && runs) {
    // Touched, or put back to what it was.
    entry.gated.reset();
    entry.error.reset();
    return false;
  }
  if (!forced && same && (entry.gated || entry.stopped_by_hand)) return false;
  staged.push_back(std::move(*made));
  return true;
}

void ManagerImpl::refuse(const Path& file, FileEntry& entry, Error error) {
  if (error.help.empty()) error.help = error_text(error.code).help;
  const bool known = entry.error && entry.error->code == error.code && entry.error->message == error.message;
  entry.error = std::move(error);
  if (known) return;
  const Error& now = *entry.error;
  const RunningPlugin* running = running_from(file);
  const std::string id = running != nullptr ? running->id() : entry.id().empty() ? file.filename().string() : entry.id();
  const std::string_view label = error_label(now.code);
  if (now.code == NEXUS_E_LOAD_DISABLED) {
    log::info("plugin not loaded", {{"plugin_id", id}, {"file", file.string()}, {"code", label}, {"reason", now.message}});
    return;
  }
  ++report_.refused;
  log::error(running != nullptr ? "plugin file refused; the version before runs on" : "plugin file refused",
             {{"plugin_id", id}, {"file", file.string()}, {"code", label}, {"reason", now.message}, {"help", now.help}});
  ports_.lifecycle.plugin_error(id, error_text(now.code).name, now.message);
}

void ManagerImpl::forget(const std::vector<Path>& gone) {
  for (const Path& file : gone) {
    RunningPlugin* plugin = running_from(file);
    if (plugin == nullptr) {
      files_.erase(file);
      continue;
    }
    FileEntry* successor = nullptr;
    const Path* name = nullptr;
    for (auto& [other, entry] : files_) {
      if (other == file || !entry.gated || entry.gated->module.id != plugin->id()) continue;
      successor = &entry;
      name = &other;
      break;
    }
    if (successor == nullptr) {
      const Result<void> stopped = stop(plugin->id(), "its file was removed");
      if (!stopped && running_from(file) != nullptr) continue;  // a dependent is stuck; the next scan tries again
      files_.erase(file);
    } else if (successor->content_hash == plugin->loaded->gated.copy.content_hash()) {
      log::info("plugin file renamed", {{"plugin_id", plugin->id()}, {"file", name->string()}});
      plugin->file = *name;
      successor->gated.reset();
      successor->error.reset();
      files_.erase(file);
    } else {
      gone_.insert(file);
    }
  }
}

void ManagerImpl::settle() {
  // Each round that moves something leaves less to do; the bound only guards against a plugin that flips its mind.
  const size_t rounds_max = 2 * files_.size() + 4;
  for (size_t round = 0; round < rounds_max && settle_once(); ++round) {
  }
}

bool ManagerImpl::settle_once() {
  bool moved = stop_disabled();
  moved = gate_again() || moved;
  std::vector<Wish> wanted = wishes();
  std::vector<const ModuleInfo*> modules;
  for (const Wish& wish : wanted) modules.push_back(&wish.entry->gated->module);
  const LoadPlan plan = plan_loads(modules, fleet_.modules());
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (plan.fault[i]) refuse(wanted[i].file, *wanted[i].entry, *plan.fault[i]);
  }
  for (size_t index : plan.order) moved = grant(wanted[index], wanted) || moved;
  return moved;
}

bool ManagerImpl::stop_disabled() {
  bool moved = false;
  for (const auto& [id, file] : snapshot()) {
    if (settings_of(id).enabled || fleet_.find(id) == nullptr) continue;
    (void)stop(id, "disabled");
    if (fleet_.find(id) != nullptr) continue;
    FileEntry& entry = files_[file];
    entry.wanted_again = false;
    entry.gated.reset();
    refuse(file, entry, make_error(NEXUS_E_LOAD_DISABLED, id + " is disabled"));
    moved = true;
  }
  return moved;
}

// Those that were stopped for a reason that has passed come back through the gate.
bool ManagerImpl::gate_again() {
  std::vector<Path> files;
  const RunningModules running = fleet_.modules();
  for (auto& [file, entry] : files_) {
    const bool disabled = entry.error && entry.error->code == NEXUS_E_LOAD_DISABLED;
    if (entry.gated || entry.stopped_by_hand || !entry.module || !(entry.wanted_again || disabled)) continue;
    if (fleet_.find(entry.id()) != nullptr || !settings_of(entry.id()).enabled) continue;
    if (!check_requirements(*entry.module, running)) continue;
    files.push_back(file);
  }
  if (files.empty()) return false;
  look_at(files, true);
  return true;
}

std::vector<ManagerImpl::Wish> ManagerImpl::wishes() {
  std::vector<Wish> waiting;
  for (auto& [file, entry] : files_) {
    if (entry.gated) waiting.push_back({file, &entry, {}});
  }
  std::sort(waiting.begin(), waiting.end(), [&](const Wish& a, const Wish& b) { return rank(a.file) < rank(b.file); });

  std::vector<Wish> out;
  std::map<std::string, Path> taken;
  for (Wish& wish : waiting) {
    const ModuleInfo& module = wish.entry->gated->module;
    wish.settings = settings_of(module.id);
    if (!wish.settings.enabled) {
      refuse(wish.file, *wish.entry, make_error(NEXUS_E_LOAD_DISABLED, module.id + " is disabled"));
      continue;
    }
    Path holder;
    const RunningPlugin* running = fleet_.find(module.id);
    if (running != nullptr && running->file != wish.file && !gone_.contains(running->file)) holder = running->file;
    if (const auto other = taken.find(module.id); other != taken.end()) holder = other->second;
    if (!holder.empty()) {
      refuse(wish.file, *wish.entry,
             make_error(NEXUS_E_LOAD_DUPLICATE, wish.file.string() + " provides " + module.id + ", which " +
                                                    holder.string() + " already provides"));
      continue;
    }
    if (ports_.check_config) {
      if (Result<void> fits = ports_.check_config(module, wish.settings); !fits) {
        refuse(wish.file, *wish.entry, make_error(NEXUS_E_LOAD_CONFIG, fits.error().message, fits.error().help));
        continue;
      }
    }
    taken[module.id] = wish.file;
    out.push_back(std::move(wish));
  }
  return out;
}

bool ManagerImpl::grant(Wish& wish, const std::vector<Wish>& wanted) {
  FileEntry& entry = *wish.entry;
  const std::string id = entry.gated->module.id;
  const bool swaps = fleet_.find(id) != nullptr;
  if (swaps) make_way(entry.gated->module, wanted);
  const Result<void> met = swaps ? fleet_.check_successor(entry.gated->module)
                                 : check_requirements(entry.gated->module, fleet_.modules());
  if (!met) {
    // What it requires was to come first, and failed; or it is too new for one that requires it. It waits.
    refuse(wish.file, entry, met.error());
    return false;
  }
  const Snapshot before = snapshot();
  GatedFile gated = std::move(*entry.gated);
  entry.gated.reset();
  const Result<void> done = swaps ? fleet_.swap(std::move(gated), std::move(wish.settings))
                                  : fleet_.start(std::move(gated), std::move(wish.settings));
  note_stopped(before, id);
  if (!done) {
    refuse(wish.file, entry, done.error());
    return false;
  }
  entry.error.reset();
  ++(swaps ? report_.swapped : report_.loaded);
  return true;
}

// Two plugins that are updated together, one of which requires a new major of the other: the old dependent goes first,
// when each that is in the way has a successor here that fits. It is a stop and a start, not a swap.
void ManagerImpl::make_way(const ModuleInfo& next, const std::vector<Wish>& wanted) {
  const std::vector<std::string> outgrown = fleet_.outgrown_by(next);
  auto has_successor = [&](const std::string& id) {
    return std::any_of(wanted.begin(), wanted.end(), [&](const Wish& wish) {
      if (!wish.entry->gated || wish.entry->gated->module.id != id) return false;
      const std::vector<ModuleRequirement>& needs = wish.entry->gated->module.requirements;
      return std::all_of(needs.begin(), needs.end(), [&](const ModuleRequirement& need) {
        return need.id != next.id || check_requirement(wish.entry->gated->module, need, next.version).has_value();
      });
    });
  };
  if (!std::all_of(outgrown.begin(), outgrown.end(), has_successor)) return;
  for (const std::string& id : outgrown) {
    if (fleet_.find(id) != nullptr) (void)stop(id, id + " makes way for its new version, with " + next.id);
  }
}

Result<void> ManagerImpl::stop(std::string_view id_given, std::string_view reason) {
  const std::string id(id_given);  // the caller's is often a part of what is stopped
  const Snapshot before = snapshot();
  Result<void> stopped = fleet_.stop(id, reason);
  note_stopped(before, id);
  if (fleet_.find(id) == nullptr) ++report_.unloaded;
  return stopped;
}

ManagerImpl::Snapshot ManagerImpl::snapshot() const {
  Snapshot out;
  for (const auto& plugin : fleet_.running()) out.emplace_back(plugin->id(), plugin->file);
  return out;
}

void ManagerImpl::note_stopped(const Snapshot& before, const std::string& except) {
  for (const auto& [id, file] : before) {
    if (id == except || fleet_.find(id) != nullptr) continue;
    const auto found = files_.find(file);
    if (found == files_.end()) continue;
    FileEntry& entry = found->second;
    entry.wanted_again = true;
    ++report_.unloaded;
    if (!entry.module) continue;
    // Announced as unloaded already, so this is no news, only the reason that the list shows.
    if (Result<void> met = check_requirements(*entry.module, fleet_.modules()); !met) entry.error = met.error();
  }
}

}  // namespace nexus::host
