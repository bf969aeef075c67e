#include "host/observe/metrics.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace nexus::host;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr MetricDef kJobs{"test_jobs_total", MetricKind::kCounter, "kind", "Jobs."};
constexpr MetricDef kDepth{"test_depth", MetricKind::kGauge, "plugin", "Depth."};
constexpr MetricDef kWait{"test_wait_seconds", MetricKind::kHistogram, "", "Wait."};

std::string text_of(const Registry& registry) {
  std::string text;
  registry.write_prometheus(text);
  return text;
}

Registry::Request request(MetricKind kind, std::string_view name, Labels labels = {}) {
  Registry::Request made;
  made.kind = kind;
  made.name = name;
  made.help = "Help.";
  made.labels = std::move(labels);
  return made;
}

Registry::Instrument defined(Registry& registry, std::string_view plugin, const Registry::Request& wanted,
                             std::string_view owner = "owner") {
  const auto made = registry.define(plugin, owner, wanted);
  INFO((made ? std::string() : made.error().message));
  REQUIRE(made.has_value());
  return *made;
}

Error refused(Registry& registry, const Registry::Request& wanted) {
  const auto made = registry.define("com.example.a", "owner", wanted);
  REQUIRE_FALSE(made.has_value());
  CHECK_FALSE(made.error().message.empty());
  return made.error();
}

}  // namespace

TEST_CASE("the table holds each metric once, in Prometheus's words") {
  std::set<std::string_view> names;
  for (const MetricDef& def : kMetricTable) {
    INFO(def.name);
    CHECK(names.insert(def.name).second);
    CHECK((def.name.starts_with("nexus_") || def.name.starts_with("process_")));
    CHECK((def.kind == MetricKind::kCounter) == def.name.ends_with("_total"));
    CHECK((def.kind == MetricKind::kHistogram) <= def.name.ends_with("_seconds"));
    CHECK(def.help.ends_with("."));
  }
  for (const char* name : {"nexus_events_emitted_total", "nexus_events_processed_total",
                           "nexus_event_processing_seconds", "nexus_active_subscriptions"}) {
    CHECK(names.count(name) == 1);
  }
}

TEST_CASE("every row of the table can be in one registry") {
  Registry registry;
  for (const MetricDef& def : kMetricTable) {
    if (def.kind == MetricKind::kCounter) registry.counter(def);
    if (def.kind == MetricKind::kGauge) registry.gauge(def);
    if (def.kind == MetricKind::kHistogram) registry.histogram(def);
  }
  CHECK(registry.collect().size() == kMetricTable.size());
}

TEST_CASE("the same labels are the same instrument, in whatever order") {
  Registry registry;
  Counter& one = registry.counter(kJobs, {{"a", "1"}, {"b", "2"}});
  CHECK(&one == &registry.counter(kJobs, {{"b", "2"}, {"a", "1"}}));
  CHECK(&one != &registry.counter(kJobs, {{"a", "1"}, {"b", "3"}}));
  CHECK(&one != &registry.counter(kJobs));
  CHECK(&registry.gauge(kDepth) == &registry.gauge(kDepth));
  CHECK(&registry.histogram(kWait) == &registry.histogram(kWait));
}

TEST_CASE("references stay good while other series come and go") {
  Registry registry;
  Counter& kept = registry.counter(kJobs, {{"kind", "kept"}});
  for (int i = 0; i < 500; ++i) registry.counter(kJobs, {{"kind", std::to_string(i)}}, "plugin#1").add();
  kept.add(3);
  registry.remove_owner("plugin#1");
  kept.add(4);
  CHECK(registry.counter_total("test_jobs_total") == 7);
}

