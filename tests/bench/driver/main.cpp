// nexus_bench: runs every job and every peer, one process after the other and interleaved, several short runs each, and
// prints medians, ratios and whether the goals are met. `./dev bench [--json]` calls it through the script `run`.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>

#include "tests/bench/command_line.hpp"
#include "tests/bench/driver/child.hpp"
#include "tests/bench/driver/machine.hpp"
#include "tests/bench/driver/report.hpp"

namespace nexus::bench {
namespace {

constexpr auto kChildMax = std::chrono::seconds(120);
constexpr uint64_t kChunk = 8192;         // of bus_job.cpp
constexpr uint64_t kApart = 64 * kChunk;  // events of a run whose two halves are timed apart
constexpr uint64_t kEventsMin = 20'000, kEventsMax = 20'000'000;

struct Options {
  bool json = false;
  uint32_t rounds = 7;
  double seconds = 0.3;  // of one run
  bool count = true;
  bool realtime = false;  // measure at real-time priority, where others work on the same machine
  std::vector<std::string> jobs;
};

void help() {
  std::puts(
      "Usage: run [--json] [--job NAME]... [--rounds N] [--seconds S] [--no-instructions] [--realtime]\n"
      "Runs the benchmarks against their peers: N rounds (default 7) of runs of about S seconds (default 0.3), then\n"
      "callgrind for the instructions an event. --realtime runs the timed ones at real-time priority (needs root), for "
      "a\n"
      "machine on which others work.\n"
      "Jobs:");
  for (const PlannedJob& job : plan()) {
    const Job* known = find_job(job.name);
    std::printf("  %-12s %s\n", job.name.c_str(), known != nullptr ? known->text.c_str() : job.text.c_str());
  }
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= argc) die(option + " needs a value");
      return argv[++i];
    };
    if (option == "--json") {
      options.json = true;
    } else if (option == "--no-instructions") {
      options.count = false;
    } else if (option == "--realtime") {
      options.realtime = true;
    } else if (option == "--rounds") {
      options.rounds = static_cast<uint32_t>(std::strtoul(value().c_str(), nullptr, 10));
    } else if (option == "--seconds") {
      options.seconds = std::strtod(value().c_str(), nullptr);
    } else if (option == "--job") {
      options.jobs.push_back(value());
    } else if (option == "--help") {
      help();
      std::exit(0);
    } else {
      die("no such option: " + option + " (see --help)");
    }
  }
  if (options.rounds == 0 || options.seconds <= 0) die("--rounds and --seconds want numbers above 0");
  return options;
}

const PlannedJob* find_planned(const std::string& name) {
  for (const PlannedJob& job : plan())
    if (job.name == name) return &job;
  return nullptr;
}

// Those that were asked for, and those that their goals compare them with.
std::vector<PlannedJob> choose(const Options& options) {
  if (options.jobs.empty()) return plan();
  std::set<std::string> names;
  for (const std::string& name : options.jobs) {
    const PlannedJob* job = find_planned(name);
    if (job == nullptr) die("no such job: " + name + " (see --help)");
    names.insert(name);
    for (const Goal& goal : job->goals)
      if (find_planned(goal.other) != nullptr) names.insert(goal.other);
  }
  std::vector<PlannedJob> chosen;
  for (const PlannedJob& job : plan())
    if (names.contains(job.name)) chosen.push_back(job);
  return chosen;
}

// One way to do one job.
struct Subject {
  std::string job;
  std::string peer;  // empty: the bus
  uint64_t events = kEventsMin;
};

class Bench {
 public:
  Bench(Options options, std::filesystem::path folder) : options_(std::move(options)), folder_(std::move(folder)) {}

  Measurements run(const std::vector<PlannedJob>& jobs) {
    std::vector<Subject> subjects;
    for (const PlannedJob& job : jobs) {
      Measured& measured = all_[job.name];
      measured.failure = job.missing;
      if (!job.host.empty() || !job.missing.empty()) continue;
      subjects.push_back({job.name, {}});
      for (const std::string& peer : job.peers) {
        measured.peer_ns[peer] = {};
        subjects.push_back({job.name, peer});
      }
    }
    for (Subject& subject : subjects) calibrate(subject);
    for (uint32_t round = 0; round < options_.rounds; ++round) {
      say("round " + std::to_string(round + 1) + " of " + std::to_string(options_.rounds));
      for (const Subject& subject : subjects) figures(subject).push_back(time(subject));
      for (const std::string& job : timed_apart(jobs)) all_[job].apart_ns.push_back(time({job, {}, kApart}, true));
      for (const PlannedJob& job : jobs)
        if (!job.host.empty()) measure_host(job);
    }
    if (options_.count) count_all(jobs);
    return all_;
  }

 private:
  static void say(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }

