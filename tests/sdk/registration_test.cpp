// What NEXUS_PLUGIN tells a host that only looks: ids, handlers, event schemas, requirements, the config's schema. This
// file stands for a whole library: it has the one exported function.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "nexus/plugin.hpp"
#include "nexus/testing.hpp"

struct OrderCreated {
  std::string order_id;
};
NEXUS_EVENT_V(OrderCreated, "order.created", 2, order_id)

namespace shop {

struct ReviewOpened {
  std::string order_id;
};
NEXUS_EVENT(ReviewOpened, "review.opened", order_id)

struct Question {
  int number = 0;
};
NEXUS_EVENT(Question, "shop.question", number)

struct Answer {
  int number = 0;
};
NEXUS_EVENT(Answer, "shop.answer", number)

struct NeverUsed {
  int number = 0;
};
NEXUS_EVENT(NeverUsed, "shop.never", number)

struct Config {
  int limit = 10;
};
NEXUS_CONFIG(Config, limit)

class Shop final : public nexus::Plugin {
  NEXUS_ON(record, .priority = 10)
  void record(const OrderCreated& order) { emit(ReviewOpened{order.order_id}); }

  NEXUS_ON(watch, .priority = -5, .topic = "*.error")
  void watch(const nexus::Event&) {}

  NEXUS_ON(kept, .durable = "kept-since-1.0")
  Answer kept(const Question& question) { return {question.number}; }

  Config config_ = config<Config>();
};
NEXUS_PLUGIN(Shop, "com.example.shop", "1.2.3-rc.1+build.7", .name = "Shop", .description = "Sells things",
             .vendor = "Example", .requirements = {{"com.example.users", "^1.0"}, {"com.example.stock", ""}},
             .exclusive = true)

class Plain final : public nexus::Plugin {};
NEXUS_PLUGIN_INFO(Plain, "test.plain", "0.0.1", .provider = true, .config_schema = nexus::config_schema<Config>)

}  // namespace shop

