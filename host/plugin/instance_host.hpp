// The narrow seam between the plugin manager and the bus: what the manager needs of the host side of one plugin
// instance (its nexus_host table, mailbox, handles), and what it announces. The bridge implements it on top of
// host/bus; tests implement it in memory. All calls come from the control thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/plugin/module_info.hpp"
#include "nexus/abi/host.h"

namespace nexus::host {

// What the config lets a plugin do. An absent list means "whatever the host's default is".
struct PluginPermissions {
  std::optional<std::vector<std::string>> emit;       // patterns
  std::optional<std::vector<std::string>> subscribe;  // patterns; "*" is granted by name only
  bool control = false;
  bool forward = false;
};

// [plugins."<id>"] of the config.
struct PluginSettings {
  bool enabled = true;
  bool own_thread = false;  // thread = "own"
  PluginPermissions permissions;
  std::vector<uint8_t> config;  // the CBOR map of [plugins."<id>".config]; empty when there is none
};

// A snapshot of the counters of one instance, for `nexus plugins ls`.
struct InstanceStats {
  uint64_t subscriptions = 0;
  uint64_t queued = 0;   // events that wait in the mailbox
  uint64_t handled = 0;  // deliveries that ended well
  uint64_t failed = 0;   // attempts that failed
  uint64_t emitted = 0;
  bool stuck = false;  // a handler is over its deadline
};

// The host side of one plugin instance. A new one is inactive: handles may be made through abi(), but no callback
// runs. Lives longer than the instance: the manager destroys it after `revoke`.
class InstanceHost {
 public:
  virtual ~InstanceHost() = default;

  // What create() is given. Lives as long as this object.
  virtual const nexus_host* abi() = 0;

  // start() returned NEXUS_OK: from now on events and timers reach the instance.
  virtual void activate() = 0;

  // Lets no further callback begin and waits until none runs; events keep queueing. False when one still runs at the
  // deadline; then the mailbox stays paused, and the caller either resumes or gives the instance up. What a plugin
  // unsubscribes while it is paused, in destroy() for one, takes effect at resume, hand-over or revoke: an event that
  // waits for it must not be lost when a successor takes over.
  virtual bool pause(int64_t deadline_unix_ns) = 0;

  // Undoes pause.
  virtual void resume() = 0;

  // Stops intake (emits towards it no longer queue here) and delivers what waits. True when the mailbox is empty;
  // false when the deadline came first. Nothing but pause and revoke follows.
  virtual bool drain(int64_t deadline_unix_ns) = 0;

  // Both are paused or inactive. Atomically, as seen by emitters: the routes of this instance end, those of the
  // successor begin, and the waiting events that the successor subscribes to move over in order. The number moved.
  // On an error nothing has changed.
  virtual Result<size_t> hand_over_to(InstanceHost& successor) = 0;

  // Unsubscribes, cancels timers and waiters, and makes every later call through abi() fail with NEXUS_E_HANDLE.
  // Waits for nothing. Idempotent.
  virtual void revoke() = 0;

  // Has `task` run in the mailbox, behind what waits there; it is destroyed without having run when the mailbox closes
  // before, which includes a hand-over. It must not throw. NEXUS_E_STOPPING.
  virtual Result<void> post(std::function<void()> task) = 0;

  virtual InstanceStats stats() const = 0;
};

// Finds the interfaces that plugins provide to each other; the manager implements it.
class PeerDirectory {
 public:
  virtual ~PeerDirectory() = default;

  // The interface of a running plugin, or null. `asker` must name it in its requirements, else null; an empty asker is
  // the host itself. The pointer lives until that plugin is unloaded or swapped; the asker is restarted first.
  virtual const void* query_plugin(std::string_view asker, std::string_view plugin_id, const char* interface_id) = 0;
};

class InstanceHostFactory {
 public:
  virtual ~InstanceHostFactory() = default;

  // `module`, `settings` are copied where they are kept; `peers` outlives the result. The generation tells instances
  // of one id apart and rises with each load in this host.
  virtual std::unique_ptr<InstanceHost> make(const ModuleInfo& module, uint64_t generation,
                                             const PluginSettings& settings, PeerDirectory& peers) = 0;
};

// Where plugin.loaded, plugin.unloaded and plugin.error go. Called on the control thread, never from inside a call
// into a plugin.
class LifecycleSink {
 public:
  virtual ~LifecycleSink() = default;
  virtual void plugin_loaded(std::string_view plugin_id, std::string_view name, std::string_view version) = 0;
  virtual void plugin_unloaded(std::string_view plugin_id, std::string_view reason) = 0;
  // `error_type` is a name of the error table ("load_crash"); `plugin_id` is the file name while the id is unknown.
  virtual void plugin_error(std::string_view plugin_id, std::string_view error_type, std::string_view message) = 0;
};

}  // namespace nexus::host
