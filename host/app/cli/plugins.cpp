#include <filesystem>

#include "host/app/cli/connect.hpp"
#include "host/app/cli/local_check.hpp"
#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "host/app/plugin_template.hpp"
#include "host/control/plugin_methods.hpp"

namespace nexus::host::cli {
namespace {

using control::PluginRow;

void print_value(const cbor::Value& value) { print_json(value.encode()); }

template <class T>
void print_struct(const T& value) {
  cbor::Buffer out;
  if (control::write_result("", value, out)) print_json(out.bytes());
}

std::string reason_of(const PluginRow& row) {
  if (row.error) return row.error->label + ": " + row.error->message;
  return row.detail;
}

void print_row(const PluginRow& row) {
  print((row.id.empty() ? row.file : row.id) + (row.version.empty() ? "" : " " + row.version) + ": " + row.state + "\n");
  const std::string reason = reason_of(row);
  if (!reason.empty()) print("  " + reason + "\n");
  if (row.error && !row.error->help.empty()) print("  " + row.error->help + "\n");
}

void print_module(const control::ModuleRow& module) {
  std::vector<std::vector<std::string>> rows{{"id", module.id}, {"version", module.version}, {"name", module.name}};
  if (!module.description.empty()) rows.push_back({"description", module.description});
  if (!module.vendor.empty()) rows.push_back({"vendor", module.vendor});
  rows.push_back({"ABI", "built with " + module.abi_built + ", needs " + module.abi_needed});
  if (module.provider) rows.push_back({"provider", "yes: loaded before others"});
  if (module.exclusive) rows.push_back({"exclusive", "yes: one instance at a time"});
  for (const auto& needed : module.requirements) rows.push_back({"requires", needed.id + " " + needed.version});
  for (const auto& event : module.events)
    rows.push_back({"event", event.type + (event.version > 1 ? " (version " + std::to_string(event.version) + ")" : "")});
  print(table(rows));
  if (module.handlers.empty()) return;
  rows = {{"HANDLER", "PATTERN", "PRIORITY", "MEANS"}};
  for (const auto& handler : module.handlers)
    rows.push_back({handler.name, handler.pattern, std::to_string(handler.priority), handler.explanation});
  print("\n" + table(rows, {false, false, true, false}));
}

void print_info(const PluginRow& row) {
  std::vector<std::vector<std::string>> rows{{"state", row.state}, {"file", row.file}};
  const std::string reason = reason_of(row);
  if (!reason.empty()) rows.push_back({row.error ? "error" : "detail", reason});
  if (row.error && !row.error->help.empty()) rows.push_back({"help", row.error->help});
  if (row.generation != 0) {
    rows.push_back({"generation", std::to_string(row.generation)});
    rows.push_back({"thread", row.own_thread ? "own" : "shared"});
    rows.push_back({"subscriptions", grouped(row.subscriptions)});
    rows.push_back({"handled", grouped(row.handled)});
    rows.push_back({"failed", grouped(row.failed)});
    rows.push_back({"emitted", grouped(row.emitted)});
    rows.push_back({"queued", grouped(row.queued)});
    char time[32];
    std::snprintf(time, sizeof time, "%.1f ms", row.load_time_ms);
    rows.push_back({"loaded in", time});
  }
  for (const std::string& id : row.required_by) rows.push_back({"required by", id});
  if (!row.content_hash.empty()) rows.push_back({"SHA-256", row.content_hash});
  print(table(rows));
  if (row.module) {
    print("\n");
    print_module(*row.module);
  }
}

}  // namespace

int plugins_ls(const PluginsCommand& command) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  if (command.json) {
    auto value = client->call("plugins.list");
    if (!value) return fail(value.error());
    if (const cbor::Value* list = value->find("plugins"); list != nullptr && list->is_array())
      for (const cbor::Value& row : list->items()) print_value(row);
    return exit_status::kOk;
  }
  auto list = client->call_typed<control::PluginList>("plugins.list", control::NoParams{});
  if (!list) return fail(list.error());
  std::vector<std::vector<std::string>> rows{{"ID", "VERSION", "STATE", "HANDLED", "FAILED", "QUEUED", "FILE", ""}};
  for (const PluginRow& row : list->plugins)
    rows.push_back({row.id.empty() ? "-" : row.id, row.version.empty() ? "-" : row.version, row.state,
                    grouped(row.handled), grouped(row.failed), grouped(row.queued),
                    std::filesystem::path(row.file).filename().string(), reason_of(row)});
  print(table(rows, {false, false, false, true, true, true, false, false}));
  return exit_status::kOk;
}

int plugins_info(const PluginsCommand& command) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  if (command.json) {
    auto value = client->call("plugins.info", {{"id", command.argument}});
    if (!value) return fail(value.error());
    print_value(value.value());
    return exit_status::kOk;
  }
  auto row = client->call_typed<PluginRow>("plugins.info", control::PluginParams{command.argument});
  if (!row) return fail(row.error());
  print_info(row.value());
  return exit_status::kOk;
}

int plugins_check(const PluginsCommand& command) {
  std::error_code failed;
  const std::string file = std::filesystem::absolute(command.argument, failed).string();
  Result<control::CheckAnswer> answer = control::CheckAnswer{};
  auto client = connect(command.host);
  if (client)
    answer = client->call_typed<control::CheckAnswer>("plugins.check", control::FileParams{file});
  else
    answer = check_without_host(command.host, file);
  if (!answer) return fail(answer.error());
  const control::CheckAnswer& check = answer.value();
  if (command.json) {
    print_struct(check);
  } else {
    if (check.module) print_module(*check.module);
    for (const std::string& warning : check.warnings) print("warning: " + warning + "\n");
    if (check.ok) print(check.file + ": it would load\n");
    if (check.error) {
      print(check.file + ": refused\n  " + check.error->label + ": " + check.error->message + "\n");
      if (!check.error->help.empty()) print("  " + check.error->help + "\n");
    }
  }
  return check.ok ? exit_status::kOk : exit_status::kData;
}

int plugins_new(const PluginsCommand& command) {
  auto project = write_plugin_project(command.folder, command.argument);
  if (!project)
    return fail(project.error().code == NEXUS_E_ARGUMENT ? exit_status::kUsage : exit_status::kFailure, project.error());
  const std::string folder = project->folder.string();
  if (command.json) {
    cbor::Value files = cbor::Value::array();
    for (const std::string& file : project->files) files.push_back(file);
    print_value({{"folder", folder}, {"id", project->id}, {"files", files}});
    return exit_status::kOk;
  }
  print("made the plugin " + project->id + " in " + folder + "\n\nbuild it, test it, and look at it:\n  cmake -S " + folder +
        " -B " + folder + "/build -DCMAKE_BUILD_TYPE=Release\n  cmake --build " + folder + "/build\n  ctest --test-dir " +
        folder + "/build\n  nexus plugins check " + folder + "/build/plugins/*.so\n");
  return exit_status::kOk;
}

int plugins_change(const PluginsCommand& command, const std::string& method) {
  auto client = connect(command.host);
  if (!client) return connect_failed(client.error());
  if (command.json) {
    auto value = client->call(method, {{"id", command.argument}});
    if (!value) return fail(value.error());
    print_value(value.value());
    return exit_status::kOk;
  }
  auto row = client->call_typed<PluginRow>(method, control::PluginParams{command.argument});
  if (!row) return fail(row.error());
  print_row(row.value());
  return exit_status::kOk;
}

}  // namespace nexus::host::cli
