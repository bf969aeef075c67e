// The window of ids that were seen.
#include "host/bus/dedup.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace nexus::host;

namespace {

Uuid id(uint8_t number) {
  Uuid made{};
  made.bytes[15] = number;
  return made;
}

}  // namespace

TEST_CASE("an id is new once, a duplicate with the same content, and a conflict with another") {
  DedupWindow window(100);
  CHECK(window.look(id(1), 7, 0) == DedupWindow::Seen::kNew);
  CHECK(window.look(id(1), 7, 50) == DedupWindow::Seen::kDuplicate);
  CHECK(window.look(id(1), 8, 50) == DedupWindow::Seen::kConflict);
  CHECK(window.look(id(2), 8, 50) == DedupWindow::Seen::kNew);
  CHECK(window.size() == 2);
  CHECK(window.look(id(1), 8, 100) == DedupWindow::Seen::kNew);
  window.forget(id(2));
  CHECK(window.look(id(2), 9, 100) == DedupWindow::Seen::kNew);
}

TEST_CASE("without a window nothing is remembered") {
  DedupWindow window(0);
  CHECK(window.look(id(1), 7, 0) == DedupWindow::Seen::kNew);
  CHECK(window.look(id(1), 8, 0) == DedupWindow::Seen::kNew);
  CHECK(window.size() == 0);
}

TEST_CASE("the content is type, key, subject and data") {
  nexus_event event{};
  const auto text = [](const char* of) { return nexus_string{of, 1}; };
  event.type = text("a");
  const uint64_t plain = DedupWindow::content_of(event);
  CHECK(DedupWindow::content_of(event) == plain);
  event.priority = 5;
  event.time_unix_ns = 9;
  CHECK(DedupWindow::content_of(event) == plain);
  event.key = text("k");
  const uint64_t with_key = DedupWindow::content_of(event);
  CHECK(with_key != plain);
  event.key = {};
  event.subject = text("k");
  CHECK(DedupWindow::content_of(event) != with_key);
}
