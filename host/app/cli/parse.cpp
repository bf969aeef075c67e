// The one place that knows CLI11, which costs five seconds to compile.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>
#include <map>

#include "host/app/cli/options.hpp"
#include "host/app/cli/output.hpp"
#include "host/app/exit_status.hpp"
#include "nexus/schema.hpp"

namespace nexus::host::cli {
namespace {

// What every command fills in; lives as long as the parsing and the command.
struct Parsed {
  RunCommand run;
  TapCommand tap;
  EmitCommand emit;
  RequestCommand request;
  WaitCommand wait;
  PluginsCommand plugins;
  SagaCommand saga;
  ConfigCommand config;
  DlqCommand dlq;
  RetriesCommand retries;
  StatCommand stat;
  CallCommand call;
  ExplainCommand explain;
  AuditCommand audit;
  std::string code, shell;
  bool json = false;
  std::function<int()> chosen;
};

void add_host_options(CLI::App* app, HostOptions& options) {
  app->add_option("--config,-c", options.config, "Config file, to find the host's socket")->type_name("FILE");
  app->add_option("--socket", options.socket, "The host's control socket")->type_name("PATH");
}

// Without the text that CLI11 would put into the help: the options' own texts say it.
CLI::Validator named(CLI::Validator validator) { return validator.description(""); }

CLI::App* add(CLI::App& parent, const char* name, const char* text, Parsed& parsed, std::function<int()> command) {
  CLI::App* app = parent.add_subcommand(name, text);
  // After the whole line has been understood, not during it.
  app->callback([&parsed, command = std::move(command)] { parsed.chosen = command; });
  return app;
}

void add_run(CLI::App& root, Parsed& parsed) {
  RunCommand& run = parsed.run;
  CLI::App* app = add(root, "run", "Run the host", parsed, [&run] { return cli::run(run); });
  app->add_option("--config,-c", run.config, "Config file")->type_name("FILE");
  app->add_option("--plugins-dir", run.plugin_folders, "Folder of plugins, instead of the config's; may be repeated")
      ->type_name("FOLDER")
      ->allow_extra_args(false);
  app->add_option("--socket", run.socket, "Control socket, instead of the config's")->type_name("PATH");
  app->add_flag("--check-config", run.check_config, "Check the config and end");
  app->add_flag("--safe-mode", run.safe_mode, "Load no plugin by itself");
}

void add_tap(CLI::App& root, Parsed& parsed) {
  TapCommand& tap = parsed.tap;
  CLI::App* app = add(root, "tap", "Show events as they pass", parsed, [&tap] { return cli::tap(tap); });
  add_host_options(app, tap.host);
  app->add_option("pattern", tap.pattern, "Event types: order.created, order.*, *.error, * (default)")
      ->type_name("PATTERN");
  app->add_option("--count,-n", tap.count, "End after so many events")->type_name("N");
  auto* json = app->add_flag("--json", tap.json, "CloudEvents, one a line");
  app->add_option("--format", tap.format, "A line of your own: '{time} {type} {data.order_id}', members as --json names them")
      ->type_name("TEXT")
      ->excludes(json);
  app->add_flag("--headers-only", tap.headers_only, "Leave the data out");
}

// A hundred years; beyond it nanoseconds would not hold.
constexpr double kSecondsMax = 3.15e9;

// What makes an event, beside its type and data.
void add_event_options(CLI::App* app, EmitCommand& emit) {
  app->add_option("--priority", emit.priority, "Higher first; 0 is normal")->type_name("N");
  app->add_option("--correlation", emit.correlation, "Correlation id")->type_name("ID");
  app->add_option("--key", emit.key, "Ordering key")->type_name("KEY");
  app->add_option("--subject", emit.subject, "What the event is about")->type_name("TEXT");
  app->add_option("--id", emit.id, "The event's id")->type_name("UUID");
  app->add_option("--metadata,-m", emit.metadata, "Metadata; may be repeated")->type_name("NAME=VALUE")->allow_extra_args(false);
  app->add_option("--expires", emit.expires, "Not to be delivered so much later")
      ->type_name("SECONDS")
      ->check(named(CLI::Range(0.001, kSecondsMax)));
}

void add_emit(CLI::App& root, Parsed& parsed) {
  EmitCommand& emit = parsed.emit;
  CLI::App* app = add(root, "emit", "Emit one event, or a stream of them", parsed, [&emit] { return cli::emit(emit); });
  add_host_options(app, emit.host);
  app->add_option("type", emit.type, "Event type; may be left out where each line names its own")->type_name("TYPE");
  app->add_option("--data,-d", emit.data, "JSON, @FILE, or - for standard input")->type_name("DATA");
  app->add_option("--send-on", emit.send_on,
                  "newline: each line of the input is an event; with a TYPE its data, without one the whole event")
      ->check(named(CLI::IsMember({"newline"})))
      ->type_name("");
  add_event_options(app, emit);
  app->add_option("--causation", emit.causation, "Id of the event that caused it")->type_name("UUID");
  app->add_option("--source", emit.source, "Source, instead of nexus.control")->type_name("TEXT");
  app->add_option("--delay", emit.delay, "Leave so much later")->type_name("SECONDS")->check(named(CLI::Range(0.0, kSecondsMax)));
  app->add_option("--timeout", emit.timeout, "How long to wait for room in a full queue")
      ->type_name("SECONDS")
      ->check(named(CLI::Range(0.0, 3600.0)));
  app->add_option("--batch", emit.batch, "Events a frame")
      ->type_name("N")
      ->check(named(CLI::Range(1, 4096)))
      ->capture_default_str();
  app->add_flag("--json", emit.json, "One result a line: id, status, reason");
  app->add_flag("--quiet,-q", emit.quiet, "No progress, no summary");
}

void add_request(CLI::App& root, Parsed& parsed) {
  RequestCommand& request = parsed.request;
  CLI::App* app = add(root, "request", "Emit an event and print its reply", parsed, [&request] { return cli::request(request); });
  add_host_options(app, request.event.host);
  app->add_option("type", request.event.type, "Event type")->required()->type_name("TYPE");
  app->add_option("--data,-d", request.event.data, "JSON, @FILE, or - for standard input")->type_name("DATA");
  app->add_option("--timeout", request.timeout, "How long to wait for the reply")
      ->type_name("SECONDS")
      ->check(named(CLI::Range(0.001, 3600.0)))
      ->capture_default_str();
  app->add_option("--reply", request.reply, "What the reply's type must match; without it, any event that this one causes")
      ->type_name("PATTERN");
  add_event_options(app, request.event);
  app->add_flag("--json", request.json, "The whole reply as a CloudEvent, not its data alone");
}

void add_wait(CLI::App& root, Parsed& parsed) {
  WaitCommand& wait = parsed.wait;
  CLI::App* app = add(root, "wait", "Wait for the next event of a pattern", parsed, [&wait] { return cli::wait(wait); });
  add_host_options(app, wait.host);
  app->add_option("pattern", wait.pattern, "Event types: order.created, order.*, *.error, *")->required()->type_name("PATTERN");
  app->add_option("--timeout", wait.timeout, "How long, for all of them; without it for ever")
      ->type_name("SECONDS")
      ->check(named(CLI::Range(0.001, 3600.0)));
  app->add_option("--count,-n", wait.count, "Wait for so many")
      ->type_name("N")
      ->check(named(CLI::Range(uint64_t{1}, UINT64_MAX)))
      ->capture_default_str();
  app->add_flag("--json", wait.json, "CloudEvents, one a line");
}

void add_plugins(CLI::App& root, Parsed& parsed) {
  PluginsCommand& plugins = parsed.plugins;
  CLI::App* group = root.add_subcommand("plugins", "Plugins: what is loaded, and why not");
  group->require_subcommand(1);
  const auto finish = [&](CLI::App* app, const char* argument, const char* text) {
    if (argument != nullptr) app->add_option(argument, plugins.argument, text)->required()->type_name("");
    app->add_flag("--json", plugins.json, "JSON, one object a line");
    return app;
  };
  const auto with_host = [&](CLI::App* app) { add_host_options(app, plugins.host); };
  with_host(finish(add(*group, "ls", "List plugins and refused files", parsed, [&] { return plugins_ls(plugins); }),
                   nullptr, nullptr));
  with_host(finish(add(*group, "info", "All about one plugin", parsed, [&] { return plugins_info(plugins); }), "id",
                   "The plugin's id"));
  with_host(
      finish(add(*group, "check", "Tell whether a file would load", parsed, [&] { return plugins_check(plugins); }),
             "file", "The plugin's file"));
  CLI::App* made = finish(add(*group, "new", "Write a plugin project", parsed, [&] { return plugins_new(plugins); }),
                          "name", "Name of the project: lower-case letters, digits, - and _");
  made->add_option("--in", plugins.folder, "Folder to make it in")->type_name("FOLDER");
  for (const auto& [name, text] : std::map<const char*, const char*>{
           {"enable", "Load a plugin that is disabled, until the host ends"},
           {"disable", "Stop a plugin and keep it from being loaded, until the host ends"},
           {"reload", "Swap a plugin onto its file again, with fresh settings"}}) {
    const std::string method = "plugins." + std::string(name);
    with_host(finish(add(*group, name, text, parsed, [&plugins, method] { return plugins_change(plugins, method); }),
                     "id", "The plugin's id"));
  }
}

void add_saga(CLI::App& root, Parsed& parsed) {
  SagaCommand& saga = parsed.saga;
  CLI::App* group = root.add_subcommand("saga", "Sagas: what is under way, and in which state");
  group->require_subcommand(1);
  CLI::App* ls = add(*group, "ls", "List the sagas and their active instances", parsed, [&] { return saga_ls(saga); });
  ls->add_option("--state", saga.state, "Only those in this state")->type_name("STATE");
  ls->add_option("--after", saga.after, "Only those whose key comes behind this one")->type_name("KEY");
  ls->add_option("--limit,-n", saga.limit, "Instances of each saga at most")->type_name("N")->capture_default_str();
  CLI::App* show = add(*group, "show", "All about one instance", parsed, [&] { return saga_show(saga); });
  show->add_option("key", saga.key, "Its key")->required()->type_name("");
  for (CLI::App* app : {ls, show}) {
    app->add_option("--plugin", saga.plugin, "Only the saga of this plugin")->type_name("ID");
    app->add_flag("--json", saga.json, "JSON, one object a line");
    add_host_options(app, saga.host);
  }
}

void add_config(CLI::App& root, Parsed& parsed) {
  ConfigCommand& config = parsed.config;
  CLI::App* group = root.add_subcommand("config", "The config: check, show, schema, init");
  group->require_subcommand(1);
  CLI::App* check =
      add(*group, "check", "Tell what is wrong with a config", parsed, [&] { return config_check(config); });
  CLI::App* show = add(*group, "show", "Show every value, secrets as ***", parsed, [&] { return config_show(config); });
  for (CLI::App* app : {check, show}) {
    app->add_option("--config,-c,file", config.host.config, "Config file")->type_name("FILE");
    app->add_flag("--json", config.json, "JSON");
  }
  show->add_flag("--origin", config.origin, "Where each value came from");
  show->add_flag("--running", config.running, "The config of the running host");
  show->add_option("--socket", config.host.socket, "The host's control socket, with --running")->type_name("PATH");
  add(*group, "schema", "JSON Schema of nexus.toml, for editors", parsed, [] { return config_schema(); });
  add(*group, "init", "A nexus.toml with every key and its default", parsed, [] { return config_init(); });
}

void add_dlq(CLI::App& root, Parsed& parsed) {
  DlqCommand& dlq = parsed.dlq;
  CLI::App* group = root.add_subcommand("dlq", "Dead letters: deliveries that failed for good");
  group->require_subcommand(1);
  const auto finish = [&](CLI::App* app) {
    add_host_options(app, dlq.host);
    app->add_flag("--json", dlq.json, "JSON, one object a line");
    return app;
  };
  const auto with_filters = [&](CLI::App* app) {
    app->add_option("--fingerprint", dlq.fingerprint, "Those of one kind of failure")->type_name("HEX");
    app->add_option("--type", dlq.type, "Those whose event type matches")->type_name("PATTERN");
    app->add_option("--plugin", dlq.plugin, "Those of one plugin")->type_name("ID");
    app->add_option("--reason", dlq.reason, "attempts, rejected, expired, overflow, crash or loop")->type_name("REASON");
    return finish(app);
  };
  const auto with_ids = [&](CLI::App* app) {
    app->add_option("--id,ids", dlq.ids, "Ids, as `nexus dlq ls` shows them")->type_name("N");
    return with_filters(app);
  };
  CLI::App* ls = with_filters(add(*group, "ls", "List dead letters", parsed, [&] { return dlq_ls(dlq); }));
  ls->add_flag("--groups", dlq.groups, "One row for each kind of failure, the most frequent first");
  ls->add_option("--limit,-n", dlq.limit, "Rows at most")->type_name("N")->capture_default_str();
  ls->add_option("--offset", dlq.offset, "Rows to leave out first")->type_name("N");
  CLI::App* show = finish(add(*group, "show", "All about one dead letter", parsed, [&] { return dlq_show(dlq); }));
  show->add_option("id", dlq.ids, "Its id")->required()->expected(1)->type_name("");
  CLI::App* retry = with_ids(add(*group, "retry", "Give them again to the handlers that failed, and to no other", parsed,
                                 [&] { return dlq_retry(dlq); }));
  CLI::App* rm = with_ids(add(*group, "rm", "Remove them for good", parsed, [&] { return dlq_rm(dlq); }));
  for (CLI::App* app : {retry, rm}) {
    app->add_flag("--all", dlq.all, "All of them");
    app->add_flag("--dry-run", dlq.dry_run, "Only tell which ones");
    app->add_option("--note", dlq.note, "Why; for the log, and for the letter that fails again")->type_name("TEXT");
    app->add_option("--pace", dlq.pace, "So many a second at most")->type_name("N")->check(named(CLI::Range(0.001, 1e6)));
  }
  with_ids(add(*group, "export", "Their events as CloudEvents, one a line", parsed, [&] { return dlq_export(dlq); }));
}

void add_retries(CLI::App& root, Parsed& parsed) {
  RetriesCommand& retries = parsed.retries;
  CLI::App* group = root.add_subcommand("retries", "Deliveries that wait for another attempt");
  group->require_subcommand(1);
  CLI::App* ls = add(*group, "ls", "List them", parsed, [&] { return retries_ls(retries); });
  ls->add_option("--limit,-n", retries.limit, "Rows at most")->type_name("N")->capture_default_str();
  CLI::App* now = add(*group, "now", "Try them now", parsed, [&] { return retries_end(retries, "retries.now"); });
  CLI::App* kill = add(*group, "kill", "Give them up: they become dead letters", parsed,
                       [&] { return retries_end(retries, "retries.kill"); });
  for (CLI::App* app : {ls, now, kill}) {
    add_host_options(app, retries.host);
    app->add_option("id", retries.id, "Id of the retry, or of the event")->type_name("");
    app->add_option("--type", retries.type, "Those whose event type matches")->type_name("PATTERN");
    app->add_option("--plugin", retries.plugin, "Those of one plugin")->type_name("ID");
    app->add_flag("--json", retries.json, "JSON, one object a line");
  }
  for (CLI::App* app : {now, kill}) app->add_flag("--all", retries.all, "All of them");
}

void describe(const CLI::App& app, CommandNode& node) {
  node.name = app.get_name();
  node.text = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    OptionNode row;
    for (const std::string& name : option->get_lnames()) row.names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) row.names.push_back("-" + name);
    if (row.names.empty()) continue;
    row.text = option->get_description();
    row.takes_value = option->get_items_expected_max() > 0;
    node.options.push_back(std::move(row));
  }
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (child->get_name().starts_with("__") || child->get_name().empty()) continue;
    describe(*child, node.commands.emplace_back());
  }
}

