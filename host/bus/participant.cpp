#include "host/bus/participant.hpp"

#include "host/bus/router.hpp"
#include "host/bus/scheduler.hpp"

namespace nexus::host {

Participant::Participant(ParticipantOptions options, uint32_t number, std::string_view source)
    : options_(std::move(options)), number_(number), source_(source) {}

Participant::~Participant() {
  for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
}

uint64_t Participant::find_port(std::string_view type) const {
  std::lock_guard guard(ports_lock_);
  const auto known = ports_by_name_.find(type);
  return known == ports_by_name_.end() ? 0 : known->second;
}

uint64_t Participant::port_for(TypeEntry& type) {
  std::lock_guard guard(ports_lock_);
  if (const auto known = ports_by_name_.find(type.name); known != ports_by_name_.end()) return known->second;
  const uint64_t index = port_count_.load(std::memory_order_relaxed);
  if (index == kPortsMax) return 0;
  auto& chunk = chunks_[index / kPortsPerChunk];
  if (chunk.load(std::memory_order_relaxed) == nullptr) chunk.store(new Port[kPortsPerChunk], std::memory_order_relaxed);
  chunk.load(std::memory_order_relaxed)[index % kPortsPerChunk].type = &type;
  port_count_.store(index + 1, std::memory_order_release);
  ports_by_name_.emplace(type.name, index + 1);
  return index + 1;
}

uint64_t Participant::emitted() const {
  uint64_t sum = 0;
  each_port([&](const Port& port) { sum += port.accepted.get(); });
  return sum;
}

}  // namespace nexus::host
