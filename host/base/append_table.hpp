// A table that only grows, at stable addresses, whose entries any thread may read without a lock by their number. One
// thread at a time appends (the owner's lock).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace nexus::host {

template <class T, size_t kPerChunk, size_t kChunksMax>
class AppendTable {
 public:
  static constexpr size_t kSizeMax = kPerChunk * kChunksMax;

  AppendTable() = default;
  AppendTable(const AppendTable&) = delete;
  AppendTable& operator=(const AppendTable&) = delete;
  ~AppendTable() {
    for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
  }

  size_t size() const { return size_.load(std::memory_order_acquire); }

  // Null for a number that is not in the table.
  T* find(uint64_t index) const {
    if (index >= size_.load(std::memory_order_acquire)) return nullptr;
    T* chunk = chunks_[index / kPerChunk].load(std::memory_order_relaxed);
    if (chunk == nullptr) __builtin_unreachable();
    return chunk + index % kPerChunk;
  }

  // Makes one more entry, lets `fill` set it before readers can see it, and returns its number; kSizeMax when full.
  template <class Fill>
  size_t append(Fill fill) {
    const size_t index = size_.load(std::memory_order_relaxed);
    if (index == kSizeMax) return kSizeMax;
    auto& chunk = chunks_[index / kPerChunk];
    if (chunk.load(std::memory_order_relaxed) == nullptr) chunk.store(new T[kPerChunk], std::memory_order_relaxed);
    fill(chunk.load(std::memory_order_relaxed)[index % kPerChunk]);
    size_.store(index + 1, std::memory_order_release);
    return index;
  }

 private:
  std::atomic<size_t> size_{0};
  std::atomic<T*> chunks_[kChunksMax] = {};
};

}  // namespace nexus::host
