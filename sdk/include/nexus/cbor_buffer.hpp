// The byte buffer that CBOR is written into: 512 bytes inline, on the heap beyond. Not thread-safe; one buffer belongs
// to one thread at a time. clear() keeps the room, so a reused buffer stops allocating.
#pragma once

#include <bit>
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

namespace detail {

// Network byte order. Compilers know this shape and make one instruction of it.
template <class Word>
Word reversed_if_little(Word word) noexcept {
#if defined(__GNUC__)
  if constexpr (std::endian::native == std::endian::big) return word;
  if constexpr (sizeof(Word) == 2) return __builtin_bswap16(word);
  if constexpr (sizeof(Word) == 4) return __builtin_bswap32(word);
  if constexpr (sizeof(Word) == 8) return __builtin_bswap64(word);
#else
  if constexpr (std::endian::native == std::endian::big) return word;
  Word result = 0;
  for (unsigned i = 0; i < sizeof(Word); ++i, word = static_cast<Word>(word >> 8)) {
    result = static_cast<Word>(result << 8 | (word & 0xffu));
  }
  return result;
#endif
}

template <class Word>
std::uint8_t* store(std::uint8_t* at, Word word) noexcept {
  word = reversed_if_little(word);
  std::memcpy(at, &word, sizeof(word));
  return at + sizeof(word);
}

template <class Word>
Word load(const std::uint8_t* at) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return reversed_if_little(word);
}

// memcpy, with the short texts of events done in place: two words that overlap cover any size up to twice a word.
inline void copy(std::uint8_t* to, const void* from, std::size_t size) noexcept {
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  if (size > 16) {
    std::memcpy(to, from, size);
  } else if (size >= 8) {
    std::uint64_t first, last;
    std::memcpy(&first, bytes, 8);
    std::memcpy(&last, bytes + size - 8, 8);
    std::memcpy(to, &first, 8);
    std::memcpy(to + size - 8, &last, 8);
  } else if (size >= 4) {
    std::uint32_t first, last;
    std::memcpy(&first, bytes, 4);
    std::memcpy(&last, bytes + size - 4, 4);
    std::memcpy(to, &first, 4);
    std::memcpy(to + size - 4, &last, 4);
  } else if (size != 0) {
    const std::uint8_t middle = bytes[size / 2], last = bytes[size - 1];
    to[0] = bytes[0];
    to[size / 2] = middle;
    to[size - 1] = last;
  }
}

}  // namespace detail

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
