// Carries a job out on the bus, from an emitting plugin to receiving ones.
#pragma once

#include <filesystem>
#include <vector>

#include "tests/bench/command_line.hpp"
#include "tests/bench/job.hpp"

namespace nexus::bench {

// Nanoseconds an event, one figure a run; a run before them warms up. With options.count nothing is timed: events are
// emitted in chunks while the receivers are paused, and drained afterwards, so that nothing waits actively.
std::vector<double> run_on_bus(const Job& job, const RunOptions& options, const std::filesystem::path& plugin_folder);

// The two halves by themselves, without threads that compete: ns an event by chunk.
struct SplitTimes {
  std::vector<double> emit, deliver;
};
SplitTimes split_on_bus(const Job& job, const RunOptions& options, const std::filesystem::path& plugin_folder);

}  // namespace nexus::bench
