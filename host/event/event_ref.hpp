// A counted hold on an event block: the event stays as it is while this lives. A value; null when empty.
#pragma once

#include <utility>

#include "host/event/block.hpp"

namespace nexus::host {

class EventRef {
 public:
  EventRef() = default;
  // Shares `block`, which may be null.
  explicit EventRef(const EventBlock* block) : block_(const_cast<EventBlock*>(block)) {
    if (block_ != nullptr) block_->retain();
  }
  EventRef(const EventRef& other) : EventRef(other.block_) {}
  EventRef(EventRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  EventRef& operator=(EventRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~EventRef() {
    if (block_ != nullptr) block_->release();
  }

  explicit operator bool() const { return block_ != nullptr; }
  EventBlock* get() const { return block_; }
  const nexus_event& event() const { return block_->event; }

 private:
  EventBlock* block_ = nullptr;
};

}  // namespace nexus::host
