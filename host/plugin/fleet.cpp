#include "host/plugin/fleet.hpp"

#include <algorithm>
#include <utility>

#include "host/base/log.hpp"

namespace nexus::host {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::chrono::microseconds since(SteadyClock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - begin);
}

bool requires_plugin(const ModuleInfo& module, std::string_view id) {
  return std::any_of(module.requirements.begin(), module.requirements.end(),
                     [&](const ModuleRequirement& requirement) { return requirement.id == id; });
}

}  // namespace

int64_t Fleet::deadline(std::chrono::milliseconds from_now) const {
  const int64_t wait_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(from_now).count();
  return std::min(stop_limit_unix_ns_, clock_.unix_ns() + wait_ns);
}

RunningPlugin* Fleet::find(std::string_view id) {
  const auto found = std::find_if(running_.begin(), running_.end(), [&](const auto& plugin) { return plugin->id() == id; });
  return found == running_.end() ? nullptr : found->get();
}

const RunningPlugin* Fleet::find(std::string_view id) const { return const_cast<Fleet*>(this)->find(id); }

RunningModules Fleet::modules() const {
  RunningModules out;
  for (const auto& plugin : running_) out[plugin->id()] = &plugin->info();
  return out;
}

std::vector<std::string> Fleet::required_by(std::string_view id) const {
  std::vector<std::string> out;
  for (const auto& plugin : running_) {
    if (requires_plugin(plugin->info(), id)) out.push_back(plugin->id());
  }
  return out;
}

Result<void> Fleet::check_successor(const ModuleInfo& next) const {
  const LoadPlan plan = plan_loads({&next}, modules());
  if (plan.fault[0]) return *plan.fault[0];
  for (const auto& plugin : running_) {
    for (const ModuleRequirement& requirement : plugin->info().requirements) {
      if (requirement.id != next.id) continue;
      if (Result<void> fits = check_requirement(plugin->info(), requirement, next.version); !fits) return fits;
    }
  }
  return {};
}

std::vector<std::string> Fleet::outgrown_by(const ModuleInfo& next) const {
  std::vector<std::string> out;
  for (const auto& plugin : running_) {
    for (const ModuleRequirement& requirement : plugin->info().requirements) {
      if (requirement.id == next.id && !check_requirement(plugin->info(), requirement, next.version)) {
        out.push_back(plugin->id());
      }
    }
  }
  return out;
}

const void* Fleet::query_plugin(std::string_view asker, std::string_view plugin_id, const char* interface_id) {
  if (interface_id == nullptr) return nullptr;
  if (!asker.empty()) {
    const RunningPlugin* running = find(asker);
    const ModuleInfo* module = coming_up_ != nullptr && coming_up_->id == asker ? coming_up_
                               : running != nullptr                             ? &running->info()
                                                                                : nullptr;
    if (module == nullptr || !requires_plugin(*module, plugin_id)) return nullptr;
  }
  RunningPlugin* plugin = find(plugin_id);
  if (plugin == nullptr || !plugin->instance) return nullptr;
  const void* found = plugin->instance->query(interface_id);
  if (found != nullptr && !asker.empty()) peers_.emplace(std::string(asker), std::string(plugin_id));
  return found;
}

std::unique_ptr<Instance> Fleet::make_instance(const LoadedModule& loaded, const PluginSettings& settings) {
  const uint64_t generation = ++last_generation_;
  return std::make_unique<Instance>(loaded, hosts_.make(loaded.info(), generation, settings, *this), generation);
}

Result<void> Fleet::create(Instance& instance, const PluginSettings& settings) {
  const ModuleInfo* outer = std::exchange(coming_up_, &instance.module().info());
  Result<void> created = instance.create(settings.config);
  coming_up_ = outer;
  return created;
}

Result<void> Fleet::start(Instance& instance) {
  const ModuleInfo* outer = std::exchange(coming_up_, &instance.module().info());
  Result<void> started = instance.start();
  coming_up_ = outer;
  return started;
}

Result<void> Fleet::start(GatedFile gated, PluginSettings settings) {
  const auto begin = SteadyClock::now();
  const std::chrono::microseconds gate_time = gated.elapsed;
  if (Result<void> met = check_requirements(gated.module, modules()); !met) return met.error();
  Result<std::unique_ptr<LoadedModule>> loaded = LoadedModule::map(std::move(gated));
  if (!loaded) return loaded.error();
  auto plugin = std::make_unique<RunningPlugin>();
  plugin->file = (*loaded)->gated.file;
  plugin->loaded = std::move(*loaded);
  plugin->settings = std::move(settings);
  plugin->instance = make_instance(*plugin->loaded, plugin->settings);
  Result<void> up = create(*plugin->instance, plugin->settings);
  if (up) up = start(*plugin->instance);
  if (!up) {
    forget_peers_of(plugin->id());
    bury(std::move(plugin->loaded), std::move(plugin->instance), plugin->file);
    return up;
  }
  plugin->loaded_unix_ns = clock_.unix_ns();
  plugin->load_time = gate_time + since(begin);
  running_.push_back(std::move(plugin));
  RunningPlugin& started = *running_.back();
  started.instance->host().activate();
  const ModuleInfo& info = started.info();
  log::info("plugin loaded", {{"plugin_id", info.id},
                              {"version", info.version},
                              {"file", started.file.string()},
                              {"load_ms", static_cast<double>(started.load_time.count()) / 1000.0}});
  lifecycle_.plugin_loaded(info.id, info.name, info.version);
  return {};
}

