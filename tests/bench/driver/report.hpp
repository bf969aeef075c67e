// What was measured of one job, whether its goals are met, and the two ways to print it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/driver/plan.hpp"

namespace nexus::bench {

struct Measured {
  // By round, so that figures of one round are compared with each other; empty where a run failed.
  std::vector<std::optional<double>> own_ns;
  std::vector<std::optional<double>> apart_ns;  // emitting and delivering one after the other, where a goal needs it
  std::map<std::string, std::vector<std::optional<double>>> peer_ns;
  std::vector<std::vector<std::optional<double>>> figures;  // of a job of the host: by number, then by round
  std::optional<double> instructions;
  std::map<std::string, double> peer_instructions;
  std::string failure;  // why there is no figure, or not all
};
using Measurements = std::map<std::string, Measured>;

struct JudgedGoal {
  std::string text;
  std::optional<double> value;
  bool met = false;
};
std::vector<JudgedGoal> judge(const PlannedJob& job, const Measurements& all);

// The medians of pairs of one round; empty when no round has both.
std::optional<double> median(const std::vector<std::optional<double>>& figures);
std::optional<double> median_ratio(const std::vector<std::optional<double>>& over,
                                   const std::vector<std::optional<double>>& under);

std::string to_json(const std::vector<PlannedJob>& jobs, const Measurements& all);
std::string to_table(const std::vector<PlannedJob>& jobs, const Measurements& all);

}  // namespace nexus::bench
