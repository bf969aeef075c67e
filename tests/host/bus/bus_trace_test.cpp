// What the bus remembers of its recent past: each attempt, with its result, and which trace an event belongs to.
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "tests/host/bus/bus_rig.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

BusOptions traced() {
  BusOptions options;
  options.tracing = true;
  options.retry = {1, false, 1'000, 0};
  return options;
}

struct TraceRig {
  VirtualClock clock;
  Rig rig{traced(), clock};
  std::shared_ptr<Participant> shop = rig.add("com.example.shop");

  Uuid emit(std::string_view type, std::string_view correlation = {}) {
    nexus_emit_options options{};
    options.size = sizeof options;
    options.correlation_id = to_abi(correlation);
    Uuid id{};
    REQUIRE(rig.bus->emit(*shop, rig.bus->intern(*shop, type).value(), &options, {}, &id, nullptr) == NEXUS_OK);
    return id;
  }
  std::vector<TraceRecord> of(const Uuid& id) {
    return rig.bus->traces()->find([&](const TraceRecord& record) { return record.event == id; });
  }
};

}  // namespace

TEST_CASE("each attempt is remembered with its handler, its result and its time") {
  TraceRig r;
  Probe good, wrong;
  int calls = 0;
  wrong.answer = [&](const nexus_delivery&, nexus_outcome&) -> int32_t {
    r.clock.advance(500);
    return ++calls == 1 ? NEXUS_RETRY : NEXUS_REJECT;
  };
  const nexus_handle first = r.rig.subscribe(*r.shop, "order.created", good, 2);
  const nexus_handle second = r.rig.subscribe(*r.shop, "order.*", wrong, 1);
  const nexus_handle third = r.rig.subscribe(*r.shop, "order.created", good, 0, NEXUS_CONCURRENCY_SERIAL, "choosy",
                                             [](void*, const nexus_event*) -> int32_t { return 0; });
  const Uuid id = r.emit("order.created");
  REQUIRE(r.rig.settle());
  r.clock.advance(1'000);
  r.rig.bus->timers().run_due(r.clock.monotonic_ns());
  REQUIRE(r.rig.settle());
  const auto records = r.of(id);
  REQUIRE(records.size() == 4);
  const auto find = [&](nexus_handle handle, uint32_t attempt) {
    for (const TraceRecord& record : records)
      if (record.subscription == handle && record.attempt == attempt) return record;
    return TraceRecord{};
  };
  CHECK(find(first, 1).kind == TraceKind::handled);
  CHECK(find(second, 1).kind == TraceKind::retried);
  CHECK(find(second, 1).duration_ns == 500);
  CHECK(find(second, 2).kind == TraceKind::failed);
  CHECK(find(third, 1).kind == TraceKind::filtered);
  CHECK((find(first, 1).trace == id));
  const auto errors = r.rig.bus->traces()->errors_of(id);
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].retry_in_ns == 1'000);
  CHECK(errors[1].retry_in_ns == -1);
}

TEST_CASE("what an event causes is of its trace, also under a correlation of somebody's own") {
  TraceRig r;
  Probe first, second;
  first.answer = [&](const nexus_delivery&, nexus_outcome&) -> int32_t {
    must(r.rig.emit(*r.shop, "order.paid") == NEXUS_OK);
    return NEXUS_DONE;
  };
  second.answer = [&](const nexus_delivery&, nexus_outcome&) -> int32_t {
    must(r.rig.emit(*r.shop, "order.unheard") == NEXUS_OK);
    return NEXUS_DONE;
  };
  r.rig.subscribe(*r.shop, "order.created", first);
  r.rig.subscribe(*r.shop, "order.paid", second);
  const Uuid id = r.emit("order.created", "c-9");
  REQUIRE(r.rig.settle());
  const auto records = r.rig.bus->traces()->find([&](const TraceRecord& record) { return record.trace == id; });
  REQUIRE(records.size() == 3);
  CHECK((records[0].event == id));
  CHECK((records[1].causation == id));
  CHECK(records[2].kind == TraceKind::unrouted);
  CHECK((records[2].causation == records[1].event));
}

TEST_CASE("the past is bounded, and can be read while it is written") {
  TraceRig r;
  Probe probe;
  r.rig.subscribe(*r.shop, "order.created", probe);
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop.load())
      for (const TraceRecord& record : r.rig.bus->traces()->find([](const TraceRecord&) { return true; }))
        must(record.kind == TraceKind::handled && record.subscription != 0 && record.attempt == 1);
  });
  Uuid last{};
  for (size_t i = 0; i < 3 * TraceShard::kRecords; ++i) last = r.emit("order.created");
  REQUIRE(r.rig.settle());
  stop.store(true);
  reader.join();
  const auto all = r.rig.bus->traces()->find([](const TraceRecord&) { return true; });
  CHECK(all.size() >= TraceShard::kRecords);
  CHECK(all.size() <= 5 * TraceShard::kRecords);
  CHECK(r.of(last).size() == 1);
}

TEST_CASE("a deferred delivery is remembered twice: when it was put off, and when it ended") {
  TraceRig r;
  Probe probe;
  uint64_t token = 0;
  probe.answer = [&](const nexus_delivery& delivery, nexus_outcome&) -> int32_t {
    token = delivery.token;
    return NEXUS_LATER;
  };
  r.rig.subscribe(*r.shop, "order.created", probe);
  const Uuid id = r.emit("order.created");
  while (r.of(id).empty()) std::this_thread::yield();
  CHECK(r.of(id)[0].kind == TraceKind::deferred);
  CHECK(r.rig.bus->complete(*r.shop, token, {}) == NEXUS_OK);
  REQUIRE(r.rig.settle());
  REQUIRE(r.of(id).size() == 2);
  CHECK(r.of(id)[1].kind == TraceKind::handled);
}
