#include "host/control/event_methods.hpp"

#include <catch2/catch_test_macros.hpp>

#include <condition_variable>
#include <latch>
#include <mutex>
#include <optional>
#include <thread>

#include "host/base/uuid.hpp"
#include "host/control/wire_event.hpp"
#include "tests/host/control/bus_rig.hpp"
#include "tests/host/control/result_text.hpp"

namespace nexus::host {
namespace {

// Keeps what a stream gives; `room` items, then it says no.
class RecordingSink final : public StreamSink {
 public:
  bool item(std::span<const uint8_t> cbor) override {
    std::lock_guard guard(mutex_);
    if (items_.size() == room) return false;
    items_.emplace_back(cbor::Value::decode(cbor));
    changed_.notify_all();
    return true;
  }
  void end() override {
    std::lock_guard guard(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  void fail(const Error& error) override {
    std::lock_guard guard(mutex_);
    failure_ = error;
    changed_.notify_all();
  }
  Error wait_for_failure() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failure_.has_value(); });
    return *failure_;
  }
  bool is_over() {
    std::lock_guard guard(mutex_);
    return ended_ || failure_.has_value();
  }
  std::vector<cbor::Value> wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return items_.size() >= count; });
    return items_;
  }
  void wait_for_end() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_; });
  }

  size_t room = SIZE_MAX;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<cbor::Value> items_;
  bool ended_ = false;
  std::optional<Error> failure_;
};

struct EventRig : BusRig {
  EventMethods events{*bus};
  explicit EventRig(BusOptions options = small()) : BusRig(options) { events.add_to(surface); }

  cbor::Value emit_all(const cbor::Value& list) {
    auto answer = surface.call("events.emit", {{"events", list}});
    if (!answer) throw std::runtime_error(answer.error().message);
    return answer.value();
  }
  std::unique_ptr<Stream> tap(const cbor::Value& params, std::shared_ptr<StreamSink> sink) {
    return open("events.subscribe", params, std::move(sink));
  }
  std::unique_ptr<Stream> open(std::string_view method, const cbor::Value& params, std::shared_ptr<StreamSink> sink) {
    const Bytes encoded = params.encode();
    auto stream = surface.open({}, method, encoded, std::move(sink));
    if (!stream) throw std::runtime_error(stream.error().message);
    return std::move(stream.value());
  }
  int32_t refusal(std::string_view method, const cbor::Value& params) {
    const Bytes encoded = params.encode();
    auto stream = surface.open({}, method, encoded, std::make_shared<RecordingSink>());
    return stream ? 0 : stream.error().code;
  }
  // Every timer is due.
  void let_time_run_out() {
    constexpr int64_t kDay = 86'400'000'000'000;
    static_cast<void>(bus->timers().run_due(clock.monotonic_ns() + kDay));
  }
};

using cbor::Value;

TEST_CASE("an event gets all that it was given, and its id is told") {
  EventRig rig;
  const auto sink = std::make_shared<RecordingSink>();
  const auto stream = rig.tap({{"pattern", "order.*"}}, sink);
  const std::string id = "01890a5d-ac96-774b-bcce-b302099a8057";
  const Value answer = rig.emit_all(Value::array({Value{{"type", "order.created"},
                                                        {"data", {{"order_id", "A-1"}}},
                                                        {"priority", 5},
                                                        {"correlation_id", "c-1"},
                                                        {"causation_id", id},
                                                        {"key", "k"},
                                                        {"subject", "s"},
                                                        {"source", "shop/till-3"},
                                                        {"id", "01890a5d-ac96-774b-bcce-b302099a8058"},
                                                        {"metadata", {{"environment", "test"}}},
                                                        {"schema_version", 2}}}));
  CHECK(answer.at("accepted").get<int>() == 1);
  CHECK(answer.at("results.0.status").get<std::string>() == "ok");
  CHECK(answer.at("results.0.id").get<std::string>() == "01890a5d-ac96-774b-bcce-b302099a8058");
  const Value event = sink->wait_for(1)[0];
  CHECK(event.at("type").get<std::string>() == "order.created");
  CHECK(event.at("data.order_id").get<std::string>() == "A-1");
  CHECK(event.at("priority").get<int>() == 5);
  CHECK(event.at("correlation_id").get<std::string>() == "c-1");
  CHECK(event.at("causation_id").get<std::string>() == id);
  CHECK(event.at("key").get<std::string>() == "k");
  CHECK(event.at("subject").get<std::string>() == "s");
  CHECK(event.at("source").get<std::string>() == "shop/till-3");
  CHECK(event.at("metadata.environment").get<std::string>() == "test");
  CHECK(event.at("schema_version").get<int>() == 2);
}

