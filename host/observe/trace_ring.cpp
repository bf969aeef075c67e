#include "host/observe/trace_ring.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace nexus::host {

void TraceShard::each(const std::function<void(const TraceRecord&)>& visit) const {
  for (const Slot& slot : slots_) {
    const uint64_t version = slot.version.load(std::memory_order_acquire);
    if (version == 0 || version % 2 != 0) continue;
    uint64_t words[kWords];
    for (size_t i = 0; i < kWords; ++i) words[i] = slot.words[i].load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (slot.version.load(std::memory_order_relaxed) != version) continue;
    TraceRecord record;
    std::memcpy(&record, words, sizeof record);
    visit(record);
  }
}

TraceShard* TraceRing::take_shard() {
  std::lock_guard guard(mutex_);
  for (const auto& shard : shards_)
    if (!shard->taken_.load(std::memory_order_acquire)) {
      shard->taken_.store(true, std::memory_order_relaxed);
      return shard.get();
    }
  return shards_.emplace_back(std::make_unique<TraceShard>()).get();
}

void TraceRing::note_error(TraceError error) {
  std::lock_guard guard(mutex_);
  if (errors_.size() >= kErrorsMax) errors_.pop_front();
  errors_.push_back(std::move(error));
}

std::vector<TraceError> TraceRing::errors_of(const Uuid& event) const {
  std::lock_guard guard(mutex_);
  std::vector<TraceError> found;
  std::copy_if(errors_.begin(), errors_.end(), std::back_inserter(found),
               [&](const TraceError& error) { return error.event == event; });
  return found;
}

std::vector<TraceRecord> TraceRing::find(const std::function<bool(const TraceRecord&)>& wanted) const {
  std::vector<TraceRecord> found;
  const auto visit = [&](const TraceRecord& record) {
    if (wanted(record)) found.push_back(record);
  };
  {
    std::lock_guard guard(mutex_);
    for (const auto& shard : shards_) shard->each(visit);
  }
  shared_.each(visit);
  std::sort(found.begin(), found.end(),
            [](const TraceRecord& a, const TraceRecord& b) { return a.ended_unix_ns < b.ended_unix_ns; });
  return found;
}

}  // namespace nexus::host
