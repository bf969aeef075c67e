// The ring of the recent past: what it keeps, what it forgets, and reading while it is written.
#include "host/observe/trace_ring.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>

using namespace nexus::host;

namespace {

TraceRecord record(uint64_t number) {
  TraceRecord made;
  std::memcpy(made.event.bytes, &number, sizeof number);
  made.ended_unix_ns = static_cast<int64_t>(number);
  made.subscription = number;
  return made;
}

std::vector<TraceRecord> all(const TraceRing& ring) {
  return ring.find([](const TraceRecord&) { return true; });
}

}  // namespace

TEST_CASE("a ring gives what was written to any of its shards, oldest first") {
  TraceRing ring;
  TraceShard* const first = ring.take_shard();
  TraceShard* const second = ring.take_shard();
  CHECK(first != second);
  first->write(record(3));
  second->write(record(1));
  ring.write_shared(record(2));
  const auto found = all(ring);
  REQUIRE(found.size() == 3);
  for (uint64_t i = 0; i < 3; ++i) CHECK(found[i].subscription == i + 1);
  CHECK(ring.find([](const TraceRecord& one) { return one.subscription == 2; }).size() == 1);
}

TEST_CASE("a shard forgets its oldest, and goes to another worker with what it holds") {
  TraceRing ring;
  TraceShard* const shard = ring.take_shard();
  for (uint64_t i = 1; i <= TraceShard::kRecords + 10; ++i) shard->write(record(i));
  const auto found = all(ring);
  REQUIRE(found.size() == TraceShard::kRecords);
  CHECK(found.front().subscription == 11);
  shard->give_back();
  CHECK(ring.take_shard() == shard);
  CHECK(all(ring).size() == TraceShard::kRecords);
}

TEST_CASE("errors are found by their event, and bounded") {
  TraceRing ring;
  for (uint64_t i = 0; i < TraceRing::kErrorsMax + 5; ++i) ring.note_error({record(i).event, i, 1, -1, "type", "text"});
  CHECK(ring.errors_of(record(0).event).empty());
  CHECK(ring.errors_of(record(4).event).empty());
  CHECK(ring.errors_of(record(5).event).size() == 1);
}

TEST_CASE("no reader sees half a record") {
  TraceRing ring;
  TraceShard* const shard = ring.take_shard();
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (uint64_t i = 1; !stop.load(std::memory_order_relaxed); ++i) shard->write(record(i));
  });
  uint64_t torn = 0, seen = 0;
  while (seen < 20'000) {
    for (const TraceRecord& one : all(ring)) {
      ++seen;
      if (one.subscription != static_cast<uint64_t>(one.ended_unix_ns)) ++torn;
    }
  }
  stop.store(true);
  writer.join();
  CHECK(torn == 0);
}
