// Asking and waiting without blocking, and answers that come later.
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "nexus/plugin.hpp"
#include "nexus/testing.hpp"

namespace {

using namespace std::chrono_literals;
using nexus::Event;
using nexus::Later;

struct ValidateUser {
  std::string user_id;
};
NEXUS_EVENT(ValidateUser, "user.validate", user_id)

struct UserVerdict {
  bool is_valid = false;
};
NEXUS_EVENT(UserVerdict, "user.verdict", is_valid)

struct Order {
  std::string id;
};
NEXUS_EVENT(Order, "order.created", id)

struct OrderAccepted {
  std::string id;
};
NEXUS_EVENT(OrderAccepted, "order.accepted", id)

struct Unrelated {
  int number = 0;
};
NEXUS_EVENT(Unrelated, "audit.seen", number)

using Calls = std::vector<std::string>;

struct Users final : nexus::Plugin {
  bool silent = false;
  NEXUS_ON(validate)
  UserVerdict validate(const ValidateUser& query) {
    if (silent) throw nexus::Skip();
    emit(Unrelated{1});  // caused by the query as well, and no answer
    return {query.user_id != "nobody"};
  }
};
NEXUS_PLUGIN_INFO(Users, "com.example.users", "1.0.0")

struct Shop final : nexus::Plugin {
  using Plugin::promise;
  using Plugin::request;
  using Plugin::wait_for;

  Calls calls;
  std::optional<Later> wait;
  std::vector<nexus::Promise> promises;

  // Answers when the question that it asks itself is answered.
  NEXUS_ON(take, .retry = nexus::fixed(1, 10s), .durable = "take")
  Later take(const Order& order) {
    calls.push_back("take " + order.id);
    return request(ValidateUser{order.id}, 5s).then([this, order](const UserVerdict& verdict) {
      calls.push_back("verdict " + order.id);
      if (!verdict.is_valid) throw nexus::Reject("unknown buyer");
      return OrderAccepted{order.id};
    });
  }
};
NEXUS_PLUGIN_INFO(Shop, "com.example.shop", "1.0.0")

TEST_CASE("a handler that returns a Later is finished, and answers, when the Later is") {
  nexus::testing::Host host;
  auto users = host.load<Users>();
  auto shop = host.load<Shop>();
  const auto accepted = host.request<OrderAccepted>(Order{"u-7"});
  REQUIRE(accepted);
  CHECK(accepted->id == "u-7");
  CHECK(shop->calls == Calls{"take u-7", "verdict u-7"});
  CHECK(host.failures().empty());
  CHECK(host.delivered() == 2);
  // All of it is one chain.
  for (const auto& event : host.events()) CHECK(event->correlation_id == host.events().front()->correlation_id);
}

TEST_CASE("a continuation fails as a handler does") {
  nexus::testing::Host host;
  auto users = host.load<Users>();
  auto shop = host.load<Shop>();
  host.emit(Order{"nobody"});
  host.run();
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures()[0].verdict == NEXUS_REJECT);
  CHECK(host.failures()[0].message == "unknown buyer");
  CHECK(host.failures()[0].error_type == "rejected");
  CHECK(host.failures()[0].handler == "take");
  CHECK(host.emitted<OrderAccepted>().empty());
}

TEST_CASE("no answer in time makes the Later fail, so the delivery is tried again") {
  nexus::testing::Host host;
  auto users = host.load<Users>();
  auto shop = host.load<Shop>();
  users->silent = true;
  host.emit(Order{"u-7"});
  host.advance(4s);
  CHECK(host.failures().empty());
  host.advance(1s);
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures()[0].code == NEXUS_E_TIMEOUT);
  CHECK(host.failures()[0].message == "no answer came in time");
  users->silent = false;
  host.advance(10s);
  CHECK(host.emitted<OrderAccepted>().size() == 1);
}

TEST_CASE("an unrelated event that the query caused is not taken for the answer, unless any will do") {
  nexus::testing::Host host;
  auto users = host.load<Users>();
  auto shop = host.load<Shop>();
  shop->request(ValidateUser{"a"}, 5s).then([&](const UserVerdict&) { shop->calls.push_back("verdict"); });
  shop->request(ValidateUser{"b"}, 5s).then([&](const Event& e) { shop->calls.push_back(std::string(e.type())); });
  shop->request(ValidateUser{"c"}, 5s).then([&](const UserVerdict& v, const Event& e) {
    shop->calls.push_back(std::string(v.is_valid ? "valid " : "invalid ") + std::string(e.source()));
  });
  host.run();
  CHECK(shop->calls == Calls{"verdict", "audit.seen", "valid com.example.users"});
}

