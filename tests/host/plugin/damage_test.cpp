// Damaged libraries: every truncation of a small plugin, and 1,000 seeded mutations. Whatever a file does, it is done to
// a child; this process and its mappings stay as they were.
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "host/base/os/file_check.hpp"
#include "host/base/os/shared_object.hpp"
#include "host/plugin/gate.hpp"
#include "tests/host/plugin/folder.hpp"

using namespace nexus::host;
using namespace nexus::host::test;

namespace {

const std::set<int32_t> kDamageCodes = {
    NEXUS_E_LOAD_FORMAT, NEXUS_E_LOAD_ARCH,  NEXUS_E_LOAD_SYMBOL, NEXUS_E_LOAD_MINOR, NEXUS_E_LOAD_MODULE,
    NEXUS_E_LOAD_MAJOR,  NEXUS_E_LOAD_CRASH, NEXUS_E_LOAD_HANG,   NEXUS_E_LOAD_EXIT,  NEXUS_E_LOAD_LINK};

std::unique_ptr<LoadGate> open_gate(const Folder& folder, std::chrono::milliseconds timeout) {
  GateOptions options;
  options.private_folder = folder.private_folder();
  options.probe = {probe_program(), timeout, 3};
  auto made = LoadGate::create(options);
  REQUIRE(made.has_value());
  return std::move(*made);
}

}  // namespace

TEST_CASE("every truncation of a plugin is refused") {
  Folder folder;
  const auto gate = open_gate(folder, std::chrono::seconds(20));
  const std::string good = read_file(specimen("good"));
  REQUIRE(good.size() > 4000);
  const fs::path file = folder.put_bytes(good, "cut.so");

  // From the end down, in place; the headers alone tell, so that no cut file need be copied or probed.
  std::map<int32_t, size_t> codes;
  for (size_t length = good.size(); length > 0;) {
    --length;
    fs::resize_file(file, length);
    const auto opened = os::open_trusted_file(file, {});
    int32_t code = 0;
    std::string message;
    if (!opened) {
      code = opened.error().code;
      message = opened.error().message;
    } else if (const auto looks = os::check_shared_object(opened->fd.get(), file); !looks) {
      code = looks.error().code;
      message = looks.error().message;
    }
    if (code != NEXUS_E_LOAD_FORMAT) FAIL("cut at " << length << ": code " << code << " " << message);
    if (length > 0 && message.find("cut short") == std::string::npos) FAIL("cut at " << length << ": " << message);
    ++codes[code];
  }
  CHECK(codes[NEXUS_E_LOAD_FORMAT] == good.size());

  // And through the whole gate, at lengths spread over the file.
  for (size_t length = 1; length < good.size(); length += good.size() / 50) {
    const auto passed = gate->pass(folder.put_bytes(good.substr(0, length), "cut.so"));
    REQUIRE(passed.has_error());
    CHECK(passed.error().code == NEXUS_E_LOAD_FORMAT);
  }
}

TEST_CASE("truncations of a plugin without section headers are refused by headers or probe") {
  Folder folder;
  const auto gate = open_gate(folder, std::chrono::seconds(20));
  std::string good = read_file(specimen("good"));
  // e_shoff and e_shnum: the loader does not need sections, and a stripped file has none to be missed.
  good.replace(40, 8, std::string(8, '\0'));
  good.replace(60, 2, std::string(2, '\0'));
  REQUIRE(gate->pass(folder.put_bytes(good, "whole.so")).has_value());

  std::vector<StagedFile> staged;
  size_t refused_by_headers = 0;
  size_t tried = 0;
  for (size_t length = 64; length < good.size(); length += 97) {
    ++tried;
    auto one = gate->stage(folder.put_bytes(good.substr(0, length), "cut" + std::to_string(length) + ".so"));
    if (one) {
      staged.push_back(std::move(*one));
    } else {
      CHECK(one.error().code == NEXUS_E_LOAD_FORMAT);
      ++refused_by_headers;
    }
  }
  CHECK(refused_by_headers > tried / 4);
  // What is left has lost only what no loader reads; whatever it does is done in a child.
  for (const auto& result : gate->probe(std::move(staged))) {
    if (!result) CHECK(kDamageCodes.count(result.error().code) == 1);
  }
}

TEST_CASE("1,000 seeded mutations of a plugin never harm the host") {
  constexpr unsigned kSeed = 20240607;
  constexpr size_t kMutations = 1000;
  constexpr size_t kBatch = 100;
  Folder folder;
  const auto gate = open_gate(folder, std::chrono::seconds(2));
  const std::string good = read_file(specimen("good"));
  std::mt19937 random(kSeed);
  auto below = [&](size_t limit) { return static_cast<size_t>(random() % limit); };

  std::map<int32_t, size_t> outcomes;
  for (size_t done = 0; done < kMutations; done += kBatch) {
    std::vector<StagedFile> staged;
    for (size_t i = 0; i < kBatch; ++i) {
      std::string bytes = good;
      // A third of them hit the headers, where a change matters most.
      const size_t reach = i % 3 == 0 ? 64 + 56 * 9 : bytes.size();
      for (size_t hits = 1 + below(4); hits > 0; --hits) bytes[below(reach)] = static_cast<char>(random());
      if (bytes == good) bytes[0] = 'x';
      auto one = gate->stage(folder.put_bytes(bytes, "m" + std::to_string(done + i) + ".so"));
      if (one) {
        staged.push_back(std::move(*one));
      } else {
        ++outcomes[one.error().code];
      }
    }
    for (const auto& result : gate->probe(std::move(staged))) {
      ++outcomes[result ? 0 : result.error().code];
      if (!result) {
        INFO("seed " << kSeed << ": " << result.error().message);
        CHECK(kDamageCodes.count(result.error().code) == 1);
        CHECK(result.error().message.size() > 20);
      }
    }
  }
  size_t total = 0;
  for (const auto& [code, count] : outcomes) {
    UNSCOPED_INFO("code " << code << ": " << count);
    total += count;
  }
  CHECK(total == kMutations);
  CHECK(outcomes[NEXUS_E_LOAD_FORMAT] > 50);
  CHECK(outcomes[NEXUS_E_LOAD_CRASH] > 10);
  CHECK(gate->pass(folder.put("good")).has_value());
}
