// The store of dead letters in memory, and what makes two failures alike.
#include "host/bus/dead_letters.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>

using namespace nexus::host;

namespace {

EventRef make_event(std::string_view type) {
  EventBlock* block = allocate_block(0);
  block->event = nexus_event{};
  block->event.type = to_abi(type);
  block->route = nullptr;
  EventRef event(block);
  block->release();
  return event;
}

DeadLetter make_letter(std::string_view plugin, std::string_view type, int64_t time = 1,
                       std::string fingerprint = "f") {
  DeadLetter letter;
  letter.event = make_event(type);
  letter.plugin_id = plugin;
  letter.pattern = type;
  letter.fingerprint = std::move(fingerprint);
  letter.first_unix_ns = letter.last_unix_ns = time;
  return letter;
}

uint64_t put(DeadLetterStore& store, DeadLetter letter) {
  std::vector<DeadLetterPointer> dropped;
  return store.put(std::move(letter), &dropped);
}

std::vector<uint64_t> ids_of(const std::vector<DeadLetterPointer>& letters) {
  std::vector<uint64_t> ids;
  for (const auto& letter : letters) ids.push_back(letter->id);
  return ids;
}

using Ids = std::vector<uint64_t>;

}  // namespace

TEST_CASE("letters get ids that rise, and are found by all that tells them apart") {
  MemoryDeadLetters store({});
  CHECK(store.last_id() == 0);
  CHECK(put(store, make_letter("shop", "order.created", 1, "a")) == 1);
  CHECK(put(store, make_letter("mail", "order.created", 2, "b")) == 2);
  DeadLetter rejected = make_letter("shop", "user.created", 3, "a");
  rejected.reason = DeadLetterReason::kRejected;
  CHECK(put(store, std::move(rejected)) == 3);
  CHECK(store.last_id() == 3);
  CHECK(ids_of(store.list({}, 10)) == Ids{1, 2, 3});
  CHECK(ids_of(store.list({}, 1, 1)) == Ids{2});
  CHECK(ids_of(store.list({}, 10, 3)).empty());
  DeadLetterFilter filter;
  filter.plugin = "shop";
  CHECK(ids_of(store.list(filter, 10)) == Ids{1, 3});
  filter.type = Pattern::parse("order.*").value();
  CHECK(ids_of(store.list(filter, 10)) == Ids{1});
  filter = {};
  filter.fingerprint = "b";
  CHECK(ids_of(store.list(filter, 10)) == Ids{2});
  filter = {};
  filter.id = 3;
  CHECK(ids_of(store.list(filter, 10)) == Ids{3});
  filter = {};
  filter.reason = DeadLetterReason::kRejected;
  CHECK(ids_of(store.list(filter, 10)) == Ids{3});
  filter = {};
  filter.after_id = 1;
  CHECK(ids_of(store.list(filter, 10)) == Ids{2, 3});
  filter.last_id = 2;
  CHECK(ids_of(store.list(filter, 10)) == Ids{2});
  CHECK(store.count(filter) == 1);
  REQUIRE(store.find(2) != nullptr);
  CHECK(store.find(2)->plugin_id == "mail");
  CHECK(store.find(4) == nullptr);
}

TEST_CASE("letters of one fingerprint are a group, the largest group first") {
  MemoryDeadLetters store({});
  put(store, make_letter("shop", "order.created", 5, "rare"));
  put(store, make_letter("shop", "order.created", 7, "often"));
  put(store, make_letter("shop", "order.created", 9, "often"));
  put(store, make_letter("shop", "order.created", 8, "often"));
  const auto groups = store.groups({});
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].fingerprint == "often");
  CHECK(groups[0].count == 3);
  CHECK(groups[0].first_unix_ns == 7);
  CHECK(groups[0].last_unix_ns == 9);
  CHECK(groups[0].latest->id == 3);
  CHECK(groups[1].fingerprint == "rare");
  CHECK(groups[1].count == 1);
}

TEST_CASE("one that is taken is gone for others, and comes back to its place or is let go") {
  MemoryDeadLetters store({});
  put(store, make_letter("shop", "order.created"));
  DeadLetterPointer taken = store.take(1);
  REQUIRE(taken != nullptr);
  CHECK(store.take(1) == nullptr);
  CHECK(store.find(1) == nullptr);
  CHECK(store.totals().held == 0);
  store.restore(taken);
  CHECK(ids_of(store.list({}, 10)) == Ids{1});
  CHECK(store.totals().given_up[0] == 1);
  taken = store.take(1);
  DeadLetter again = *taken;
  again.replays = 1;
  CHECK(put(store, std::move(again)) == 1);
  CHECK(store.find(1)->replays == 1);
  CHECK(store.totals().given_up[0] == 2);
  CHECK(store.last_id() == 1);
  CHECK(store.remove(1));
  CHECK_FALSE(store.remove(1));
  CHECK(store.totals().removed == 1);
  CHECK(store.totals().held == 0);
}

