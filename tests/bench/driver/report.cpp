#include "tests/bench/driver/report.hpp"

#include <cstdio>
#include <functional>

#include "tests/bench/command_line.hpp"

namespace nexus::bench {
namespace {

using Figures = std::vector<std::optional<double>>;

std::vector<double> present(const Figures& figures) {
  std::vector<double> result;
  for (const auto& figure : figures)
    if (figure) result.push_back(*figure);
  return result;
}

std::optional<double> median_of_pairs(const Figures& first, const Figures& second,
                                      const std::function<double(double, double)>& combine) {
  Figures combined;
  for (size_t i = 0; i < first.size() && i < second.size(); ++i)
    if (first[i] && second[i]) combined.emplace_back(combine(*first[i], *second[i]));
  return median(combined);
}

const Measured* find(const Measurements& all, const std::string& job) {
  const auto found = all.find(job);
  return found != all.end() ? &found->second : nullptr;
}

std::optional<double> measure(const Goal& goal, const Measured& own, const Measurements& all) {
  const Measured* other = find(all, goal.other);
  switch (goal.measure) {
    case Measure::kRatioToPeer: {
      const auto peer = own.peer_ns.find(goal.other);
      if (peer == own.peer_ns.end()) return {};
      return median_ratio(own.own_ns, peer->second);
    }
    case Measure::kRatioToJob:
      return other != nullptr ? median_ratio(own.own_ns, other->own_ns) : std::nullopt;
    case Measure::kNanoseconds:
      return median(own.own_ns);
    case Measure::kNanosecondsOnTop:
      if (other == nullptr) return {};
      return median_of_pairs(own.apart_ns, other->apart_ns, [](double mine, double its) { return mine - its; });
    case Measure::kFigure:
      return goal.figure < own.figures.size() ? median(own.figures[goal.figure]) : std::nullopt;
    case Measure::kInstructions:
      return own.instructions;
    case Measure::kInstructionsMore:
      if (other == nullptr || !own.instructions || !other->instructions) return {};
      return (*own.instructions - *other->instructions) / goal.parts;
  }
  return {};
}

std::string rounded(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      result += escaped;
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string json_number(const std::optional<double>& value, int digits) {
  return value ? rounded(*value, digits) : "null";
}

int digits_for(double value) { return value < 10 ? 3 : value < 100 ? 1 : 0; }

std::string job_to_json(const PlannedJob& job, const Measured& own, const Measurements& all) {
  std::string text = "{\"job\": " + quoted(job.name) + ", \"ns_per_event\": " + json_number(median(own.own_ns), 1) +
                     ", \"instructions_per_event\": " + json_number(own.instructions, 0) + ", \"ratios\": {";
  const char* separator = "";
  for (const auto& [peer, figures] : own.peer_ns) {
    text += separator + quoted(peer) + ": " + json_number(median_ratio(own.own_ns, figures), 3);
    separator = ", ";
  }
  text += "}, \"goals\": [";
  separator = "";
  for (const JudgedGoal& goal : judge(job, all)) {
    text += separator + std::string("{\"text\": ") + quoted(goal.text) +
            ", \"value\": " + json_number(goal.value, goal.value ? digits_for(*goal.value) : 0) +
            ", \"met\": " + (goal.met ? "true" : "false") + "}";
    separator = ", ";
  }
  text += "]";
  if (!own.failure.empty()) text += ", \"reason\": " + quoted(own.failure);
  return text + "}";
}

// Columns count characters, not bytes: the goals hold ≤ and ×.
std::string padded(const std::string& text, size_t width) {
  size_t characters = 0;
  for (const char c : text)
    if ((static_cast<unsigned char>(c) & 0xC0u) != 0x80u) ++characters;
  return characters < width ? text + std::string(width - characters, ' ') : text;
}

std::string spread(const Figures& figures) {
  const std::vector<double> known = present(figures);
  if (known.empty()) return "-";
  return rounded(quantile(known, 0.5), 1) + " [" + rounded(quantile(known, 0.25), 1) + " .. " +
         rounded(quantile(known, 0.75), 1) + "]";
}

}  // namespace

std::optional<double> median(const Figures& figures) {
  const std::vector<double> known = present(figures);
  if (known.empty()) return {};
  return quantile(known, 0.5);
}

std::optional<double> median_ratio(const Figures& over, const Figures& under) {
  return median_of_pairs(over, under, [](double a, double b) { return a / b; });
}

std::vector<JudgedGoal> judge(const PlannedJob& job, const Measurements& all) {
  std::vector<JudgedGoal> judged;
  const Measured* own = find(all, job.name);
  for (const Goal& goal : job.goals) {
    JudgedGoal& one = judged.emplace_back(JudgedGoal{.text = text_of(goal), .value = {}, .met = false});
    if (own == nullptr) continue;
    one.value = measure(goal, *own, all);
    one.met = one.value.has_value() && *one.value <= goal.limit;
  }
  return judged;
}

std::string to_json(const std::vector<PlannedJob>& jobs, const Measurements& all) {
  std::string text = "{\"jobs\": [";
  const char* separator = "";
  for (const PlannedJob& job : jobs) {
    const Measured* own = find(all, job.name);
    if (own == nullptr) continue;
    text += separator + job_to_json(job, *own, all);
    separator = ", ";
  }
  return text + "]}\n";
}

std::string to_table(const std::vector<PlannedJob>& jobs, const Measurements& all) {
  std::string text;
  for (const PlannedJob& job : jobs) {
    const Measured* own = find(all, job.name);
    if (own == nullptr) continue;
    const auto* known = find_job(job.name);
    if (!job.host.empty()) {
      text += padded(job.name, 14);
      for (const Figures& figures : own->figures) text += padded(spread(figures), 32);
      text += job.text + "\n";
    } else
      text += padded(job.name, 14) + padded(spread(own->own_ns) + " ns", 32) +
              padded(own->instructions ? rounded(*own->instructions, 0) + " instr" : "", 13) +
              (known != nullptr ? known->text : job.text) + "\n";
    for (const auto& [peer, figures] : own->peer_ns) {
      const auto ratio = median_ratio(own->own_ns, figures);
      const auto counted = own->peer_instructions.find(peer);
      text += "  " + padded(peer, 12) + padded(spread(figures) + " ns", 32) +
              padded(counted != own->peer_instructions.end() ? rounded(counted->second, 0) + " instr" : "", 13) +
              (ratio ? "× " + rounded(*ratio, 3) : "") + "\n";
    }
    for (const JudgedGoal& goal : judge(job, all))
      text += "  " + std::string(goal.met ? "met     " : "NOT MET ") + padded(goal.text, 46) +
              (goal.value ? rounded(*goal.value, digits_for(*goal.value)) : "no figure") + "\n";
    if (!own->failure.empty()) text += "  " + own->failure + "\n";
  }
  return text;
}

}  // namespace nexus::bench
