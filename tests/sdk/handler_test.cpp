// What NEXUS_ON and the table form make of a method: which events it takes, with which options, and what it answers.
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "nexus/plugin.hpp"
#include "nexus/testing.hpp"

namespace {

struct OrderCreated {
  std::string order_id;
  std::string user_id;
  double total_amount = 0;
  std::string currency = "USD";
};
NEXUS_EVENT(OrderCreated, "order.created", order_id, user_id, total_amount, currency)

struct ReviewOpened {
  std::string order_id;
};
NEXUS_EVENT(ReviewOpened, "review.opened", order_id)

struct ValidateUser {
  std::string user_id;
};
NEXUS_EVENT(ValidateUser, "user.validate", user_id)

struct UserVerdict {
  bool is_valid = false;
};
NEXUS_EVENT(UserVerdict, "user.verdict", is_valid)

// The class of the documentation, as it is written there.
// clang-format off
class Orders final : public nexus::Plugin {
  NEXUS_ON(record, .priority = 10)
  void record(const OrderCreated& order) { log().info("new order", {{"order_id", order.order_id}}); }

  NEXUS_ON(review, .when = [](const OrderCreated& o) { return o.total_amount > 100; },
                   .retry = nexus::exponential(3, 1s))
  void review(const OrderCreated& order) { emit(ReviewOpened{order.order_id}, {.priority = 100}); }

  NEXUS_ON(on_error, .topic = "*.error")            // a wildcard handler takes the event itself
  void on_error(const nexus::Event& event) { log().warn("error seen", {{"type", event.type()}}); }

  NEXUS_ON(validate)                                // a non-void handler answers a request
  UserVerdict validate(const ValidateUser& query) { return {!query.user_id.empty()}; }
};
// clang-format on
NEXUS_PLUGIN_INFO(Orders, "com.example.orders", "1.0.0")

TEST_CASE("the plugin of the documentation works as documented") {
  nexus::testing::Host host;
  auto orders = host.load<Orders>();
  host.emit(OrderCreated{"A-1", "u-7", 250});
  host.emit(OrderCreated{"A-2", "u-7", 50});
  host.emit("payment.error", nexus::cbor::Value::map());
  host.run();

  REQUIRE(host.emitted<ReviewOpened>().size() == 1);
  CHECK(host.emitted<ReviewOpened>().front().order_id == "A-1");
  CHECK(host.emitted("review.opened").front()->raw.priority == 100);
  CHECK(host.filtered() == 1);
  REQUIRE(host.logs().size() == 3);
  CHECK(host.logs()[0].fields.at("order_id") == "A-1");
  CHECK(host.logged("error seen"));

  const auto verdict = host.request<UserVerdict>(ValidateUser{"u-7"});
  REQUIRE(verdict);
  CHECK(verdict->is_valid);
  CHECK_FALSE(host.request<UserVerdict>(ValidateUser{})->is_valid);
}

// Every signature that a handler may have.
class Shapes final : public nexus::Plugin {
 public:
  std::vector<std::string> calls;

  NEXUS_ON(by_reference)
  void by_reference(const OrderCreated&) { calls.push_back("reference"); }
  NEXUS_ON(by_value)
  void by_value(OrderCreated order) {
    order.order_id += "!";  // a copy of one's own
    calls.push_back("value " + order.order_id);
  }
  NEXUS_ON(both)
  void both(const OrderCreated& order, const nexus::Event& event) {
    calls.push_back("both " + order.order_id + " " + std::string(event.source()));
  }
  NEXUS_ON(constant)
  void constant(const OrderCreated&) const { const_cast<Shapes*>(this)->calls.push_back("const"); }
  NEXUS_ON(silent)
  void silent(const OrderCreated&) noexcept { calls.push_back("noexcept"); }
  NEXUS_ON(envelope, .topic = "order.*")
  void envelope(const nexus::Event& event) { calls.push_back("envelope " + std::string(event.type())); }
  NEXUS_ON(envelope_by_value, .topic = "order.*")
  void envelope_by_value(nexus::Event event) { calls.push_back("envelope value " + std::string(event.key())); }

 private:
  NEXUS_ON(hidden)
  void hidden(const OrderCreated&) { calls.push_back("private"); }
};
NEXUS_PLUGIN_INFO(Shapes, "test.shapes", "1.0.0")

TEST_CASE("a handler may take the payload, the event, or both, and may be private") {
  nexus::testing::Host host;
  auto shapes = host.load<Shapes>();
  host.emit(OrderCreated{"A-1", "u-7"}, {.key = "k"});
  host.run();
  CHECK(shapes->calls == std::vector<std::string>{"reference", "value A-1!", "both A-1 test", "const", "noexcept",
                                                  "envelope order.created", "envelope value k", "private"});
}

class Conditions final : public nexus::Plugin {
 public:
  std::vector<std::string> calls;

