// What must not allocate does not: operator new is replaced by one that counts.
#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <map>
#include <new>

#include "nexus/cbor_json.hpp"
#include "nexus/schema.hpp"

namespace {

std::size_t allocations = 0;
std::size_t allocated_bytes = 0;

}  // namespace

// Not inlined, since gcc 12 takes an inlined pair of them for a mismatch of new and free.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  allocated_bytes += size;
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { operator delete(block); }
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
void operator delete[](void* block, std::size_t) noexcept { operator delete(block); }

using namespace nexus;

namespace {

struct Position {
  double x = 0;
  double y = 0;
};
NEXUS_STRUCT(Position, x, y)

enum class Side { buy, sell };
NEXUS_ENUM(Side, buy, sell)

struct Trade {
  std::string_view symbol;
  std::string_view venue;
  std::int64_t quantity = 0;
  double price = 0;
  Side side = Side::buy;
  std::span<const std::uint8_t> proof;
  std::optional<std::uint32_t> batch;
  Position position;
  std::chrono::system_clock::time_point at;
};
NEXUS_EVENT(Trade, "trade.done", symbol, venue, quantity, price, side, proof, batch, position, at)

struct Sum {
  std::vector<std::uint64_t> numbers;
  std::map<std::string, std::vector<Position>> tracks;
  cbor::Value free;
  std::string text;
};
NEXUS_EVENT(Sum, "sum", numbers, tracks, free, text)

template <class Call>
std::size_t count_allocations(Call&& call) {
  const std::size_t before = allocations;
  call();
  return allocations - before;
}

}  // namespace

TEST_CASE("the counter counts") {
  // Called by name: a compiler may leave out a pair of new and delete expressions.
  CHECK(count_allocations([] { operator delete(operator new(sizeof(int))); }) == 1);
}

TEST_CASE("an event of views is written and read without allocating") {
  const std::uint8_t proof[] = {1, 2, 3};
  Trade sent{"ACME", "a venue with a name longer than any small string", -5, 10.25, Side::sell, proof, 7, {1, 2}, {}};
  Trade got;
  cbor::Buffer out;
  CHECK(count_allocations([&] {
          EventTraits<Trade>::encode(sent, out);
          EventTraits<Trade>::decode(out.bytes(), got);
        }) == 0);
  CHECK(got.venue == sent.venue);
  CHECK(got.batch == 7);

  // In another order of keys, which takes the search by name, and with unknown members, which are skipped.
  const cbor::Value shuffled = {{"other", cbor::Value::array({1, cbor::Value{{"a", 1}}})},
                                {"at", "2024-05-01T10:00:00Z"},
                                {"position", {{"y", 4}, {"x", 3}}},
                                {"side", "sell"},
                                {"symbol", "ACME"}};
  const Bytes bytes = shuffled.encode();
  bool good = false;
  CHECK(count_allocations([&] { good = EventTraits<Trade>::try_decode(std::span<const std::uint8_t>(bytes), got); }) ==
        0);
  CHECK(good);
  CHECK(got.position.x == 3);
}

TEST_CASE("a buffer that is used again stops allocating") {
  Sum sum;
  sum.text = std::string(5000, 'x');
  cbor::Buffer out;
  EventTraits<Sum>::encode(sum, out);
  CHECK(count_allocations([&] {
          for (int i = 0; i < 100; ++i) {
            out.clear();
            EventTraits<Sum>::encode(sum, out);
          }
        }) == 0);
}

TEST_CASE("checking and skipping never allocate, whatever the bytes say") {
  Bytes deep(10'000, 0x81);
  Bytes forged = {0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  CHECK(count_allocations([&] {
          (void)cbor::check(deep);
          (void)cbor::check(forged);
        }) == 0);
}

TEST_CASE("forged lengths reserve next to nothing") {
  const auto cost = [](std::string_view field, std::uint8_t head, std::uint64_t length) {
    cbor::Buffer data;
    cbor::Writer writer(data);
    writer.begin_map(1);
    writer.write_text(field);
    data.commit(cbor::put::head(data.reserve(9), head, length));
    const std::size_t before = allocated_bytes;
    Sum sum;
    (void)EventTraits<Sum>::try_decode(data.bytes(), sum);
    return allocated_bytes - before;
  };
  for (const std::uint64_t length : {std::uint64_t{1} << 20, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    for (const char* field : {"numbers", "tracks", "free", "text"}) {
      for (const std::uint8_t head : {std::uint8_t{0x40}, std::uint8_t{0x60}, std::uint8_t{0x80}, std::uint8_t{0xa0}}) {
        INFO(field << " " << int{head} << " " << length);
        CHECK(cost(field, head, length) < 1000);  // the sentence of the failure
      }
    }
  }
}

TEST_CASE("a list costs what its items cost, not what a long length promises") {
  // A million one-byte items are really there: the numbers are eight times that, and doubling makes it four times
  // again.
  cbor::Buffer data;
  cbor::Writer writer(data);
  writer.begin_map(1);
  writer.write_text("numbers");
  writer.begin_array(1'000'000);
  for (int i = 0; i < 1'000'000; ++i) writer.write_uint(1);
  const std::size_t before = allocated_bytes;
  Sum sum;
  EventTraits<Sum>::decode(data.bytes(), sum);
  CHECK(sum.numbers.size() == 1'000'000);
  CHECK(allocated_bytes - before < 40'000'000);
}
