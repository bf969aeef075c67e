// Carries J5 out on the bus: a thread of one plugin asks another, and asks again when it has the answer.
#pragma once

#include <filesystem>
#include <vector>

#include "tests/bench/command_line.hpp"
#include "tests/bench/job.hpp"

namespace nexus::bench {

// The job's quantile of the nanoseconds of a round trip, one figure a run; a run before them warms up.
std::vector<double> time_round_trips(const Job& job, const RunOptions& options,
                                     const std::filesystem::path& plugin_folder);

}  // namespace nexus::bench
