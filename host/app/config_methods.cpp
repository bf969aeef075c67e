#include "host/app/config_methods.hpp"

#include "host/app/config/load.hpp"

namespace nexus::host {
namespace control {

struct ShowParams {
  bool origin = false;
  std::string format = "toml";  // or json
};
NEXUS_STRUCT(ShowParams, origin, format)
struct TextAnswer {
  std::string text;
};
NEXUS_STRUCT(TextAnswer, text)
struct CheckParams {
  std::optional<std::string> file;  // absent: the one the host was started with
};
NEXUS_STRUCT(CheckParams, file)
struct DiagnosticRow {
  std::string severity, file, key, message, help;
  uint32_t line = 0, column = 0;
};
NEXUS_STRUCT(DiagnosticRow, severity, file, key, message, help, line, column)
struct CheckReply {
  bool ok = false;
  std::vector<DiagnosticRow> diagnostics;
  std::string text;  // as a compiler would print it
};
NEXUS_STRUCT(CheckReply, ok, diagnostics, text)

}  // namespace control

namespace {

using namespace control;

Result<TextAnswer> show(const Config& config, const ShowParams& params) {
  if (params.format != "toml" && params.format != "json")
    return make_error(NEXUS_E_ARGUMENT, "there is no config format '" + params.format + "'",
                      "the formats are toml and json");
  config::ShowOptions options;
  options.origin = params.origin;
  options.json = params.format == "json";
  return TextAnswer{config::show(config, options)};
}

CheckReply check(const std::string& file) {
  CheckReply reply;
  const auto diagnostics = config::check(file);
  reply.ok = config::error_count(diagnostics) == 0;
  for (const config::Diagnostic& diagnostic : diagnostics)
    reply.diagnostics.push_back({diagnostic.severity == config::Severity::error ? "error" : "warning", diagnostic.file,
                                 diagnostic.key, diagnostic.message, diagnostic.help, diagnostic.line,
                                 diagnostic.column});
  reply.text = config::render(diagnostics);
  return reply;
}

}  // namespace

void add_config_methods(Surface& surface, ConfigMethodPorts ports) {
  const ConfigHolder& config = ports.config;
  surface.add_typed<ShowParams, TextAnswer>(
      {"config.show", "The config in force, secrets as ***; format is toml or json.", Scope::read, RunsOn::caller},
      [&config](const Caller&, const ShowParams& params) { return show(*config.get(), params); });
  surface.add_typed<CheckParams, CheckReply>(
      {"config.check", "What is wrong with a config file; by default with the host's own as it stands now.",
       Scope::admin, RunsOn::caller},
      [&config](const Caller&, const CheckParams& params) -> Result<CheckReply> {
        return check(params.file.value_or(config.get()->file));
      });
  surface.add_typed<NoParams, TextAnswer>(
      {"config.schema", "JSON Schema (draft-07) of nexus.toml.", Scope::read, RunsOn::caller},
      [](const Caller&, const NoParams&) -> Result<TextAnswer> { return TextAnswer{config::schema()}; });
  surface.add_typed<NoParams, ReloadAnswer>(
      {"config.reload", "Reads the config again, as SIGHUP does; tells what changed and what needs a restart.",
       Scope::admin, RunsOn::control},
      [reload = std::move(ports.reload)](const Caller&, const NoParams&) -> Result<ReloadAnswer> {
        auto changes = reload();
        if (!changes) return changes.error();
        ReloadAnswer answer;
        for (config::Change& change : changes.value())
          answer.changes.push_back({std::move(change.key), std::move(change.from), std::move(change.to), change.restart});
        return answer;
      });
}

}  // namespace nexus::host
