// What a plugin may pass to "nexus.bus/1" and what it may not: each refusal has its code and a sentence that says what
// is wrong, and the bus goes on.
#include <array>
#include <limits>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "tests/host/plugin/bridge_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

nexus_emit_options emit_options() {
  nexus_emit_options options{};
  options.size = sizeof options;
  return options;
}

nexus_subscribe_options subscribe_options() {
  nexus_subscribe_options options{};
  options.size = sizeof options;
  return options;
}

// The last test of a rig: after all that was refused an ordinary event still goes through.
void check_goes_on(BridgeRig& rig) {
  uint64_t type = 0;
  REQUIRE(rig.intern("after.all", &type).code == NEXUS_OK);
  REQUIRE(rig.subscribe("after.*").code == NEXUS_OK);
  const uint64_t handled = rig.bus->totals().deliveries.handled;
  CHECK(rig.emit(type, nullptr, bytes("\x01")).code == NEXUS_OK);
  REQUIRE(rig.bus->drain_all(std::numeric_limits<int64_t>::max()));
  CHECK(rig.bus->totals().deliveries.handled == handled + 1);
}

}  // namespace

TEST_CASE("a type that cannot be emitted is refused with what is wrong about it") {
  BridgeRig rig;
  const std::string longest(255, 'a');
  CHECK(rig.intern(longest).code == NEXUS_OK);
  CHECK(rig.intern(longest + "a").says(NEXUS_E_TYPE_NAME, "256"));
  CHECK(rig.intern("").says(NEXUS_E_TYPE_NAME, "empty"));
  CHECK(rig.intern("order.*").says(NEXUS_E_TYPE_NAME, "*"));
  CHECK(rig.intern("order..created").says(NEXUS_E_TYPE_NAME, "segment"));
  for (const char* name : {"Order.created", "order created", "order.\xff", ".order", "order.", "*", "or\u00e9"}) {
    INFO(name);
    const Answer refused = rig.intern(name);
    CHECK(refused.code == NEXUS_E_TYPE_NAME);
    CHECK_FALSE(refused.sentence.empty());
  }
  CHECK(rig.intern("system.started").says(NEXUS_E_RESERVED, "system.started"));
  CHECK(rig.intern("plugin.error").says(NEXUS_E_RESERVED, "plugin.error"));
  const nexus_bus& bus = *rig.abi_bus;
  uint64_t handle = 0;
  CHECK(answer([&](nexus_error* error) {
          return bus.intern(bus.ctx, {nullptr, 3}, &handle, error);
        }).says(NEXUS_E_ARGUMENT, "null"));
  CHECK(answer([&](nexus_error* error) {
          return bus.intern(bus.ctx, abi("a.b"), nullptr, error);
        }).says(NEXUS_E_ARGUMENT, "null"));
  check_goes_on(rig);
}

TEST_CASE("an emit by a number that is no type of this plugin is refused") {
  BridgeRig rig;
  for (const uint64_t type : {uint64_t{0}, uint64_t{4711}, std::numeric_limits<uint64_t>::max()}) {
    const Answer refused = rig.emit(type, nullptr);
    CHECK(refused.code == NEXUS_E_HANDLE);
    CHECK_FALSE(refused.sentence.empty());
  }
  check_goes_on(rig);
}

TEST_CASE("emit options of another size are read with care") {
  BridgeRig rig;
  uint64_t type = 0;
  REQUIRE(rig.intern("a.b", &type).code == NEXUS_OK);
  struct {
    nexus_emit_options known;
    uint64_t tail;
  } newer{emit_options(), 0};
  newer.known.size = sizeof newer;
  CHECK(rig.emit(type, &newer.known).code == NEXUS_OK);
  newer.tail = 1;
  CHECK(rig.emit(type, &newer.known).says(NEXUS_E_ARGUMENT, "does not know"));
  nexus_emit_options options = emit_options();
  for (const uint32_t size : {0u, 1u, 199u}) {
    options.size = size;
    CHECK(rig.emit(type, &options).says(NEXUS_E_ARGUMENT, "size"));
  }
  options.size = 200;
  CHECK(rig.emit(type, &options).code == NEXUS_OK);
  check_goes_on(rig);
}

