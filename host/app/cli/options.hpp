// What the command line says, one struct for each command, and the function that does it. Filled by parse.cpp, which
// alone knows CLI11. Each function returns the exit status of the process (exit_status.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nexus::host::cli {

// How to find the host; for every command that talks to one.
struct HostOptions {
  std::string config;
  std::string socket;
};

struct RunCommand {
  std::string config;
  std::vector<std::string> plugin_folders;
  std::string socket;
  bool check_config = false;
  bool safe_mode = false;
};
int run(const RunCommand& command);

struct TapCommand {
  HostOptions host;
  std::string pattern = "*";
  uint64_t count = 0;
  bool json = false;
  bool headers_only = false;
  std::optional<std::string> format;
};
int tap(const TapCommand& command);

struct EmitCommand {
  HostOptions host;
  std::string type;  // empty with send_on: each line names its own
  std::optional<std::string> data;
  std::string send_on;  // "newline", or empty
  int32_t priority = 0;
  std::optional<std::string> correlation, causation, key, subject, source, id;
  std::vector<std::string> metadata;     // name=value
  std::optional<double> timeout;         // seconds
  std::optional<double> delay, expires;  // seconds from now
  uint32_t batch = 256;
  bool json = false;
  bool quiet = false;
};
int emit(const EmitCommand& command);

struct RequestCommand {
  EmitCommand event;  // only what makes the event
  std::string reply;  // a pattern; empty: any
  double timeout = 5;
  bool json = false;
};
int request(const RequestCommand& command);

struct WaitCommand {
  HostOptions host;
  std::string pattern;
  double timeout = 0;  // 0: for ever
  uint64_t count = 1;
  bool json = false;
};
int wait(const WaitCommand& command);

struct PluginsCommand {
  HostOptions host;
  std::string argument;  // id, file or name
  std::string folder = ".";
  bool json = false;
};
int plugins_ls(const PluginsCommand& command);
int plugins_info(const PluginsCommand& command);
int plugins_check(const PluginsCommand& command);
int plugins_new(const PluginsCommand& command);
// `method` is plugins.reload, plugins.enable or plugins.disable.
int plugins_change(const PluginsCommand& command, const std::string& method);

struct SagaCommand {
  HostOptions host;
  std::string key;
  std::string plugin;  // empty: all
  std::string state;   // empty: any
  std::string after;
  uint64_t limit = 100;
  bool json = false;
};
int saga_ls(const SagaCommand& command);
int saga_show(const SagaCommand& command);

struct ConfigCommand {
  HostOptions host;
  bool origin = false;
  bool json = false;
  bool running = false;
};
int config_check(const ConfigCommand& command);
int config_show(const ConfigCommand& command);
int config_schema();
int config_init();

struct DlqCommand {
  HostOptions host;
  std::vector<uint64_t> ids;
  std::optional<std::string> fingerprint, type, plugin, reason;
  bool all = false;
  bool groups = false;
  bool dry_run = false;
  bool json = false;
  uint64_t limit = 100, offset = 0;
  double pace = 0;  // letters a second; 0: as fast as it goes
  std::string note;
};
int dlq_ls(const DlqCommand& command);
int dlq_show(const DlqCommand& command);
int dlq_retry(const DlqCommand& command);
int dlq_rm(const DlqCommand& command);
int dlq_export(const DlqCommand& command);

struct RetriesCommand {
  HostOptions host;
  std::optional<std::string> id;  // of the retry, or of the event
  std::optional<std::string> type, plugin;
  bool all = false;
  bool json = false;
  uint64_t limit = 1000;
};
int retries_ls(const RetriesCommand& command);
// `method` is retries.now or retries.kill.
int retries_end(const RetriesCommand& command, const std::string& method);

struct StatCommand {
  HostOptions host;
  bool json = false;
  std::string metrics;  // "prometheus" or "openmetrics": all metrics instead
};
int stat(const StatCommand& command);

struct ExplainCommand {
  HostOptions host;
  std::string id;
  bool json = false;
};
int explain(const ExplainCommand& command);
int trace(const ExplainCommand& command);

struct CallCommand {
  HostOptions host;
  std::string method;
  std::string params;
};
int call(const CallCommand& command);

struct AuditCommand {
  std::string file;
  std::string last_hash;  // empty: any
  bool json = false;
};
int audit_verify(const AuditCommand& command);

int explain_error(const std::string& code, bool json);
int version(bool json);

// The commands as a tree, for `nexus completion`.
struct OptionNode {
  std::vector<std::string> names;  // with their dashes
  std::string text;
  bool takes_value = false;
};
struct CommandNode {
  std::string name;
  std::string text;
  std::vector<OptionNode> options;
  std::vector<CommandNode> commands;
};
// `shell` is bash, zsh or fish.
std::string completion_script(const CommandNode& root, const std::string& shell);

// Parses and runs.
int main(int argc, char** argv);

}  // namespace nexus::host::cli