  static bool is_large(const OrderCreated& order) { return order.total_amount > 100; }
  static bool is_keyed(const nexus::Event& event) { return !event.key().empty(); }

  NEXUS_ON(
      lambda, .when = [](const OrderCreated& o) { return o.total_amount > 100; })
  void lambda(const OrderCreated&) { calls.push_back("lambda"); }
  NEXUS_ON(
      generic, .when = [](const auto& o) { return o.currency == "EUR"; })
  void generic(const OrderCreated&) { calls.push_back("generic"); }
  NEXUS_ON(
      by_value, .when = [](OrderCreated o) { return o.total_amount > 100; })
  void by_value(const OrderCreated&) { calls.push_back("by value"); }
  NEXUS_ON(function, .when = &Conditions::is_large)
  void function(const OrderCreated&) { calls.push_back("function"); }
  NEXUS_ON(
      on_event, .when = [](const nexus::Event& e) { return !e.key().empty(); })
  void on_event(const OrderCreated&) { calls.push_back("on event"); }
  NEXUS_ON(event_function, .topic = "*", .when = &Conditions::is_keyed)
  void event_function(const nexus::Event&) { calls.push_back("event function"); }
  NEXUS_ON(filtered, .filter = type_is("order.*") && !from("test") && metadata("environment", "production"))
  void filtered(const OrderCreated&) { calls.push_back("filtered"); }
  NEXUS_ON(
      two, .when = [](const OrderCreated& o) { return o.total_amount > 100; }, .filter = from("test"))
  void two(const OrderCreated&) { calls.push_back("both conditions"); }
  NEXUS_ON(own, .filter = where<OrderCreated>([](const OrderCreated& o) { return o.total_amount > 100; }, "large"))
  void own(const OrderCreated&) { calls.push_back("where"); }
};
NEXUS_PLUGIN_INFO(Conditions, "test.conditions", "1.0.0")

TEST_CASE("conditions choose by the payload and by the event") {
  nexus::testing::Host host;
  auto plugin = host.load<Conditions>();
  SECTION("a large order with a key") {
    host.emit(OrderCreated{"A-1", "u", 250, "EUR"}, {.key = "k"});
    host.run();
    CHECK(plugin->calls == std::vector<std::string>{"lambda", "generic", "by value", "function", "on event",
                                                    "event function", "both conditions", "where"});
    CHECK(host.filtered() == 1);
  }
  SECTION("a small one without") {
    host.emit(OrderCreated{"A-1", "u", 50, "USD"}, {.metadata = {{"environment", "production"}}});
    host.run();
    CHECK(plugin->calls == std::vector<std::string>{});
    CHECK(host.filtered() == 9);
  }
  CHECK(host.failures().empty());
}

class Table final : public nexus::Plugin {
 public:
  static constexpr auto handlers() {
    return std::tuple{nexus::on<&Table::record>({.priority = 10}),
                      nexus::on<&Table::watch>({.topic = "*.created", .durable = "watcher"}),
                      nexus::on<&Table::answer>()};
  }
  std::vector<std::string> calls;

  NEXUS_ON(macro)
  void macro(const OrderCreated&) { calls.push_back("macro"); }

 private:
  void record(const OrderCreated&) { calls.push_back("record"); }
  void watch(const nexus::Event&) const { const_cast<Table*>(this)->calls.push_back("watch"); }
  UserVerdict answer(const ValidateUser&) noexcept { return {true}; }
};
NEXUS_PLUGIN_INFO(Table, "test.table", "1.0.0")

TEST_CASE("the table form does what the macro does, and both may be used") {
  nexus::testing::Host host;
  auto plugin = host.load<Table>();
  host.emit(OrderCreated{});
  host.run();
  CHECK(plugin->calls == std::vector<std::string>{"record", "macro", "watch"});
  CHECK(host.request<UserVerdict>(ValidateUser{})->is_valid);

  const nexus_module& module = *nexus::testing::detail::module_of_class<Table>();
  std::vector<std::string> names;
  for (std::uint64_t i = 0; i < module.handler_count; ++i)
    names.emplace_back(nexus::detail::from_abi(module.handlers[i].name));
  CHECK(names == std::vector<std::string>{"macro", "record", "watcher", "answer"});
}

// What each way of failing becomes.
class Failing final : public nexus::Plugin {
 public:
  int attempts = 0;