TEST_CASE("an error function takes the failure over") {
  nexus::testing::Host host;
  auto users = host.load<Users>();
  users->silent = true;
  auto shop = host.load<Shop>();
  const Later later = shop->request(ValidateUser{"a"}, 5s)
                          .then([&](const UserVerdict&) { shop->calls.push_back("verdict"); },
                                [&](const nexus::Error& error) { shop->calls.push_back(error.what()); });
  CHECK_FALSE(later.done());
  host.advance(5s);
  CHECK(shop->calls == Calls{"no answer came in time"});
  CHECK(later.done());
}

TEST_CASE("a request that nobody listens to fails at once, unless somebody waits for its event") {
  nexus::testing::Host host;
  auto shop = host.load<Shop>();
  const auto ask = [&] {
    shop->request(ValidateUser{"a"}, 5s)
        .then([&](const UserVerdict&) { shop->calls.push_back("verdict"); },
              [&](const nexus::Error& error) {
                shop->calls.push_back(std::to_string(error.code()) + " " + error.what());
              });
    host.run();
  };
  ask();
  CHECK(shop->calls == Calls{std::to_string(NEXUS_E_UNKNOWN) + " nobody listens to this request"});
  shop->wait_for<ValidateUser>(10s).then([&](const ValidateUser&) { shop->calls.push_back("heard"); });
  shop->calls.clear();
  ask();
  CHECK(shop->calls == Calls{"heard"});
  host.advance(5s);
  CHECK(shop->calls.back() == std::to_string(NEXUS_E_TIMEOUT) + " no answer came in time");
}

TEST_CASE("a wait takes the next matching event, once") {
  nexus::testing::Host host;
  auto shop = host.load<Shop>();
  shop->wait_for<Order>(5s).then([&](const Order& order) { shop->calls.push_back("order " + order.id); });
  shop->wait_for("user.*", 5s, nexus::key_is("k")).then([&](const Event& e) {
    shop->calls.push_back(std::string(e.key()));
  });
  shop->wait_for<Order>(5s, nexus::where<Order>([](const Order& o) { return o.id == "2"; }))
      .then([&](const Order& order) { shop->calls.push_back("filtered " + order.id); });
  host.emit(Order{"1"});
  host.emit(Order{"2"});
  host.emit(ValidateUser{"x"});
  host.emit(ValidateUser{"x"}, {.key = "k"});
  host.emit(ValidateUser{"x"}, {.key = "k"});
  host.run();
  CHECK(std::count(shop->calls.begin(), shop->calls.end(), "order 1") == 1);
  CHECK(std::count(shop->calls.begin(), shop->calls.end(), "order 2") == 0);
  CHECK(std::count(shop->calls.begin(), shop->calls.end(), "filtered 2") == 1);
  CHECK(std::count(shop->calls.begin(), shop->calls.end(), "k") == 1);
}

TEST_CASE("a wait can be cancelled, and is when its plugin goes") {
  nexus::testing::Host host;
  auto shop = host.load<Shop>();
  Calls calls;
  shop->wait = shop->wait_for<Order>(5s).then([&](const Order&) { calls.push_back("order"); },
                                              [&](const nexus::Error& e) { calls.push_back(e.what()); });
  SECTION("by hand") {
    shop->wait->cancel();
    host.run();
    shop->wait->cancel();  // again does nothing
  }
  SECTION("at unload") { host.unload(shop); }
  host.emit(Order{"1"});
  host.run();
  CHECK(calls == Calls{"the wait was cancelled"});
}

TEST_CASE("a wait for something that is no pattern is refused") {
  nexus::testing::Host host;
  auto shop = host.load<Shop>();
  CHECK_THROWS_AS(shop->wait_for("user*", 5s).then([](const Event&) {}), nexus::Error);
}

TEST_CASE("data that is no answer makes the Later fail with the field's name") {
  nexus::testing::Host host;
  auto shop = host.load<Shop>();
  const Later later =
      shop->wait_for<UserVerdict>(5s).then([&](const UserVerdict&) { shop->calls.push_back("verdict"); });
  host.emit("user.verdict", {{"is_valid", "perhaps"}});
  host.run();
  CHECK(later.done());
  CHECK(shop->calls.empty());
}

// --- chains and promises ---

