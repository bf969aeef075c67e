// One hot swap: the successor of a running plugin takes over its routes and waiting events, and when it cannot, the old
// one goes on serving. Made and used up within one call of Fleet::swap, on the control thread.
//
// Plain:      create new → pause old → start new → hand over → quiesce, destroy old.
// Handover:   create new → pause, quiesce, save old → restore, start new → hand over → destroy old.
// Exclusive:  pause, quiesce, save, destroy old → create, restore, start new → hand over.
//
// Once the old instance has been quiesced it cannot go on; it is then made anew from its library, which is still
// mapped, with the state that it saved. Plugins that hold an interface of the old instance are suspended first and made
// anew afterwards; their events wait meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/plugin/fleet.hpp"

namespace nexus::host {

class Swap {
 public:
  // `old` is running in `fleet`; both outlive this.
  Swap(Fleet& fleet, RunningPlugin& old, PluginSettings settings)
      : fleet_(fleet), old_(old), settings_(std::move(settings)) {}

  Result<void> run(GatedFile gated);

 private:
  using State = std::optional<std::vector<uint8_t>>;
  struct Suspended {
    RunningPlugin* plugin;
    State state;
  };

  Result<void> beside();
  Result<void> exclusive();
  void commit();
  Result<void> pause(RunningPlugin& plugin) const;

  // Quiesces a paused plugin, and saves its state where it can.
  Result<State> quiesce(RunningPlugin& plugin) const;
  // Has `fresh` take the state over and start; then hands routes and events of `from` over to it.
  Result<void> take_over(Instance& fresh, Instance& from, const State& state, const std::string& state_version);
  // Makes an instance anew from the same library.
  Result<void> respawn(RunningPlugin& plugin, const State& state);
  // After quiesce: the old one anew, or, should that fail too, not at all.
  Error recover(Error cause, const State& state);

  Result<void> suspend_users();
  void resume_users();
  void abandon(RunningPlugin& plugin, const Error& error);

  Fleet& fleet_;
  RunningPlugin& old_;
  PluginSettings settings_;
  std::unique_ptr<LoadedModule> loaded_;
  std::unique_ptr<Instance> fresh_;
  std::vector<Suspended> users_;  // in the order of start
  bool lost_ = false;             // the old one could not be brought back; old_ must not be touched any more
};

}  // namespace nexus::host