TEST_CASE("emit options that cannot be are refused with what is wrong about them") {
  BridgeRig rig;
  uint64_t type = 0;
  REQUIRE(rig.intern("a.b", &type).code == NEXUS_OK);
  const std::string too_long(1025, 'x');
  const auto refused = [&](auto change) {
    nexus_emit_options options = emit_options();
    change(options);
    return rig.emit(type, &options);
  };
  using Options = nexus_emit_options;
  CHECK(refused([&](Options& o) { o.key = {too_long.data(), 256}; }).says(NEXUS_E_ARGUMENT, "key"));
  CHECK(refused([&](Options& o) { o.subject = abi(too_long); }).says(NEXUS_E_ARGUMENT, "subject"));
  CHECK(refused([&](Options& o) { o.correlation_id = {too_long.data(), 256}; }).says(NEXUS_E_ARGUMENT, "correlation"));
  CHECK(refused([&](Options& o) { o.key = abi("\xc3("); }).says(NEXUS_E_ARGUMENT, "UTF-8"));
  CHECK(refused([&](Options& o) { o.subject = abi("\xed\xa0\x80"); }).says(NEXUS_E_ARGUMENT, "UTF-8"));
  CHECK(refused([&](Options& o) { o.correlation_id = abi("\xff"); }).says(NEXUS_E_ARGUMENT, "UTF-8"));
  CHECK(refused([&](Options& o) { o.subject = {nullptr, 1}; }).says(NEXUS_E_ARGUMENT, "null"));
  CHECK(refused([&](Options& o) { o.metadata = {nullptr, 1}; }).says(NEXUS_E_ARGUMENT, "null"));
  CHECK(refused([&](Options& o) { o.metadata = bytes("\x01"); }).says(NEXUS_E_ARGUMENT, "map"));
  CHECK(refused([&](Options& o) { o.metadata = bytes("\xa1\x61\x61"); }).says(NEXUS_E_ARGUMENT, "CBOR"));
  CHECK(refused([&](Options& o) { o.data_format = 4; }).says(NEXUS_E_ARGUMENT, "format"));
  CHECK(refused([&](Options& o) { o.flags = 1u << 31; }).says(NEXUS_E_ARGUMENT, "flag"));
  CHECK(refused([&](Options& o) { o.flags = NEXUS_EMIT_FORWARD; }).says(NEXUS_E_PERMISSION, "forward"));
  CHECK(rig.bus->totals().accepted == 0);
  check_goes_on(rig);
}

TEST_CASE("the size of an event has an exact limit") {
  BridgeRig rig;
  uint64_t type = 0;
  REQUIRE(rig.intern("a.b", &type).code == NEXUS_OK);
  const std::string data(1001, 'x');
  CHECK(rig.emit(type, nullptr, {bytes(data).data, 1000}).code == NEXUS_OK);
  CHECK(rig.emit(type, nullptr, {bytes(data).data, 1001}).says(NEXUS_E_TOO_LARGE, "1000"));
  CHECK(rig.emit(type, nullptr, {bytes(data).data, std::numeric_limits<uint64_t>::max()}).code == NEXUS_E_TOO_LARGE);
  CHECK(rig.emit(type, nullptr, {nullptr, 1}).says(NEXUS_E_ARGUMENT, "null"));
  check_goes_on(rig);
}

TEST_CASE("a batch stops at the first event that is not accepted") {
  BridgeRig rig;
  uint64_t type = 0;
  REQUIRE(rig.intern("a.b", &type).code == NEXUS_OK);
  const nexus_bus& bus = *rig.abi_bus;
  nexus_emit_options short_one = emit_options();
  short_one.size = 8;
  nexus_emit_options older = emit_options();
  older.size = 200;
  const std::array<const nexus_emit_options*, 2> first_ones = {nullptr, &older};
  for (const nexus_emit_options* first : first_ones) {
    const nexus_emit_item items[] = {{type, first, bytes("a")}, {type, &short_one, bytes("b")}, {type, first, {}}};
    uint64_t accepted = 99;
    CHECK(answer([&](nexus_error* error) {
            return bus.emit_batch(bus.ctx, items, 3, &accepted, nullptr, error);
          }).says(NEXUS_E_ARGUMENT, "size"));
    CHECK(accepted == 1);
  }
  uint64_t accepted = 99;
  CHECK(bus.emit_batch(bus.ctx, nullptr, 2, &accepted, nullptr, nullptr) == NEXUS_E_ARGUMENT);
  CHECK(accepted == 0);
  CHECK(bus.emit_batch(bus.ctx, nullptr, 0, nullptr, nullptr, nullptr) == NEXUS_OK);
  check_goes_on(rig);
}

