// Timers, metrics, data, control and the log as a plugin calls them.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <future>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "host/plugin/lifecycle_call.hpp"
#include "tests/host/plugin/bridge_rig.hpp"
#include "tests/host/plugin/folder.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

nexus_metric_options options_of(uint32_t kind, std::string_view name) {
  nexus_metric_options options{};
  options.size = sizeof options;
  options.kind = kind;
  options.name = abi(name);
  return options;
}

Answer define(const nexus_metrics& metrics, const nexus_metric_options& options, nexus_handle* handle = nullptr) {
  nexus_handle unused = 0;
  return answer([&](nexus_error* error) {
    return metrics.define(metrics.ctx, &options, handle != nullptr ? handle : &unused, error);
  });
}

}  // namespace

TEST_CASE("a metric that is defined again has the same handle, among thousands of others") {
  BridgeRig rig;
  const auto& metrics = *rig.query<nexus_metrics>(NEXUS_METRICS_ID);
  // As many as a plugin may have, half of them families of their own: comparing each with all others would show.
  constexpr size_t kCount = 10'000;
  std::vector<nexus_handle> handles(kCount);
  for (const bool again : {false, true}) {
    for (size_t i = 0; i < kCount; ++i) {
      const std::string number = std::to_string(i);
      const std::string name = i % 2 == 0 ? "jobs" : "jobs_" + number;
      const nexus_label label{abi("number"), abi(number)};
      nexus_metric_options options =
          options_of(i % 3 == 0 && i % 2 == 1 ? NEXUS_METRIC_HISTOGRAM : NEXUS_METRIC_GAUGE, name);
      options.labels = &label;
      options.label_count = 1;
      nexus_handle handle = 0;
      REQUIRE(define(metrics, options, &handle).code == NEXUS_OK);
      if (!again) handles[i] = handle;
      REQUIRE(handle == handles[i]);
    }
  }
  std::sort(handles.begin(), handles.end());
  CHECK(std::adjacent_find(handles.begin(), handles.end()) == handles.end());
  CHECK(define(metrics, options_of(NEXUS_METRIC_GAUGE, "one_more")).says(NEXUS_E_TOO_LARGE, "10000"));
}

TEST_CASE("values go to the metric that was defined") {
  BridgeRig rig;
  const auto& metrics = *rig.query<nexus_metrics>(NEXUS_METRICS_ID);
  nexus_handle counter = 0, gauge = 0, histogram = 0;
  REQUIRE(define(metrics, options_of(NEXUS_METRIC_COUNTER, "jobs_total"), &counter).code == NEXUS_OK);
  REQUIRE(define(metrics, options_of(NEXUS_METRIC_GAUGE, "level"), &gauge).code == NEXUS_OK);
  const double bounds[] = {1, 10};
  nexus_metric_options options = options_of(NEXUS_METRIC_HISTOGRAM, "size");
  options.bounds = bounds;
  options.bound_count = 2;
  REQUIRE(define(metrics, options, &histogram).code == NEXUS_OK);
  CHECK(metrics.record(metrics.ctx, counter, 2) == NEXUS_OK);
  CHECK(metrics.record(metrics.ctx, counter, -1) == NEXUS_E_ARGUMENT);
  CHECK(metrics.record(metrics.ctx, counter, std::numeric_limits<double>::quiet_NaN()) == NEXUS_E_ARGUMENT);
  CHECK(metrics.set(metrics.ctx, counter, 1) == NEXUS_E_ARGUMENT);
  CHECK(metrics.set(metrics.ctx, gauge, 5) == NEXUS_OK);
  CHECK(metrics.record(metrics.ctx, gauge, -2) == NEXUS_OK);
  CHECK(metrics.record(metrics.ctx, histogram, 3) == NEXUS_OK);
  for (const nexus_handle wrong : {nexus_handle{0}, histogram + 1, std::numeric_limits<nexus_handle>::max()})
    CHECK(metrics.record(metrics.ctx, wrong, 1) == NEXUS_E_HANDLE);
  std::string text;
  CHECK(metrics.expose(metrics.ctx, 0, append, &text) == NEXUS_OK);
  CHECK(text.find("jobs_total{plugin=\"com.test.bridge\"} 2\n") != std::string::npos);
  CHECK(text.find("level{plugin=\"com.test.bridge\"} 3\n") != std::string::npos);
  CHECK(text.find("size_bucket{plugin=\"com.test.bridge\",le=\"10\"} 1\n") != std::string::npos);
  CHECK(metrics.expose(metrics.ctx, 2, append, &text) == NEXUS_E_ARGUMENT);
  CHECK(metrics.expose(metrics.ctx, 0, nullptr, &text) == NEXUS_E_ARGUMENT);
}

