// A strict reader of Prometheus's text format 0.0.4: what `promtool check metrics` takes without a word, this takes
// too, and what it complains of is a complaint here. Written from the format's description, apart from the host's
// writer.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nexus::test {

struct ExpositionSample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct Exposition {
  std::vector<ExpositionSample> samples;
  std::vector<std::string> complaints;  // "line 3: ..."; empty when all is well

  // All complaints in one text, for a failing check.
  std::string complaint_text() const;
  bool complains_of(std::string_view part) const;
};

Exposition read_exposition(std::string_view text);

}  // namespace nexus::test
