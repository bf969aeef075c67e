// Where a saga keeps its instances: bytes by key, in the order of the keys. The shape is that of the ABI's state
// interface (abi/draft/state.h), so that a durable one can take its place. Called in the plugin's mailbox only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "nexus/cbor.hpp"

namespace nexus {

class SagaStore {
 public:
  SagaStore() = default;
  SagaStore(const SagaStore&) = delete;
  SagaStore& operator=(const SagaStore&) = delete;
  virtual ~SagaStore() = default;

  // Fills `record`; false when there is none of that key.
  virtual bool get(std::string_view key, Bytes& record) const = 0;
  // Puts or replaces. Throwing leaves what was there.
  virtual void put(std::string_view key, std::span<const std::uint8_t> record) = 0;
  virtual void erase(std::string_view key) = 0;
  // Calls `visit` with each key after `after` (empty: with all), in order, until it returns false. It must not change
  // the store.
  virtual void scan(
      std::string_view after,
      const std::function<bool(std::string_view key, std::span<const std::uint8_t> record)>& visit) const = 0;
  virtual std::size_t size() const = 0;
};

// Lives and dies with the plugin; a hot swap hands its content over.
class MemorySagaStore final : public SagaStore {
 public:
  bool get(std::string_view key, Bytes& record) const override {
    const auto found = records_.find(key);
    if (found == records_.end()) return false;
    record = found->second;
    return true;
  }
  void put(std::string_view key, std::span<const std::uint8_t> record) override {
    Bytes copy(record.begin(), record.end());
    const auto found = records_.find(key);
    if (found != records_.end()) {
      found->second.swap(copy);
    } else {
      records_.emplace(key, std::move(copy));
    }
  }
  void erase(std::string_view key) override {
    const auto found = records_.find(key);
    if (found != records_.end()) records_.erase(found);
  }
  void scan(std::string_view after,
            const std::function<bool(std::string_view, std::span<const std::uint8_t>)>& visit) const override {
    for (auto at = after.empty() ? records_.begin() : records_.upper_bound(after); at != records_.end(); ++at) {
      if (!visit(at->first, at->second)) return;
    }
  }
  std::size_t size() const override { return records_.size(); }

 private:
  std::map<std::string, Bytes, std::less<>> records_;
};

}  // namespace nexus
