#include "tests/bench/command_line.hpp"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace nexus::bench {
namespace {

void help(const std::vector<std::string>& peers) {
  std::printf("Options: [--job NAME]...%s [--events N] [--runs K] [--raw | --count%s]\n",
              peers.empty() ? "" : " [--peer NAME]...", peers.empty() ? " | --split" : "");
  if (peers.empty())
    std::puts(
        "  --split  times emitting and delivering one after the other, without threads that compete; with --raw\n"
        "           the sum of the two medians");
  std::puts(
      "Runs the jobs named (default: all) and prints the median and quartiles of ns an event.\n"
      "  --raw    prints each run's ns an event, one a line, and nothing else\n"
      "  --count  for callgrind: as little active waiting as can be; prints nothing\n"
      "Jobs:");
  for (const Job& job : jobs()) std::printf("  %-12s %s\n", job.name.c_str(), job.text.c_str());
  if (!peers.empty()) std::puts("Peers:");
  for (const std::string& peer : peers) std::printf("  %s\n", peer.c_str());
}

}  // namespace

void die(const std::string& sentence) {
  std::fprintf(stderr, "bench: %s\n", sentence.c_str());
  std::exit(1);
}

double thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double quantile(std::vector<double> results, double at) {
  std::sort(results.begin(), results.end());
  const double place = at * static_cast<double>(results.size() - 1);
  const auto low = static_cast<size_t>(place);
  const size_t high = std::min(low + 1, results.size() - 1);
  return results[low] + (results[high] - results[low]) * (place - static_cast<double>(low));
}

RunOptions parse_command_line(int argc, char** argv, const std::vector<std::string>& peers) {
  RunOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= argc) die(option + " needs a value");
      return argv[++i];
    };
    if (option == "--job") {
      const std::string name = value();
      options.jobs.push_back(find_job(name));
      if (options.jobs.back() == nullptr) die("no such job: " + name + " (see --help)");
    } else if (option == "--peer" && !peers.empty()) {
      options.peers.push_back(value());
      if (std::find(peers.begin(), peers.end(), options.peers.back()) == peers.end())
        die("no such peer: " + options.peers.back() + " (see --help)");
    } else if (option == "--events") {
      options.events = std::strtoull(value().c_str(), nullptr, 10);
    } else if (option == "--runs") {
      options.runs = static_cast<uint32_t>(std::strtoul(value().c_str(), nullptr, 10));
    } else if (option == "--count") {
      options.count = true;
    } else if (option == "--split" && peers.empty()) {
      options.split = true;
    } else if (option == "--raw") {
      options.raw = true;
    } else if (option == "--help") {
      help(peers);
      std::exit(0);
    } else {
      die("no such option: " + option + " (see --help)");
    }
  }
  if (options.events == 0 || options.runs == 0) die("--events and --runs want numbers above 0");
  if (options.jobs.empty())
    for (const Job& job : jobs()) options.jobs.push_back(&job);
  if (options.peers.empty()) options.peers = peers;
  return options;
}

void print_results(const RunOptions& options, const std::string& name, const std::string& text,
                   std::vector<double> results) {
  if (options.count || results.empty()) return;
  if (options.raw) {
    for (const double result : results) std::printf("%.3f\n", result);
  } else {
    std::printf("%-14s %8.1f ns  [%.1f .. %.1f]  %s\n", name.c_str(), quantile(results, 0.5), quantile(results, 0.25),
                quantile(results, 0.75), text.c_str());
  }
  std::fflush(stdout);
}

}  // namespace nexus::bench
