#include "host/app/config/nearest.hpp"

#include <algorithm>

namespace nexus::host::config {
namespace {

constexpr std::size_t kNameMax = 64;  // longer ones are no misspellings of ours

std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '-') {
      out += '_';
    } else {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return out;
}

// Optimal string alignment distance, three rows at a time.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::size_t tolerance(std::size_t size) { return size <= 2 ? 0 : size <= 4 ? 1 : size <= 8 ? 2 : 3; }

}  // namespace

std::string_view nearest(std::string_view name, const std::vector<std::string_view>& candidates) {
  if (name.size() > kNameMax) return {};
  const std::string wanted = folded(name);
  std::string_view best;
  std::size_t best_distance = SIZE_MAX;
  for (const std::string_view candidate : candidates) {
    const std::string folded_candidate = folded(candidate);
    std::size_t d = distance(wanted, folded_candidate);
    // A name that only lacks a part, "workers" for "worker_count", is near although many letters differ.
    const std::size_t common = static_cast<std::size_t>(
        std::mismatch(wanted.begin(), wanted.end(), folded_candidate.begin(), folded_candidate.end()).first -
        wanted.begin());
    const bool same_beginning = common >= 5 && common + 1 >= wanted.size();
    if (d > tolerance(std::max(wanted.size(), folded_candidate.size())) && !same_beginning) continue;
    if (d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates) {
  const std::string_view best = nearest(name, candidates);
  return best.empty() ? std::string() : "did you mean '" + std::string(best) + "'?";
}

}  // namespace nexus::host::config
