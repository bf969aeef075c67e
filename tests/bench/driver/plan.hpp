// What ./dev bench runs and what it must reach: the jobs with their peers and goals, as ../README.md lists them. Data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nexus::bench {

// What a goal measures.
enum class Measure : uint8_t {
  kRatioToPeer,       // own ns over the peer's, in the same round
  kRatioToJob,        // own ns over another job's
  kNanoseconds,       // own ns
  kNanosecondsOnTop,  // own ns less another job's, emitting and delivering timed apart: see README.md
  kInstructions,      // own instructions an event
  kInstructionsMore,  // own instructions less another job's, for each of `parts`
  kFigure,            // the figure of that number that the host's program printed
};

struct Goal {
  Measure measure;
  double limit;            // at most this much
  std::string other = {};  // the peer or the job
  double parts = 1;        // of kInstructionsMore
  uint32_t figure = 0;     // of kFigure: its number
};

std::string text_of(const Goal& goal);

struct PlannedJob {
  std::string name;
  std::vector<std::string> peers = {};
  std::vector<Goal> goals = {};
  bool count = true;         // instructions too
  std::string missing = {};  // why it cannot run yet; its goals count as not met
  std::string host = {};     // not a job of the bus but an option of nexus_bench_host
  std::string text = {};     // of a job of the host
};

const std::vector<PlannedJob>& plan();

}  // namespace nexus::bench
