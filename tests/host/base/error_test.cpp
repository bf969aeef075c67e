#include "host/base/error.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

using namespace nexus::host;

namespace {

// The codes as abi/error.h defines them, read from the header itself, so that a code without a row is noticed.
std::set<int32_t> codes_of_the_header() {
  std::ifstream file(NEXUS_ERROR_HEADER);
  REQUIRE(file.is_open());
  std::set<int32_t> codes;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string define;
    std::string name;
    int32_t code = 0;
    if (words >> define >> name >> code && define == "#define" && name.rfind("NEXUS_", 0) == 0) codes.insert(code);
  }
  return codes;
}

struct Buffer {
  char text[16] = {};
  nexus_error error{sizeof(nexus_error), 0, 0, 0, nullptr};
  explicit Buffer(uint32_t cap) {
    error.cap = cap;
    error.text = text;
  }
  std::string_view written() const { return {text, error.len}; }
};

}  // namespace

TEST_CASE("every code of the ABI has a sentence, a help and a label of its own") {
  const std::set<int32_t> codes = codes_of_the_header();
  REQUIRE(codes.size() > 40);
  std::set<int32_t> rows;
  std::set<std::string_view> names;
  for (const ErrorText& row : error_table()) {
    INFO("code " << row.code);
    rows.insert(row.code);
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.name.empty());
    CHECK(row.sentence.size() > 5);
    CHECK_FALSE(row.sentence.ends_with('.'));
    if (row.code != NEXUS_OK) CHECK(row.help.ends_with('.'));
    CHECK(&error_text(row.code) == &error_text(row.code));
    CHECK(error_text(row.code).name == row.name);
    CHECK(error_label(row.code).ends_with(row.name));
  }
  CHECK(rows == codes);
}

TEST_CASE("labels are the code in four digits and the name") {
  CHECK(error_label(NEXUS_E_QUEUE_FULL) == "NX0300 queue_full");
  CHECK(error_label(NEXUS_OK) == "NX0000 ok");
  CHECK(error_label(-1) == "NX???? unknown");
  CHECK(error_label(9999) == "NX???? unknown");
  CHECK(error_text(9999).code == NEXUS_E_INTERNAL);
}

TEST_CASE("a sentence is written whole where it fits") {
  Buffer buffer(16);
  CHECK(write_error(&buffer.error, NEXUS_E_IO, "no such file") == NEXUS_E_IO);
  CHECK(buffer.error.code == NEXUS_E_IO);
  CHECK(buffer.written() == "no such file");
}

TEST_CASE("a sentence is cut between characters, never inside one") {
  const std::string_view sentence = "a\u00e4\u20ac\U0001F600";  // 1 + 2 + 3 + 4 bytes
  const std::string_view expected[] = {"", "a", "a", "a\u00e4", "a\u00e4", "a\u00e4", "a\u00e4\u20ac"};
  for (uint32_t cap = 0; cap < std::size(expected); ++cap) {
    INFO("cap " << cap);
    Buffer buffer(cap);
    buffer.error.len = 99;
    write_error(&buffer.error, NEXUS_E_IO, sentence);
    CHECK(buffer.written() == expected[cap]);
    CHECK(buffer.text[cap] == '\0');
  }
}

TEST_CASE("a null, short or textless buffer is left alone") {
  CHECK(write_error(nullptr, NEXUS_E_IO, "x") == NEXUS_E_IO);
  Buffer small(16);
  small.error.size = sizeof(nexus_error) - 1;
  CHECK(write_error(&small.error, NEXUS_E_IO, "x") == NEXUS_E_IO);
  CHECK(small.error.code == 0);
  CHECK(small.error.len == 0);
  Buffer textless(16);
  textless.error.text = nullptr;
  CHECK(write_error(&textless.error, NEXUS_E_IO, "x") == NEXUS_E_IO);
  CHECK(textless.error.code == NEXUS_E_IO);
  CHECK(textless.error.len == 0);
}

TEST_CASE("value() of a failure that nobody looked at says which one it was") {
  const Result<int> failed = make_error(NEXUS_E_TIMEOUT, "nobody answered");
  try {
    (void)failed.value();
    FAIL("it did not throw");
  } catch (const std::exception& thrown) {
    const std::string what = thrown.what();
    CHECK(what.find("NX0109 timeout") != std::string::npos);
    CHECK(what.find("nobody answered") != std::string::npos);
    CHECK(what.find("error_test.cpp") != std::string::npos);
  }
}
