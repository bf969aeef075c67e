#include <cstdio>

#include "host/app/cli/connect.hpp"
#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/config/faces.hpp"
#include "host/app/config/load.hpp"
#include "host/app/exit_status.hpp"
#include "host/event/json.hpp"

namespace nexus::host::cli {
namespace {

void print_diagnostics(const std::vector<config::Diagnostic>& diagnostics) {
  const std::string text = config::render(diagnostics, has_colour(2));
  std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string json_of(const config::Diagnostic& diagnostic) {
  std::string out = "{\"severity\":";
  append_json_text(out, diagnostic.severity == config::Severity::error ? "error" : "warning");
  const auto text = [&](std::string_view name, const std::string& value) {
    out += ",\"" + std::string(name) + "\":";
    append_json_text(out, value);
  };
  text("file", diagnostic.file);
  out += ",\"line\":" + std::to_string(diagnostic.line) + ",\"column\":" + std::to_string(diagnostic.column);
  text("key", diagnostic.key);
  text("message", diagnostic.message);
  text("help", diagnostic.help);
  return out + "}";
}

struct ShowParams {
  bool origin = false;
  std::string format;
};
NEXUS_STRUCT(ShowParams, origin, format)
struct TextAnswer {
  std::string text;
};
NEXUS_STRUCT(TextAnswer, text)

}  // namespace

int config_check(const ConfigCommand& command) {
  const std::string file = config::find_file(command.host.config);
  const auto diagnostics = config::check(file);
  if (command.json) {
    for (const config::Diagnostic& diagnostic : diagnostics) print_line(json_of(diagnostic));
  } else {
    print_diagnostics(diagnostics);
  }
  const size_t errors = config::error_count(diagnostics);
  if (errors != 0) return exit_status::kConfig;
  if (!command.json)
    std::fprintf(stderr, "nexus: %s is in order\n", file.empty() ? "the default config (no file was found)" : file.c_str());
  return exit_status::kOk;
}

int config_show(const ConfigCommand& command) {
  if (command.running) {
    auto client = connect(command.host);
    if (!client) return connect_failed(client.error());
    auto answer = client->call_typed<TextAnswer>("config.show",
                                                 ShowParams{command.origin, command.json ? "json" : "toml"});
    if (!answer) return fail(answer.error());
    print(answer->text);
    return exit_status::kOk;
  }
  config::LoadOptions load;
  load.file = config::find_file(command.host.config);
  const config::Loaded loaded = config::read(load);
  print_diagnostics(loaded.diagnostics);
  if (!loaded.ok()) return exit_status::kConfig;
  config::ShowOptions options;
  options.origin = command.origin;
  options.json = command.json;
  print(config::show(loaded.config, options));
  return exit_status::kOk;
}

int config_schema() {
  print(config::schema());
  return exit_status::kOk;
}

int config_init() {
  print(config::init());
  return exit_status::kOk;
}

}  // namespace nexus::host::cli
