#include "host/plugin/manager.hpp"

#include <algorithm>

#include "host/base/log.hpp"
#include "host/plugin/manager_impl.hpp"

namespace nexus::host {
namespace {

namespace fs = std::filesystem;

Error unknown_plugin(std::string_view id) {
  return make_error(NEXUS_E_UNKNOWN, "no such plugin: " + std::string(id), "`nexus plugins ls` lists them");
}

std::vector<fs::path> normal(const std::vector<fs::path>& folders) {
  std::vector<fs::path> out;
  for (const fs::path& folder : folders) {
    std::error_code error;
    fs::path path = fs::absolute(folder, error).lexically_normal();
    if (!path.has_filename() && path.has_relative_path()) path = path.parent_path();  // no trailing slash
    if (std::find(out.begin(), out.end(), path) == out.end()) out.push_back(std::move(path));
  }
  return out;
}

}  // namespace

std::string_view plugin_state_name(PluginState state) {
  switch (state) {
    case PluginState::discovered: return "discovered";
    case PluginState::refused: return "refused";
    case PluginState::disabled: return "disabled";
    case PluginState::loaded: return "loaded";
    case PluginState::starting: return "starting";
    case PluginState::running: return "running";
    case PluginState::stuck: return "stuck";
    case PluginState::stopping: return "stopping";
    case PluginState::unloaded: return "unloaded";
    case PluginState::retained: return "retained";
  }
  return "unknown";
}

Result<std::unique_ptr<PluginManager>> PluginManager::create(PluginManagerOptions options, PluginManagerPorts ports) {
  options.folders = normal(options.folders);
  GateOptions gate_options;
  gate_options.private_folder = options.private_folder;
  gate_options.policy = {options.unsafe_permissions, options.file_size_max};
  gate_options.probe = {options.probe_program, options.probe_timeout, options.probe_parallel_max};
  Result<std::unique_ptr<LoadGate>> gate = LoadGate::create(std::move(gate_options));
  if (!gate) return gate.error();
  return std::unique_ptr<PluginManager>(new ManagerImpl(std::move(options), std::move(ports), std::move(*gate)));
}

ManagerImpl::ManagerImpl(PluginManagerOptions options, PluginManagerPorts ports, std::unique_ptr<LoadGate> gate)
    : options_(std::move(options)),
      ports_(std::move(ports)),
      gate_(std::move(gate)),
      fleet_(ports_.hosts, ports_.lifecycle, ports_.clock != nullptr ? *ports_.clock : system_clock_,
             FleetOptions{options_.stop_timeout, options_.pause_timeout}) {}

fs::path ManagerImpl::absolute(const Path& file) const {
  std::error_code error;
  return fs::absolute(file, error).lexically_normal();
}

PluginSettings ManagerImpl::settings_of(const std::string& id) const {
  PluginSettings out = ports_.settings ? ports_.settings(id) : PluginSettings{};
  if (const auto hand = by_hand_.find(id); hand != by_hand_.end()) out.enabled = hand->second;
  return out;
}

RunningPlugin* ManagerImpl::running_from(const Path& file) {
  for (const auto& plugin : fleet_.running()) {
    if (plugin->file == file) return plugin.get();
  }
  return nullptr;
}

Result<fs::path> ManagerImpl::file_of(std::string_view id) const {
  if (const RunningPlugin* plugin = fleet_.find(id)) return plugin->file;
  const Path* best = nullptr;
  for (const auto& [file, entry] : files_) {
    if (entry.id() == id && (best == nullptr || rank(file) < rank(*best))) best = &file;
  }
  if (best == nullptr) return unknown_plugin(id);
  return *best;
}

Result<PluginStatus> ManagerImpl::load(const Path& file_given) {
  report_ = {};
  const Path file = absolute(file_given);
  FileEntry& entry = files_[file];
  entry.outside =
      std::find(options_.folders.begin(), options_.folders.end(), file.parent_path()) == options_.folders.end();
  look_at({file}, true);
  settle();
  return outcome(file);
}

Result<void> ManagerImpl::unload(std::string_view id_given, std::string_view reason) {
  report_ = {};
  const std::string id(id_given);
  const RunningPlugin* plugin = fleet_.find(id);
  if (plugin == nullptr) {
    const Result<Path> file = file_of(id);
    if (!file) return file.error();
    return make_error(NEXUS_E_STATE, id + " is not running");
  }
  const Path file = plugin->file;
  Result<void> stopped = stop(id, reason);
  if (fleet_.find(id) == nullptr) {
    FileEntry& entry = files_[file];
    entry.stopped_by_hand = true;
    entry.gated.reset();
    entry.error.reset();
  }
  settle();
  return stopped;
}

Result<PluginStatus> ManagerImpl::reload(std::string_view id) {
  report_ = {};
  const Result<Path> file = file_of(id);
  if (!file) return file.error();
  look_at({*file}, true);
  settle();
  return outcome(*file);
}

Result<PluginStatus> ManagerImpl::enable(std::string_view id) {
  report_ = {};
  const Result<Path> file = file_of(id);
  if (!file) return file.error();
  by_hand_[std::string(id)] = true;
  if (running_from(*file) == nullptr && !files_[*file].gated) look_at({*file}, true);
  settle();
  if (const RunningPlugin* plugin = fleet_.find(id)) return status_of(*plugin);
  return outcome(*file);
}

Result<PluginStatus> ManagerImpl::disable(std::string_view id) {
  report_ = {};
  const Result<Path> file = file_of(id);
  if (!file) return file.error();
  by_hand_[std::string(id)] = false;
  settle();
  if (const RunningPlugin* still = fleet_.find(id)) {
    return make_error(NEXUS_E_TIMEOUT, still->id() + " could not be stopped: something that uses it is stuck");
  }
  const auto entry = files_.find(*file);
  return entry != files_.end() ? status_of(*file, entry->second) : Result<PluginStatus>(unknown_plugin(id));
}

CheckReport ManagerImpl::check(const Path& file_given) {
  CheckReport out;
  out.file = absolute(file_given);
  Result<GatedFile> gated = gate_->pass(out.file);
  if (!gated) {
    out.error = gated.error();
  } else {
    out.module = gated->module;
    out.probe_time = gated->elapsed;
    PluginSettings settings = settings_of(gated->module.id);
    const RunningPlugin* running = fleet_.find(gated->module.id);
    if (!gated->unmaps) {
      out.warnings.push_back("it stays mapped after it was closed (unique symbols, or a thread_local with a destructor), "
                             "so each reload will cost memory; build it with nexus_add_plugin()");
    }
    if (!settings.enabled) out.warnings.push_back(gated->module.id + " is disabled in this host");
    if (running != nullptr && running->file != out.file) {
      out.warnings.push_back(gated->module.id + " already runs from " + running->file.string());
    }
    const LoadPlan plan = plan_loads({&gated->module}, fleet_.modules());
    if (plan.fault[0]) out.error = plan.fault[0];
    if (!out.error && ports_.check_config) {
      if (Result<void> fits = ports_.check_config(gated->module, settings); !fits) out.error = fits.error();
    }
  }
  if (out.error && out.error->help.empty()) out.error->help = error_text(out.error->code).help;
  return out;
}

void ManagerImpl::ask_providers(const char* interface_id, std::string_view id, const MakeQuestion& make) {
  for (const auto& plugin : fleet_.running()) {
    if (!plugin->instance || plugin->suspended || (!id.empty() && plugin->id() != id)) continue;
    const void* table = plugin->instance->query(interface_id);
    if (table == nullptr) continue;
    std::function<void()> question = make(plugin->id(), table, plugin->instance->raw());
    // Where the mailbox is closed already the question is destroyed, which tells whoever waits for it.
    if (question) static_cast<void>(plugin->instance->host().post(std::move(question)));
  }
}

bool ManagerImpl::stop_all(std::string_view reason, std::chrono::milliseconds timeout) {
  return fleet_.stop_all(reason, timeout);
}

size_t ManagerImpl::collect() {
  std::vector<Path> put_off;
  for (const auto& [file, entry] : files_) {
    const RunningPlugin* plugin = running_from(file);
    if (entry.put_off() && (plugin == nullptr || fleet_.is_idle(plugin->id()))) put_off.push_back(file);
  }
  if (!put_off.empty()) {
    report_ = {};
    look_at(put_off, true);
    settle();
  }
  return fleet_.collect();
}

Result<PluginStatus> ManagerImpl::outcome(const Path& file) const {
  const auto entry = files_.find(file);
  if (entry == files_.end()) return make_error(NEXUS_E_UNKNOWN, file.string() + " is not a plugin file any more");
  if (entry->second.error) return *entry->second.error;
  for (const auto& plugin : fleet_.running()) {
    if (plugin->file == file) return status_of(*plugin);
  }
  return status_of(file, entry->second);
}

PluginStatus ManagerImpl::status_of(const RunningPlugin& plugin) const {
  PluginStatus out;
  out.id = plugin.id();
  out.file = plugin.file;
  out.state = plugin.state;
  out.module = plugin.info();
  out.content_hash = plugin.loaded->gated.copy.content_hash();
  out.settings = plugin.settings;
  out.required_by = fleet_.required_by(plugin.id());
  out.loaded_unix_ns = plugin.loaded_unix_ns;
  out.load_time = plugin.load_time;
  out.generation = plugin.instance->generation();
  out.stats = plugin.instance->host().stats();
  if (out.stats.stuck) out.detail = "a handler is over its deadline";
  if (const auto entry = files_.find(plugin.file); entry != files_.end()) out.error = entry->second.error;
  if (out.error) out.detail = "its newest file was not taken over; " + plugin.info().version + " runs on";
  return out;
}

PluginStatus ManagerImpl::status_of(const Path& file, const FileEntry& entry) const {
  PluginStatus out;
  out.id = entry.id();
  out.file = file;
  out.module = entry.module;
  out.error = entry.error;
  out.content_hash = entry.content_hash;
  if (!out.id.empty()) out.settings = settings_of(out.id);
  if (entry.error) {
    out.state = entry.error->code == NEXUS_E_LOAD_DISABLED ? PluginState::disabled : PluginState::refused;
  } else if (entry.stopped_by_hand) {
    out.state = PluginState::unloaded;
    out.detail = "stopped by hand; `nexus plugins reload " + out.id + "` starts it again";
  }
  return out;
}

std::vector<PluginStatus> ManagerImpl::list() const {
  std::vector<PluginStatus> out;
  std::set<Path> running;
  for (const auto& plugin : fleet_.running()) {
    running.insert(plugin->file);
    out.push_back(status_of(*plugin));
  }
  for (const auto& [file, entry] : files_) {
    if (!running.contains(file)) out.push_back(status_of(file, entry));
  }
  for (const Leftover& one : fleet_.leftovers()) {
    PluginStatus status;
    status.id = one.loaded->info().id;
    status.file = one.file;
    status.module = one.loaded->info();
    status.content_hash = one.loaded->gated.copy.content_hash();
    status.state = one.instance ? PluginState::stuck : PluginState::retained;
    status.detail = one.instance ? "asked to stop, but a callback has not returned; it gets no events and stays mapped"
                                 : "stopped, but the library cannot be unmapped; its memory is not given back";
    out.push_back(std::move(status));
  }
  std::stable_sort(out.begin(), out.end(), [](const PluginStatus& a, const PluginStatus& b) {
    return std::tie(a.id, a.file) < std::tie(b.id, b.file);
  });
  return out;
}

Result<PluginStatus> ManagerImpl::info(std::string_view id) const {
  if (const RunningPlugin* plugin = fleet_.find(id)) return status_of(*plugin);
  for (PluginStatus& status : list()) {
    if (status.id == id) return std::move(status);
  }
  return unknown_plugin(id);
}

}  // namespace nexus::host
