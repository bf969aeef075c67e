#include <catch2/catch_test_macros.hpp>

#include "nexus/events.hpp"

using namespace nexus;
using cbor::Value;

// snippet: typed-event
namespace shop {

enum class Channel { web, mobile };
NEXUS_ENUM(Channel, web, mobile)

struct Item {
  std::string sku;
  double price = 0;
};
NEXUS_STRUCT(Item, sku, price)

struct BasketPaid {
  std::string basket_id;
  std::vector<Item> items;
  Channel channel = Channel::web;
  std::optional<std::string> coupon;
  std::chrono::system_clock::time_point paid_at;
};
NEXUS_EVENT_V(BasketPaid, "basket.paid", 2, basket_id, items, channel, coupon, paid_at)

}  // namespace shop
// end snippet

namespace {

template <class T>
Value data_of(const T& event) {
  cbor::Buffer out;
  EventTraits<T>::encode(event, out);
  T back;
  EventTraits<T>::decode(out.bytes(), back);
  cbor::Buffer again;
  EventTraits<T>::encode(back, again);
  CHECK(Bytes(out.data(), out.data() + out.size()) == Bytes(again.data(), again.data() + again.size()));
  CHECK_FALSE(EventTraits<T>::json_schema().empty());
  return Value::decode(out.bytes());
}

}  // namespace

TEST_CASE("the events of the documentation have its names, fields and defaults") {
  using namespace nexus::events;
  STATIC_CHECK(EventTraits<SystemStarted>::type == "system.started");
  CHECK(data_of(SystemStarted()) == Value{{"version", ""}, {"config", Value::map()}});
  STATIC_CHECK(EventTraits<SystemShuttingDown>::type == "system.shutting_down");
  CHECK(data_of(SystemShuttingDown()) == Value{{"reason", "normal"}});
  STATIC_CHECK(EventTraits<SystemError>::type == "system.error");
  CHECK(data_of(SystemError()) == Value{{"error_type", ""}, {"error_message", ""}});
  CHECK(data_of(SystemError{"a", "b", "c"}) == Value{{"error_type", "a"}, {"error_message", "b"}, {"traceback", "c"}});
  STATIC_CHECK(EventTraits<PluginLoaded>::type == "plugin.loaded");
  CHECK(data_of(PluginLoaded()) == Value{{"plugin_id", ""}, {"plugin_name", ""}, {"plugin_version", ""}});
  STATIC_CHECK(EventTraits<PluginUnloaded>::type == "plugin.unloaded");
  CHECK(data_of(PluginUnloaded()) == Value{{"plugin_id", ""}, {"reason", "normal"}});
  STATIC_CHECK(EventTraits<PluginError>::type == "plugin.error");
  CHECK(data_of(PluginError()) == Value{{"plugin_id", ""}, {"error_type", ""}, {"error_message", ""}});
  STATIC_CHECK(EventTraits<HttpRequestStarted>::type == "http.request.started");
  CHECK(data_of(HttpRequestStarted()) ==
        Value{{"request_id", ""}, {"method", ""}, {"path", ""}, {"client_ip", ""}, {"user_agent", ""}});
  STATIC_CHECK(EventTraits<HttpRequestCompleted>::type == "http.request.completed");
  CHECK(data_of(HttpRequestCompleted()) ==
        Value{{"request_id", ""}, {"status_code", 0}, {"response_time_ms", 0.0}, {"response_size", 0}});
  STATIC_CHECK(EventTraits<HttpRequestFailed>::type == "http.request.failed");
  CHECK(data_of(HttpRequestFailed()) == Value{{"request_id", ""}, {"error_type", ""}, {"error_message", ""}});
  STATIC_CHECK(EventTraits<DatabaseQuery>::type == "database.query");
  CHECK(data_of(DatabaseQuery()) ==
        Value{{"query_type", ""}, {"table_name", ""}, {"execution_time_ms", 0.0}, {"rows_affected", 0}});
  STATIC_CHECK(EventTraits<DatabaseConnection>::type == "database.connection");
  CHECK(data_of(DatabaseConnection()) == Value{{"action", ""}, {"database_name", ""}, {"connection_pool_size", 0}});
  STATIC_CHECK(EventTraits<UserRegistered>::type == "user.registered");
  CHECK(data_of(UserRegistered()) ==
        Value{{"user_id", ""}, {"username", ""}, {"email", ""}, {"registration_source", "web"}});
  STATIC_CHECK(EventTraits<OrderCreated>::type == "order.created");
  CHECK(
      data_of(OrderCreated()) ==
      Value{{"order_id", ""}, {"user_id", ""}, {"total_amount", 0.0}, {"currency", "USD"}, {"items", Value::array()}});
}

TEST_CASE("an order carries free-form items") {
  events::OrderCreated order;
  order.items = {{{"sku", "A"}, {"count", 2}, {"options", Value{{"gift", true}}}}, {}};
  const Value data = data_of(order);
  CHECK(data.at("items.0.options.gift").get<bool>());
  CHECK(data.at("items.1").size() == 0);
}

TEST_CASE("a dead letter tells what failed, where and how often") {
  events::EventDeadLettered letter;
  letter.event_id = "id";
  letter.attempts = 3;
  letter.last_failed_at = std::chrono::system_clock::time_point(std::chrono::seconds(1));
  const Value data = data_of(letter);
  STATIC_CHECK(EventTraits<events::EventDeadLettered>::type == "event.dead_lettered");
  CHECK(data.at("reason") == Value("attempts"));
  CHECK(data.at("last_failed_at") == Value("1970-01-01T00:00:01Z"));
  CHECK(data.find("first_failed_at") == nullptr);
}

TEST_CASE("a log line tells where it stood") {
  STATIC_CHECK(EventTraits<events::LogLine>::type == "log.line");
  CHECK(data_of(events::LogLine{"/a", "text", 7, false}) ==
        Value{{"path", "/a"}, {"line", "text"}, {"offset", 7}, {"truncated", false}});
}

TEST_CASE("the example of the README is an event of that shape") {
  shop::BasketPaid paid;
  paid.basket_id = "B-1";
  paid.items = {{"A", 2.5}};
  paid.channel = shop::Channel::mobile;
  STATIC_CHECK(EventTraits<shop::BasketPaid>::version == 2);
  CHECK(data_of(paid) == Value{{"basket_id", "B-1"},
                               {"items", Value::array({Value{{"sku", "A"}, {"price", 2.5}}})},
                               {"channel", "mobile"},
                               {"paid_at", "1970-01-01T00:00:00Z"}});
  // snippet: field-error
  const Value wrong = {{"items", Value::array({Value{{"sku", "A"}, {"price", "dear"}}})}};
  std::string why;
  CHECK_FALSE(EventTraits<shop::BasketPaid>::try_decode(std::span<const std::uint8_t>(wrong.encode()), paid, &why));
  CHECK(why == "basket.paid: field items[0].price must be a number, is text");
  // end snippet
}
