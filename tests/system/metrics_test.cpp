// The metrics of the real host, read as Prometheus reads them.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>

#include "tests/host/observe/exposition_reader.hpp"
#include "tests/system/host_process.hpp"

using namespace nexus::system_test;
using nexus::cbor::Value;
using nexus::test::Exposition;

namespace {

const fs::path kTree = TREE_PLUGINS;

// The sum over all series of a family.
double sum_of(const Exposition& exposition, std::string_view name) {
  double sum = 0;
  for (const auto& sample : exposition.samples)
    if (sample.name == name) sum += sample.value;
  return sum;
}

const nexus::test::ExpositionSample* processed(const Exposition& exposition, std::string_view type) {
  const auto found = std::find_if(exposition.samples.begin(), exposition.samples.end(), [&](const auto& sample) {
    return sample.name == "nexus_events_processed_total" && sample.labels.contains("event_type") &&
           sample.labels.at("event_type") == type;
  });
  return found == exposition.samples.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("what the host exposes is valid, and says what happened") {
  Host host;
  host.add_plugin(kTree / "hello.so");
  host.add_plugin(kTree / "orders.so");
  host.start();
  std::string greetings;
  for (int i = 0; i < 20; ++i) greetings += "{\"name\": \"Ada\"}\n";
  CHECK(host.nexus({"emit", "hello.greet", "--send-on", "newline"}, greetings).status == 0);
  host.wait_for_stat([](const Value& stat) { return stat.at("deliveries").at("handled").get<int>() == 20; });
  // The first reading has the new type already.
  const Outcome text = host.nexus({"stat", "--metrics", "prometheus"});
  REQUIRE(text.status == 0);
  const Exposition exposition = nexus::test::read_exposition(text.output);
  const nexus::test::ExpositionSample* greeted = processed(exposition, "hello.greet");
  CHECK(exposition.complaint_text() == "");
  CHECK(sum_of(exposition, "nexus_events_emitted_total") >= 40);
  REQUIRE(greeted != nullptr);
  CHECK(greeted->value == 20);
  CHECK(sum_of(exposition, "nexus_active_subscriptions") > 1);

  const Outcome open = host.nexus({"stat", "--metrics", "openmetrics"});
  CHECK(open.output.ends_with("# EOF\n"));
  CHECK(host.stop() == 0);
}
