// What the host writes is taken by a strict reader; and the reader is strict, as promtool is.
#include "tests/host/observe/exposition_reader.hpp"

#include <rapidcheck.h>

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "host/observe/metrics.hpp"

using namespace nexus::host;
using nexus::test::Exposition;
using nexus::test::read_exposition;

namespace {

std::string prometheus(const Registry& registry) {
  std::string text;
  registry.write_prometheus(text);
  return text;
}

// Labels with the names of the row and this value each.
Labels labels_of(const MetricDef& def, const std::string& value) {
  Labels labels;
  for (size_t begin = 0; begin < def.labels.size();) {
    const size_t end = std::min(def.labels.find(',', begin), def.labels.size());
    labels.push_back({std::string(def.labels.substr(begin, end - begin)), value});
    begin = end + 1;
  }
  return labels;
}

bool complains(std::string_view text, std::string_view part) {
  const Exposition read = read_exposition(text);
  UNSCOPED_INFO(text << read.complaint_text());
  return read.complains_of(part);
}

}  // namespace

TEST_CASE("every metric of the host is as Prometheus wants it") {
  Registry registry;
  for (const MetricDef& def : kMetricTable) {
    for (const char* value : {"a.b", "other"}) {
      const Labels labels = labels_of(def, value);
      if (def.kind == MetricKind::kCounter) registry.counter(def, labels).add(7);
      if (def.kind == MetricKind::kGauge) registry.gauge(def, labels).set(0.25);
      if (def.kind == MetricKind::kHistogram) registry.histogram(def, labels).observe(0.003);
      if (labels.empty()) break;
    }
  }
  const Exposition read = read_exposition(prometheus(registry));
  CHECK(read.complaint_text() == "");
  CHECK(read.samples.size() > kMetricTable.size());
}

TEST_CASE("whatever a plugin puts into labels, help and values comes back as it was") {
  CHECK(rc::check("labels", [] {
    const auto pieces = *rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>("\"", "\\", "\n", "\r", "\t", "{", "}", ",", " ", "=", "#", "a", "1", "\x7f",
                                      "\u00fc", "\u20ac", "\U0001F600", std::string(1, '\0')));
    std::string value;
    for (const std::string& piece : pieces) value += piece;
    RC_PRE(value.size() <= 256u);
    const double level = *rc::gen::oneOf(
        rc::gen::arbitrary<double>(),
        rc::gen::element(std::nan(""), std::numeric_limits<double>::infinity(),
                         -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::denorm_min(),
                         std::numeric_limits<double>::max()));
    Registry registry;
    Registry::Request request;
    request.kind = MetricKind::kGauge;
    request.name = "level";
    const std::string help = "x" + value;
    request.help = help;
    request.labels = {{"what", value}};
    auto made = registry.define("com.test.a", "a#1", request);
    RC_ASSERT(made.has_value());
    made->gauge->set(level);
    const Exposition read = read_exposition(prometheus(registry));
    RC_ASSERT(read.complaint_text() == "");
    bool found = false;
    for (const auto& sample : read.samples) {
      if (sample.name != "level") continue;
      found = true;
      RC_ASSERT(sample.labels.at("what") == value);
      RC_ASSERT(sample.value == level || (std::isnan(sample.value) && std::isnan(level)));
    }
    RC_ASSERT(found);
  }));
}

TEST_CASE("the reader takes what is right") {
  const Exposition read = read_exposition(
      "# TYPE a_total counter\n# HELP a_total Some \\\\ \\n.\na_total 1\na_total{b=\"\\\"\\\\\\n\"} 2e3\n"
      "# HELP w_seconds W.\n# TYPE w_seconds histogram\nw_seconds_bucket{le=\"1.5\"} 1\n"
      "w_seconds_bucket{le=\"+Inf\"} 1\nw_seconds_sum 0.5\nw_seconds_count 1\n");
  CHECK(read.complaint_text() == "");
  REQUIRE(read.samples.size() == 6);
  CHECK(read.samples[1].labels.at("b") == "\"\\\n");
  CHECK(read.samples[1].value == 2000);
  CHECK(read_exposition("").complaints.empty());
}

TEST_CASE("the reader complains of each thing that is wrong") {
  const std::string head = "# TYPE a_total counter\n# HELP a_total A.\n";
  CHECK(complains(head + "a_total 1", "no end"));
  CHECK(complains(head + "a_total 1\n\n", "empty line"));
  CHECK(complains(head + "a_total  1\n", "value"));
  CHECK(complains(head + "a_total 1 \n", "value"));
  CHECK(complains(head + "a_total 0x1\n", "value"));
  CHECK(complains(head + "a_total inf\n", "value"));
  CHECK(complains(head + "a_total -1\n", "zero or more"));
  CHECK(complains(head + "a_total{} 1\n", "labels"));
  CHECK(complains(head + "a_total{b=\"c\",} 1\n", "labels"));
  CHECK(complains(head + "a_total{b=\"\\x\"} 1\n", "labels"));
  CHECK(complains(head + "a_total{b=\"\n\"} 1\n", "labels"));
  CHECK(complains(head + "a_total{__b=\"c\"} 1\n", "labels"));
  CHECK(complains(head + "a_total{b=\"c\",b=\"d\"} 1\n", "twice"));
  CHECK(complains(head + "a_total 1\na_total 2\n", "same labels"));
  CHECK(complains(head + "a_total{b=\"\xff\"} 1\n", "UTF-8"));
  CHECK(complains(head + "b_total 1\n", "no sample of"));
  CHECK(complains(head, "has no sample"));
  CHECK(complains(head + head + "a_total 1\n", "second"));
  CHECK(complains(head + "a_total 1\n# TYPE b gauge\n# HELP b B.\nb 1\na_total{c=\"d\"} 1\n", "no sample of b"));
  CHECK(complains("# TYPE a_total counter\na_total 1\n", "help"));
  CHECK(complains("# HELP a A.\na 1\n", "no TYPE"));
  CHECK(complains("# HELP a \\q\n# TYPE a gauge\na 1\n", "escape"));
  CHECK(complains("# TYPE a counter\n# HELP a A.\na 1\n", "_total"));
  CHECK(complains("# TYPE a_ms gauge\n# HELP a_ms A.\na_ms 1\n", "base unit"));
  CHECK(complains("# TYPE a_count gauge\n# HELP a_count A.\na_count 1\n", "histogram"));
  const std::string histogram = "# TYPE h histogram\n# HELP h H.\n";
  CHECK(complains(histogram + "h_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n", "+Inf"));
  CHECK(complains(histogram + "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n", "_count"));
  CHECK(complains(histogram + "h_bucket{le=\"+Inf\"} 1\nh_count 1\n", "_sum"));
  CHECK(complains(histogram + "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n", "add up"));
  CHECK(complains(
      histogram + "h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n", "rise"));
}
