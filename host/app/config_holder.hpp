// The config that is in force, shared by threads: readers take a snapshot, a reload puts another one in its place.
#pragma once

#include <memory>
#include <mutex>

#include "host/app/config/config.hpp"

namespace nexus::host {

class ConfigHolder {
 public:
  explicit ConfigHolder(Config config) : config_(std::make_shared<const Config>(std::move(config))) {}

  std::shared_ptr<const Config> get() const {
    std::lock_guard guard(mutex_);
    return config_;
  }
  void set(Config config) {
    auto next = std::make_shared<const Config>(std::move(config));
    std::lock_guard guard(mutex_);
    config_ = std::move(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Config> config_;  // guarded by mutex_
};

}  // namespace nexus::host
