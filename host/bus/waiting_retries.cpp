#include "host/bus/waiting_retries.hpp"

#include <utility>

#include "host/bus/mailbox.hpp"
#include "host/bus/participant.hpp"

namespace nexus::host {

uint64_t WaitingRetries::add(Row row) {
  std::lock_guard guard(mutex_);
  const uint64_t id = next_id_++;
  rows_.emplace(id, std::move(row));
  return id;
}

bool WaitingRetries::set_timer(uint64_t id, nexus_handle timer) {
  std::lock_guard guard(mutex_);
  const auto at = rows_.find(id);
  if (at == rows_.end()) return true;
  at->second.timer = timer;
  return at->second.decision == Decision::kNone;
}

std::optional<WaitingRetries::Row> WaitingRetries::decide(uint64_t id, Decision decision) {
  std::lock_guard guard(mutex_);
  const auto at = rows_.find(id);
  if (at == rows_.end() || at->second.decision != Decision::kNone) return {};
  at->second.decision = decision;
  return at->second;
}

std::optional<WaitingRetries::Row> WaitingRetries::take(uint64_t id) {
  std::lock_guard guard(mutex_);
  auto row = rows_.extract(id);
  if (row.empty()) return {};
  return std::move(row.mapped());
}

std::vector<WaitingRetry> WaitingRetries::list() const {
  std::vector<WaitingRetry> list;
  std::lock_guard guard(mutex_);
  list.reserve(rows_.size());
  for (const auto& [id, row] : rows_) {
    const Entry& entry = row.target->entries[0];
    const nexus_event& event = row.event.event();
    list.push_back({id, event.id, std::string(to_view(event.type)), row.target->mailbox->owner().id(),
                    entry.subscription->name, entry.subscription->pattern.text(), entry.attempt, row.due_monotonic_ns,
                    row.target->past->first_failed_unix_ns, row.error_type, row.error_message});
  }
  return list;
}

}  // namespace nexus::host