bool Fleet::is_idle(std::string_view id) {
  RunningPlugin* plugin = find(id);
  if (plugin == nullptr) return true;
  const bool idle = plugin->instance->host().pause(clock_.unix_ns());
  plugin->instance->host().resume();
  return idle;
}

Result<void> Fleet::stop(std::string_view id_given, std::string_view reason, std::vector<std::string>* also_stopped) {
  const std::string id(id_given);  // the caller's may be a part of what is stopped
  if (find(id) == nullptr) return make_error(NEXUS_E_UNKNOWN, "no such plugin is running: " + id);
  for (std::vector<std::string> dependents = required_by(id); !dependents.empty(); dependents = required_by(id)) {
    const std::string& last = dependents.back();
    const bool holds_interface = peers_.contains({last, id});
    const Result<void> stopped = stop(last, last + " requires " + id + ", which is stopped", also_stopped);
    if (also_stopped != nullptr && find(last) == nullptr) also_stopped->push_back(last);
    if (!stopped && (holds_interface || find(last) != nullptr)) {
      return make_error(NEXUS_E_TIMEOUT, id + " cannot be stopped while " + last + " uses it: " + stopped.error().message);
    }
  }
  return stop_one(id, reason);
}

Result<void> Fleet::stop_one(std::string_view id, std::string_view reason) {
  RunningPlugin& plugin = *find(id);
  plugin.state = PluginState::stopping;
  InstanceHost& host = plugin.instance->host();
  const int64_t until = deadline(options_.stop_timeout);
  if (!plugin.suspended && !host.drain(until)) {
    log::warn("plugin stopped before all its events were delivered",
              {{"plugin_id", plugin.id()}, {"left", host.stats().queued}});
  }
  forget_peers_of(plugin.id());
  if (!plugin.suspended && !host.pause(std::max(until, deadline(options_.pause_timeout)))) {
    host.revoke();
    const std::string sentence = plugin.id() + " is stuck: a callback has not returned; it gets no more events and stays mapped";
    log::error("plugin stuck", {{"plugin_id", plugin.id()}, {"reason", reason}});
    lifecycle_.plugin_error(plugin.id(), error_text(NEXUS_E_TIMEOUT).name, sentence);
    leftovers_.push_back({std::move(plugin.loaded), std::move(plugin.instance), plugin.file, std::string(reason)});
    std::erase_if(running_, [](const auto& one) { return one->loaded == nullptr; });
    return make_error(NEXUS_E_TIMEOUT, sentence, "look at its handlers; the host ends it when the callback returns");
  }
  plugin.instance->quiesce(until);
  const std::string stopped_id = plugin.id();
  const std::filesystem::path file = plugin.file;
  std::unique_ptr<LoadedModule> loaded = std::move(plugin.loaded);
  std::unique_ptr<Instance> instance = std::move(plugin.instance);
  std::erase_if(running_, [](const auto& one) { return one->loaded == nullptr; });
  bury(std::move(loaded), std::move(instance), file);
  log::info("plugin unloaded", {{"plugin_id", stopped_id}, {"reason", reason}});
  lifecycle_.plugin_unloaded(stopped_id, reason);
  return {};
}

void Fleet::bury(std::unique_ptr<LoadedModule> loaded, std::unique_ptr<Instance> instance,
                 const std::filesystem::path& file) {
  instance.reset();
  if (loaded->library.close()) return;
  log::warn("a plugin's library stays mapped after it was closed",
            {{"plugin_id", loaded->info().id}, {"file", file.string()}});
  leftovers_.push_back({std::move(loaded), nullptr, file, {}});
}

bool Fleet::stop_all(std::string_view reason, std::chrono::milliseconds timeout) {
  stop_limit_unix_ns_ = deadline(timeout);
  while (!running_.empty()) {
    const auto last = std::find_if(running_.rbegin(), running_.rend(),
                                   [&](const auto& plugin) { return required_by(plugin->id()).empty(); });
    if (last == running_.rend()) break;  // cannot be: circles are refused
    (void)stop_one(std::string((*last)->id()), reason);
  }
  stop_limit_unix_ns_ = INT64_MAX;
  return collect() == 0;
}

size_t Fleet::collect() {
  std::vector<Leftover> left;
  std::swap(left, leftovers_);
  for (Leftover& one : left) {
    if (one.instance) {
      if (!one.instance->host().pause(clock_.unix_ns())) {
        leftovers_.push_back(std::move(one));
        continue;
      }
      const std::string id = one.loaded->info().id;
      one.instance->quiesce(deadline(options_.stop_timeout));
      bury(std::move(one.loaded), std::move(one.instance), one.file);
      log::info("stuck plugin ended after all", {{"plugin_id", id}});
      lifecycle_.plugin_unloaded(id, one.reason);
    } else if (one.loaded->library.mapped()) {
      leftovers_.push_back(std::move(one));
    }
  }
  return leftovers_.size();
}

void Fleet::forget_peers_of(std::string_view asker) {
  std::erase_if(peers_, [&](const auto& pair) { return pair.first == asker; });
}

}  // namespace nexus::host