struct Chain final : nexus::Plugin {
  Calls calls;
  std::vector<nexus::Promise> promises;

  NEXUS_ON(two_questions)
  Later two_questions(const Order& order) {
    return request(ValidateUser{order.id}, 5s).then([this, order](const UserVerdict&) {
      return request(ValidateUser{"second"}, 5s).then([order](const UserVerdict&) { return OrderAccepted{order.id}; });
    });
  }
  NEXUS_ON(by_promise)
  Later by_promise(const Unrelated& work) {
    if (work.number == 0) return Later::ready();
    promises.push_back(promise());
    if (work.number < 0) promises.back().done();  // before it is returned
    return promises.back().later();
  }
};
NEXUS_PLUGIN_INFO(Chain, "com.example.chain", "1.0.0")

TEST_CASE("a continuation may wait in turn") {
  nexus::testing::Host host;
  auto users = host.load<Users>();
  auto chain = host.load<Chain>();
  const auto accepted = host.request<OrderAccepted>(Order{"u-7"});
  REQUIRE(accepted);
  CHECK(accepted->id == "u-7");
}

TEST_CASE("a promise finishes its delivery from any thread, the first result counting") {
  nexus::testing::Host host;
  auto chain = host.load<Chain>();
  host.emit(Unrelated{1});
  host.run();
  REQUIRE(chain->promises.size() == 1);
  CHECK(host.delivered() == 0);
  SECTION("done") {
    std::thread([&] { chain->promises[0].done(); }).join();
    chain->promises[0].fail(std::runtime_error("too late"));
    host.run();
    CHECK(host.delivered() == 1);
    CHECK(host.failures().empty());
  }
  SECTION("with a reply") {
    chain->promises[0].reply(OrderAccepted{"p"});
    host.run();
    REQUIRE(host.emitted<OrderAccepted>().size() == 1);
    CHECK(host.emitted<OrderAccepted>()[0].id == "p");
    CHECK(host.emitted("order.accepted")[0]->event().causation_id() == host.events()[0]->event().id());
  }
  SECTION("failed") {
    chain->promises[0].fail(nexus::Reject("no"));
    host.run();
    REQUIRE(host.failures().size() == 1);
    CHECK(host.failures()[0].verdict == NEXUS_REJECT);
    CHECK(host.failures()[0].message == "no");
  }
  SECTION("never, and the plugin goes") { host.unload(chain); }
}

TEST_CASE("a Later that is finished when it is returned needs no waiting") {
  nexus::testing::Host host;
  auto chain = host.load<Chain>();
  host.emit(Unrelated{0});
  host.emit(Unrelated{-1});
  host.run();
  CHECK(host.delivered() == 2);
}

TEST_CASE("a promise that outlives its plugin does nothing") {
  nexus::testing::Host host;
  std::optional<nexus::Promise> promise;
  {
    auto chain = host.load<Chain>();
    host.emit(Unrelated{1});
    host.run();
    promise = chain->promises.at(0);
    host.unload(chain);
  }
  promise->done();
  host.run();
  CHECK(host.delivered() == 0);
}

// A bus that has everything but requests, as an early host may.
struct Asker final : nexus::Plugin {
  using Plugin::query;
  using Plugin::request;
};
NEXUS_PLUGIN_INFO(Asker, "com.example.asker", "1.0.0")

TEST_CASE("a host that cannot do requests says so, and nothing is left behind") {
  nexus::testing::Host host;
  auto asker = host.load<Asker>();
  nexus_bus poor = *asker->query<nexus_bus>(NEXUS_BUS_ID);
  poor.request = [](void*, std::uint64_t, const nexus_emit_options*, nexus_bytes, nexus_string, std::int64_t,
                    nexus_waiter_fn, void*, nexus_handle*, nexus_error* error) -> std::int32_t {
    return nexus::detail::write_error(error, NEXUS_E_UNSUPPORTED, "this host has no requests yet");
  };
  host.set_interface(NEXUS_BUS_ID, &poor);
  // Made while the poor bus is there; its calls still go to the member of the first plugin, which lives on.
  auto limited = host.load<Asker>();
  try {
    limited->request(ValidateUser{"a"}, 5s).then([](const UserVerdict&) {});
    FAIL("must throw");
  } catch (const nexus::Rejected& rejected) {
    CHECK(rejected.code() == NEXUS_E_UNSUPPORTED);
    CHECK(std::string(rejected.what()) == "this host has no requests yet");
  }
  host.unload(limited);
}

}  // namespace