TEST_CASE("at the bound the one that has not failed for longest gives way, or the one that comes") {
  MemoryDeadLetters oldest({3, false}), newest({3, true});
  for (MemoryDeadLetters* store : {&oldest, &newest})
    for (int i = 0; i < 3; ++i) CHECK(put(*store, make_letter("shop", "order.created")) != 0);
  CHECK(put(oldest, make_letter("shop", "order.created")) == 4);
  CHECK(ids_of(oldest.list({}, 10)) == Ids{2, 3, 4});
  CHECK(put(newest, make_letter("shop", "order.created")) == 0);
  CHECK(ids_of(newest.list({}, 10)) == Ids{1, 2, 3});
  for (const MemoryDeadLetters* store : {&oldest, &newest}) {
    CHECK(store->totals().held == 3);
    CHECK(store->totals().dropped == 1);
    CHECK(store->totals().given_up[0] == 4);
  }
  // 2 fails again: 3 is now the one that has not failed for longest.
  put(oldest, *oldest.take(2));
  CHECK(put(oldest, make_letter("shop", "order.created")) == 5);
  CHECK(ids_of(oldest.list({}, 10)) == Ids{2, 4, 5});
}

TEST_CASE("the place of one that is being tried again is kept, so that it can always come back") {
  for (const bool drop_new : {false, true}) {
    MemoryDeadLetters store({2, drop_new});
    put(store, make_letter("shop", "order.created"));
    put(store, make_letter("shop", "order.created"));
    DeadLetterPointer first = store.take(1), second = store.take(2);
    CHECK(put(store, make_letter("shop", "order.created")) == 0);
    CHECK(store.totals().dropped == 1);
    store.restore(first);
    CHECK(ids_of(store.list({}, 10)) == Ids{1});
    second.reset();  // it has succeeded
    CHECK(put(store, make_letter("shop", "order.created")) == 3);
    CHECK(ids_of(store.list({}, 10)) == Ids{1, 3});
    CHECK(store.totals().dropped == 1);
  }
}

TEST_CASE("a store for no letters keeps none and counts them") {
  MemoryDeadLetters store({0, false});
  CHECK(put(store, make_letter("shop", "order.created")) == 0);
  CHECK(store.totals().held == 0);
  CHECK(store.totals().dropped == 1);
}

TEST_CASE("many threads: every letter is taken by one, and none is lost") {
  constexpr uint64_t kEach = 500;
  MemoryDeadLetters store({1'000'000, false});
  std::atomic<uint64_t> taken{0}, removed{0}, returned{0};
  const auto work = [&] {
    for (uint64_t i = 0; i < kEach; ++i) {
      const uint64_t id = put(store, make_letter("shop", "order.created"));
      if (const auto letter = store.take(id); letter != nullptr) {
        store.restore(letter);
        ++returned;
      }
      if (store.take(id / 2 + 1) != nullptr) ++taken;
      if (store.remove(id / 5 + 1)) ++removed;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (auto& thread : threads) thread.join();
  CHECK(store.totals().held + taken + removed == 4 * kEach);
  CHECK(store.totals().removed == removed);
  CHECK(store.list({}, UINT64_MAX).size() == store.totals().held);
  CHECK(returned > 0);
}

TEST_CASE("a fingerprint passes over numbers and ids, and nothing else") {
  const auto of = [](std::string_view text, std::string_view type = "std::runtime_error") {
    return fingerprint_of("com.example.shop", "save", "order.created", type, text);
  };
  CHECK(of("order A-1 not found") == of("order A-2041 not found"));
  CHECK(of("took 12.5 s") == of("took 3.25 s"));
  CHECK(of("no 018f3c6e-7d1a-7c3b-9a51-0242ac120002 here") == of("no 018f3c6f-0000-7000-8000-000000000001 here"));
  CHECK(of("at 0x7f00deadbeef") == of("at 0x1"));
  CHECK(of("order not found") != of("user not found"));
  CHECK(of("x") != of("x", "std::logic_error"));
  CHECK(of("order A-1") != of("order A"));
  CHECK(of("").size() == 16);
  CHECK(of("a").find_first_not_of("0123456789abcdef") == std::string::npos);
  // Where one part ends and the next begins matters.
  CHECK(fingerprint_of("ab", "c", "d", "e", "f") != fingerprint_of("a", "bc", "d", "e", "f"));
  CHECK(fingerprint_of("a", "b", "c", "d", "e") != fingerprint_of("b", "a", "c", "d", "e"));
}

TEST_CASE("a fingerprint stays what it is: scripts and notes hold on to it") {
  CHECK(fingerprint_of("com.example.shop", "save", "order.created", "std::runtime_error", "order 7 not found") ==
        "45d8f7611e8fcfa3");
}

TEST_CASE("the names of the reasons") {
  for (const char* name : {"attempts", "rejected", "expired", "overflow", "crash", "loop"}) {
    const auto reason = parse_reason(name);
    REQUIRE(reason);
    CHECK(reason_name(*reason) == name);
  }
  CHECK_FALSE(parse_reason("other"));
}
