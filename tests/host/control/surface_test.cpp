#include "host/control/surface.hpp"

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <thread>

#include "host/bus/thread_state.hpp"
#include "host/observe/metrics.hpp"
#include "tests/host/control/result_text.hpp"

namespace nexus::host {
namespace {

struct AddParams {
  int32_t left = 0;
  int32_t right = 0;
};
NEXUS_STRUCT(AddParams, left, right)
struct AddAnswer {
  int64_t sum = 0;
  std::string thread;
};
NEXUS_STRUCT(AddAnswer, sum, thread)

struct Rig {
  ControlThread thread;
  Surface surface{thread};

  Rig() {
    const auto add = [this](const Caller&, const AddParams& params) -> Result<AddAnswer> {
      return AddAnswer{int64_t{params.left} + params.right, thread.is_current() ? "control" : "caller"};
    };
    surface.add_typed<AddParams, AddAnswer>({"math.add", "Adds.", Scope::read, RunsOn::caller}, add);
    surface.add_typed<AddParams, AddAnswer>({"math.add_there", "Adds.", Scope::admin, RunsOn::control}, add);
    surface.add_typed<control::NoParams, control::Done>(
        {"fail.throw", "Throws.", Scope::read, RunsOn::caller},
        [](const Caller&, const control::NoParams&) -> Result<control::Done> { throw std::runtime_error("on purpose"); });
    surface.add_typed<control::NoParams, AddAnswer>(
        {"fail.text", "Answers with broken text.", Scope::read, RunsOn::caller},
        [](const Caller&, const control::NoParams&) -> Result<AddAnswer> { return AddAnswer{1, "\xff"}; });
  }
};

int32_t code_of(const Result<cbor::Value>& result) { return result ? NEXUS_OK : result.error().code; }

TEST_CASE("a method is called with its parameters by name") {
  Rig rig;
  const auto sum = rig.surface.call("math.add", {{"left", 2}, {"right", 3}});
  REQUIRE(sum);
  CHECK(sum->at("sum").get<int>() == 5);
  CHECK(sum->at("thread").get<std::string>() == "caller");
  CHECK(rig.surface.call("math.add")->at("sum").get<int>() == 0);
}

TEST_CASE("a method of the control thread runs there while the caller waits") {
  Rig rig;
  const auto sum = rig.surface.call("math.add_there", {{"left", 2}, {"right", 3}});
  REQUIRE(sum);
  CHECK(sum->at("thread").get<std::string>() == "control");
}

TEST_CASE("in a callback the control thread is not waited for") {
  Rig rig;
  std::thread worker([&] {
    thread_state().in_callback = true;
    CHECK(code_of(rig.surface.call("math.add_there")) == NEXUS_E_THREAD);
    CHECK(code_of(rig.surface.call("math.add")) == NEXUS_OK);
    thread_state().in_callback = false;
  });
  worker.join();
}

TEST_CASE("parameters are read strictly, and the sentence names field and nearest name") {
  Rig rig;
  const auto wrong_name = rig.surface.call("math.add", {{"lef", 2}});
  REQUIRE_FALSE(wrong_name);
  CHECK(wrong_name.error().code == NEXUS_E_SCHEMA);
  CHECK(wrong_name.error().message.find("lef") != std::string::npos);
  CHECK(wrong_name.error().help == "did you mean 'left'?");
  CHECK(code_of(rig.surface.call("math.add", {{"left", "two"}})) == NEXUS_E_SCHEMA);
  CHECK(code_of(rig.surface.call("math.add", {{"left", int64_t{1} << 40}})) == NEXUS_E_SCHEMA);
  CHECK(code_of(rig.surface.call("math.add", cbor::Value::array({1}))) == NEXUS_E_SCHEMA);
  cbor::Buffer out;
  const uint8_t cut[] = {0xa1, 0x64, 'l', 'e'};
  const auto broken = rig.surface.call(Caller{}, "math.add", cut, out);
  REQUIRE_FALSE(broken);
  CHECK(broken.error().code == NEXUS_E_CBOR);
  CHECK(out.empty());
}

TEST_CASE("what a method throws, and text that is not UTF-8, become errors") {
  Rig rig;
  const auto thrown = rig.surface.call("fail.throw");
  REQUIRE_FALSE(thrown);
  CHECK(thrown.error().code == NEXUS_E_INTERNAL);
  CHECK(thrown.error().message == "fail.throw: on purpose");
  CHECK(code_of(rig.surface.call("fail.text")) == NEXUS_E_INTERNAL);
}

TEST_CASE("an unknown method is answered with the nearest one") {
  Rig rig;
  const auto unknown = rig.surface.call("math.ad");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == NEXUS_E_UNKNOWN);
  CHECK(unknown.error().help == "did you mean 'math.add'?");
  CHECK(code_of(rig.surface.call(std::string(100'000, 'x'))) == NEXUS_E_UNKNOWN);
  CHECK(code_of(rig.surface.call("\xff\xfe")) == NEXUS_E_UNKNOWN);
}

TEST_CASE("a caller without the scope is refused") {
  Rig rig;
  Caller reader;
  reader.scope = Scope::read;
  CHECK(code_of(rig.surface.call("math.add", {}, reader)) == NEXUS_OK);
  CHECK(code_of(rig.surface.call("math.add_there", {}, reader)) == NEXUS_E_PERMISSION);
}

TEST_CASE("control.methods tells of every method, itself included, with schemas") {
  Rig rig;
  const auto list = rig.surface.call("control.methods");
  REQUIRE(list);
  bool seen = false;
  CHECK(list->at("methods").size() == rig.surface.methods().size());
  for (const cbor::Value& row : list->at("methods").items()) {
    CHECK_FALSE(row.at("summary").get<std::string>().empty());
    CHECK(row.at("params_schema").get<std::string>().find("draft-07") != std::string::npos);
    if (row.at("name").get<std::string>() != "math.add_there") continue;
    seen = true;
    CHECK(row.at("thread").get<std::string>() == "control");
    CHECK(row.at("scope").get<std::string>() == "admin");
    CHECK(row.at("params_schema").get<std::string>().find("\"left\"") != std::string::npos);
  }
  CHECK(seen);
}

TEST_CASE("calls and failures are counted by method; unknown names share one series") {
  Rig rig;
  Registry metrics;
  rig.surface.count_in(metrics);
  REQUIRE(rig.surface.call("math.add"));
  REQUIRE_FALSE(rig.surface.call("fail.throw"));
  for (int i = 0; i < 10; ++i) REQUIRE_FALSE(rig.surface.call("no.such" + std::to_string(i)));
  CHECK(metrics.counter(metric::kControlRequests, {{"method", "math.add"}}).value() == 1);
  CHECK(metrics.counter(metric::kControlErrors, {{"method", "fail.throw"}}).value() == 1);
  CHECK(metrics.counter(metric::kControlErrors, {{"method", "other"}}).value() == 10);
}

}  // namespace
}  // namespace nexus::host
