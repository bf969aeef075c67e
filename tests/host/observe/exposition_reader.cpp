#include "tests/host/observe/exposition_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "nexus/cbor_utf8.hpp"

namespace nexus::test {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// A word of the line, and where the rest of it begins.
std::string_view take_name(std::string_view& rest) {
  size_t size = 0;
  while (size < rest.size() && (is_letter(rest[size]) || (size > 0 && rest[size] >= '0' && rest[size] <= '9'))) ++size;
  const std::string_view name = rest.substr(0, size);
  rest.remove_prefix(size);
  return name;
}

bool take(std::string_view& rest, std::string_view wanted) {
  if (!rest.starts_with(wanted)) return false;
  rest.remove_prefix(wanted.size());
  return true;
}

bool parse_value(std::string_view text, double& value) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == "NaN") return value = std::numeric_limits<double>::quiet_NaN(), true;
  if (text == "+Inf") return value = kInfinity, true;
  if (text == "-Inf") return value = -kInfinity, true;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc{} && end == text.data() + text.size() && std::isfinite(value);
}

class ExpositionReader {
 public:
  explicit ExpositionReader(std::string_view text) : text_(text) {}
  Exposition read();

 private:
  struct Family {
    std::string name, type;
    bool has_help = false;
    size_t first_sample = 0;
  };

  void complain(const std::string& what) {
    result_.complaints.push_back("line " + std::to_string(line_) + ": " + what);
  }
  void comment(std::string_view rest);
  void help(std::string_view rest);
  void type(std::string_view rest);
  void sample(std::string_view rest);
  bool labels(std::string_view& rest, ExpositionSample& sample);
  bool label_value(std::string_view& rest, std::string& value);
  void check_family();
  void check_histogram();
  void lint();

  std::string_view text_;
  size_t line_ = 0;
  Exposition result_;
  Family family_;
  std::set<std::string> helped_, typed_;
  std::set<std::pair<std::string, std::map<std::string, std::string>>> seen_;
};

Exposition ExpositionReader::read() {
  if (!cbor::is_utf8(text_)) complain("not UTF-8");
  while (!text_.empty()) {
    ++line_;
    const size_t end = text_.find('\n');
    if (end == std::string_view::npos) complain("the last line has no end");
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    if (line.empty())
      complain("an empty line");
    else if (line.front() == '#')
      comment(line.substr(1));
    else
      sample(line);
  }
  check_family();
  return std::move(result_);
}

void ExpositionReader::comment(std::string_view rest) {
  if (take(rest, " HELP "))
    help(rest);
  else if (take(rest, " TYPE "))
    type(rest);
  else
    complain("a comment that is neither HELP nor TYPE");
}

void ExpositionReader::help(std::string_view rest) {
  const std::string name(take_name(rest));
  if (name.empty() || !take(rest, " ")) return complain("HELP without a name");
  if (!helped_.insert(name).second) complain("a second HELP of " + name);
  if (name != family_.name) {
    check_family();
    family_ = {name, "", false, result_.samples.size()};
  }
  if (family_.first_sample != result_.samples.size()) complain("HELP behind a sample of " + name);
  family_.has_help = !rest.empty();
  for (size_t at = rest.find('\\'); at != std::string_view::npos; at = rest.find('\\', at + 2))
    if (at + 1 == rest.size() || (rest[at + 1] != '\\' && rest[at + 1] != 'n')) complain("an unknown escape in HELP");
}

void ExpositionReader::type(std::string_view rest) {
  const std::string name(take_name(rest));
  if (name.empty() || !take(rest, " ")) return complain("TYPE without a name");
  if (!typed_.insert(name).second) complain("a second TYPE of " + name);
  if (name != family_.name) {
    check_family();
    family_ = {name, "", false, result_.samples.size()};
  }
  if (family_.first_sample != result_.samples.size()) complain("TYPE behind a sample of " + name);
  if (rest != "counter" && rest != "gauge" && rest != "histogram") complain("TYPE is " + std::string(rest));
  family_.type = rest;
}

bool ExpositionReader::label_value(std::string_view& rest, std::string& value) {
  while (!rest.empty() && rest.front() != '"') {
    char c = rest.front();
    rest.remove_prefix(1);
    if (c == '\\') {
      if (rest.empty()) return false;
      const char escaped = rest.front();
      rest.remove_prefix(1);
      if (escaped != '\\' && escaped != '"' && escaped != 'n') return false;
      c = escaped == 'n' ? '\n' : escaped;
    }
    value += c;
  }
  return take(rest, "\"");
}

