#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>

#include "host/base/os/child.hpp"
#include "host/plugin/library.hpp"
#include "host/plugin/probe.hpp"

namespace nexus::host {
namespace {

// Written at once and unbuffered: the last line is what the parent knows when this process dies.
void say(std::string line) {
  std::replace(line.begin(), line.end(), '\n', ' ');
  line += '\n';
  for (size_t at = 0; at < line.size();) {
    const ssize_t wrote = ::write(os::kChildResultFd, line.data() + at, line.size() - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) ::_exit(3);
    at += static_cast<size_t>(wrote);
  }
}

[[noreturn]] void fail(const Error& error) {
  say("error " + std::to_string(error.code) + " " + error.message);
  if (!error.help.empty()) say("help " + error.help);
  ::_exit(1);
}

}  // namespace

int probe_main(int argc, char** argv) {
  if (argc != 3 || ::fcntl(os::kChildResultFd, F_SETFD, FD_CLOEXEC) != 0) {
    std::fputs("this command is for the host itself: use `nexus plugins check FILE`\n", stderr);
    return 64;
  }
  os::confine_this_child({});
  say("open");
  Result<Library> library = Library::open(argv[2]);
  if (!library) fail(library.error());
  say("module");
  Result<const nexus_module*> module = library->module();
  if (!module) fail(module.error());
  Result<ModuleInfo> info = read_module(*module);
  if (!info) fail(info.error());
  say("describe " + module_to_json(*info));
  say("close");
  const bool unmapped = library->close();
  say(unmapped ? "done unmapped" : "done mapped");
  ::_exit(0);
}

}  // namespace nexus::host
