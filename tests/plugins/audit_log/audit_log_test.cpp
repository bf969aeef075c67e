// The chain: what is written verifies, and whatever is done to it afterwards is found, at the right line.
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "plugins/audit_log/audit_chain.hpp"

using namespace audit;

namespace {

std::vector<std::string> write(int count) {
  Link link;
  std::vector<std::string> lines;
  for (int i = 0; i < count; ++i) {
    std::string line;
    append_line(line, link, R"({"type":"order.created","data":)" + std::to_string(i) + "}");
    REQUIRE(line.back() == '\n');
    line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

// The number of the first line that does not fit, or 0.
size_t first_broken(const std::vector<std::string>& lines) {
  Link link;
  for (size_t i = 0; i < lines.size(); ++i)
    if (!check_line(lines[i], link).empty()) return i + 1;
  return 0;
}

}  // namespace

TEST_CASE("an untouched log verifies") { CHECK(first_broken(write(20)) == 0); }

TEST_CASE("every changed character is found at its line") {
  const auto lines = write(3);
  for (size_t i = 0; i < lines[1].size(); ++i) {
    auto changed = lines;
    changed[1][i] = changed[1][i] == 'x' ? 'y' : 'x';
    CHECK(first_broken(changed) == 2);
  }
}

TEST_CASE("removed, doubled and swapped lines are found") {
  auto lines = write(5);
  lines.erase(lines.begin() + 2);
  CHECK(first_broken(lines) == 3);
  lines = write(5);
  lines.insert(lines.begin() + 2, lines[1]);
  CHECK(first_broken(lines) == 3);
  lines = write(5);
  std::swap(lines[1], lines[2]);
  CHECK(first_broken(lines) == 2);
  lines = write(5);
  lines.erase(lines.begin());
  CHECK(first_broken(lines) == 1);
}

TEST_CASE("a line with a new hash of its own breaks the next one") {
  auto lines = write(3);
  Link link;
  read_line(lines[0], link);
  std::string forged;
  append_line(forged, link, R"({"type":"order.created","data":99})");
  forged.pop_back();
  lines[1] = forged;
  CHECK(first_broken(lines) == 3);
}

TEST_CASE("a log goes on after what was there") {
  auto lines = write(2);
  Link link;
  REQUIRE(read_line(lines[1], link));
  CHECK(link.seq == 2);
  std::string next;
  append_line(next, link, "{}");
  next.pop_back();
  lines.push_back(next);
  CHECK(first_broken(lines) == 0);
}

TEST_CASE("other text is no line") {
  Link link;
  for (const char* text : {"", "{}", "{\"seq\":1}", "{\"seq\":x,\"previous\":\"", "hello"})
    CHECK_FALSE(read_line(text, link));
}