bool ExpositionReader::labels(std::string_view& rest, ExpositionSample& sample) {
  do {
    const std::string name(take_name(rest));
    std::string value;
    if (name.empty() || name.starts_with("__") || !take(rest, "=\"") || !label_value(rest, value)) return false;
    if (!sample.labels.emplace(name, value).second) complain("the label " + name + " stands twice");
  } while (take(rest, ","));
  return take(rest, "}");
}

void ExpositionReader::sample(std::string_view rest) {
  ExpositionSample sample;
  sample.name = take_name(rest);
  if (sample.name.empty()) return complain("no name");
  if (take(rest, "{") && !labels(rest, sample)) return complain("labels that cannot be read");
  if (!take(rest, " ") || !parse_value(rest, sample.value)) return complain("a value that cannot be read");
  std::string_view ending = sample.name;
  const bool is_of_family =
      take(ending, family_.name) &&
      (family_.type == "histogram" ? ending == "_bucket" || ending == "_sum" || ending == "_count" : ending.empty());
  if (!is_of_family) complain(sample.name + " is no sample of " + family_.name);
  if (!seen_.emplace(sample.name, sample.labels).second) complain(sample.name + " stands twice with the same labels");
  if (family_.type == "counter" && !(sample.value >= 0)) complain("a counter that is not zero or more");
  result_.samples.push_back(std::move(sample));
}

void ExpositionReader::check_family() {
  if (family_.name.empty()) return;
  if (family_.type.empty()) complain(family_.name + " has no TYPE");
  if (family_.first_sample == result_.samples.size()) complain(family_.name + " has no sample");
  if (family_.type == "histogram") check_histogram();
  lint();
}

// What promtool's linter says beside.
void ExpositionReader::lint() {
  const std::string& name = family_.name;
  if (!family_.has_help) complain(name + " has no help text");
  if ((family_.type == "counter") != name.ends_with("_total"))
    complain(name + ": counters end in _total, others do not");
  if (std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    complain(name + " is no snake_case");
  for (const char* part : {"_milliseconds", "_microseconds", "_nanoseconds", "_minutes", "_hours", "_kilobytes",
                           "_megabytes", "_percent", "_ms", "_us", "_ns", "_mb", "_kb"})
    if ((name + "_").find(std::string(part) + "_") != std::string::npos) complain(name + " is not in the base unit");
  for (const char* part : {"_counter", "_gauge", "_histogram"})
    if (name.ends_with(part)) complain(name + " names its type");
  for (const char* part : {"_bucket", "_sum", "_count"})
    if (family_.type != "histogram" && name.ends_with(part)) complain(name + " ends as only a histogram's samples do");
}

void ExpositionReader::check_histogram() {
  struct Series {
    std::vector<std::pair<double, double>> buckets;  // bound, count
    std::vector<double> sums, counts;
  };
  std::map<std::map<std::string, std::string>, Series> all;
  for (size_t i = family_.first_sample; i < result_.samples.size(); ++i) {
    const ExpositionSample& sample = result_.samples[i];
    auto labels = sample.labels;
    if (!sample.name.ends_with("_bucket")) {
      Series& series = all[labels];
      (sample.name.ends_with("_sum") ? series.sums : series.counts).push_back(sample.value);
      continue;
    }
    double bound = 0;
    const auto le = labels.find("le");
    if (le == labels.end() || !parse_value(le->second, bound)) {
      complain(sample.name + " has no bound");
      continue;
    }
    labels.erase(le);
    all[labels].buckets.emplace_back(bound, sample.value);
  }
  for (const auto& [labels, series] : all) {
    if (series.sums.size() != 1 || series.counts.size() != 1)
      complain(family_.name + " has not one _sum and one _count");
    if (series.buckets.empty() || !std::isinf(series.buckets.back().first) || series.buckets.back().first < 0) {
      complain(family_.name + " has no last bucket +Inf");
      continue;
    }
    for (size_t i = 1; i < series.buckets.size(); ++i) {
      if (!(series.buckets[i - 1].first < series.buckets[i].first)) complain(family_.name + ": the bounds do not rise");
      if (series.buckets[i - 1].second > series.buckets[i].second)
        complain(family_.name + ": the buckets do not add up");
    }
    if (!series.counts.empty() && series.counts[0] != series.buckets.back().second)
      complain(family_.name + ": _count is not what the buckets hold");
  }
}

}  // namespace

Exposition read_exposition(std::string_view text) { return ExpositionReader(text).read(); }

std::string Exposition::complaint_text() const {
  std::string text;
  for (const std::string& complaint : complaints) text += complaint + "\n";
  return text;
}

bool Exposition::complains_of(std::string_view part) const {
  return std::any_of(complaints.begin(), complaints.end(),
                     [&](const std::string& complaint) { return complaint.find(part) != std::string::npos; });
}

}  // namespace nexus::test
