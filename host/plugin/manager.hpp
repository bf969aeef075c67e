// The plugins of a host: finds files in folders, takes them through the load gate, starts, swaps and stops instances,
// and knows what became of each file. Every function is called on one thread, the control thread, and may take as long
// as a probe or a plugin's start; a plugin is never called under a lock. A failure of one plugin never stops another:
// the file is listed as refused with its code, sentence and help, and announced as plugin.error.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.hpp"
#include "host/base/error.hpp"
#include "host/plugin/instance_host.hpp"

namespace nexus::host {

enum class PluginState {
  discovered,  // seen, not yet looked at
  refused,     // `error` says why; looked at again when the file or what it misses changes
  disabled,    // enabled = false, or disabled by hand
  loaded,      // mapped and created, not started
  starting,
  running,
  stuck,  // asked to stop, but a callback has not returned; it stays mapped and gets no events
  stopping,
  unloaded,  // stopped by hand; the file is still there
  retained,  // stopped and closed, but the library is still mapped
};
std::string_view plugin_state_name(PluginState state);

// One row of `nexus plugins ls`, and all of `nexus plugins info`.
struct PluginStatus {
  std::string id;  // empty while no probe has told it
  std::filesystem::path file;
  PluginState state = PluginState::discovered;
  uint64_t generation = 0;           // of the running instance; 0: none
  std::optional<ModuleInfo> module;  // of the running version, else of the refused file where it is known
  std::optional<Error> error;        // why refused; for a running plugin: why its newest file was not taken over
  std::string content_hash;          // SHA-256 of the file, hex
  std::string detail;                // a sentence for the states stuck, retained, unloaded
  PluginSettings settings;
  InstanceStats stats;
  std::vector<std::string> required_by;  // ids of running plugins
  int64_t loaded_unix_ns = 0;
  std::chrono::microseconds load_time{0};  // gate, probe, create and start
};

// What the load gate says about one file, without running it in this process.
struct CheckReport {
  std::filesystem::path file;
  std::optional<ModuleInfo> module;  // where the probe could read it
  std::optional<Error> error;        // absent: it would load
  std::vector<std::string> warnings;  // e.g. it cannot be unmapped again
  std::chrono::microseconds probe_time{0};
};

// Which files to look at again. The watcher makes these. A file that is named here and is not there any more is taken
// as removed, even when its whole folder is gone; a folder that just is not there stops nothing.
struct ScanRequest {
  bool everything = true;                    // all files of all folders
  std::vector<std::filesystem::path> files;  // changed, new or gone
  std::vector<std::filesystem::path> busy;   // still being written: leave them alone
};

struct ScanReport {
  size_t loaded = 0;
  size_t swapped = 0;
  size_t unloaded = 0;
  size_t refused = 0;
};

struct PluginManagerOptions {
  std::vector<std::filesystem::path> folders;
  std::filesystem::path private_folder;         // made with mode 0700; private copies live in it
  std::filesystem::path probe_program;          // run as `<program> __probe <file>`; /proc/self/exe is the host's own
                                                // binary, even when its file has been replaced meanwhile
  bool unsafe_permissions = false;              // skip owner and mode checks, for development
  std::chrono::milliseconds probe_timeout{5000};
  std::chrono::milliseconds stop_timeout{5000};  // drain and quiesce of one plugin
  std::chrono::milliseconds pause_timeout{1000};  // how long a swap waits for a running callback
  uint64_t file_size_max = uint64_t{512} << 20;
  unsigned probe_parallel_max = 4;
};

struct PluginManagerPorts {
  InstanceHostFactory& hosts;
  LifecycleSink& lifecycle;
  std::function<PluginSettings(std::string_view id)> settings;  // null: every plugin is enabled, without a config
  // Refuses a config that does not fit, or fills in `config` by the module's schema. Null: any config is taken.
  std::function<Result<void>(const ModuleInfo&, PluginSettings&)> check_config;
  const Clock* clock = nullptr;                                                        // null: the system's
};

class PluginManager : public PeerDirectory {
 public:
  // Prepares the private folder and removes the copies of hosts that are gone. NEXUS_E_IO, NEXUS_E_PERMISSION.
  static Result<std::unique_ptr<PluginManager>> create(PluginManagerOptions options, PluginManagerPorts ports);

  ~PluginManager() override = default;  // stops nothing by itself: call stop_all first

  // The folders, absolute and in order; the watcher watches these.
  virtual const std::vector<std::filesystem::path>& folders() const = 0;

  // Looks at the folders and brings the running plugins in line with them: new files are loaded (providers and
  // required plugins first), changed ones swapped, those of removed files unloaded.
  virtual ScanReport scan(const ScanRequest& request = {}) = 0;

  // Takes one file, which may lie outside the folders, through the gate and starts it; a plugin that already runs from
  // this file is swapped, one of the same id from another file is NEXUS_E_LOAD_DUPLICATE.
  virtual Result<PluginStatus> load(const std::filesystem::path& file) = 0;

  // Stops a plugin and, before it, those that require it. The file stays unloaded until it changes or until load,
  // reload or enable. NEXUS_E_UNKNOWN; NEXUS_E_TIMEOUT when a callback does not return (state: stuck).
  virtual Result<void> unload(std::string_view id, std::string_view reason) = 0;

  // Swaps a running plugin onto its file again, with fresh settings; loads one that is not running.
  virtual Result<PluginStatus> reload(std::string_view id) = 0;

  // By hand, until the host ends; the config's enabled = false is overruled by enable.
  virtual Result<PluginStatus> enable(std::string_view id) = 0;
  virtual Result<PluginStatus> disable(std::string_view id) = 0;

  // Every plugin and every refused file, in the order of id and file.
  virtual std::vector<PluginStatus> list() const = 0;
  virtual Result<PluginStatus> info(std::string_view id) const = 0;  // NEXUS_E_UNKNOWN

  // The load gate as a dry run: nothing is created, nothing changes.
  virtual CheckReport check(const std::filesystem::path& file) = 0;

  // Asks every running plugin that provides the interface, or only the one of that id, something in its own mailbox:
  // `make` is called here with the interface's table and the instance, and what it returns, unless that is empty, is
  // posted there. That function is destroyed without having run when the plugin goes before, and may then not use the
  // table nor the instance.
  using MakeQuestion =
      std::function<std::function<void()>(const std::string& id, const void* table, void* instance)>;
  virtual void ask_providers(const char* interface_id, std::string_view id, const MakeQuestion& make) = 0;

  // Stops all in reverse order of start, within `timeout` as far as that is up to the host: an own thread of a plugin
  // that is never joined holds it up. True when everything was unmapped.
  virtual bool stop_all(std::string_view reason, std::chrono::milliseconds timeout) = 0;

  // Tries again to finish what was stuck or retained, and swaps that a running callback had put off; for a timer of a
  // second or so, cheap when there is nothing. The number of stuck and retained ones still left.
  virtual size_t collect() = 0;
};

}  // namespace nexus::host
