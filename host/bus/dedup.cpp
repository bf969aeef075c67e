#include "host/bus/dedup.hpp"

#include <functional>
#include <string_view>

namespace nexus::host {

uint64_t DedupWindow::content_of(const nexus_event& event) {
  uint64_t sum = event.data_format;
  const auto add = [&](const void* data, uint64_t size) {
    const std::string_view bytes(static_cast<const char*>(data), size == 0 ? 0 : static_cast<size_t>(size));
    sum = sum * 0x9E3779B97F4A7C15u + std::hash<std::string_view>()(bytes);
  };
  add(event.type.data, event.type.size);
  add(event.key.data, event.key.size);
  add(event.subject.data, event.subject.size);
  add(event.data.data, event.data.size);
  return sum;
}

void DedupWindow::forget_old(int64_t now_ns) {
  while (!oldest_first_.empty()) {
    const auto known = known_.find(oldest_first_.front());
    if (known != known_.end()) {
      if (known->second.until_ns > now_ns && known_.size() < kIdsMax) return;
      known_.erase(known);
    }
    oldest_first_.pop_front();
  }
}

DedupWindow::Seen DedupWindow::look(const Uuid& id, uint64_t content, int64_t now_ns) {
  if (window_ns_ <= 0) return Seen::kNew;
  std::lock_guard guard(mutex_);
  forget_old(now_ns);
  const auto [known, is_new] = known_.try_emplace(id, Remembered{content, now_ns + window_ns_});
  if (!is_new) return known->second.content == content ? Seen::kDuplicate : Seen::kConflict;
  oldest_first_.push_back(id);
  return Seen::kNew;
}

void DedupWindow::forget(const Uuid& id) {
  std::lock_guard guard(mutex_);
  known_.erase(id);
}

size_t DedupWindow::size() const {
  std::lock_guard guard(mutex_);
  return known_.size();
}

}  // namespace nexus::host