TEST_CASE("a plain event is stamped: source, id, correlation and time") {
  EventRig rig;
  const auto sink = std::make_shared<RecordingSink>();
  const auto stream = rig.tap({}, sink);
  const Value answer = rig.emit_all(Value::array({Value{{"type", "a.b"}}}));
  const Value event = sink->wait_for(1)[0];
  CHECK(event.at("source").get<std::string>() == "nexus.control");
  CHECK(event.at("id") == answer.at("results.0.id"));
  CHECK(event.at("correlation_id") == event.at("id"));
  CHECK(uuid_v7_unix_ms(*parse_uuid(event.at("id").get<std::string>())).has_value());
  CHECK(event.find("data") == nullptr);
}

TEST_CASE("every event of a list has a result of its own; a bad one stops none") {
  EventRig rig;
  const Value answer = rig.emit_all(Value::array(
      {Value{{"type", "good.one"}}, Value{{"type", "Bad.One"}}, Value{{"type", "system.started"}},
       Value{{"type", "a.*"}}, Value{{"type", "a.b"}, {"id", "five"}}, Value{{"type", "a.b"}, {"metadata", 5}},
       Value{{"type", "a.b"}, {"key", std::string(256, 'k')}}, Value{{"type", "good.two"}}}));
  CHECK(answer.at("accepted").get<int>() == 2);
  const auto reason = [&](int i) { return answer.at("results." + std::to_string(i)).at("reason").get<std::string>(); };
  CHECK(reason(1) == "type_name");
  CHECK(reason(2) == "reserved");
  CHECK(reason(3) == "type_name");
  CHECK(reason(4) == "schema");
  CHECK(reason(5) == "schema");
  CHECK(answer.at("results.6.status").get<std::string>() == "rejected");
  CHECK(answer.at("results.7.status").get<std::string>() == "ok");
  // Each is counted once.
  const BusTotals totals = rig.bus->totals();
  CHECK(totals.accepted == 2);
  CHECK(totals.invalid == 6);
}

TEST_CASE("broken parameters are one error and emit nothing") {
  EventRig rig;
  const auto code = [&](const Value& params) { return rig.surface.call("events.emit", params).error().code; };
  CHECK(code({{"events", 5}}) == NEXUS_E_SCHEMA);
  CHECK(code({{"events", Value::array({Value{{"type", "a.b"}, {"colour", 1}}})}}) == NEXUS_E_SCHEMA);
  CHECK(code({{"events", Value::array()}, {"timeout_ms", -1}}) == NEXUS_E_ARGUMENT);
  CHECK(rig.bus->totals().accepted == 0);
}

