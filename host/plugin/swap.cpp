#include "host/plugin/swap.hpp"

#include <algorithm>
#include <set>

#include "host/base/log.hpp"

namespace nexus::host {

Result<void> Fleet::swap(GatedFile gated, PluginSettings settings) {
  RunningPlugin* old = find(gated.module.id);
  if (old == nullptr) return make_error(NEXUS_E_UNKNOWN, "no such plugin is running: " + gated.module.id);
  return Swap(*this, *old, std::move(settings)).run(std::move(gated));
}

Result<void> Swap::run(GatedFile gated) {
  const auto begin = std::chrono::steady_clock::now();
  const std::chrono::microseconds gate_time = gated.elapsed;
  if (Result<void> fits = fleet_.check_successor(gated.module); !fits) return fits;
  Result<std::unique_ptr<LoadedModule>> loaded = LoadedModule::map(std::move(gated));
  if (!loaded) return loaded.error();
  loaded_ = std::move(*loaded);
  const std::string old_version = old_.info().version;

  Result<void> done = suspend_users();
  if (done) {
    fresh_ = fleet_.make_instance(*loaded_, settings_);
    done = old_.info().exclusive() || loaded_->info().exclusive() ? exclusive() : beside();
  }
  if (done) {
    commit();
    old_.load_time = gate_time + std::chrono::duration_cast<std::chrono::microseconds>(
                                     std::chrono::steady_clock::now() - begin);
  } else {
    const std::filesystem::path file = loaded_->gated.file;
    fleet_.bury(std::move(loaded_), std::move(fresh_), file);
  }
  resume_users();
  if (!done) return done;

  const ModuleInfo& info = old_.info();
  log::info("plugin swapped", {{"plugin_id", info.id},
                               {"from", old_version},
                               {"version", info.version},
                               {"load_ms", static_cast<double>(old_.load_time.count()) / 1000.0}});
  fleet_.lifecycle_.plugin_unloaded(info.id, "replaced by " + info.version);
  fleet_.lifecycle_.plugin_loaded(info.id, info.name, info.version);
  return {};
}

Result<void> Swap::pause(RunningPlugin& plugin) const {
  InstanceHost& host = plugin.instance->host();
  if (host.pause(fleet_.deadline(fleet_.options_.pause_timeout))) return {};
  host.resume();
  return make_error(NEXUS_E_TIMEOUT,
                    plugin.id() + " has a callback that did not return within " +
                        std::to_string(fleet_.options_.pause_timeout.count()) + " ms, so it was not swapped",
                    "try again with: nexus plugins reload " + old_.id());
}

Result<Swap::State> Swap::quiesce(RunningPlugin& plugin) const {
  plugin.instance->quiesce(fleet_.deadline(fleet_.options_.stop_timeout));
  if (!plugin.instance->has_handover()) return State();
  Result<std::vector<uint8_t>> saved = plugin.instance->save();
  if (!saved) return saved.error();
  return State(std::move(*saved));
}

Result<void> Swap::take_over(Instance& fresh, Instance& from, const State& state, const std::string& state_version) {
  if (state && fresh.has_handover()) {
    if (Result<void> restored = fresh.restore(state_version, *state); !restored) return restored;
  }
  if (Result<void> started = fleet_.start(fresh); !started) return started;
  const Result<size_t> moved = from.host().hand_over_to(fresh.host());
  if (moved) return {};
  fresh.quiesce(fleet_.deadline(fleet_.options_.stop_timeout));
  return moved.error();
}

Result<void> Swap::beside() {
  if (Result<void> created = fleet_.create(*fresh_, settings_); !created) return created;
  if (Result<void> paused = pause(old_); !paused) return paused;
  const bool moves_state = old_.instance->has_handover() && fresh_->has_handover();
  State state;
  if (moves_state) {
    Result<State> saved = quiesce(old_);
    if (!saved) return recover(saved.error(), {});
    state = std::move(*saved);
  }
  Result<void> taken = take_over(*fresh_, *old_.instance, state, old_.info().version);
  if (taken) return taken;
  if (moves_state) return recover(taken.error(), state);
  old_.instance->host().resume();
  return taken;
}

Result<void> Swap::exclusive() {
  if (Result<void> paused = pause(old_); !paused) return paused;
  Result<State> state = quiesce(old_);
  if (!state) return recover(state.error(), {});
  old_.instance->destroy();
  Result<void> taken = fleet_.create(*fresh_, settings_);
  if (taken) taken = take_over(*fresh_, *old_.instance, *state, old_.info().version);
  if (!taken) return recover(taken.error(), *state);
  return taken;
}

Error Swap::recover(Error cause, const State& state) {
  // The new one may own what the old one needs again: a port, a file.
  fresh_->destroy();
  const Result<void> back = respawn(old_, state);
  if (back) return cause;
  cause.message += "; and the old version could not be started again: " + back.error().message;
  lost_ = true;
  return cause;
}

Result<void> Swap::respawn(RunningPlugin& plugin, const State& state) {
  plugin.instance->destroy();
  plugin.suspended = true;
  std::unique_ptr<Instance> anew = fleet_.make_instance(*plugin.loaded, plugin.settings);
  if (Result<void> created = fleet_.create(*anew, plugin.settings); !created) return created;
  if (Result<void> taken = take_over(*anew, *plugin.instance, state, plugin.info().version); !taken) return taken;
  plugin.instance = std::move(anew);
  plugin.suspended = false;
  plugin.instance->host().activate();
  return {};
}

void Swap::commit() {
  std::swap(old_.loaded, loaded_);
  std::swap(old_.instance, fresh_);
  old_.settings = std::move(settings_);
  old_.loaded_unix_ns = fleet_.clock_.unix_ns();
  const std::filesystem::path old_file = std::exchange(old_.file, old_.loaded->gated.file);
  old_.instance->host().activate();
  // Since the exchange above, the old instance is the one in fresh_.
  fresh_->quiesce(fleet_.deadline(fleet_.options_.stop_timeout));
  fleet_.bury(std::move(loaded_), std::move(fresh_), old_file);
}

// Whoever holds an interface of the old instance, and whoever holds one of theirs.
Result<void> Swap::suspend_users() {
  std::set<std::string> providers = {old_.id()};
  for (const auto& plugin : fleet_.running()) {  // providers start before their users
    const bool uses = std::any_of(fleet_.peers_.begin(), fleet_.peers_.end(), [&](const auto& pair) {
      return pair.first == plugin->id() && providers.count(pair.second) != 0;
    });
    if (!uses || plugin.get() == &old_) continue;
    providers.insert(plugin->id());
    users_.push_back({plugin.get(), {}});
  }
  for (size_t i = users_.size(); i > 0; --i) {
    RunningPlugin& user = *users_[i - 1].plugin;
    if (Result<void> paused = pause(user); !paused) {
      users_.erase(users_.begin(), users_.begin() + static_cast<ptrdiff_t>(i));
      return paused;
    }
    Result<State> state = quiesce(user);
    if (state) {
      users_[i - 1].state = std::move(*state);
    } else {
      log::warn("a plugin's state was lost while what it requires is swapped",
                {{"plugin_id", user.id()}, {"error", state.error().message}});
    }
    user.instance->destroy();
    user.suspended = true;
    fleet_.forget_peers_of(user.id());
  }
  return {};
}

void Swap::resume_users() {
  if (lost_) {
    const std::string id = old_.id();
    abandon(old_, make_error(NEXUS_E_LOAD_CREATE, id + " was lost in a swap"));
    return;
  }
  for (Suspended& one : users_) {
    // An earlier one that was given up took those that require it along.
    const auto& running = fleet_.running();
    const bool there = std::any_of(running.begin(), running.end(),
                                   [&](const auto& plugin) { return plugin.get() == one.plugin; });
    if (!there) continue;
    if (Result<void> back = respawn(*one.plugin, one.state); !back) abandon(*one.plugin, back.error());
  }
}

void Swap::abandon(RunningPlugin& plugin, const Error& error) {
  const std::string& id = plugin.id();
  log::error("plugin could not be started again", {{"plugin_id", id}, {"error", error.message}});
  fleet_.lifecycle_.plugin_error(id, error_text(error.code).name, error.message);
  (void)fleet_.stop(id, error.message);
}

}  // namespace nexus::host
