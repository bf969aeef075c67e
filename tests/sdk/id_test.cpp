#include "nexus/id.hpp"

#include <string>
#include <unordered_set>

#include <catch2/catch_test_macros.hpp>

namespace {

using nexus::Id;

TEST_CASE("an id is read from its text and written back in lower case") {
  const auto id = Id::parse("01890A5D-AC96-774B-BCCE-B302099A8057");
  REQUIRE(id);
  CHECK(id->str() == "01890a5d-ac96-774b-bcce-b302099a8057");
  CHECK(Id(id->raw()) == *id);
  CHECK(static_cast<bool>(*id));
}

TEST_CASE("texts that are no id are refused") {
  for (const char* bad : {"", "01890a5d-ac96-774b-bcce-b302099a805", "01890a5d-ac96-774b-bcce-b302099a80570",
                          "01890a5dxac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a805g",
                          "01890a5dac96774bbcceb302099a8057----", "{1890a5d-ac96-774b-bcce-b302099a8057",
                          "01890a5-dac96-774b-bcce-b302099a8057"}) {
    CAPTURE(bad);
    CHECK_FALSE(Id::parse(bad));
  }
}

TEST_CASE("no id is false, and ids are ordered and hashed by their bytes") {
  CHECK_FALSE(static_cast<bool>(Id()));
  CHECK(Id().str() == "00000000-0000-0000-0000-000000000000");
  const Id early = *Id::parse("01890a5d-ac96-774b-bcce-b302099a8057");
  const Id late = *Id::parse("01890a5d-ac97-774b-bcce-b302099a8057");
  CHECK(early < late);
  CHECK(early != late);
  std::unordered_set<Id> set = {early, late, early};
  CHECK(set.size() == 2);
}

}  // namespace