namespace {

using nexus::detail::from_abi;

TEST_CASE("the exported function describes the plugin") {
  const nexus_module* module = nexus_module_v1();
  REQUIRE(module != nullptr);
  CHECK(nexus_module_v1() == module);
  CHECK(module->size == sizeof(nexus_module));
  CHECK(module->minor_built == NEXUS_ABI_MINOR);
  CHECK(module->minor_min == 0);
  CHECK(module->flags == NEXUS_MODULE_EXCLUSIVE);
  CHECK(from_abi(module->id) == "com.example.shop");
  CHECK(from_abi(module->version) == "1.2.3-rc.1+build.7");
  CHECK(from_abi(module->name) == "Shop");
  CHECK(from_abi(module->description) == "Sells things");
  CHECK(from_abi(module->vendor) == "Example");
  REQUIRE(module->requirement_count == 2);
  CHECK(from_abi(module->requirements[0].id) == "com.example.users");
  CHECK(from_abi(module->requirements[0].version) == "^1.0");
  CHECK(from_abi(module->requirements[1].id) == "com.example.stock");
  CHECK(from_abi(module->requirements[1].version).empty());
}

TEST_CASE("it lists the handlers in their order") {
  const nexus_module* module = nexus_module_v1();
  REQUIRE(module->handler_count == 3);
  CHECK(from_abi(module->handlers[0].name) == "record");
  CHECK(from_abi(module->handlers[0].pattern) == "order.created");
  CHECK(module->handlers[0].priority == 10);
  CHECK(from_abi(module->handlers[1].name) == "watch");
  CHECK(from_abi(module->handlers[1].pattern) == "*.error");
  CHECK(module->handlers[1].priority == -5);
  CHECK(from_abi(module->handlers[2].name) == "kept-since-1.0");
  CHECK(from_abi(module->handlers[2].pattern) == "shop.question");
}

TEST_CASE("it lists the events that the library handles, emits and replies with, with their schemas") {
  const nexus_module* module = nexus_module_v1();
  std::map<std::string_view, const nexus_event_schema*> events;
  for (std::uint64_t i = 0; i < module->event_count; ++i) events[from_abi(module->events[i].type)] = &module->events[i];
  CHECK(events.size() == module->event_count);
  REQUIRE(events.contains("order.created"));
  CHECK(events["order.created"]->version == 2);
  CHECK(from_abi(events["order.created"]->json_schema).find("order_id") != std::string_view::npos);
  CHECK(events.contains("review.opened"));
  CHECK(events.contains("shop.question"));
  CHECK(events.contains("shop.answer"));
  CHECK_FALSE(events.contains("shop.never"));
}

TEST_CASE("it has the schema of the one config that the library reads, or the one it is given") {
  CHECK(from_abi(nexus_module_v1()->config_schema) == nexus::ConfigTraits<shop::Config>::schema());
  const nexus_module* plain = nexus::testing::detail::module_of_class<shop::Plain>();
  CHECK(plain->flags == NEXUS_MODULE_PROVIDER);
  CHECK(plain->handler_count == 0);
  CHECK(plain->requirement_count == 0);
  CHECK(from_abi(plain->config_schema) == nexus::ConfigTraits<shop::Config>::schema());
}

// The options as the host gets them, by a bus that only writes them down.
struct Seen {
  std::string pattern;
  std::string name;
  nexus_subscribe_options options;
  std::string filter_text;
};
std::vector<Seen>* seen = nullptr;

class Options final : public nexus::Plugin {
  NEXUS_ON(plain)
  void plain(const OrderCreated&) {}
  NEXUS_ON(
      full, .priority = -7, .topic = "order.*", .when = [](const OrderCreated&) { return true; },
      .filter = !from("test"), .retry = nexus::exponential(5, 2s, 1min), .deadline = 250ms, .concurrency = keyed,
      .durable = "name", .from = beginning, .scope = every_host, .order = strict, .no_self = true)
  void full(const OrderCreated&) {}
  NEXUS_ON(loose, .retry = nexus::no_retry(), .concurrency = parallel, .durable = false)
  void loose(const OrderCreated&) {}
};
NEXUS_PLUGIN_INFO(Options, "test.options", "1.0.0")

TEST_CASE("the options reach the host as they are written") {
  std::vector<Seen> list;
  seen = &list;
  nexus_bus bus{};
  bus.size = sizeof bus;
  bus.subscribe = [](void*, nexus_string pattern, const nexus_subscribe_options* options, nexus_handler_fn, void*,
                     nexus_handle* handle, nexus_error*) -> std::int32_t {
    *handle = 1;
    seen->push_back({std::string(from_abi(pattern)), std::string(from_abi(options->name)), *options,
                     std::string(from_abi(options->filter_text))});
    return NEXUS_OK;
  };
  nexus::testing::Host host;
  host.set_interface(NEXUS_BUS_ID, &bus);
  auto plugin = host.load<Options>();
  REQUIRE(list.size() == 3);

  const Seen& plain = list[0];
  CHECK(plain.pattern == "order.created");
  CHECK(plain.name == "plain");
  CHECK(plain.options.size == sizeof(nexus_subscribe_options));
  CHECK(plain.options.flags == 0);
  CHECK(plain.options.priority == 0);
  CHECK(plain.options.condition == nullptr);
  CHECK(plain.filter_text.empty());

  const Seen& full = list[1];
  CHECK(full.pattern == "order.*");
  CHECK(full.name == "name");
  CHECK(full.options.flags == (NEXUS_SUBSCRIBE_FROM_BEGINNING | NEXUS_SUBSCRIBE_EVERY_HOST |
                               NEXUS_SUBSCRIBE_STRICT_ORDER | NEXUS_SUBSCRIBE_HAS_RETRY | NEXUS_SUBSCRIBE_NO_SELF));
  CHECK(full.options.priority == -7);
  CHECK(full.options.concurrency == NEXUS_CONCURRENCY_KEYED);
  CHECK(full.options.condition != nullptr);
  CHECK(full.options.deadline_ns == 250'000'000);
  CHECK(full.options.retry_attempts == 5);
  CHECK(full.options.retry_exponential == 1);
  CHECK(full.options.retry_delay_ns == 2'000'000'000);
  CHECK(full.options.retry_delay_ns_max == 60'000'000'000);
  CHECK(full.filter_text == "not from test and a function");

  const Seen& loose = list[2];
  CHECK(loose.options.flags == (NEXUS_SUBSCRIBE_HAS_RETRY | NEXUS_SUBSCRIBE_VOLATILE));
  CHECK(loose.options.concurrency == NEXUS_CONCURRENCY_PARALLEL);
  CHECK(loose.options.retry_attempts == 0);
}

TEST_CASE("a subscription that the host refuses refuses the load") {
  nexus_bus bus{};
  bus.size = sizeof bus;
  bus.subscribe = [](void*, nexus_string, const nexus_subscribe_options*, nexus_handler_fn, void*, nexus_handle*,
                     nexus_error* error) -> std::int32_t {
    return nexus::detail::write_error(error, NEXUS_E_PERMISSION, "this plugin may not listen to that");
  };
  nexus::testing::Host host;
  host.set_interface(NEXUS_BUS_ID, &bus);
  try {
    host.load<Options>();
    FAIL("must throw");
  } catch (const nexus::Error& error) {
    CHECK(error.code() == NEXUS_E_PERMISSION);
    CHECK(std::string(error.what()) == "this plugin may not listen to that");
  }
}

TEST_CASE("ids and versions are checked as the ABI says") {
  using nexus::detail::is_plugin_id;
  using nexus::detail::is_version;
  for (const char* good : {"com.example.orders", "a.b", "a-1.b_2"}) CHECK(is_plugin_id(good));
  for (const char* bad :
       {"", "orders", "Com.example", "com..example", ".com.example", "com.example.", "com.*", "a b.c"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_plugin_id(bad));
  }
  CHECK_FALSE(is_plugin_id("a." + std::string(127, 'b')));
  for (const char* good : {"0.0.0", "1.2.3", "10.20.30", "1.2.3-rc.1", "1.2.3+build", "1.2.3-a-b.1+c.2"}) {
    CAPTURE(good);
    CHECK(is_version(good));
  }
  for (const char* bad : {"", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "v1.2.3", "1.2.3-", "1.2.3+", "1.2.3-a..b",
                          "1.2.3 ", "-1.2.3", "1..3"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_version(bad));
  }
}

}  // namespace