  NEXUS_ON(fail, .retry = nexus::fixed(1, 1s))
  void fail(const OrderCreated& order) {
    ++attempts;
    if (order.order_id == "reject") throw nexus::Reject("unknown buyer");
    if (order.order_id == "reject typed") throw nexus::Reject("unknown buyer", "unknown_buyer");
    if (order.order_id == "later") throw nexus::RetryAfter(std::chrono::seconds(5));
    if (order.order_id == "skip") throw nexus::Skip();
    if (order.order_id == "error") throw std::runtime_error("the disk is full");
    if (order.order_id == "own") throw std::out_of_range("beyond the end");
    if (order.order_id == "number") throw 42;
    if (order.order_id == "host") throw nexus::Error(NEXUS_E_TIMEOUT, "too slow");
  }
};
NEXUS_PLUGIN_INFO(Failing, "test.failing", "1.0.0")

TEST_CASE("an exception becomes the answer that it asks for") {
  nexus::testing::Host host;
  auto plugin = host.load<Failing>();
  const auto fail_with = [&](const char* id) {
    host.emit(OrderCreated{id, "u-7"});
    host.run();
    REQUIRE(host.failures().size() == 1);
    return host.failures().front();
  };
  SECTION("Reject") {
    const auto failure = fail_with("reject");
    CHECK(failure.verdict == NEXUS_REJECT);
    CHECK(failure.message == "unknown buyer");
    CHECK(failure.error_type == "rejected");
    CHECK(failure.dead_lettered);
    CHECK(failure.handler == "fail");
  }
  SECTION("Reject with a word of its own") { CHECK(fail_with("reject typed").error_type == "unknown_buyer"); }
  SECTION("RetryAfter") {
    const auto failure = fail_with("later");
    CHECK(failure.verdict == NEXUS_RETRY);
    CHECK(failure.retry_after == std::chrono::seconds(5));
    CHECK_FALSE(failure.dead_lettered);
  }
  SECTION("Skip is no failure") {
    host.emit(OrderCreated{"skip", "u-7"});
    host.run();
    CHECK(host.failures().empty());
    CHECK(host.filtered() == 1);
  }
  SECTION("std::exception") {
    const auto failure = fail_with("error");
    CHECK(failure.verdict == NEXUS_RETRY);
    CHECK(failure.message == "the disk is full");
    CHECK(failure.error_type == "std::runtime_error");
    CHECK(failure.retry_after == std::chrono::seconds(1));
    CHECK(failure.code == NEXUS_E_PLUGIN);
  }
  SECTION("a derived one by its own name") { CHECK(fail_with("own").error_type == "std::out_of_range"); }
  SECTION("the host's own refusal keeps its code") {
    const auto failure = fail_with("host");
    CHECK(failure.code == NEXUS_E_TIMEOUT);
    CHECK(failure.error_type == "nexus::Error");
  }
  SECTION("anything else") {
    const auto failure = fail_with("number");
    CHECK(failure.verdict == NEXUS_RETRY);
    CHECK(failure.message == "unknown exception");
    CHECK(failure.error_type == "unknown");
  }
}

TEST_CASE("data that does not fit is rejected with the field's name, and the handler does not run") {
  nexus::testing::Host host;
  auto plugin = host.load<Failing>();
  host.emit("order.created", {{"total_amount", "a lot"}});
  host.emit_bytes("order.created", nexus::Bytes{0xa1, 0x61});
  host.run();
  CHECK(plugin->attempts == 0);
  REQUIRE(host.failures().size() == 2);
  CHECK(host.failures()[0].verdict == NEXUS_REJECT);
  CHECK(host.failures()[0].error_type == "schema_error");
  CHECK(host.failures()[0].code == NEXUS_E_SCHEMA);
  CHECK(host.failures()[0].message.find("total_amount") != std::string::npos);
  CHECK(host.failures()[1].error_type == "schema_error");
}

TEST_CASE("a sentence longer than the host's room is cut at a character") {
  std::string long_sentence(511, 'x');
  long_sentence += "\xc3\xa4";  // two bytes across the end
  char text[512];
  nexus_error error{sizeof error, 0, sizeof text, 0, text};
  nexus::detail::write_error(&error, NEXUS_E_PLUGIN, long_sentence);
  CHECK(error.len == 511);
  CHECK(error.code == NEXUS_E_PLUGIN);
  nexus_error none{0, 7, 0, 0, nullptr};
  CHECK(nexus::detail::write_error(&none, NEXUS_E_PLUGIN, "x") == NEXUS_E_PLUGIN);
  CHECK(none.code == 7);  // too small to be written
  CHECK(nexus::detail::write_error(nullptr, NEXUS_E_PLUGIN, "x") == NEXUS_E_PLUGIN);
}

}  // namespace
