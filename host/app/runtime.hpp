// The running host: builds all parts in order, serves until it is told to stop, and takes them down in reverse order
// within the deadline. One per process, made and run by the main thread.
//
// Threads: main (start, then waits, then stops), I/O (timers, signals, watching of folders), control (plugins),
// the control socket's own, the bus's workers, the log's.
#pragma once

#include <memory>
#include <string>

#include "host/app/config/load.hpp"

namespace nexus::host {

struct RunOptions {
  config::LoadOptions config;
  bool safe_mode = false;  // load no plugin by itself
};

// Runs a host to its end; the exit status of the process: 0 after an orderly stop, a code of sysexits.h when it could
// not start, 1 when the deadline cut the stop short, 128 + n after a second signal n.
int run_host(RunOptions options);

}  // namespace nexus::host