  std::vector<std::string> command(const Subject& subject, uint64_t events) const {
    std::vector<std::string> words = {
        (folder_ / (subject.peer.empty() ? "nexus_bench_bus" : "nexus_bench_peers")).string(), "--job", subject.job,
        "--events", std::to_string(events)};
    if (!subject.peer.empty()) words.insert(words.end(), {"--peer", subject.peer});
    return words;
  }

  std::vector<std::optional<double>>& figures(const Subject& subject) {
    Measured& measured = all_[subject.job];
    return subject.peer.empty() ? measured.own_ns : measured.peer_ns[subject.peer];
  }

  void note(const Subject& subject, const std::string& failure) {
    std::string& text = all_[subject.job].failure;
    const std::string sentence = (subject.peer.empty() ? "Nexus" : subject.peer) + ": " + failure;
    if (text.find(sentence) == std::string::npos) text += (text.empty() ? "" : "; ") + sentence;
  }

  // The jobs whose goals compare what they cost beside another, and those others.
  static std::set<std::string> timed_apart(const std::vector<PlannedJob>& jobs) {
    std::set<std::string> names;
    for (const PlannedJob& job : jobs)
      for (const Goal& goal : job.goals)
        if (goal.measure == Measure::kNanosecondsOnTop) names.insert({job.name, goal.other});
    return names;
  }

  std::optional<double> time(const Subject& subject, bool apart = false) {
    std::vector<std::string> words;
    if (options_.realtime) words = {"chrt", "-r", "5"};
    for (const std::string& word : command(subject, subject.events)) words.push_back(word);
    words.insert(words.end(), {"--runs", "1", "--raw"});
    if (apart) words.emplace_back("--split");
    const ChildResult result = run_child(words, kChildMax);
    if (!result.failure.empty()) {
      note(subject, result.failure);
      return {};
    }
    const double value = std::strtod(result.output.c_str(), nullptr);
    if (value > 0) return value;
    note(subject, "it is not built in");
    return {};
  }

  void measure_host(const PlannedJob& job) {
    Measured& measured = all_[job.name];
    const ChildResult result = run_child({(folder_ / "nexus_bench_host").string(), job.host}, kChildMax);
    if (!result.failure.empty()) return note({job.name, {}}, result.failure);
    std::istringstream lines(result.output);
    double value = 0;
    for (size_t number = 0; lines >> value; ++number) {
      if (measured.figures.size() <= number) measured.figures.resize(number + 1);
      measured.figures[number].emplace_back(value);
    }
  }

  // How many events make a run as long as it should be.
  void calibrate(Subject& subject) {
    const std::optional<double> ns = time(subject);
    if (!ns) return;
    const double wanted = options_.seconds * 1e9 / *ns;
    subject.events = static_cast<uint64_t>(std::fmin(std::fmax(wanted, kEventsMin), kEventsMax));
  }

  std::optional<double> instructions(const Subject& subject, uint64_t events) {
    std::vector<std::string> words = {"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"};
    for (const std::string& word : command(subject, events)) words.push_back(word);
    words.emplace_back("--count");
    const ChildResult result = run_child(words, kChildMax);
    const size_t at = result.errors.find("Collected : ");
    if (!result.failure.empty() || at == std::string::npos) {
      note(subject, "no instruction count: " + (result.failure.empty() ? "callgrind printed none" : result.failure));
      return {};
    }
    return std::strtod(result.errors.c_str() + at + 12, nullptr);
  }

  // The difference of two lengths: what the start and the end cost falls out.
  std::optional<double> instructions_per_event(const Subject& subject) {
    constexpr uint64_t kShort = 3 * kChunk, kLong = 7 * kChunk;
    const auto few = instructions(subject, kShort);
    const auto many = few ? instructions(subject, kLong) : std::nullopt;
    if (!many) return {};
    return (*many - *few) / static_cast<double>(kLong - kShort);
  }

  void count_all(const std::vector<PlannedJob>& jobs) {
    for (const PlannedJob& job : jobs) {
      if (!job.count || !job.missing.empty()) continue;
      say("instructions of " + job.name);
      all_[job.name].instructions = instructions_per_event({job.name, {}});
      if (job.name != "J1") continue;
      for (const std::string& peer : job.peers)
        if (const auto counted = instructions_per_event({job.name, peer}))
          all_[job.name].peer_instructions[peer] = *counted;
    }
  }

  const Options options_;
  const std::filesystem::path folder_;
  Measurements all_;
};

}  // namespace
}  // namespace nexus::bench

int main(int argc, char** argv) {
  using namespace nexus::bench;
  const Options options = parse(argc, argv);
  const std::vector<PlannedJob> jobs = choose(options);
  Bench bench(options, std::filesystem::read_symlink("/proc/self/exe").parent_path());
  const Measurements all = bench.run(jobs);
  if (!options.json) std::printf("%s", to_text(measure_machine()).c_str());
  std::fputs((options.json ? to_json(jobs, all) : to_table(jobs, all)).c_str(), stdout);
}
