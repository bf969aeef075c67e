#include "host/control/dlq_methods.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>

#include "host/control/letter_json.hpp"
#include "host/control/wire_event.hpp"
#include "host/event/cloudevents.hpp"
#include "tests/host/control/bus_rig.hpp"
#include "tests/host/control/result_text.hpp"

namespace nexus::host {
namespace {

struct DlqRig : BusRig {
  std::atomic<bool> fails{true};
  std::atomic<int> handled{0};
  explicit DlqRig(BusOptions options = small()) : BusRig(options) {
    add_dlq_methods(surface, *bus);
    const auto handler = [this](const nexus_event&) {
      if (fails) return NEXUS_RETRY;
      ++handled;
      return NEXUS_DONE;
    };
    subscribe("shop", "order.*", handler);
    subscribe("mail", "user.*", handler);
  }
  void give_up(std::string_view type, int count = 1) {
    for (int i = 0; i < count; ++i) emit("shop", type, 0);
    drain();
  }
  cbor::Value call(std::string_view method, const cbor::Value& params = {}) {
    auto answer = surface.call(method, params);
    if (!answer) throw std::runtime_error(answer.error().message);
    drain();
    return answer.value();
  }
  int32_t code_of(std::string_view method, const cbor::Value& params = {}) {
    const auto answer = surface.call(method, params);
    return answer ? NEXUS_OK : answer.error().code;
  }
  size_t count(const cbor::Value& params = {}) { return call("dlq.list", params).at("letters").size(); }
};

BusOptions waiting() {
  BusOptions options = BusRig::small();
  options.retry = {3, false, int64_t{3600} * 1'000'000'000, 0};
  return options;
}

}  // namespace

TEST_CASE("dlq.list filters, pages and groups") {
  DlqRig rig;
  rig.give_up("order.created", 3);
  rig.give_up("user.created", 2);
  CHECK(rig.count() == 5);
  CHECK(rig.count({{"plugin", "shop"}}) == 3);
  CHECK(rig.count({{"type", "*.created"}}) == 5);
  CHECK(rig.count({{"type", "user.*"}, {"plugin", "shop"}}) == 0);
  CHECK(rig.count({{"id", 4}}) == 1);
  CHECK(rig.count({{"reason", "attempts"}}) == 5);
  CHECK(rig.count({{"reason", "rejected"}}) == 0);
  CHECK(rig.count({{"limit", 2}, {"offset", 4}}) == 1);
  CHECK(rig.code_of("dlq.list", {{"type", "a..b"}}) == NEXUS_E_PATTERN);
  CHECK(rig.code_of("dlq.list", {{"reason", "why"}}) == NEXUS_E_ARGUMENT);
  const cbor::Value groups = rig.call("dlq.list", {{"groups", true}});
  CHECK(groups.at("total").get<int>() == 5);
  CHECK(groups.at("letters").size() == 0);
  REQUIRE(groups.at("groups").size() == 2);
  CHECK(groups.at("groups.0.count").get<int>() == 3);
  const std::string fingerprint = groups.at("groups.0.fingerprint").get<std::string>();
  CHECK(rig.count({{"fingerprint", fingerprint}}) == 3);
}

TEST_CASE("dlq.show gives the letter and the event") {
  DlqRig rig;
  rig.give_up("order.created");
  const cbor::Value shown = rig.call("dlq.show", {{"id", 1}});
  CHECK(shown.at("letter.plugin").get<std::string>() == "shop");
  CHECK(shown.at("letter.pattern").get<std::string>() == "order.*");
  CHECK(shown.at("letter.attempts").get<int>() == 1);
  CHECK(shown.at("event.type").get<std::string>() == "order.created");
  CHECK(shown.at("event.id") == shown.at("letter.event_id"));
  CHECK(rig.code_of("dlq.show", {{"id", 2}}) == NEXUS_E_UNKNOWN);
}

TEST_CASE("dlq.retry and dlq.remove want to be told which ones") {
  DlqRig rig;
  rig.give_up("order.created", 2);
  for (const char* method : {"dlq.retry", "dlq.remove"}) {
    CHECK(rig.code_of(method) == NEXUS_E_ARGUMENT);
    CHECK(rig.code_of(method, {{"id", 9}}) == NEXUS_E_UNKNOWN);
  }
  CHECK(rig.count() == 2);
  CHECK(rig.call("dlq.remove", {{"plugin", "mail"}}).at("letters").size() == 0);
  CHECK(rig.call("dlq.remove", {{"all", true}}).at("done").get<int>() == 2);
  CHECK(rig.count() == 0);
}

TEST_CASE("a dry run only tells") {
  DlqRig rig;
  rig.give_up("order.created", 2);
  for (const char* method : {"dlq.retry", "dlq.remove"}) {
    const cbor::Value told = rig.call(method, {{"all", true}, {"dry_run", true}});
    CHECK(told.at("done").get<int>() == 2);
    CHECK(told.at("letters.1.id").get<int>() == 2);
    CHECK(told.at("letters.1.type").get<std::string>() == "order.created");
  }
  CHECK(rig.count() == 2);
  CHECK(rig.handled == 0);
  rig.remove("shop");
  const cbor::Value told = rig.call("dlq.retry", {{"all", true}, {"dry_run", true}});
  CHECK(told.at("done").get<int>() == 0);
  CHECK(told.at("letters.0.problem").get<std::string>().find("shop") != std::string::npos);
}

TEST_CASE("dlq.retry goes through all in small calls, each letter once, those that fail again too") {
  DlqRig rig;
  rig.give_up("order.created", 7);
  uint64_t after = 0, last = 0;
  int calls = 0, done = 0;
  for (bool more = true; more;) {
    cbor::Value params{{"all", true}, {"limit", 3}, {"after_id", after}, {"note", "once more"}};
    if (calls > 0)
      params = {{"all", true}, {"limit", 3}, {"after_id", after}, {"note", "once more"}, {"last_id", last}};
    const cbor::Value answer = rig.call("dlq.retry", params);
    after = answer.at("after_id").get<uint64_t>();
    last = answer.at("last_id").get<uint64_t>();
    done += answer.at("done").get<int>();
    more = answer.at("more").get<bool>();
    ++calls;
    rig.give_up("user.created");  // a newer one is not meant
  }
  CHECK(calls == 3);
  CHECK(done == 7);
  const cbor::Value list = rig.call("dlq.list", {{"plugin", "shop"}});
  REQUIRE(list.at("letters").size() == 7);
  for (const cbor::Value& row : list.at("letters").items()) {
    CHECK(row.at("replays").get<int>() == 1);
    CHECK(row.at("note").get<std::string>() == "once more");
  }
  rig.fails = false;
  CHECK(rig.call("dlq.retry", {{"plugin", "shop"}}).at("done").get<int>() == 7);
  CHECK(rig.handled == 7);
  CHECK(rig.count({{"plugin", "shop"}}) == 0);
}

TEST_CASE("dlq.retry tells which ones have no handler, and keeps them") {
  DlqRig rig;
  rig.give_up("order.created");
  rig.give_up("user.created");
  rig.remove("shop");
  rig.fails = false;
  const cbor::Value answer = rig.call("dlq.retry", {{"all", true}});
  CHECK(answer.at("done").get<int>() == 1);
  CHECK(answer.at("letters.0.problem").get<std::string>().find("shop has no handler") != std::string::npos);
  CHECK(rig.count() == 1);
  CHECK(rig.handled == 1);
}

TEST_CASE("dlq.export writes CloudEvents that can be read again") {
  DlqRig rig;
  rig.give_up("order.created", 3);
  const cbor::Value first = rig.call("dlq.export", {{"limit", 2}});
  CHECK(first.at("events").size() == 2);
  CHECK(first.at("more").get<bool>());
  const cbor::Value second = rig.call("dlq.export", {{"limit", 2}, {"after_id", first.at("after_id")}});
  REQUIRE(second.at("events").size() == 1);
  CHECK_FALSE(second.at("more").get<bool>());
  const auto event = parse_cloudevent(second.at("events.0").get<std::string>());
  REQUIRE(event);
  CHECK(event->type == "order.created");
  const cbor::Value metadata = cbor::Value::decode(event->metadata);
  CHECK(metadata.at("dlqid").get<int>() == 3);
  CHECK(metadata.at("dlqreason").get<std::string>() == "attempts");
  CHECK(metadata.at("dlqplugin").get<std::string>() == "shop");
  CHECK(metadata.at("dlqpattern").get<std::string>() == "order.*");
  CHECK(metadata.at("dlqattempts").get<int>() == 1);
  CHECK(metadata.at("dlqerrortype").get<std::string>() == "handler_failed");
  CHECK(metadata.at("dlqfingerprint").get<std::string>().size() == 16);
}

TEST_CASE("what an earlier export has left in an event is not written twice") {
  DeadLetter letter;
  const cbor::Value metadata{{"dlqid", 7}, {"environment", "test"}};
  const Bytes encoded = metadata.encode();
  EventBlock* block = allocate_block(0);
  block->event = nexus_event{};
  block->event.type = to_abi("order.created");
  block->event.source = to_abi("shop");
  block->event.metadata = {encoded.data(), encoded.size()};
  letter.event = EventRef(block);
  block->release();
  letter.id = 8;
  letter.plugin_id = "shop";
  const std::string json = letter_json(letter);
  CHECK(json.find("\"dlqid\":8") != std::string::npos);
  CHECK(json.find("\"dlqid\":7") == std::string::npos);
  CHECK(json.find("\"environment\":\"test\"") != std::string::npos);
  CHECK(parse_cloudevent(json));
}

TEST_CASE("stat tells of dead letters, and its sums add up") {
  DlqRig rig;
  rig.give_up("order.created", 3);
  rig.call("dlq.retry", {{"id", 1}});
  rig.fails = false;
  rig.call("dlq.retry", {{"id", 2}});
  rig.call("dlq.remove", {{"id", 3}});
  const BusTotals totals = rig.bus->totals();
  CHECK(totals.redriven == 2);
  CHECK(totals.dead_letters.held == 1);
  CHECK(totals.dead_letters.removed == 1);
  CHECK(totals.deliveries.failed == 4);
  CHECK(totals.deliveries.handled + totals.deliveries.failed == 3 + totals.redriven);
}

TEST_CASE("retries are listed, hastened and given up") {
  DlqRig rig(waiting());
  rig.give_up("order.created", 2);
  rig.give_up("user.created");
  const cbor::Value list = rig.call("retries.list");
  REQUIRE(list.at("retries").size() == 3);
  const cbor::Value& row = list.at("retries").items()[0];
  CHECK(row.at("plugin").get<std::string>() == "shop");
  CHECK(row.at("attempt").get<int>() == 2);
  CHECK(row.at("due_in_seconds").get<double>() > 3000);
  CHECK(row.at("due_in_seconds").get<double>() <= 3600);
  CHECK(row.at("error_type").get<std::string>() == "handler_failed");
  CHECK(rig.call("retries.list", {{"type", "user.*"}}).at("total").get<int>() == 1);
  CHECK(rig.call("retries.list", {{"plugin", "shop"}, {"limit", 1}}).at("retries").size() == 1);
  CHECK(rig.code_of("retries.now") == NEXUS_E_ARGUMENT);
  CHECK(rig.code_of("retries.kill", {{"id", 99}}) == NEXUS_E_UNKNOWN);
  CHECK(rig.call("retries.kill", {{"id", row.at("id")}}).at("done").get<int>() == 1);
  CHECK(rig.count({{"reason", "rejected"}}) == 1);
  CHECK(rig.call("dlq.list").at("letters.0.note").get<std::string>() == "killed");
  rig.fails = false;
  const std::string event = list.at("retries.1.event_id").get<std::string>();
  CHECK(rig.call("retries.now", {{"event", event}}).at("done").get<int>() == 1);
  CHECK(rig.handled == 1);
  CHECK(rig.call("retries.now", {{"all", true}}).at("done").get<int>() == 1);
  CHECK(rig.handled == 2);
  CHECK(rig.call("retries.list").at("total").get<int>() == 0);
}

TEST_CASE("who may only read cannot send, remove or give up") {
  DlqRig rig;
  for (const char* method : {"dlq.retry", "dlq.remove", "retries.now", "retries.kill"})
    CHECK(rig.surface.call(method, {{"all", true}}, Caller{"com.example.viewer", Scope::read, {}}).error().code ==
          NEXUS_E_PERMISSION);
  CHECK(rig.surface.call("dlq.list", {}, Caller{"com.example.viewer", Scope::read, {}}));
}

}  // namespace nexus::host
