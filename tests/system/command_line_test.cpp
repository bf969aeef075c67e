// The command line's conventions: data to standard output, sentences to standard error, exit statuses of sysexits.h.
#include <catch2/catch_test_macros.hpp>

#include "tests/system/host_process.hpp"

using namespace nexus::system_test;

TEST_CASE("where no host is, every command says so, where it looked, and how to start one") {
  for (const std::vector<std::string>& command : {std::vector<std::string>{"stat"},
                                                  {"tap"},
                                                  {"emit", "a.b"},
                                                  {"plugins", "ls"},
                                                  {"plugins", "info", "x.y"},
                                                  {"call", "host.info"},
                                                  {"emit", "--send-on", "newline"},
                                                  {"config", "show", "--running"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--socket", "/nonexistent/nexus.sock"});
    const Outcome outcome = run_nexus(arguments);
    CHECK(outcome.status == 69);
    CHECK(outcome.output.empty());
    CHECK(outcome.errors.find("no host answers at /nonexistent/nexus.sock") != std::string::npos);
    CHECK(outcome.errors.find("start one with: nexus run") != std::string::npos);
  }
}

TEST_CASE("the socket is found through the config") {
  const Folder folder;
  folder.write("nexus.toml", "[control]\nsocket = \"here.sock\"\n");
  const std::string config = (folder / "nexus.toml").string();
  CHECK(run_nexus({"stat", "--config", config}).errors.find((folder / "here.sock").string()) != std::string::npos);
  CHECK(run_nexus({"stat"}, {}, {"NEXUS_CONFIG=" + config}).errors.find("here.sock") != std::string::npos);
  CHECK(run_nexus({"stat"}, {}, {"NEXUS_CONTROL__SOCKET=/elsewhere.sock"}).errors.find("/elsewhere.sock") !=
        std::string::npos);
  // A secret that only the host has in its environment is no hindrance.
  folder.write("nexus.toml", "[control]\nsocket = \"here.sock\"\n[events.redis]\npassword = \"${NOBODY_SETS_THIS}\"\n");
  CHECK(run_nexus({"stat", "--config", config}).errors.find("here.sock") != std::string::npos);
}

TEST_CASE("wrong usage is 64 and names the nearest right thing") {
  const Outcome misspelt = run_nexus({"plugins", "lss"});
  CHECK(misspelt.status == 64);
  CHECK(misspelt.errors.find("there is no command 'nexus plugins lss'") != std::string::npos);
  CHECK(misspelt.errors.find("nexus plugins ls") != std::string::npos);
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{},
                                                    {"taap"},
                                                    {"emit"},
                                                    {"tap", "--no-such"},
                                                    {"emit", "a.b", "--priority", "high"},
                                                    {"emit", "a.b", "--metadata", "novalue"},
                                                    {"completion", "csh"},
                                                    {"explain-error", "NX9999"},
                                                    {"emit", "a.b", "--send-on", "comma"},
                                                    {"plugins", "new", "Bad Name"}})
    CHECK(run_nexus(arguments).status == 64);
}

TEST_CASE("wrong data is 65, and no host is needed to know it") {
  const Outcome type = run_nexus({"emit", "Order.Created"});
  CHECK(type.status == 65);
  CHECK(type.errors.find("Order.Created") != std::string::npos);
  const Outcome json = run_nexus({"emit", "a.b", "--data", "{\"a\":}"});
  CHECK(json.status == 65);
  CHECK(json.errors.find("line 1, column 6") != std::string::npos);
  CHECK(run_nexus({"emit", "a.b", "--data", ""}).status == 65);
  CHECK(run_nexus({"emit", "a.b", "--data", "@/nonexistent"}).status == 65);
  CHECK(run_nexus({"emit", "a.b", "--data", "-"}, "[1,").status == 65);
  CHECK(run_nexus({"plugins", "check", "/nonexistent.so"}).status == 65);
  CHECK(run_nexus({"call", "stat", "{"}).status == 65);
}

TEST_CASE("config check and show end with 78 where the file is wrong") {
  const Folder folder;
  folder.write("nexus.toml", "[events]\nworker_count = 0\n[log]\nlevle = \"info\"\n");
  const std::string config = (folder / "nexus.toml").string();
  const Outcome check = run_nexus({"config", "check", config});
  CHECK(check.status == 78);
  CHECK(check.errors.find("nexus.toml:2:") != std::string::npos);
  CHECK(check.errors.find("nexus.toml:4:") != std::string::npos);
  CHECK(check.output.empty());
  const Outcome json = run_nexus({"config", "check", "--json", config});
  CHECK(json.status == 78);
  CHECK(lines_of(json.output).size() == 2);
  CHECK(run_nexus({"config", "show", config}).status == 78);
  folder.write("nexus.toml", "[events]\nworker_count = 2\n");
  CHECK(run_nexus({"config", "check", config}).status == 0);
  const Outcome show = run_nexus({"config", "show", "--origin", config});
  CHECK(show.status == 0);
  CHECK(show.output.find("nexus.toml:2") != std::string::npos);
  CHECK(run_nexus({"config", "schema"}).output.find("draft-07") != std::string::npos);
  folder.write("made.toml", run_nexus({"config", "init"}).output);
  CHECK(run_nexus({"config", "check", (folder / "made.toml").string()}).status == 0);
}