TEST_CASE("a subscription that cannot be is refused with what is wrong about it") {
  BridgeRig rig;
  CHECK(rig.subscribe("").says(NEXUS_E_PATTERN, "empty"));
  CHECK(rig.subscribe("order*").code == NEXUS_E_PATTERN);
  CHECK(rig.subscribe(std::string(256, 'a')).says(NEXUS_E_PATTERN, "256"));
  CHECK(rig.subscribe("or\xff").code == NEXUS_E_PATTERN);
  const auto refused = [&](auto change) {
    nexus_subscribe_options options = subscribe_options();
    change(options);
    return rig.subscribe("a.b", &options);
  };
  using Options = nexus_subscribe_options;
  CHECK(refused([](Options& o) { o.size = 87; }).says(NEXUS_E_ARGUMENT, "size"));
  CHECK(refused([](Options& o) { o.flags = 1u << 30; }).says(NEXUS_E_ARGUMENT, "flag"));
  CHECK(refused([](Options& o) { o.name = {nullptr, 4}; }).says(NEXUS_E_ARGUMENT, "null"));
  CHECK_FALSE(refused([](Options& o) { o.name = abi("with space"); }).sentence.empty());
  CHECK(refused([](Options& o) { o.filter_text = abi("\xff"); }).says(NEXUS_E_UTF8, "filter_text"));
  CHECK(refused([](Options& o) { o.concurrency = 3; }).code == NEXUS_E_ARGUMENT);
  const nexus_bus& bus = *rig.abi_bus;
  nexus_handle handle = 0;
  CHECK(bus.subscribe(bus.ctx, abi("a.b"), nullptr, nullptr, nullptr, &handle, nullptr) == NEXUS_E_ARGUMENT);
  CHECK(rig.instance->stats().subscriptions == 0);
  check_goes_on(rig);
}

TEST_CASE("what the config does not grant is refused with what to add to it") {
  CHECK(BridgeRig().subscribe("*").says(NEXUS_E_PERMISSION, "subscribe = [\"*\"]"));
  CHECK(BridgeRig().subscribe("**").code == NEXUS_E_PERMISSION);
  PluginSettings settings;
  settings.permissions.emit = std::vector<std::string>{"order.*"};
  settings.permissions.subscribe = std::vector<std::string>{"user.*", "*.error"};
  BridgeRig rig(settings);
  CHECK(rig.intern("order.created").code == NEXUS_OK);
  CHECK(rig.intern("user.created").says(NEXUS_E_PERMISSION, "user.created"));
  CHECK(rig.subscribe("user.created").code == NEXUS_OK);
  CHECK(rig.subscribe("user.*").code == NEXUS_OK);
  CHECK(rig.subscribe("order.created").says(NEXUS_E_PERMISSION, "com.test.bridge"));
  CHECK(rig.subscribe("*").code == NEXUS_E_PERMISSION);
  CHECK(rig.subscribe("u.**").code == NEXUS_E_PERMISSION);
}

