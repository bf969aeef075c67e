// nexus_bench_bus: jobs on the bus, from plugin to plugin. `--job J1 --events N --runs K`; see --help.
#include <cstdio>
#include <filesystem>

#include "tests/bench/bus/bus_job.hpp"
#include "tests/bench/bus/round_trip.hpp"

int main(int argc, char** argv) {
  using namespace nexus::bench;
  const RunOptions options = parse_command_line(argc, argv, {});
  const auto plugins = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "bench_plugins";
  for (const Job* job : options.jobs) {
    if (job->round_trip > 0) {
      if (!options.split && !options.count)
        print_results(options, job->name, job->text, time_round_trips(*job, options, plugins));
      continue;
    }
    if (options.split) {
      if (job->synchronous) continue;
      const SplitTimes times = split_on_bus(*job, options, plugins);
      if (options.raw) {
        std::printf("%.3f\n", quantile(times.emit, 0.5) + quantile(times.deliver, 0.5));
        continue;
      }
      print_results(options, job->name + " emit", "while the receivers are paused", times.emit);
      print_results(options, job->name + " deliver", "what was emitted", times.deliver);
      continue;
    }
    print_results(options, job->name, job->text, run_on_bus(*job, options, plugins));
  }
}
