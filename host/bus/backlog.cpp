#include "host/bus/backlog.hpp"

#include <iterator>
#include <utility>

#include "host/bus/target.hpp"

namespace nexus::host {

void Backlog::count_busy_locked() {
  busy_.store(static_cast<uint32_t>(keys_.size()) + (paused_ || releasing_ ? 1 : 0), std::memory_order_relaxed);
}

bool Backlog::must_wait(std::string_view key, bool released) const {
  std::lock_guard guard(mutex_);
  return (!released && (paused_ || releasing_)) || (!key.empty() && keys_.contains(key));
}

bool Backlog::hold(HeldBack delivery, std::string_view key, bool released) {
  std::lock_guard guard(mutex_);
  if (!released && (paused_ || releasing_)) {
    paused_queue_.push_back(std::move(delivery));
    return true;
  }
  if (key.empty()) return false;
  const auto blocked = keys_.find(key);
  if (blocked == keys_.end()) return false;
  blocked->second.push_back(std::move(delivery));
  return true;
}

void Backlog::block(std::string_view key) {
  std::lock_guard guard(mutex_);
  keys_.try_emplace(std::string(key));
  count_busy_locked();
}

std::optional<HeldBack> Backlog::next_of(std::string_view key) {
  std::lock_guard guard(mutex_);
  const auto blocked = keys_.find(key);
  if (blocked == keys_.end()) return std::nullopt;
  if (blocked->second.empty()) {
    keys_.erase(blocked);
    count_busy_locked();
    return std::nullopt;
  }
  HeldBack next = std::move(blocked->second.front());
  blocked->second.pop_front();
  return next;
}

void Backlog::pause() {
  std::lock_guard guard(mutex_);
  paused_ = true;
  count_busy_locked();
}

bool Backlog::is_paused() const {
  std::lock_guard guard(mutex_);
  return paused_;
}

bool Backlog::holds_all() const {
  std::lock_guard guard(mutex_);
  return paused_ || releasing_;
}

void Backlog::adopt(Backlog& other) {
  std::scoped_lock guard(mutex_, other.mutex_);
  for (auto& [key, queue] : other.keys_) {
    Queue& mine = keys_[key];
    mine.insert(mine.end(), std::make_move_iterator(queue.begin()), std::make_move_iterator(queue.end()));
  }
  paused_queue_.insert(paused_queue_.end(), std::make_move_iterator(other.paused_queue_.begin()),
                       std::make_move_iterator(other.paused_queue_.end()));
  paused_ = paused_ || other.paused_;
  releasing_ = releasing_ || other.releasing_;
  other.keys_.clear();
  other.paused_queue_.clear();
  other.paused_ = other.releasing_ = false;
  other.count_busy_locked();
  count_busy_locked();
}

std::optional<HeldBack> Backlog::pop_released_locked() {
  // Paused again meanwhile: the rest stays.
  std::optional<HeldBack> next;
  if (!paused_ && !paused_queue_.empty()) {
    next = std::move(paused_queue_.front());
    paused_queue_.pop_front();
  }
  releasing_ = next.has_value();
  count_busy_locked();
  return next;
}

std::optional<HeldBack> Backlog::resume() {
  std::lock_guard guard(mutex_);
  if (!paused_) return std::nullopt;
  paused_ = false;
  if (releasing_) return std::nullopt;  // the one that runs will fetch the next
  return pop_released_locked();
}

std::optional<HeldBack> Backlog::next_released() {
  std::lock_guard guard(mutex_);
  return pop_released_locked();
}

std::vector<HeldBack> Backlog::take_all() {
  std::lock_guard guard(mutex_);
  std::vector<HeldBack> all;
  for (auto& [key, queue] : keys_) {
    all.insert(all.end(), std::make_move_iterator(queue.begin()), std::make_move_iterator(queue.end()));
    queue.clear();
  }
  all.insert(all.end(), std::make_move_iterator(paused_queue_.begin()), std::make_move_iterator(paused_queue_.end()));
  paused_queue_.clear();
  keys_.clear();
  releasing_ = false;
  count_busy_locked();
  return all;
}

size_t Backlog::size() const {
  std::lock_guard guard(mutex_);
  size_t sum = paused_queue_.size();
  for (const auto& [key, queue] : keys_) sum += queue.size();
  return sum;
}

}  // namespace nexus::host
