// Runs a program and takes what it prints. One at a time, so that nothing competes with a measurement.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace nexus::bench {

struct ChildResult {
  std::string output;   // what it wrote to stdout
  std::string errors;   // and to stderr
  std::string failure;  // empty when it ended with 0
};

ChildResult run_child(const std::vector<std::string>& command, std::chrono::seconds timeout);

}  // namespace nexus::bench
