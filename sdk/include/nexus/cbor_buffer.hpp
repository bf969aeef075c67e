// The byte buffer that CBOR is written into: 512 bytes inline, on the heap beyond. Not thread-safe; one buffer belongs
// to one thread at a time. clear() keeps the room, so a reused buffer stops allocating.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "nexus/abi/base.h"

namespace nexus::cbor {

// The C ABI's bytes as a span; null with size 0 is an empty one.
inline std::span<const std::uint8_t> view(nexus_bytes bytes) noexcept {
  return std::span<const std::uint8_t>(bytes.data, static_cast<std::size_t>(bytes.size));
}

class Buffer {
 public:
  // An event of the usual size fits in here, so that emitting one allocates nothing.
  static constexpr std::size_t kInlineSize = 512;

  Buffer() noexcept : data_(inline_) {}
  Buffer(const Buffer& other) : Buffer() { append(other.data_, other.size_); }
  Buffer(Buffer&& other) noexcept : Buffer() { take(other); }
  Buffer& operator=(const Buffer& other) {
    if (this != &other) {
      clear();
      append(other.data_, other.size_);
    }
    return *this;
  }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) take(other);
    return *this;
  }
  ~Buffer() = default;

  const std::uint8_t* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::size_t capacity() const noexcept { return capacity_; }

  // What was written so far; valid until the next call that writes.
  std::span<const std::uint8_t> bytes() const noexcept { return {data_, size_}; }
  nexus_bytes abi() const noexcept { return nexus_bytes{data_, size_}; }

  // Forgets the content and keeps the room.
  void clear() noexcept { size_ = 0; }

  // Cuts the content back to its first `size` bytes; a larger size changes nothing.
  void truncate(std::size_t size) noexcept {
    if (size < size_) size_ = size;
  }

  // Makes room for `more` further bytes and returns where they go; commit() makes them part of the content.
  // Throws std::bad_alloc.
  std::uint8_t* reserve(std::size_t more) {
    if (more > capacity_ - size_) grow(more);
    return data_ + size_;
  }

  // Takes over what was written between the pointer that reserve() gave and `end`.
  void commit(const std::uint8_t* end) noexcept { size_ = static_cast<std::size_t>(end - data_); }

  void append(const void* bytes, std::size_t size) {
    if (size == 0) return;
    std::memcpy(reserve(size), bytes, size);
    size_ += size;
  }

  void push(std::uint8_t byte) {
    *reserve(1) = byte;
    ++size_;
  }

 private:
  // Doubles, so that many small appends cost a logarithmic number of copies.
  void grow(std::size_t more) {
    if (more > static_cast<std::size_t>(-1) / 4 - size_) throw std::bad_alloc();
    std::size_t capacity = capacity_ * 2;
    if (capacity < size_ + more) capacity = size_ + more;
    std::unique_ptr<std::uint8_t[]> heap(new std::uint8_t[capacity]);
    std::memcpy(heap.get(), data_, size_);
    heap_ = std::move(heap);
    data_ = heap_.get();
    capacity_ = capacity;
  }

  void take(Buffer& other) noexcept {
    if (other.heap_) {
      heap_ = std::move(other.heap_);
      data_ = heap_.get();
      capacity_ = other.capacity_;
      size_ = other.size_;
      other.data_ = other.inline_;
      other.capacity_ = kInlineSize;
    } else {
      size_ = 0;
      std::memcpy(data_, other.data_, other.size_);  // an inline content fits into every buffer
      size_ = other.size_;
    }
    other.size_ = 0;
  }

  std::uint8_t* data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = kInlineSize;
  std::unique_ptr<std::uint8_t[]> heap_;
  std::uint8_t inline_[kInlineSize];
};

}  // namespace nexus::cbor
