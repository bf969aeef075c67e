#include "host/observe/exposition.hpp"

#include <rapidcheck.h>

#include <catch2/catch_test_macros.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "host/observe/metrics.hpp"

using namespace nexus::host;

namespace {

std::string number(double value) {
  std::string out;
  append_number(out, value);
  return out;
}

std::string prometheus(const std::vector<FamilySnapshot>& families) {
  std::string out;
  write_prometheus(families, out);
  return out;
}

std::string openmetrics(const std::vector<FamilySnapshot>& families) {
  std::string out;
  write_openmetrics(families, out);
  return out;
}

SeriesSnapshot whole(Labels labels, uint64_t value) {
  SeriesSnapshot series;
  series.labels = std::move(labels);
  series.whole = value;
  series.value = static_cast<double>(value);
  series.exact = true;
  return series;
}

SeriesSnapshot level(Labels labels, double value) {
  SeriesSnapshot series;
  series.labels = std::move(labels);
  series.value = value;
  return series;
}

}  // namespace

TEST_CASE("numbers are written short, and read back the same") {
  CHECK(number(0) == "0");
  CHECK(number(1) == "1");
  CHECK(number(0.1) == "0.1");
  CHECK(number(-2.5) == "-2.5");
  CHECK(number(1e300) == "1e+300");
  CHECK(number(std::numeric_limits<double>::quiet_NaN()) == "NaN");
  CHECK(number(std::numeric_limits<double>::infinity()) == "+Inf");
  CHECK(number(-std::numeric_limits<double>::infinity()) == "-Inf");
  CHECK(rc::check([](double value) {
    const std::string text = number(value);
    double back = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), back);
    RC_ASSERT(fault == std::errc() && end == text.data() + text.size());
    RC_ASSERT(back == value);
  }));
}

TEST_CASE("counters in both formats") {
  const std::vector<FamilySnapshot> families = {{"jobs_total",
                                                 "Jobs done.",
                                                 MetricKind::kCounter,
                                                 {whole({}, 18'446'744'073'709'551'615u), whole({{"kind", "a"}}, 0)}}};
  CHECK(prometheus(families) ==
        "# TYPE jobs_total counter\n# HELP jobs_total Jobs done.\n"
        "jobs_total 18446744073709551615\njobs_total{kind=\"a\"} 0\n");
  CHECK(openmetrics(families) ==
        "# TYPE jobs counter\n# HELP jobs Jobs done.\n"
        "jobs_total 18446744073709551615\njobs_total{kind=\"a\"} 0\n# EOF\n");
}

TEST_CASE("a histogram in both formats") {
  HistogramSnapshot shot;
  const double bounds[] = {0.005, 1, 2.5};
  shot.buckets = std::make_shared<const Buckets>(bounds);
  shot.counts = {1, 2, 0, 4};
  shot.count = 7;
  shot.sum = 10.25;
  SeriesSnapshot series;
  series.labels = {{"type", "x"}};
  series.histogram = shot;
  const std::vector<FamilySnapshot> families = {{"wait_seconds", "", MetricKind::kHistogram, {series}}};
  CHECK(prometheus(families) ==
        "# TYPE wait_seconds histogram\n"
        "wait_seconds_bucket{type=\"x\",le=\"0.005\"} 1\n"
        "wait_seconds_bucket{type=\"x\",le=\"1\"} 3\n"
        "wait_seconds_bucket{type=\"x\",le=\"2.5\"} 3\n"
        "wait_seconds_bucket{type=\"x\",le=\"+Inf\"} 7\n"
        "wait_seconds_sum{type=\"x\"} 10.25\n"
        "wait_seconds_count{type=\"x\"} 7\n");
  CHECK(openmetrics(families) ==
        "# TYPE wait_seconds histogram\n# UNIT wait_seconds seconds\n"
        "wait_seconds_bucket{type=\"x\",le=\"0.005\"} 1\n"
        "wait_seconds_bucket{type=\"x\",le=\"1.0\"} 3\n"
        "wait_seconds_bucket{type=\"x\",le=\"2.5\"} 3\n"
        "wait_seconds_bucket{type=\"x\",le=\"+Inf\"} 7\n"
        "wait_seconds_sum{type=\"x\"} 10.25\n"
        "wait_seconds_count{type=\"x\"} 7\n# EOF\n");
}

TEST_CASE("a histogram of values that may be negative has no sum in OpenMetrics") {
  const double bounds[] = {-1, 0};
  SeriesSnapshot series;
  series.histogram.buckets = std::make_shared<const Buckets>(bounds);
  series.histogram.counts = {1, 0, 0};
  series.histogram.count = 1;
  series.histogram.sum = -3;
  const std::vector<FamilySnapshot> families = {{"level", "", MetricKind::kHistogram, {series}}};
  CHECK(prometheus(families).find("level_sum -3\nlevel_count 1\n") != std::string::npos);
  CHECK(openmetrics(families) ==
        "# TYPE level histogram\nlevel_bucket{le=\"-1.0\"} 1\nlevel_bucket{le=\"0.0\"} 1\nlevel_bucket{le=\"+Inf\"} "
        "1\n# EOF\n");
}

TEST_CASE("label values and help are escaped") {
  const std::vector<FamilySnapshot> families = {
      {"level", "a\\b \"c\"\nd", MetricKind::kGauge, {level({{"path", "C:\\x\n\"y\""}, {"u", "\u00e4"}}, 1)}}};
  CHECK(prometheus(families) ==
        "# TYPE level gauge\n# HELP level a\\\\b \"c\"\\nd\n"
        "level{path=\"C:\\\\x\\n\\\"y\\\"\",u=\"\u00e4\"} 1\n");
  CHECK(openmetrics(families).find("# HELP level a\\\\b \\\"c\\\"\\nd\n") != std::string::npos);
}

TEST_CASE("units are told where the name has one") {
  const auto text = [](std::string name) {
    return openmetrics({{std::move(name), "", MetricKind::kGauge, {level({}, 1)}}});
  };
  CHECK(text("memory_bytes") == "# TYPE memory_bytes gauge\n# UNIT memory_bytes bytes\nmemory_bytes 1\n# EOF\n");
  CHECK(text("bytes").find("UNIT") == std::string::npos);
  CHECK(text("kilobytes").find("UNIT") == std::string::npos);
  CHECK(text("seconds_left").find("UNIT") == std::string::npos);
  const std::string counter = openmetrics({{"cpu_seconds_total", "", MetricKind::kCounter, {level({}, 0.5)}}});
  CHECK(counter == "# TYPE cpu_seconds counter\n# UNIT cpu_seconds seconds\ncpu_seconds_total 0.5\n# EOF\n");
}

TEST_CASE("no families, and families without series") {
  CHECK(prometheus({}).empty());
  CHECK(openmetrics({}) == "# EOF\n");
  CHECK(prometheus({{"level", "Help.", MetricKind::kGauge, {}}}).empty());
}

TEST_CASE("whatever a label holds, a sample stays on its line") {
  CHECK(rc::check([](const std::string& value) {
    const std::string text = prometheus({{"level", "", MetricKind::kGauge, {level({{"x", value}}, 1)}}});
    size_t lines = 0;
    for (const char c : text) lines += c == '\n' ? 1 : 0;
    RC_ASSERT(lines == 2u);
    RC_ASSERT(text.ends_with("\"} 1\n"));
  }));
}
