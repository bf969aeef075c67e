// What the binaries that run jobs understand: which jobs, how long, how often, and what is printed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/job.hpp"

namespace nexus::bench {

struct RunOptions {
  std::vector<const Job*> jobs;    // all when none is named
  std::vector<std::string> peers;  // --peer; all when none is named
  uint64_t events = 1'000'000;     // over all emitters
  uint32_t runs = 5;
  bool raw = false;    // each run's ns an event, one a line, and nothing else
  bool split = false;  // the bus only: emitting and delivering timed one after the other
  bool count = false;  // for callgrind: nothing is timed or printed
};

// Ends the program with a sentence when it cannot read the arguments, and after --help.
RunOptions parse_command_line(int argc, char** argv, const std::vector<std::string>& peers);

void print_results(const RunOptions& options, const std::string& name, const std::string& text,
                   std::vector<double> results);

// `results` must not be empty.
double quantile(std::vector<double> results, double at);

// The processor time of the calling thread: what a job on one thread costs, however busy the machine is.
double thread_cpu_ns();

[[noreturn]] void die(const std::string& sentence);

}  // namespace nexus::bench
