#include "tests/bench/bus/round_trip.hpp"

#include <string>

#include "tests/bench/bus/rig.hpp"
#include "tests/bench/plugins/bench_abi.h"

namespace nexus::bench {
namespace {

nexus_string text(std::string_view from) { return {from.data(), from.size()}; }

}  // namespace

std::vector<double> time_round_trips(const Job& job, const RunOptions& options,
                                     const std::filesystem::path& plugin_folder) {
  Rig rig({.workers = job.workers}, plugin_folder);
  rig.load("bench_responder");
  LoadedPlugin& plugin = rig.load("bench_asker");
  const auto& asker = plugin.query<bench_asker>(BENCH_ASKER_ID);
  std::vector<double> took(options.events), results;
  for (uint32_t i = 0; i <= options.runs; ++i) {
    const uint64_t answered =
        asker.ask(plugin.instance(), text(BENCH_QUESTION), text(BENCH_ANSWER), took.size(), took.data());
    if (answered != took.size()) die(job.name + ": " + std::to_string(took.size() - answered) + " without an answer");
    if (i != 0) results.push_back(quantile(took, job.round_trip));  // the first warms up
  }
  return results;
}

}  // namespace nexus::bench