void add_others(CLI::App& root, Parsed& parsed) {
  CLI::App* stat = add(root, "stat", "What the bus has counted", parsed, [&] { return cli::stat(parsed.stat); });
  add_host_options(stat, parsed.stat.host);
  stat->add_flag("--json", parsed.stat.json, "JSON, one object");
  stat->add_option("--metrics", parsed.stat.metrics, "All metrics as text: prometheus or openmetrics")
      ->check(named(CLI::IsMember({"prometheus", "openmetrics"})))
      ->type_name("");
  CLI::App* why = add(root, "explain", "What became of an event: who got it, who did not and why, and what it caused",
                      parsed, [&] { return cli::explain(parsed.explain); });
  CLI::App* trace = add(root, "trace", "All events of a trace, and what became of them", parsed,
                        [&] { return cli::trace(parsed.explain); });
  for (CLI::App* app : {why, trace}) {
    add_host_options(app, parsed.explain.host);
    app->add_option("id", parsed.explain.id,
                    app == why ? "The event's id" : "The trace's id, or that of its first event")
        ->required()
        ->type_name("");
    app->add_flag("--json", parsed.explain.json, "JSON, one object");
  }
  CLI::App* call = add(root, "call", "Call a control method (control.methods lists them)", parsed,
                       [&] { return cli::call(parsed.call); });
  add_host_options(call, parsed.call.host);
  call->add_option("method", parsed.call.method, "Its name")->required()->type_name("");
  call->add_option("params", parsed.call.params, "Its parameters, a JSON object")->type_name("");
  CLI::App* audit = root.add_subcommand("audit", "The audit log");
  audit->require_subcommand(1);
  CLI::App* verify = add(*audit, "verify", "Tell whether an audit log was changed", parsed,
                         [&] { return audit_verify(parsed.audit); });
  verify->add_option("file", parsed.audit.file, "The log that the plugin audit_log writes")->required()->type_name("");
  verify->add_option("--last-hash", parsed.audit.last_hash, "The hash that it must end with")->type_name("HEX");
  verify->add_flag("--json", parsed.audit.json, "JSON, one object");
  CLI::App* completion = add(root, "completion", "A completion script for a shell", parsed, [&root, &parsed] {
    CommandNode tree;
    describe(root, tree);
    print(completion_script(tree, parsed.shell));
    return exit_status::kOk;
  });
  completion->add_option("shell", parsed.shell, "bash, zsh or fish")
      ->required()
      ->check(named(CLI::IsMember({"bash", "zsh", "fish"})))
      ->type_name("");
  CLI::App* explain = add(root, "explain-error", "What an error code means and what to do", parsed,
                          [&] { return explain_error(parsed.code, parsed.json); });
  explain->add_option("code", parsed.code, "NX0300, or queue_full")->required()->type_name("");
  CLI::App* version = add(root, "version", "The version", parsed, [&] { return cli::version(parsed.json); });
  for (CLI::App* app : {explain, version}) app->add_flag("--json", parsed.json, "JSON");
}