TEST_CASE("a full queue holds the call up, and then says so for each event") {
  BusOptions options = BusRig::small();
  options.max_queue_size = 2;
  EventRig rig(options);
  std::latch gate(1);
  rig.subscribe("slow", "work.*", [&](const nexus_event&) {
    gate.wait();
    return NEXUS_DONE;
  });
  const Value event{{"type", "work.item"}};
  std::vector<Value> many(10, event);
  auto answer = rig.surface.call("events.emit", {{"events", Value(many)}, {"timeout_ms", 0}});
  REQUIRE(answer);
  const int accepted = answer->at("accepted").get<int>();
  CHECK(accepted >= 2);
  CHECK(accepted <= 3);  // one may have been taken out by the worker meanwhile
  CHECK(answer->at("results.9.reason").get<std::string>() == "queue_full");
  CHECK(rig.bus->totals().rejected == static_cast<uint64_t>(10 - accepted));
  // With time to wait none is lost: the call goes on as the handler does.
  std::thread opener([&] { gate.count_down(); });
  answer = rig.surface.call("events.emit", {{"events", Value(many)}, {"timeout_ms", 60'000}});
  opener.join();
  CHECK(answer->at("accepted").get<int>() == 10);
}

TEST_CASE("a tap sees only what matches, and its stream ends after the count") {
  EventRig rig;
  const auto sink = std::make_shared<RecordingSink>();
  const auto stream = rig.tap({{"pattern", "order.*"}, {"count", 2}}, sink);
  rig.emit_all(Value::array({Value{{"type", "user.created"}}, Value{{"type", "order.one"}},
                             Value{{"type", "order.two"}}, Value{{"type", "order.three"}}}));
  sink->wait_for_end();
  rig.drain();
  CHECK(sink->wait_for(2).size() == 2);
}

TEST_CASE("a tap that is gone gets nothing more, whatever was on its way") {
  EventRig rig;
  for (int round = 0; round < 50; ++round) {
    auto sink = std::make_shared<RecordingSink>();
    auto stream = rig.tap({{"pattern", "*"}}, sink);
    std::thread emitter([&] {
      for (int i = 0; i < 50; ++i) rig.emit_all(Value::array({Value{{"type", "a.b"}}}));
    });
    stream.reset();
    emitter.join();
  }
  rig.drain();
  CHECK(rig.bus->router().active_subscriptions() == 0);
  CHECK(rig.bus->totals().accepted == 2500);
}

TEST_CASE("a bad pattern opens no stream") {
  EventRig rig;
  const Bytes params = Value{{"pattern", "a..b"}}.encode();
  const auto stream = rig.surface.open({}, "events.subscribe", params, std::make_shared<RecordingSink>());
  REQUIRE_FALSE(stream);
  CHECK(stream.error().code == NEXUS_E_PATTERN);
  CHECK(rig.surface.call("events.subscribe").error().code == NEXUS_E_UNSUPPORTED);
}

TEST_CASE("a request gives the event that it caused, of the type that is wanted") {
  EventRig rig;
  rig.subscribe("answers", "user.validate", [&](const nexus_event&) {
    rig.emit("answers", "user.seen", 0);
    rig.emit("answers", "user.verdict", 0);
    return NEXUS_DONE;
  });
  const Value event{{"type", "user.validate"}, {"data", {{"id", "u-7"}}}, {"correlation_id", "c-1"}};
  auto sink = std::make_shared<RecordingSink>();
  auto stream = rig.open("events.request", {{"event", event}, {"reply", "*.verdict"}}, sink);
  sink->wait_for_end();
  const Value reply = sink->wait_for(1)[0];
  CHECK(reply.at("type").get<std::string>() == "user.verdict");
  CHECK(reply.at("source").get<std::string>() == "answers");
  CHECK(reply.at("correlation_id").get<std::string>() == "c-1");
  stream.reset();
  // Any event will do when no pattern is given: the first one.
  sink = std::make_shared<RecordingSink>();
  stream = rig.open("events.request", {{"event", event}}, sink);
  CHECK(sink->wait_for(1)[0].at("type").get<std::string>() == "user.seen");
}

TEST_CASE("a request that nobody hears is told at once, one that nobody answers at its timeout") {
  EventRig rig;
  auto sink = std::make_shared<RecordingSink>();
  auto stream = rig.open("events.request", {{"event", {{"type", "user.validate"}}}}, sink);
  const Error unheard = sink->wait_for_failure();
  CHECK(unheard.code == NEXUS_E_UNKNOWN);
  CHECK(unheard.message == "nobody listens to user.validate");
  rig.subscribe("deaf", "user.validate", [](const nexus_event&) { return NEXUS_DONE; });
  sink = std::make_shared<RecordingSink>();
  stream = rig.open("events.request", {{"event", {{"type", "user.validate"}}}}, sink);
  rig.drain();
  CHECK_FALSE(sink->is_over());
  rig.let_time_run_out();
  CHECK(sink->wait_for_failure().code == NEXUS_E_TIMEOUT);
}

TEST_CASE("a request is refused as an emit would be, and its asker may go") {
  EventRig rig;
  const auto refusal = [&](const Value& params) { return rig.refusal("events.request", params); };
  CHECK(refusal({{"event", {{"type", "Bad.One"}}}}) == NEXUS_E_TYPE_NAME);
  CHECK(refusal({{"event", {{"type", "a.b"}, {"id", "five"}}}}) == NEXUS_E_SCHEMA);
  CHECK(refusal({{"event", {{"type", "a.b"}}}, {"reply", "a..b"}}) == NEXUS_E_PATTERN);
  CHECK(refusal({{"event", {{"type", "a.b"}}}, {"timeout_ms", 0}}) == NEXUS_E_ARGUMENT);
  CHECK(rig.bus->totals().accepted == 0);
  CHECK(rig.bus->totals().invalid == 2);
  rig.subscribe("deaf", "a.b", [](const nexus_event&) { return NEXUS_DONE; });
  const auto sink = std::make_shared<RecordingSink>();
  const Value once{{"event", {{"type", "a.b"}, {"id", "01890a5d-ac96-774b-bcce-b302099a8058"}}}};
  auto stream = rig.open("events.request", once, sink);
  CHECK(refusal(once) == NEXUS_E_CONFLICT);  // one id has one asker
  stream.reset();
  rig.let_time_run_out();
  CHECK(sink->wait_for_failure().code == NEXUS_E_CANCELLED);
}

TEST_CASE("a wait gives so many events and ends, or fails when its time is up") {
  EventRig rig;
  const auto emit = [&](const char* type) { rig.emit_all(Value::array({Value{{"type", type}}})); };
  auto sink = std::make_shared<RecordingSink>();
  auto stream = rig.open("events.wait", {{"pattern", "order.*"}, {"count", 2}, {"timeout_ms", 1000}}, sink);
  for (const char* type : {"user.one", "order.one", "order.two", "order.three"}) emit(type);
  sink->wait_for_end();
  rig.drain();
  CHECK(sink->wait_for(2).size() == 2);
  rig.let_time_run_out();  // too late to matter
  sink = std::make_shared<RecordingSink>();
  stream = rig.open("events.wait", {{"pattern", "order.*"}, {"count", 2}, {"timeout_ms", 1000}}, sink);
  emit("order.one");
  sink->wait_for(1);
  rig.let_time_run_out();
  CHECK(sink->wait_for_failure().code == NEXUS_E_TIMEOUT);
  emit("order.two");
  rig.drain();
  CHECK(sink->wait_for(1).size() == 1);
  stream.reset();
  rig.drain();
  CHECK(rig.bus->router().active_subscriptions() == 0);
  CHECK(rig.bus->timers().pending() == 0);
  CHECK(rig.refusal("events.wait", {{"pattern", "a..b"}}) == NEXUS_E_PATTERN);
  CHECK(rig.refusal("events.wait", {{"pattern", "a.b"}, {"count", 0}}) == NEXUS_E_ARGUMENT);
  CHECK(rig.refusal("events.wait", {{"pattern", "a.b"}, {"timeout_ms", -1}}) == NEXUS_E_ARGUMENT);
}

TEST_CASE("a delayed event leaves later") {
  EventRig rig;
  const auto sink = std::make_shared<RecordingSink>();
  const auto stream = rig.tap({{"pattern", "*"}}, sink);
  rig.emit_all(Value::array({Value{{"type", "late.one"}, {"delay_ns", 5'000'000'000}}, Value{{"type", "prompt.one"}}}));
  sink->wait_for(1);
  rig.drain();
  CHECK(sink->wait_for(1).size() == 1);
  rig.let_time_run_out();
  const auto events = sink->wait_for(2);
  CHECK(events[0].at("type").get<std::string>() == "prompt.one");
  CHECK(events[1].at("type").get<std::string>() == "late.one");
  const Value negative = rig.emit_all(Value::array({Value{{"type", "a.b"}, {"delay_ns", -1}}}));
  CHECK(negative.at("results.0.reason").get<std::string>() == "schema");
}

}  // namespace
}  // namespace nexus::host
