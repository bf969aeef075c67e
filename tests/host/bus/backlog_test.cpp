// What a subscription holds back, without a bus: keys and pauses, and their order.
#include "host/bus/backlog.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace nexus::host;

namespace {

HeldBack held(uint32_t number) { return {nullptr, nullptr, number}; }
uint32_t number(const std::optional<HeldBack>& delivery) { return delivery.has_value() ? delivery->entry : 0; }

}  // namespace

TEST_CASE("a blocked key holds its own in their order, and no other") {
  Backlog backlog;
  CHECK(backlog.is_idle());
  CHECK_FALSE(backlog.hold(held(1), "a", false));
  backlog.block("a");
  backlog.block("a");
  CHECK_FALSE(backlog.is_idle());
  CHECK(backlog.must_wait("a", false));
  CHECK_FALSE(backlog.must_wait("b", false));
  CHECK_FALSE(backlog.must_wait("", false));
  CHECK(backlog.hold(held(2), "a", false));
  CHECK(backlog.hold(held(3), "a", false));
  CHECK_FALSE(backlog.hold(held(4), "b", false));
  CHECK(backlog.size() == 2);
  CHECK(number(backlog.next_of("a")) == 2);
  CHECK(number(backlog.next_of("a")) == 3);
  CHECK_FALSE(backlog.is_idle());
  CHECK(number(backlog.next_of("a")) == 0);
  CHECK(backlog.is_idle());
  CHECK(number(backlog.next_of("a")) == 0);
}

TEST_CASE("a pause holds all; what it held comes one by one, and what arrives meanwhile waits behind") {
  Backlog backlog;
  backlog.pause();
  CHECK(backlog.hold(held(1), "", false));
  CHECK(backlog.hold(held(2), "a", false));
  CHECK(number(backlog.resume()) == 1);
  CHECK_FALSE(backlog.is_paused());
  CHECK(backlog.holds_all());
  CHECK(backlog.hold(held(3), "", false));
  CHECK_FALSE(backlog.hold(held(1), "", true));
  CHECK(number(backlog.next_released()) == 2);
  CHECK(number(backlog.next_released()) == 3);
  CHECK(number(backlog.next_released()) == 0);
  CHECK(backlog.is_idle());
  CHECK(number(backlog.resume()) == 0);
}

TEST_CASE("a second pause keeps the rest, and one that was released can still wait for its key") {
  Backlog backlog;
  backlog.pause();
  for (uint32_t i = 1; i <= 3; ++i) CHECK(backlog.hold(held(i), "a", false));
  CHECK(number(backlog.resume()) == 1);
  backlog.pause();
  CHECK(number(backlog.next_released()) == 0);
  backlog.block("a");
  CHECK(number(backlog.resume()) == 2);
  CHECK(backlog.hold(held(2), "a", true));
  CHECK(number(backlog.next_released()) == 3);
  CHECK(number(backlog.next_of("a")) == 2);
}

TEST_CASE("another backlog takes over keys, order and pause, and nothing stays") {
  Backlog old_one, new_one;
  old_one.block("a");
  CHECK(old_one.hold(held(1), "a", false));
  old_one.pause();
  CHECK(old_one.hold(held(2), "", false));
  new_one.adopt(old_one);
  CHECK(old_one.is_idle());
  CHECK(old_one.size() == 0);
  CHECK(new_one.is_paused());
  CHECK(new_one.size() == 2);
  CHECK(number(new_one.next_of("a")) == 1);
  CHECK(number(new_one.resume()) == 2);
  CHECK(new_one.take_all().empty());
  CHECK(new_one.next_of("a").has_value() == false);
}