TEST_CASE("a metric that cannot be is refused with what is wrong about it") {
  BridgeRig rig;
  const auto& metrics = *rig.query<nexus_metrics>(NEXUS_METRICS_ID);
  const auto refused = [&](auto change) {
    nexus_metric_options options = options_of(NEXUS_METRIC_HISTOGRAM, "size");
    change(options);
    return define(metrics, options);
  };
  using Options = nexus_metric_options;
  const std::vector<nexus_label> labels(9, nexus_label{abi("a"), abi("b")});
  const std::vector<double> bounds(65, 1.0);
  CHECK(refused([](Options& o) { o.size = 71; }).says(NEXUS_E_ARGUMENT, "size"));
  CHECK(refused([](Options& o) { o.kind = 3; }).says(NEXUS_E_ARGUMENT, "kind"));
  CHECK(refused([](Options& o) { o.name = {nullptr, 1}; }).says(NEXUS_E_ARGUMENT, "null"));
  CHECK(refused([](Options& o) { o.name = abi("a-b"); }).says(NEXUS_E_ARGUMENT, "name"));
  CHECK(refused([](Options& o) { o.name = abi("nexus_mine"); }).says(NEXUS_E_ARGUMENT, "host's"));
  CHECK(refused([](Options& o) { o.help = abi("\xff"); }).says(NEXUS_E_UTF8, "help"));
  CHECK(refused([](Options& o) { o.label_count = 1; }).says(NEXUS_E_ARGUMENT, "null"));
  CHECK(refused([&](Options& o) { o.labels = labels.data(), o.label_count = 9; }).says(NEXUS_E_ARGUMENT, "8"));
  CHECK(refused([&](Options& o) { o.labels = labels.data(), o.label_count = 2; }).says(NEXUS_E_ARGUMENT, "twice"));
  CHECK(refused([&](Options& o) { o.bounds = bounds.data(), o.bound_count = 65; }).says(NEXUS_E_ARGUMENT, "64"));
  CHECK(refused([&](Options& o) { o.bounds = bounds.data(), o.bound_count = 2; }).says(NEXUS_E_ARGUMENT, "above"));
  nexus_handle handle = 0;
  CHECK(metrics.define(metrics.ctx, nullptr, &handle, nullptr) == NEXUS_E_ARGUMENT);
  CHECK(handle == 0);
}

