#include "host/bus/participant.hpp"

#include "host/bus/router.hpp"
#include "host/bus/scheduler.hpp"
#include "host/event/block.hpp"

namespace nexus::host {

Participant::Participant(Bus& bus, ParticipantOptions options, uint32_t number, std::string_view source)
    : bus_(bus),
      options_(std::move(options)),
      number_(number),
      source_(source),
      stamps_(EventBlock::new_stamps(kPortsMax)) {}

Participant::~Participant() = default;

uint64_t Participant::find_port(std::string_view type) const {
  std::lock_guard guard(ports_lock_);
  const auto known = ports_by_name_.find(type);
  return known == ports_by_name_.end() ? 0 : known->second;
}

uint64_t Participant::port_for(TypeEntry& type) {
  std::lock_guard guard(ports_lock_);
  if (const auto known = ports_by_name_.find(type.name); known != ports_by_name_.end()) return known->second;
  const size_t index = ports_.append([&](Port& port) {
    port.type = &type;
    EventBlock& block = port.prototype;
    block.stamp = stamps_ + ports_.size();
    block.type_index = type.index;
    block.emitter = number_;
    block.host_flags = type.reports_failure ? EventBlock::kHostNoErrorReport : uint8_t{0};
    block.event.size = sizeof block.event;
    block.event.type = to_abi(type.name);
    block.event.source = to_abi(source_);
  });
  if (index == ports_.kSizeMax) return 0;
  ports_by_name_.emplace(type.name, index + 1);
  return index + 1;
}

uint64_t Participant::emitted() const {
  uint64_t sum = 0;
  each_port([&](const Port& port) { sum += port.accepted.get(); });
  return sum;
}

}  // namespace nexus::host
