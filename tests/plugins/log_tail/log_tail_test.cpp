// Access lines of both formats, and files that grow, rotate, shrink and have partial lines.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <unistd.h>
#include <vector>

#include "plugins/log_tail/access_log.hpp"
#include "plugins/log_tail/followed_file.hpp"

using namespace log_tail;

namespace {

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nexus-tail-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const char* name = "access.log") const { return (path / name).string(); }
  void append(const std::string& text, const char* name = "access.log") const {
    std::ofstream(file(name), std::ios::app | std::ios::binary) << text;
  }
};

std::vector<std::string> read_all(FollowedFile& file) {
  std::vector<std::string> lines;
  const auto take = [&](const Line& line) { return lines.emplace_back(line.text), true; };
  while (file.read(take)) {
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("the common format") {
  const auto line =
      parse_access_line(R"(127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326)");
  REQUIRE(line);
  CHECK(line->client == "127.0.0.1");
  CHECK(line->method == "GET");
  CHECK(line->path == "/apache_pb.gif");
  CHECK(line->status == 200);
  CHECK(line->size == 2326);
  CHECK(line->user_agent.empty());
}

TEST_CASE("the combined format, with quotes inside and fields behind") {
  const auto line = parse_access_line(
      R"(2001:db8::1 - - [24/Nov/2026:06:11:24 +0000] "POST /a b?q=\"x\" HTTP/1.1" 404 - "-" "Agent \"7\"" 0.004 extra)");
  REQUIRE(line);
  CHECK(line->method == "POST");
  CHECK(line->path == R"(/a b?q="x")");
  CHECK(line->status == 404);
  CHECK(line->size == 0);
  CHECK(line->referer.empty());
  CHECK(line->user_agent == R"(Agent "7")");
}

TEST_CASE("a request line that is none leaves method and path empty") {
  const auto line = parse_access_line(R"(10.0.0.1 - - [24/Nov/2026:06:11:24 +0000] "-" 408 0)");
  REQUIRE(line);
  CHECK(line->method.empty());
  CHECK(line->path.empty());
}

TEST_CASE("other lines are not access lines") {
  for (const char* text : {"", " ", "2026-11-24 06:11:24 status installed ninja-build:amd64 1.11.1", "a b c [d] \"e\"",
                           "a - - [d] \"GET / HTTP/1.0\" 20 5", "a - - [d] \"GET / HTTP/1.0\" 200 x",
                           "a - - [d] \"GET / HTTP/1.0\" 99999 5", "a - - [d] \"GET / HTTP/1.0", "a - - [d",
                           "a - - [d] \"GET / HTTP/1.0\" 200 5 \"r\"", "a - - [d] \"GET / HTTP/1.0\" 200 5x"})
    CHECK_FALSE(parse_access_line(text));
}

TEST_CASE("lines are handed out once they are complete") {
  Folder folder;
  folder.append("old\n");
  FollowedFile file(folder.file(), false, 1000);
  CHECK(read_all(file).empty());
  folder.append("one\ntwo\r\nthr");
  CHECK(read_all(file) == Lines{"one", "two"});
  CHECK(read_all(file).empty());
  folder.append("ee\n");
  CHECK(read_all(file) == Lines{"three"});
}

TEST_CASE("from the beginning, and a file that comes later") {
  Folder folder;
  FollowedFile file(folder.file(), false, 1000);
  CHECK(read_all(file).empty());
  folder.append("first\n");
  CHECK(read_all(file) == Lines{"first"});
  FollowedFile again(folder.file(), true, 1000);
  CHECK(read_all(again) == Lines{"first"});
}

TEST_CASE("rotation: the rest of the old file comes first, then the new one from its beginning") {
  Folder folder;
  folder.append("one\n");
  FollowedFile file(folder.file(), true, 1000);
  CHECK(read_all(file) == Lines{"one"});
  folder.append("two\nunfinished");
  std::filesystem::rename(folder.file(), folder.file("access.log.1"));
  folder.append("three\n");
  CHECK(read_all(file) == Lines{"two", "unfinished", "three"});
}

TEST_CASE("a file that is emptied in place is read from its beginning") {
  Folder folder;
  folder.append("one\ntwo\n");
  FollowedFile file(folder.file(), true, 1000);
  CHECK(read_all(file).size() == 2);
  std::filesystem::resize_file(folder.file(), 0);
  folder.append("x\n");
  CHECK(read_all(file) == Lines{"x"});
}

TEST_CASE("a line that is not taken comes again, and none is lost or doubled") {
  Folder folder;
  for (int i = 0; i < 100; ++i) folder.append(std::to_string(i) + "\n");
  FollowedFile file(folder.file(), true, 1000);
  Lines lines;
  int budget = 0;
  for (int round = 0; round < 40 && lines.size() < 100; ++round) {
    budget = 3;
    file.read([&](const Line& line) {
      if (budget-- == 0) return false;
      lines.emplace_back(line.text);
      return true;
    });
  }
  REQUIRE(lines.size() == 100);
  for (size_t i = 0; i < 100; ++i) CHECK(lines[i] == std::to_string(i));
}

TEST_CASE("an endless line is cut at the limit and does not fill the memory") {
  Folder folder;
  folder.append(std::string(300'000, 'a'));
  FollowedFile file(folder.file(), true, 1000);
  CHECK(read_all(file).empty());
  folder.append("b\nnext\n");
  std::vector<std::pair<std::string, bool>> lines;
  std::vector<std::uint64_t> offsets;
  file.read([&](const Line& line) {
    lines.emplace_back(line.text, line.truncated);
    offsets.push_back(line.offset);
    return true;
  });
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].first == std::string(1000, 'a'));
  CHECK(lines[0].second);
  CHECK(lines[1].first == "next");
  CHECK_FALSE(lines[1].second);
  CHECK(offsets[1] == 300'002);
}

TEST_CASE("a large file is read in parts") {
  Folder folder;
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "line " + std::to_string(i) + " with some words to make it longer\n";
  folder.append(text);
  FollowedFile file(folder.file(), true, 1000);
  int calls = 1;
  size_t count = 0;
  while (file.read([&](const Line&) { return ++count, true; })) ++calls;
  CHECK(count == 50'000);
  CHECK(calls > 1);
}

TEST_CASE("a folder under the name is an error that says so") {
  Folder folder;
  std::filesystem::create_directory(folder.file());
  FollowedFile file(folder.file(), true, 1000);
  CHECK_THROWS(file.read([](const Line&) { return true; }));
}
