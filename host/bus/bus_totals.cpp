#include <mutex>

#include "host/bus/bus.hpp"

namespace nexus::host {

BusTotals Bus::totals() const {
  BusTotals totals;
  totals.unrouted = unrouted_.load(std::memory_order_relaxed);
  totals.withdrawn = withdrawn_.load(std::memory_order_relaxed);
  totals.handler_timeouts = handler_timeouts_.load(std::memory_order_relaxed);
  std::vector<std::shared_ptr<Participant>> all;
  {
    std::lock_guard guard(mutex_);
    totals.accepted = accepted_before_;
    totals.rejected = rejected_before_;
    totals.invalid = invalid_before_;
    all = participants_;
    all.insert(all.end(), removed_.begin(), removed_.end());
  }
  for (const auto& participant : all) {
    participant->each_port([&](const Port& port) {
      totals.accepted += port.accepted.get();
      totals.rejected += port.rejected.load(std::memory_order_relaxed);
    });
    totals.invalid += participant->invalid_emits.load(std::memory_order_relaxed);
    totals.waiting += participant->mailbox().depth();
    if (Mailbox* parallel = participant->parallel_mailbox()) totals.waiting += parallel->depth();
  }
  totals.expired = expired_.load(std::memory_order_relaxed);
  totals.delayed = delayed_.load(std::memory_order_relaxed);
  totals.waiting += retrying_.load(std::memory_order_relaxed);
  totals.deliveries = router_.totals();
  totals.redriven = redriven_.load(std::memory_order_relaxed);
  totals.dead_letters = dead_letters_->totals();
  return totals;
}

uint64_t Bus::rejected(int32_t code) const {
  if (code < 300 || code >= 400) return 0;
  return rejected_by_code_[static_cast<size_t>(code - 300)].load(std::memory_order_relaxed);
}

std::vector<TypeTotals> Bus::type_totals() const {
  std::vector<TypeTotals> rows(router_.type_count());
  std::vector<std::shared_ptr<Participant>> all;
  {
    // Emitters that go are added to the types under this lock, so that none is counted twice or left out.
    std::lock_guard guard(mutex_);
    for (uint32_t i = 0; i < rows.size(); ++i) {
      const TypeEntry& type = router_.type(i);
      rows[i].type = type.name;
      rows[i].accepted = type.accepted_before.load(std::memory_order_relaxed);
      rows[i].rejected = type.rejected_before.load(std::memory_order_relaxed);
    }
    all = participants_;
    all.insert(all.end(), removed_.begin(), removed_.end());
  }
  for (const auto& participant : all) {
    participant->each_port([&](const Port& port) {
      if (port.type->index >= rows.size()) return;  // interned a moment ago
      rows[port.type->index].accepted += port.accepted.get();
      rows[port.type->index].rejected += port.rejected.load(std::memory_order_relaxed);
    });
  }
  for (uint32_t i = 0; i < rows.size(); ++i) rows[i].handled = router_.handled(router_.type(i));
  return rows;
}

}  // namespace nexus::host