TEST_CASE("a handle of another instance, or one that is closed, is an error") {
  BridgeRig rig;
  const std::unique_ptr<InstanceHost> other = rig.make("com.test.other");
  const nexus_host& host = *other->abi();
  const auto& others = *static_cast<const nexus_bus*>(host.query(host.ctx, NEXUS_BUS_ID));
  nexus_handle handle = 0;
  REQUIRE(rig.subscribe("a.b", nullptr, &handle).code == NEXUS_OK);
  CHECK(others.unsubscribe(others.ctx, handle) == NEXUS_E_HANDLE);
  const nexus_bus& bus = *rig.abi_bus;
  CHECK(bus.unsubscribe(bus.ctx, handle) == NEXUS_OK);
  CHECK(bus.unsubscribe(bus.ctx, handle) == NEXUS_E_HANDLE);
  CHECK(bus.unsubscribe(bus.ctx, 0) == NEXUS_E_HANDLE);
  CHECK(bus.complete(bus.ctx, 4711, NEXUS_DONE, nullptr) == NEXUS_E_HANDLE);
  CHECK(bus.cancel(bus.ctx, 4711) == NEXUS_E_HANDLE);
  CHECK(bus.post(bus.ctx, nullptr, nullptr) == NEXUS_E_ARGUMENT);
  check_goes_on(rig);
}

TEST_CASE("what a paused instance unsubscribes takes effect when it goes on") {
  BridgeRig rig;
  const nexus_bus& bus = *rig.abi_bus;
  const int64_t soon = rig.bus->clock().unix_ns() + 60'000'000'000;
  uint64_t type = 0;
  nexus_handle handle = 0;
  REQUIRE(rig.intern("a.b", &type).code == NEXUS_OK);
  REQUIRE(rig.subscribe("a.b", nullptr, &handle).code == NEXUS_OK);
  REQUIRE(rig.instance->pause(soon));
  CHECK(bus.unsubscribe(bus.ctx, handle + 1) == NEXUS_E_HANDLE);
  CHECK(bus.unsubscribe(bus.ctx, handle) == NEXUS_OK);
  CHECK(bus.unsubscribe(bus.ctx, handle) == NEXUS_E_HANDLE);
  CHECK(rig.emit(type, nullptr).code == NEXUS_OK);
  CHECK(rig.bus->totals().waiting == 1);
  rig.instance->resume();
  REQUIRE(rig.bus->drain_all(std::numeric_limits<int64_t>::max()));
  CHECK(rig.bus->totals().deliveries.handled == 0);
  CHECK(rig.bus->totals().deliveries.discarded == 1);
  CHECK(bus.unsubscribe(bus.ctx, handle) == NEXUS_E_HANDLE);
  CHECK(rig.instance->stats().subscriptions == 0);
}

TEST_CASE("events that come between the end of an instance and its successor are the successor's") {
  BridgeRig rig;
  const nexus_bus& bus = *rig.abi_bus;
  const int64_t soon = rig.bus->clock().unix_ns() + 60'000'000'000;
  const std::unique_ptr<InstanceHost> emitter = rig.make("com.test.emitter");
  const auto& emits = *static_cast<const nexus_bus*>(emitter->abi()->query(emitter->abi()->ctx, NEXUS_BUS_ID));
  emitter->activate();
  uint64_t type = 0;
  REQUIRE(emits.intern(emits.ctx, abi("a.b"), &type, nullptr) == NEXUS_OK);
  nexus_handle handle = 0;
  REQUIRE(rig.subscribe("a.b", nullptr, &handle).code == NEXUS_OK);
  REQUIRE(rig.instance->pause(soon));
  REQUIRE(bus.unsubscribe(bus.ctx, handle) == NEXUS_OK);
  CHECK(emits.emit(emits.ctx, type, nullptr, {}, nullptr, nullptr) == NEXUS_OK);

  std::unique_ptr<InstanceHost> successor = rig.make("com.test.bridge");
  const auto& next = *static_cast<const nexus_bus*>(successor->abi()->query(successor->abi()->ctx, NEXUS_BUS_ID));
  const auto handler = [](void*, const nexus_delivery*, nexus_outcome*) -> int32_t { return NEXUS_DONE; };
  REQUIRE(next.subscribe(next.ctx, abi("a.b"), nullptr, handler, nullptr, &handle, nullptr) == NEXUS_OK);
  const auto moved = rig.instance->hand_over_to(*successor);
  REQUIRE(moved.has_value());
  CHECK(*moved == 1);
  successor->activate();
  REQUIRE(rig.bus->drain_all(std::numeric_limits<int64_t>::max()));
  CHECK(rig.bus->totals().deliveries.handled == 1);
  CHECK(rig.bus->totals().deliveries.discarded == 0);
}