TEST_CASE("bad CBOR, JSON, patterns and types are told apart") {
  BridgeRig rig;
  const auto& data = *rig.query<nexus_data>(NEXUS_DATA_ID);
  std::string out;
  const auto to_json = [&](std::string_view cbor) {
    return answer([&](nexus_error* error) { return data.cbor_to_json(data.ctx, bytes(cbor), append, &out, error); });
  };
  const auto to_cbor = [&](std::string_view json) {
    return answer([&](nexus_error* error) { return data.json_to_cbor(data.ctx, abi(json), append, &out, error); });
  };
  CHECK(to_json("").says(NEXUS_E_CBOR, "cut short"));
  CHECK(to_json("\xff").code == NEXUS_E_CBOR);
  CHECK(to_json("\x62\xc3(").says(NEXUS_E_CBOR, "UTF-8"));
  CHECK(to_json(std::string(10'000, '\x81')).says(NEXUS_E_CBOR, "nested"));
  CHECK(to_json("\xa1\xa0\x01").says(NEXUS_E_CBOR, "key"));
  CHECK(to_json("\x9b\x7f\xff\xff\xff\xff\xff\xff\xff").code == NEXUS_E_CBOR);
  CHECK(to_cbor("").code == NEXUS_E_JSON);
  CHECK(to_cbor("{").code == NEXUS_E_JSON);
  CHECK(to_cbor("{\"a\":1,}").code == NEXUS_E_JSON);
  CHECK_FALSE(to_cbor(std::string(10'000, '[')).sentence.empty());
  CHECK_FALSE(to_cbor("\"\xff\"").sentence.empty());
  CHECK(out.empty());
  CHECK(data.cbor_to_json(data.ctx, {nullptr, 1}, append, &out, nullptr) == NEXUS_E_ARGUMENT);
  CHECK(data.cbor_to_json(data.ctx, bytes("\x01"), nullptr, &out, nullptr) == NEXUS_E_ARGUMENT);
  CHECK(data.event_to_json(data.ctx, nullptr, append, &out, nullptr) == NEXUS_E_ARGUMENT);
  CHECK(data.cbor_check(data.ctx, bytes("\x01"), nullptr) == NEXUS_OK);
  CHECK(data.cbor_check(data.ctx, bytes("\x01\x01"), nullptr) == NEXUS_E_CBOR);
  CHECK(data.pattern_matches(data.ctx, abi("a.*"), abi("a.b")) == 1);
  CHECK(data.pattern_matches(data.ctx, abi("a.*"), abi("b.a")) == 0);
  CHECK(data.pattern_matches(data.ctx, abi("a*"), abi("a.b")) == NEXUS_E_PATTERN);
  CHECK(data.pattern_matches(data.ctx, abi("a.*"), abi("a.*")) == NEXUS_E_TYPE_NAME);
  CHECK(data.pattern_matches(data.ctx, {nullptr, 1}, abi("a")) == NEXUS_E_ARGUMENT);
}

TEST_CASE("a granted plugin reaches the control surface under its own id") {
  PluginSettings settings;
  settings.permissions.control = true;
  BridgeRig rig(settings);
  const auto* control = rig.query<nexus_control>(NEXUS_CONTROL_ID);
  REQUIRE(control != nullptr);
  std::string out;
  CHECK(control->call(control->ctx, abi("stat"), bytes("\xa0"), append, &out, nullptr) == NEXUS_OK);
  CHECK(out == "\xa0");
  CHECK(rig.called == "com.test.bridge stat");
  CHECK(answer([&](nexus_error* error) {
          return control->call(control->ctx, abi("unknown"), {}, append, &out, error);
        }).says(NEXUS_E_UNKNOWN, "unknown"));
  CHECK(control->call(control->ctx, {nullptr, 1}, {}, append, &out, nullptr) == NEXUS_E_ARGUMENT);
  CHECK(control->call(control->ctx, abi("stat"), {}, nullptr, &out, nullptr) == NEXUS_E_ARGUMENT);
}

TEST_CASE("timers and tasks run in the mailbox, and what is cancelled does not") {
  BridgeRig rig;
  const auto& timer = *rig.query<nexus_timer>(NEXUS_TIMER_ID);
  std::promise<void> ran;
  const nexus_task_fn task = [](void* user) { static_cast<std::promise<void>*>(user)->set_value(); };
  nexus_handle handle = 0, never = 0;
  CHECK(timer.after(timer.ctx, 0, nullptr, nullptr, &handle) == NEXUS_E_ARGUMENT);
  CHECK(timer.after(timer.ctx, 0, task, &ran, nullptr) == NEXUS_E_ARGUMENT);
  CHECK(timer.after(timer.ctx, -5, task, &ran, &handle) == NEXUS_OK);
  CHECK(timer.after(timer.ctx, std::numeric_limits<int64_t>::max(), task, &ran, &never) == NEXUS_OK);
  static_cast<void>(rig.bus->timers().run_due(rig.bus->clock().monotonic_ns()));
  CHECK(ran.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  CHECK(timer.cancel(timer.ctx, handle) == NEXUS_E_HANDLE);
  CHECK(timer.cancel(timer.ctx, never) == NEXUS_OK);
  CHECK(timer.cancel(timer.ctx, never) == NEXUS_E_HANDLE);
  CHECK(timer.cancel(timer.ctx, 0) == NEXUS_E_HANDLE);
  // A task that throws is the plugin's fault, and ends there.
  std::promise<void> after;
  const nexus_bus& bus = *rig.abi_bus;
  CHECK(bus.post(
            bus.ctx, [](void*) { throw 1; }, nullptr) == NEXUS_OK);
  CHECK(bus.post(bus.ctx, task, &after) == NEXUS_OK);
  CHECK(after.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
}

TEST_CASE("a log line with whatever arguments harms nobody") {
  BridgeRig rig;
  const nexus_host& host = *rig.host;
  log::Options options;
  options.level = log::Level::error;
  options.file = "/dev/null";
  REQUIRE(log::init(options));
  CHECK(host.log_enabled(host.ctx, NEXUS_LOG_ERROR) == 1);
  CHECK(host.log_enabled(host.ctx, NEXUS_LOG_INFO) == 0);
  const nexus_log_field fields[] = {{abi("good"), abi("\xff\x01")}, {{nullptr, 7}, abi("x")}, {abi("x"), {nullptr, 7}}};
  for (const int32_t level : {-7, 0, 4, 99}) host.log(host.ctx, level, abi("text"), fields, 3);
  host.log(host.ctx, NEXUS_LOG_ERROR, {nullptr, 3}, nullptr, 0);
  host.log(host.ctx, NEXUS_LOG_ERROR, abi("text"), nullptr, 3);
  log::shutdown();
  host.request_stop(host.ctx, {nullptr, 3});
  CHECK(rig.stop_reason == "com.test.bridge: ");
}

TEST_CASE("a plugin has a folder of its own for its files") {
  const Folder folder;
  BridgeRig rig(PluginSettings{}, folder.path() / "plugin-data");
  std::string text;
  const auto ask = [&](const nexus_host& host) {
    return answer([&](nexus_error* error) {
      const nexus_string found = host.data_folder(host.ctx, error);
      text.assign(found.data == nullptr ? "" : found.data, found.size);
      return text.empty() ? error->code : NEXUS_OK;
    });
  };
  const fs::path mine = folder.path() / "plugin-data" / "com.test.bridge";
  SECTION("made at the first call, kept after") {
    CHECK_FALSE(fs::exists(mine));
    REQUIRE(ask(*rig.host).code == NEXUS_OK);
    CHECK(text == mine.string());
    CHECK(fs::status(mine).permissions() == fs::perms::owner_all);
    std::ofstream(mine / "state") << "kept";
    const auto successor = rig.make("com.test.bridge");
    REQUIRE(ask(*successor->abi()).code == NEXUS_OK);
    CHECK(text == mine.string());
    CHECK(fs::exists(mine / "state"));
  }
  SECTION("tried again after it could not be made") {
    fs::create_directories(mine.parent_path());
    std::ofstream(mine) << "in the way";
    const Answer refused = ask(*rig.host);
    CHECK(refused.code == NEXUS_E_IO);
    CHECK(refused.sentence.find("com.test.bridge") != std::string::npos);
    fs::remove(mine);
    CHECK(ask(*rig.host).code == NEXUS_OK);
  }
  SECTION("not after the end") {
    rig.instance->revoke();
    CHECK(ask(*rig.host).code == NEXUS_E_HANDLE);
    CHECK_FALSE(fs::exists(mine));
  }
  SECTION("none where the host keeps none") {
    const BridgeRig without;
    CHECK(ask(*without.host).code == NEXUS_E_UNSUPPORTED);
  }
}

TEST_CASE("a thread is told what it is: its own, a worker, or inside a function of a module") {
  BridgeRig rig;
  const auto kind = [&] { return rig.host->thread_kind(rig.host->ctx); };
  CHECK(kind() == NEXUS_THREAD_OWN);
  {
    const LifecycleCall outer;
    { const LifecycleCall inner; }
    CHECK(kind() == NEXUS_THREAD_CONTROL);
    uint32_t elsewhere = 99;
    std::thread([&] { elsewhere = kind(); }).join();
    CHECK(elsewhere == NEXUS_THREAD_OWN);
  }
  CHECK(kind() == NEXUS_THREAD_OWN);
  struct Probe {
    const nexus_host* host;
    std::promise<uint32_t> seen;
  } probe{rig.host, {}};
  const auto task = [](void* user) {
    auto& asked = *static_cast<Probe*>(user);
    asked.seen.set_value(asked.host->thread_kind(asked.host->ctx));
  };
  REQUIRE(rig.abi_bus->post(rig.abi_bus->ctx, task, &probe) == NEXUS_OK);
  CHECK(probe.seen.get_future().get() == NEXUS_THREAD_WORKER);
}
