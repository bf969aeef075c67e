#include <catch2/catch_test_macros.hpp>

#include <cstring>
#include <string>
#include <vector>

#include "nexus/cbor_buffer.hpp"

using nexus::cbor::Buffer;

namespace {

std::string text_of(const Buffer& buffer) { return {reinterpret_cast<const char*>(buffer.data()), buffer.size()}; }

Buffer filled(std::size_t size, char c) {
  const std::string text(size, c);
  Buffer buffer;
  buffer.append(text.data(), text.size());
  return buffer;
}

}  // namespace

TEST_CASE("a buffer holds 512 bytes in itself and grows beyond") {
  Buffer buffer;
  CHECK(buffer.empty());
  for (std::size_t i = 0; i < Buffer::kInlineSize; ++i) buffer.push(static_cast<std::uint8_t>(i));
  CHECK(buffer.capacity() == Buffer::kInlineSize);
  buffer.push(7);
  CHECK(buffer.capacity() >= 2 * Buffer::kInlineSize);
  REQUIRE(buffer.size() == Buffer::kInlineSize + 1);
  for (std::size_t i = 0; i < Buffer::kInlineSize; ++i) CHECK(buffer.data()[i] == static_cast<std::uint8_t>(i));
  CHECK(buffer.data()[Buffer::kInlineSize] == 7);
}

TEST_CASE("clear keeps the room, truncate only shortens") {
  Buffer buffer = filled(2000, 'x');
  const std::size_t capacity = buffer.capacity();
  buffer.truncate(5000);
  CHECK(buffer.size() == 2000);
  buffer.truncate(3);
  CHECK(text_of(buffer) == "xxx");
  buffer.clear();
  CHECK(buffer.empty());
  CHECK(buffer.capacity() == capacity);
}

TEST_CASE("what reserve gives becomes content by commit") {
  Buffer buffer = filled(2, 'a');
  std::uint8_t* at = buffer.reserve(600);
  CHECK(text_of(buffer) == "aa");
  at[0] = 'b';
  buffer.commit(at + 1);
  CHECK(text_of(buffer) == "aab");
}

TEST_CASE("copies and moves keep the content, inline or not") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{512}, std::size_t{3000}}) {
    Buffer original = filled(size, 'q');
    Buffer copy(original);
    CHECK(text_of(copy) == text_of(original));
    Buffer moved(std::move(original));
    CHECK(text_of(moved) == text_of(copy));
    CHECK(original.empty());  // a moved-from buffer is an empty one
    original.push('z');
    CHECK(text_of(original) == "z");
    for (const std::size_t other : {std::size_t{4}, std::size_t{1000}}) {
      Buffer target = filled(other, 'r');
      target = copy;
      CHECK(text_of(target) == text_of(copy));
      Buffer source(copy);
      Buffer second = filled(other, 'r');
      second = std::move(source);
      CHECK(text_of(second) == text_of(copy));
    }
  }
  Buffer self = filled(3, 's');
  Buffer& alias = self;
  self = alias;
  CHECK(text_of(self) == "sss");
}

TEST_CASE("appending nothing, even from null, is nothing") {
  Buffer buffer;
  buffer.append(nullptr, 0);
  CHECK(buffer.empty());
  CHECK(buffer.abi().size == 0);
}

TEST_CASE("short copies take exactly their bytes") {
  std::string source;
  for (int i = 0; i < 40; ++i) source += static_cast<char>('A' + i);
  for (std::size_t size = 0; size <= source.size(); ++size) {
    std::uint8_t target[42];
    std::memset(target, '.', sizeof(target));
    // A source of exactly that size, so that a sanitizer sees a read beyond it.
    const std::vector<char> exact(source.begin(), source.begin() + static_cast<std::ptrdiff_t>(size));
    nexus::cbor::detail::copy(target + 1, exact.data(), size);
    const std::string got(reinterpret_cast<const char*>(target), size + 2);
    CHECK(got == "." + source.substr(0, size) + ".");
  }
}

TEST_CASE("a size that cannot be is refused before anything moves") {
  Buffer buffer = filled(4, 'a');
  CHECK_THROWS_AS(buffer.reserve(static_cast<std::size_t>(-1)), std::bad_alloc);
  CHECK(text_of(buffer) == "aaaa");
}