TEST_CASE("counts from all threads add up while they are read") {
  Registry registry;
  Counter& counter = registry.counter(kJobs);
  Histogram& histogram = registry.histogram(kWait);
  std::atomic<bool> stop{false};
  std::atomic<bool> fell{false};
  std::thread reader([&] {
    uint64_t before = 0;
    while (!stop) {
      const uint64_t now = registry.counter_total("test_jobs_total");
      if (now < before) fell = true;
      before = now;
      (void)text_of(registry);
    }
  });
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      for (int k = 0; k < 20'000; ++k) {
        counter.add();
        histogram.observe_ns(k);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  stop = true;
  reader.join();
  CHECK_FALSE(fell);
  CHECK(counter.value() == 80'000);
  CHECK(histogram.snapshot().count == 80'000);
}

TEST_CASE("over the limit, label sets of the host are counted as other") {
  Registry::Limits limits;
  limits.series_per_host_family_max = 3;
  limits.label_bytes_max = 5;
  Registry registry(limits);
  for (int i = 0; i < 10; ++i) registry.counter(kJobs, {{"kind", std::to_string(i)}}).add();
  CHECK(registry.counter_total("test_jobs_total") == 10);
  CHECK(registry.counter_total("nexus_metric_series_dropped_total") == 7);
  const std::string text = text_of(registry);
  CHECK_THAT(text, ContainsSubstring("test_jobs_total{kind=\"2\"} 1\n"));
  CHECK_THAT(text, ContainsSubstring("test_jobs_total{kind=\"other\"} 7\n"));
  CHECK_THAT(text, !ContainsSubstring("kind=\"3\""));
  registry.gauge(kDepth, {{"plugin", "abc\u00e4\u00e4"}}).set(1);
  CHECK_THAT(text_of(registry), ContainsSubstring("{plugin=\"abc\u00e4\"}"));
}

TEST_CASE("a plugin's metrics carry its id") {
  Registry registry;
  defined(registry, "com.example.a", request(MetricKind::kCounter, "jobs", {{"zone", "x"}})).counter->add(2);
  defined(registry, "com.example.b", request(MetricKind::kCounter, "jobs_total", {{"zone", "x"}})).counter->add(3);
  defined(registry, "com.example.a", request(MetricKind::kGauge, "level")).gauge->set(1.5);
  CHECK_THAT(text_of(registry), ContainsSubstring("# TYPE jobs_total counter\n# HELP jobs_total Help.\n"
                                                  "jobs_total{plugin=\"com.example.a\",zone=\"x\"} 2\n"
                                                  "jobs_total{plugin=\"com.example.b\",zone=\"x\"} 3\n"
                                                  "# TYPE level gauge\n# HELP level Help.\n"
                                                  "level{plugin=\"com.example.a\"} 1.5\n"));
}

TEST_CASE("the same request gives the same instrument") {
  Registry registry;
  const auto wanted = request(MetricKind::kHistogram, "size");
  Histogram* one = defined(registry, "com.example.a", wanted).histogram;
  REQUIRE(one != nullptr);
  CHECK(defined(registry, "com.example.a", wanted).histogram == one);
  CHECK(defined(registry, "com.example.b", wanted).histogram != one);
  const std::vector<double> bounds = {1, 2};
  auto other = wanted;
  other.bounds = bounds;
  CHECK(refused(registry, other).code == NEXUS_E_ARGUMENT);
}

TEST_CASE("what a plugin must not ask for is refused with a sentence") {
  Registry registry;
  const std::vector<double> falling = {2, 1};
  const std::string long_name(129, 'n');
  const auto code = [&](const Registry::Request& wanted) { return refused(registry, wanted).code; };
  for (const std::string& name :
       {std::string(), std::string("9x"), std::string("a-b"), std::string("a b"), std::string("a:b"),
        std::string("\u00e4"), std::string("a\n"), long_name, std::string("nexus_x"), std::string("process_x")}) {
    INFO(name);
    CHECK(code(request(MetricKind::kGauge, name)) == NEXUS_E_ARGUMENT);
  }
  for (const char* label : {"", "1a", "a-b", "__x", "plugin", "le", "quantile"}) {
    INFO(label);
    CHECK(code(request(MetricKind::kGauge, "ok", {{label, "v"}})) == NEXUS_E_ARGUMENT);
  }
  CHECK(code(request(MetricKind::kGauge, "ok", {{"a", "1"}, {"a", "2"}})) == NEXUS_E_ARGUMENT);
  CHECK(code(request(MetricKind::kGauge, "ok", {{"a", std::string(257, 'v')}})) == NEXUS_E_TOO_LARGE);
  CHECK(code(request(MetricKind::kGauge, "ok", {{"a", "\xFF"}})) == NEXUS_E_UTF8);
  CHECK(code(request(MetricKind::kGauge, "ok", Labels(9, Label{"a", "1"}))) == NEXUS_E_TOO_LARGE);
  auto wanted = request(MetricKind::kHistogram, "ok");
  wanted.bounds = falling;
  CHECK(code(wanted) == NEXUS_E_ARGUMENT);
  wanted = request(MetricKind::kGauge, "ok");
  wanted.bounds = std::span(falling).first(1);
  CHECK(code(wanted) == NEXUS_E_ARGUMENT);
  const std::string help(1025, 'h');
  wanted = request(MetricKind::kGauge, "ok");
  wanted.help = help;
  CHECK(code(wanted) == NEXUS_E_TOO_LARGE);
  wanted.help = "\xC3";
  CHECK(code(wanted) == NEXUS_E_UTF8);
  CHECK_THAT(text_of(registry), !ContainsSubstring("ok"));
}

TEST_CASE("families of different kinds do not share names") {
  Registry registry;
  defined(registry, "com.example.a", request(MetricKind::kHistogram, "wait"));
  defined(registry, "com.example.a", request(MetricKind::kCounter, "jobs"));
  for (const auto& [kind, name] :
       {std::pair(MetricKind::kGauge, "wait"), std::pair(MetricKind::kGauge, "wait_sum"),
        std::pair(MetricKind::kGauge, "wait_count"), std::pair(MetricKind::kGauge, "wait_bucket"),
        std::pair(MetricKind::kCounter, "wait"), std::pair(MetricKind::kGauge, "jobs"),
        std::pair(MetricKind::kGauge, "jobs_total"), std::pair(MetricKind::kHistogram, "jobs")}) {
    INFO(name);
    CHECK(refused(registry, request(kind, name)).code == NEXUS_E_ARGUMENT);
  }
  defined(registry, "com.example.a", request(MetricKind::kGauge, "jobs_sum"));
  CHECK(refused(registry, request(MetricKind::kHistogram, "jobs")).code == NEXUS_E_ARGUMENT);
  defined(registry, "com.example.a", request(MetricKind::kGauge, "wait_summary"));
}

TEST_CASE("a plugin has room for so many metrics, and gets it back") {
  Registry::Limits limits;
  limits.series_per_plugin_max = 5;
  Registry registry(limits);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i)
      defined(registry, "com.example.a", request(MetricKind::kCounter, "m" + std::to_string(i)));
    CHECK(refused(registry, request(MetricKind::kCounter, "one_more")).code == NEXUS_E_TOO_LARGE);
    defined(registry, "com.example.a", request(MetricKind::kCounter, "m0"));
    defined(registry, "com.example.b", request(MetricKind::kCounter, "one_more"), "other");
    registry.remove_owner("owner");
    registry.remove_owner("other");
    CHECK_THAT(text_of(registry), !ContainsSubstring("com.example"));
  }
}

TEST_CASE("a hot swap goes on counting where the old instance stopped") {
  Registry registry;
  const auto wanted = request(MetricKind::kCounter, "jobs");
  defined(registry, "com.example.a", wanted, "a#1").counter->add(5);
  Counter* swapped = defined(registry, "com.example.a", wanted, "a#2").counter;
  registry.remove_owner("a#1");
  swapped->add(1);
  CHECK(registry.counter_total("jobs_total") == 6);
  registry.remove_owner("a#2");
  CHECK(registry.counter_total("jobs_total") == 0);
  CHECK(defined(registry, "com.example.a", wanted, "a#3").counter->value() == 0);
}

TEST_CASE("a series that the host wants for itself stays") {
  Registry registry;
  registry.counter(kJobs, {}, "a#1").add();
  registry.counter(kJobs).add();
  registry.remove_owner("a#1");
  CHECK(registry.counter_total("test_jobs_total") == 2);
  registry.counter(kJobs, {}, "a#2");
  registry.remove_owner("a#2");
  registry.remove_owner("");
  CHECK(registry.counter_total("test_jobs_total") == 2);
}

TEST_CASE("callbacks are asked at each reading") {
  Registry registry;
  double level = 1;
  registry.add_callback(
      kDepth, {{"plugin", "p"}}, [&level] { return level; }, "a#1");
  registry.add_callback("test_other", "Other.", {}, [] { return 7.0; });
  CHECK_THAT(text_of(registry),
             ContainsSubstring("test_depth{plugin=\"p\"} 1\n") && ContainsSubstring("test_other 7\n"));
  level = 2.5;
  CHECK_THAT(text_of(registry), ContainsSubstring("test_depth{plugin=\"p\"} 2.5\n"));
  registry.add_callback(
      kDepth, {{"plugin", "p"}}, [] { return 9.0; }, "a#2");
  CHECK_THAT(text_of(registry), ContainsSubstring("test_depth{plugin=\"p\"} 9\n"));
  registry.remove_owner("a#1");
  CHECK_THAT(text_of(registry), ContainsSubstring("test_depth{plugin=\"p\"} 9\n"));
  registry.remove_owner("a#2");
  CHECK_THAT(text_of(registry), !ContainsSubstring("test_depth"));
}

TEST_CASE("a callback that throws costs only its own value") {
  Registry registry;
  registry.add_callback("test_bad", "", {}, []() -> double { throw std::runtime_error("no"); });
  registry.gauge(kDepth).set(3);
  CHECK_THAT(text_of(registry), ContainsSubstring("test_bad NaN\n") && ContainsSubstring("test_depth 3\n"));
}

TEST_CASE("when remove_owner returns, no callback of the owner runs or will run") {
  Registry registry;
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) (void)text_of(registry);
  });
  for (int i = 0; i < 200; ++i) {
    auto alive = std::make_unique<std::atomic<int>>(1);
    registry.add_callback(
        "test_level", "", {}, [value = alive.get()] { return static_cast<double>(value->load()); }, "a");
    registry.remove_owner("a");
    alive.reset();  // AddressSanitizer sees a callback that comes later
  }
  stop = true;
  reader.join();
  CHECK_THAT(text_of(registry), !ContainsSubstring("test_level"));
}

TEST_CASE("what is new is taken up before each reading") {
  Registry registry;
  int readings = 0;
  registry.gauge(kDepth, {}, "gone").set(3);
  registry.before_collect([&] {
    registry.counter(kJobs).add();
    registry.add_callback("test_level", "", {}, [level = ++readings] { return static_cast<double>(level); });
    registry.remove_owner("gone");
  });
  CHECK_THAT(text_of(registry), ContainsSubstring("test_jobs_total 1\n") && ContainsSubstring("test_level 1\n") &&
                                    !ContainsSubstring("test_depth"));
  CHECK_THAT(text_of(registry), ContainsSubstring("test_jobs_total 2\n") && ContainsSubstring("test_level 2\n"));
}

TEST_CASE("a callback may use the registry for counting and defining") {
  Registry registry;
  registry.add_callback("test_level", "", {}, [&registry] {
    registry.counter(kJobs).add();
    return 1.0;
  });
  (void)text_of(registry);
  (void)text_of(registry);
  CHECK(registry.counter_total("test_jobs_total") == 2);
}
