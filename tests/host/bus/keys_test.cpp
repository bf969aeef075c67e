// Order by key inside a mailbox: one lane for a key, and one turn at a time.
#include <catch2/catch_test_macros.hpp>

#include "host/bus/key_levels.hpp"
#include "host/bus/key_turns.hpp"

using namespace nexus::host;

TEST_CASE("as long as one with a key waits, those after it share its lane") {
  KeyLevels levels;
  CHECK(levels.enter(1, 5) == 5);
  CHECK(levels.enter(1, 9) == 5);
  CHECK(levels.enter(1, -3) == 5);
  CHECK(levels.enter(2, 9) == 9);
  levels.leave(1);
  levels.leave(1);
  CHECK(levels.enter(1, 7) == 5);
  levels.leave(1);
  levels.leave(1);
  CHECK(levels.enter(1, 7) == 7);
  levels.leave(3);
}

TEST_CASE("one slot of a key has its turn, the next when it has left") {
  KeyTurns turns;
  int items[4] = {};
  const auto slot = [&](int i) { return Slot{&items[i], nullptr}; };
  CHECK(turns.enter(1, slot(0)));
  CHECK_FALSE(turns.enter(1, slot(1)));
  CHECK_FALSE(turns.enter(1, slot(2)));
  CHECK(turns.enter(2, slot(3)));
  CHECK_FALSE(turns.has_ready());
  turns.leave(2);
  CHECK_FALSE(turns.has_ready());
  turns.leave(1);
  REQUIRE(turns.has_ready());
  Slot next;
  CHECK(turns.take_ready(&next) == 1);
  CHECK(next.item == &items[1]);
  turns.give_back(1, next);  // it has not run after all
  const auto all = turns.take_all();
  REQUIRE(all.size() == 2);
  CHECK(all[0].item == &items[1]);
  CHECK(all[1].item == &items[2]);
  CHECK(turns.enter(1, slot(0)));
}