TEST_CASE("a plugin file is checked without a host") {
  const std::string file = std::string(TEST_PLUGINS) + "/versioned_1.0.0.so";
  const Outcome text = run_nexus({"plugins", "check", file});
  CHECK(text.status == 0);
  CHECK(text.output.find("test.versioned") != std::string::npos);
  CHECK(text.output.find("exactly version.ask") != std::string::npos);
  const Outcome json = run_nexus({"plugins", "check", "--json", file});
  CHECK(json.output.find("\"ok\":true") != std::string::npos);
  CHECK(json.output.find("\"version\":\"1.0.0\"") != std::string::npos);
  CHECK(json.output.find("\"abi_built\":\"1.") != std::string::npos);
}

TEST_CASE("errors are explained by code and by name") {
  const Outcome code = run_nexus({"explain-error", "NX0300"});
  CHECK(code.status == 0);
  CHECK(code.output.find("queue_full") != std::string::npos);
  CHECK(run_nexus({"explain-error", "queue_full"}).output == code.output);
  CHECK(run_nexus({"explain-error", "300"}).output == code.output);
  CHECK(run_nexus({"explain-error", "300", "--json"}).output.find("\"code\":300") != std::string::npos);
}

TEST_CASE("the version is told in two ways") {
  CHECK(run_nexus({"version"}).output.find("plugin ABI 1.") != std::string::npos);
  CHECK(run_nexus({"version", "--json"}).output.find("\"abi\":\"1.") != std::string::npos);
  CHECK(run_nexus({"--version"}).status == 0);
  CHECK(run_nexus({"emit", "--help"}).output.find("--send-on") != std::string::npos);
}

TEST_CASE("completion scripts are accepted by their shells where these are there") {
  const Folder folder;
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const Outcome script = run_nexus({"completion", shell});
    CHECK(script.status == 0);
    CHECK(script.output.find("plugins") != std::string::npos);
    CHECK(script.output.find("__probe") == std::string::npos);
    fs::path program;
    for (const char* place : {"/bin/", "/usr/bin/"})
      if (fs::exists(place + shell)) program = place + shell;
    if (program.empty()) continue;
    folder.write("script", script.output);
    Process check({program.string(), "-n", (folder / "script").string()});
    CHECK(check.wait() == 0);
  }
  // What bash makes of a half-written line.
  folder.write("ask", "source " + (folder / "script").string() + "\n");
  folder.write("script", run_nexus({"completion", "bash"}).output);
  folder.write("ask", "source " + (folder / "script").string() +
                          "\nCOMP_WORDS=(nexus plugins re); COMP_CWORD=2; _nexus; echo \"${COMPREPLY[@]}\"\n"
                          "COMP_WORDS=(nexus em); COMP_CWORD=1; _nexus; echo \"${COMPREPLY[@]}\"\n"
                          "COMP_WORDS=(nexus emit --corr); COMP_CWORD=2; _nexus; echo \"${COMPREPLY[@]}\"\n"
                          "COMP_WORDS=(nexus req); COMP_CWORD=1; _nexus; echo \"${COMPREPLY[@]}\"\n"
                          "COMP_WORDS=(nexus wait --); COMP_CWORD=2; _nexus; echo \"${COMPREPLY[@]}\"\n");
  Process bash({"/bin/bash", (folder / "ask").string()});
  const std::string output = bash.rest_of_output();
  CHECK(output.starts_with("reload\nemit\n--correlation\nrequest\n"));
  for (const char* option : {"--timeout", "--count", "--json"}) CHECK(output.find(option) != std::string::npos);
}

TEST_CASE("any control method can be called, and speaks JSON") {
  Host host;
  host.start();
  const Outcome methods = host.nexus({"call", "control.methods"});
  CHECK(methods.status == 0);
  for (const char* name : {"events.emit", "events.request", "events.subscribe", "events.wait", "plugins.reload",
                           "config.reload", "metrics.text"})
    CHECK(methods.output.find(name) != std::string::npos);
  CHECK(host.nexus({"call", "log.level", "{\"level\":\"debug\"}"}).output.find("\"before\":\"info\"") !=
        std::string::npos);
  const Outcome unknown = host.nexus({"call", "plugins.lst"});
  CHECK(unknown.status == 1);
  CHECK(unknown.errors.find("did you mean 'plugins.list'?") != std::string::npos);
  CHECK(host.nexus({"call", "log.level", "{\"levle\":\"debug\"}"}).status == 65);
  CHECK(host.nexus({"config", "show", "--running"}).output.find("worker_count") != std::string::npos);
  CHECK(host.stop() == 0);
}
