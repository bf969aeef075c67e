#include "host/plugin/requirements.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <rapidcheck.h>

using namespace nexus::host;

namespace {

struct World {
  ModuleInfo& add(const std::string& id, const std::string& version, std::vector<ModuleRequirement> requirements = {}) {
    auto module = std::make_unique<ModuleInfo>();
    module->id = id;
    module->version = version;
    module->requirements = std::move(requirements);
    modules.push_back(std::move(module));
    return *modules.back();
  }
  LoadPlan plan(const RunningModules& running = {}) {
    std::vector<const ModuleInfo*> wanted;
    for (const auto& module : modules) wanted.push_back(module.get());
    return plan_loads(wanted, running);
  }
  std::vector<std::string> order(const LoadPlan& plan) const {
    std::vector<std::string> out;
    for (size_t index : plan.order) out.push_back(modules[index]->id);
    return out;
  }
  std::vector<std::unique_ptr<ModuleInfo>> modules;
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("plugins are ordered by what they require, then by id") {
  World world;
  world.add("x.app", "1.0.0", {{"x.mid", "^1"}});
  world.add("x.mid", "1.2.0", {{"x.base", ">=2"}});
  world.add("x.zed", "1.0.0");
  world.add("x.base", "2.5.0");
  const LoadPlan plan = world.plan();
  CHECK(world.order(plan) == Ids{"x.base", "x.mid", "x.app", "x.zed"});
}

TEST_CASE("providers and what they require go first") {
  World world;
  world.add("x.a", "1.0.0");
  world.add("x.provider", "1.0.0", {{"x.tls", ""}}).flags = NEXUS_MODULE_PROVIDER;
  world.add("x.tls", "1.0.0");
  CHECK(world.order(world.plan()) == Ids{"x.tls", "x.provider", "x.a"});
}

TEST_CASE("what is missing is named, and those behind it are told why") {
  World world;
  world.add("x.top", "1.0.0", {{"x.mid", ""}});
  world.add("x.mid", "1.0.0", {{"x.gone", "^2.0"}});
  world.add("x.free", "1.0.0");
  const LoadPlan plan = world.plan();
  CHECK(world.order(plan) == Ids{"x.free"});
  REQUIRE(plan.fault[1]);
  CHECK(plan.fault[1]->code == NEXUS_E_LOAD_REQUIRES);
  CHECK(plan.fault[1]->message == "x.mid requires x.gone ^2.0, which is not loaded");
  REQUIRE(plan.fault[0]);
  CHECK(plan.fault[0]->code == NEXUS_E_LOAD_REQUIRES);
  CHECK(plan.fault[0]->message ==
        "x.top requires x.mid, which was refused: x.mid requires x.gone ^2.0, which is not loaded");
}

TEST_CASE("a version that does not fit is named") {
  World world;
  world.add("x.app", "1.0.0", {{"x.lib", "^2"}});
  world.add("x.lib", "1.9.0");
  LoadPlan plan = world.plan();
  REQUIRE(plan.fault[0]);
  CHECK(plan.fault[0]->message == "x.app requires x.lib ^2, but its version is 1.9.0");
  CHECK_FALSE(plan.fault[1]);

  // What runs counts too, unless a wanted one takes its place.
  ModuleInfo running;
  running.id = "x.lib";
  running.version = "2.1.0";
  CHECK(world.plan({{"x.lib", &running}}).fault[0]);
  world.modules.pop_back();
  CHECK_FALSE(world.plan({{"x.lib", &running}}).fault[0]);
}

TEST_CASE("circles are printed as seen from each member") {
  World world;
  world.add("x.a", "1.0.0", {{"x.b", ""}});
  world.add("x.b", "1.0.0", {{"x.c", ""}});
  world.add("x.c", "1.0.0", {{"x.a", ""}});
  world.add("x.user", "1.0.0", {{"x.b", ""}});
  world.add("x.free", "1.0.0");
  const LoadPlan plan = world.plan();
  CHECK(world.order(plan) == Ids{"x.free"});
  REQUIRE(plan.fault[0]);
  CHECK(plan.fault[0]->code == NEXUS_E_LOAD_CYCLE);
  CHECK(plan.fault[0]->message == "plugins require each other in a circle: x.a → x.b → x.c → x.a");
  CHECK(plan.fault[1]->message == "plugins require each other in a circle: x.b → x.c → x.a → x.b");
  CHECK(plan.fault[2]->code == NEXUS_E_LOAD_CYCLE);
  CHECK(plan.fault[3]->code == NEXUS_E_LOAD_REQUIRES);
}

TEST_CASE("a circle through what runs is found") {
  World world;
  world.add("x.a", "2.0.0", {{"x.b", ""}});
  ModuleInfo old_a;
  old_a.id = "x.a";
  old_a.version = "1.0.0";
  ModuleInfo b;
  b.id = "x.b";
  b.version = "1.0.0";
  b.requirements = {{"x.a", ""}};
  const LoadPlan plan = world.plan({{"x.a", &old_a}, {"x.b", &b}});
  REQUIRE(plan.fault[0]);
  CHECK(plan.fault[0]->message == "plugins require each other in a circle: x.a → x.b → x.a");
}

TEST_CASE("a chain of a thousand is no trouble") {
  World world;
  for (int i = 0; i < 1000; ++i) {
    world.add("x.n" + std::to_string(i), "1.0.0", {{"x.n" + std::to_string(i + 1), ""}});
  }
  world.add("x.n1000", "1.0.0");
  const LoadPlan plan = world.plan();
  REQUIRE(plan.order.size() == 1001);
  CHECK(world.order(plan).front() == "x.n1000");
  CHECK(world.order(plan).back() == "x.n0");
}

TEST_CASE("properties of plans") {
  CHECK(rc::check("each plugin is either placed after all that it requires, or has a fault", [] {
    World world;
    const int count = *rc::gen::inRange(1, 8);
    for (int i = 0; i < count; ++i) {
      std::vector<ModuleRequirement> requirements;
      for (int j = 0; j < count; ++j) {
        if (j != i && *rc::gen::inRange(0, 5) == 0) requirements.push_back({"x.n" + std::to_string(j), ""});
      }
      world.add("x.n" + std::to_string(i), "1.0.0", requirements).flags = *rc::gen::inRange(0, 2) == 0 ? 0u : 2u;
    }
    const LoadPlan plan = world.plan();
    std::vector<std::string> placed;
    for (size_t index : plan.order) {
      RC_ASSERT(!plan.fault[index]);
      for (const ModuleRequirement& requirement : world.modules[index]->requirements) {
        RC_ASSERT(std::find(placed.begin(), placed.end(), requirement.id) != placed.end());
      }
      placed.push_back(world.modules[index]->id);
    }
    size_t faults = 0;
    for (const auto& fault : plan.fault) faults += fault ? 1 : 0;
    RC_ASSERT(faults + placed.size() == world.modules.size());
  }));
}
