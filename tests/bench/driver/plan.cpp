#include "tests/bench/driver/plan.hpp"

#include <cstdio>

namespace nexus::bench {
namespace {

// 0.2, 450, 1.25: as few digits as the number has.
std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::vector<PlannedJob> make_plan() {
  using enum Measure;
  return {
      {.name = "J1",
       .peers = {"mutex_deque", "mutex_heap", "asio", "moodycamel", "tbb", "caf", "zeromq"},
       .goals = {{kRatioToPeer, 0.2, "mutex_deque"}, {kRatioToPeer, 0.6, "moodycamel"}, {kInstructions, 450}}},
      {.name = "J1b", .goals = {{kRatioToJob, 0.4, "J1"}}},
      {.name = "J1o"},
      {.name = "J2",
       .peers = {"mutex_deque", "moodycamel", "caf", "zeromq"},
       .goals = {{kRatioToPeer, 0.3, "mutex_deque"}, {kInstructionsMore, 40, "J1", 7}}},
      {.name = "J2p",
       .peers = {"mutex_deque", "moodycamel", "caf", "zeromq"},
       .goals = {{kRatioToPeer, 0.3, "mutex_deque"}, {kInstructionsMore, 200, "J1", 7}}},
      {.name = "J3",
       .peers = {"mutex_deque", "asio", "moodycamel", "caf"},
       .goals = {{kRatioToPeer, 0.2, "mutex_deque"}, {kRatioToPeer, 0.7, "moodycamel"}}},
      {.name = "J3x",
       .peers = {"mutex_deque", "asio", "moodycamel", "caf"},
       .goals = {{kRatioToPeer, 0.2, "mutex_deque"}, {kRatioToPeer, 0.7, "moodycamel"}}},
      {.name = "J4", .peers = {"signals2", "map"}, .goals = {{kNanoseconds, 10}}, .count = false},
      {.name = "J4x8", .peers = {"signals2", "map"}, .goals = {{kNanoseconds, 45}}, .count = false},
      {.name = "J5",
       .peers = {"mutex_deque", "asio", "moodycamel"},
       .goals = {{kRatioToPeer, 0.3, "asio"}},
       .count = false},
      {.name = "J5p99",
       .peers = {"mutex_deque", "asio", "moodycamel"},
       .goals = {{kRatioToPeer, 1, "asio"}},
       .count = false},
      {.name = "J6",
       .peers = {"mutex_deque", "moodycamel", "caf"},
       .goals = {{kRatioToPeer, 0.25, "mutex_deque"}, {kRatioToJob, 1.3, "J1"}}},
      {.name = "J6n", .peers = {"mutex_deque"}, .goals = {{kRatioToPeer, 0.4, "mutex_deque"}}},
      {.name = "J6p", .peers = {"mutex_deque"}},
      {.name = "J7", .goals = {{kNanosecondsOnTop, 80, "J1"}}},
      {.name = "J8lanes", .goals = {{kRatioToJob, 1.6, "J1"}}},
      {.name = "J8condition", .goals = {{kNanosecondsOnTop, 40, "J1"}}},
      {.name = "J8priority", .goals = {{kNanosecondsOnTop, 40, "J1"}}},
      {.name = "load",
       .goals = {{kFigure, 50, "ms to take in one plugin"}},
       .count = false,
       .host = "--load",
       .text = "a plugin: checks, copy, probe in a child, create, start"},
      {.name = "start",
       .goals = {{kFigure, 500, "ms to start with ten plugins"}},
       .count = false,
       .host = "--start",
       .text = "the host with ten plugins, until it says READY"},
      {.name = "idle",
       .goals = {{kFigure, 1, "% of a core"}, {kFigure, 30, "MB resident", 1, 1}},
       .count = false,
       .host = "--idle",
       .text = "the host with ten plugins and nothing to do"},
  };
}

}  // namespace

std::string text_of(const Goal& goal) {
  const std::string limit = "≤ " + number(goal.limit);
  switch (goal.measure) {
    case Measure::kRatioToPeer:
      return limit + " × " + goal.other;
    case Measure::kRatioToJob:
      return limit + " × own " + goal.other;
    case Measure::kNanoseconds:
      return limit + " ns";
    case Measure::kNanosecondsOnTop:
      return limit + " ns on top of " + goal.other + ", threads apart";
    case Measure::kInstructions:
      return limit + " instructions";
    case Measure::kFigure:
      return limit + " " + goal.other;
    case Measure::kInstructionsMore:
      return limit + " instructions for each one more than " + goal.other;
  }
  return {};
}

const std::vector<PlannedJob>& plan() {
  static const std::vector<PlannedJob> kPlan = make_plan();
  return kPlan;
}

}  // namespace nexus::bench