TEST_CASE("an unknown interface is null, and one that is not granted, too") {
  BridgeRig rig;
  CHECK(rig.query<void>("nexus.bus/2") == nullptr);
  CHECK(rig.query<void>("") == nullptr);
  CHECK(rig.query<void>(nullptr) == nullptr);
  CHECK(rig.query<void>(NEXUS_CONTROL_ID) == nullptr);
  CHECK(rig.query<void>(NEXUS_DATA_ID) != nullptr);
  CHECK(rig.host->query_plugin(rig.host->ctx, abi("com.test.other"), "x/1") == nullptr);
  CHECK(rig.host->query_plugin(rig.host->ctx, {nullptr, 5}, "x/1") == nullptr);
  CHECK(rig.host->query_plugin(rig.host->ctx, abi("com.test.other"), nullptr) == nullptr);
}

TEST_CASE("a call after the instance was taken down is an error, not a crash") {
  PluginSettings settings;
  settings.permissions.control = true;
  BridgeRig rig(settings);
  const auto& timer = *rig.query<nexus_timer>(NEXUS_TIMER_ID);
  const auto& metrics = *rig.query<nexus_metrics>(NEXUS_METRICS_ID);
  const auto& data = *rig.query<nexus_data>(NEXUS_DATA_ID);
  const auto& control = *rig.query<nexus_control>(NEXUS_CONTROL_ID);
  uint64_t type = 0;
  nexus_handle subscription = 0, handle = 0;
  REQUIRE(rig.intern("a.b", &type).code == NEXUS_OK);
  REQUIRE(rig.subscribe("a.b", nullptr, &subscription).code == NEXUS_OK);
  rig.instance->revoke();
  rig.instance->revoke();

  CHECK(rig.emit(type, nullptr).says(NEXUS_E_HANDLE, "unloaded"));
  CHECK(rig.intern("a.b").code == NEXUS_E_HANDLE);
  CHECK(rig.subscribe("a.b").says(NEXUS_E_HANDLE, "unloaded"));
  const nexus_bus& bus = *rig.abi_bus;
  CHECK(bus.unsubscribe(bus.ctx, subscription) == NEXUS_E_HANDLE);
  const auto task = [](void*) {};
  CHECK(bus.post(bus.ctx, task, nullptr) == NEXUS_E_HANDLE);
  CHECK(timer.after(timer.ctx, 1, task, nullptr, &handle) == NEXUS_E_HANDLE);
  CHECK(metrics.record(metrics.ctx, 1, 1) == NEXUS_E_HANDLE);
  std::string out;
  CHECK(metrics.expose(metrics.ctx, 0, append, &out) == NEXUS_E_HANDLE);
  CHECK(data.json_to_cbor(data.ctx, abi("{}"), append, &out, nullptr) == NEXUS_E_HANDLE);
  CHECK(control.call(control.ctx, abi("stat"), {}, append, &out, nullptr) == NEXUS_E_HANDLE);
  CHECK(rig.query<void>(NEXUS_BUS_ID) == nullptr);
  rig.host->log(rig.host->ctx, NEXUS_LOG_ERROR, abi("too late"), nullptr, 0);
  rig.host->request_stop(rig.host->ctx, abi("too late"));
  CHECK(out.empty());
  CHECK(rig.called.empty());
  CHECK(rig.stop_reason.empty());
}

TEST_CASE("a sentence is cut at a character to fit into the caller's room") {
  BridgeRig rig;
  uint64_t handle = 0;
  char text[64];
  for (uint32_t cap = 0; cap < sizeof text; ++cap) {
    std::memset(text, '#', sizeof text);
    nexus_error error{sizeof error, 0, cap, 99, text};
    CHECK(rig.abi_bus->intern(rig.abi_bus->ctx, abi("Order"), &handle, &error) == NEXUS_E_TYPE_NAME);
    CHECK(error.code == NEXUS_E_TYPE_NAME);
    CHECK(error.len <= cap);
    CHECK(text[cap] == '#');
  }
  CHECK(rig.abi_bus->intern(rig.abi_bus->ctx, abi("Order"), &handle, nullptr) == NEXUS_E_TYPE_NAME);
}
