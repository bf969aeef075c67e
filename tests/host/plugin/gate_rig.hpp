// A load gate with folders of its own, for the tests of what it lets in. Single thread.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "host/plugin/gate.hpp"
#include "tests/host/plugin/folder.hpp"

namespace nexus::host::test {

struct GateRig {
  explicit GateRig(std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
    options.private_folder = folder.private_folder();
    options.policy.size_max = uint64_t{64} << 20;
    options.probe = {probe_program(), timeout, 2};
    auto made = LoadGate::create(options);
    REQUIRE(made.has_value());
    gate = std::move(*made);
  }

  Error refusal(const fs::path& file) {
    auto passed = gate->pass(file);
    INFO(file);
    REQUIRE(passed.has_error());
    CHECK(passed.error().message.find(file.string()) == 0);
    return passed.error();
  }

  Folder folder;
  GateOptions options;
  std::unique_ptr<LoadGate> gate;
};

inline bool holds(const Error& error, std::string_view part) {
  UNSCOPED_INFO(error.message);
  return error.message.find(part) != std::string::npos;
}

}  // namespace nexus::host::test