// CLI11 complains of a missing command where one is misspelt; a person wants to know which, and what it may have been.
int wrong_usage(const CLI::App& root, int argc, char** argv, std::string message) {
  while (message.ends_with('\n')) message.pop_back();
  std::string help = "`nexus --help` and `nexus COMMAND --help` tell how";
  const CLI::App* app = &root;
  std::string path = "nexus";
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    const CLI::App* next = nullptr;
    std::vector<std::string> names;
    for (const CLI::App* child : app->get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(child->get_name());
      if (child->get_name() == argv[i]) next = child;
    }
    if (next == nullptr) {
      if (names.empty()) break;
      const std::vector<std::string_view> views(names.begin(), names.end());
      message = "there is no command '" + path + " " + argv[i] + "'";
      if (const auto nearest = schema::nearest_name(argv[i], views.data(), views.size()); !nearest.empty())
        help = "did you mean '" + path + " " + std::string(nearest) + "'?";
      break;
    }
    app = next;
    path += std::string(" ") + argv[i];
  }
  return fail(exit_status::kUsage, make_error(NEXUS_E_ARGUMENT, message, help));
}

}  // namespace

int main(int argc, char** argv) {
  Parsed parsed;
  CLI::App root("nexus runs plugins and connects them by events", "nexus");
  root.require_subcommand(1);
  root.set_version_flag("--version,-V", "nexus " NEXUS_VERSION);
  root.footer("`nexus COMMAND --help` tells more. Exit status: 64 usage, 65 data, 69 no host or nobody who listens, 75 no answer "
      "in time, 77 permission, 78 config.");
  add_run(root, parsed);
  add_tap(root, parsed);
  add_emit(root, parsed);
  add_request(root, parsed);
  add_wait(root, parsed);
  add_plugins(root, parsed);
  add_saga(root, parsed);
  add_config(root, parsed);
  add_dlq(root, parsed);
  add_retries(root, parsed);
  add_others(root, parsed);
  try {
    root.parse(argc, argv);
  } catch (const CLI::Success& done) {  // --help, --version
    return root.exit(done);
  } catch (const CLI::ParseError& wrong) {
    return wrong_usage(root, argc, argv, wrong.what());
  }
  return parsed.chosen();
}

}  // namespace nexus::host::cli
