// The order saga of the tree in the real host, with the plugins that answer it: success, failure, compensation,
// timeout, a hot swap in the middle, and what `nexus saga` tells about it.
#include <catch2/catch_test_macros.hpp>

#include "tests/system/host_process.hpp"

using namespace nexus::system_test;
using nexus::cbor::Value;

namespace {

const fs::path kTree = TREE_PLUGINS;

// A shop whose stock knows no unicorns; a payment that is not answered is given up soon.
class Shop {
 public:
  explicit Shop(const std::string& orders_config = {})
      : host("[plugins.\"com.example.inventory\".config]\nstock = { unicorn = 0 }\n" +
             (orders_config.empty() ? "" : "[plugins.\"com.example.orders\".config]\n" + orders_config)) {
    for (const char* name : {"orders.so", "payment.so", "inventory.so"}) host.add_plugin(kTree / name);
    host.start();
    tap = host.begin({"tap", "*", "--json"});
    tap->wait_for_error_line("listening");
  }

  void place(const std::string& id, double amount, const std::string& sku = "tea") {
    const std::string data = "{\"order_id\":\"" + id + "\",\"total_amount\":" + std::to_string(amount) +
                             ",\"items\":[{\"sku\":\"" + sku + "\"}]}";
    REQUIRE(host.nexus({"emit", "order.created", "--correlation", "c-" + id, "--data", data}).status == 0);
  }

  // The next event of that type, which must be of the order's correlation.
  std::string next(const std::string& type, const std::string& id) {
    std::string line = tap->wait_for_output_line("\"type\":\"" + type + "\"");
    CHECK(line.find("\"correlationid\":\"c-" + id + "\"") != std::string::npos);
    CHECK(line.find("\"order_id\":\"" + id + "\"") != std::string::npos);
    return line;
  }

  // The row of the order saga in saga.list.
  Value totals() const {
    const Value list = host.call("saga.list");
    REQUIRE(list.at("sagas").size() == 1);
    return list.at("sagas").items()[0];
  }

  Host host;
  std::unique_ptr<Process> tap;
};

bool holds(const std::string& text, const std::string& part) {
  UNSCOPED_INFO(text);
  UNSCOPED_INFO(part);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("orders are confirmed, cancelled, or cancelled and refunded, each in its own correlation") {
  Shop shop;
  shop.place("good", 25);
  for (const char* type : {"order.created", "payment.request", "payment.processing", "payment.completed",
                           "inventory.reservation", "inventory.reserved", "order.confirmed"})
    shop.next(type, "good");

  shop.place("dear", 2500);
  shop.next("payment.failed", "dear");
  CHECK(holds(shop.next("order.cancelled", "dear"), "\"reason\":\"payment_failed\""));

  shop.place("rare", 25, "unicorn");
  shop.next("inventory.failed", "rare");
  CHECK(holds(shop.next("order.cancelled", "rare"), "\"reason\":\"inventory_failed\""));
  CHECK(holds(shop.next("payment.refund", "rare"), "\"amount\":25"));
  shop.next("payment.refunded", "rare");

  const Value totals = shop.totals();
  CHECK(totals.at("plugin").get<std::string>() == "com.example.orders");
  CHECK(totals.at("active").get<int>() == 0);
  CHECK(totals.at("started").get<int>() == 3);
  CHECK(totals.at("completed").get<int>() == 2);
  CHECK(totals.at("undone").get<int>() == 1);
  CHECK(totals.find("error") == nullptr);
  // Nothing was left to retry or to bury.
  CHECK(shop.host.call("stat").at("deliveries").at("failed").get<int>() == 0);
  CHECK(shop.host.stop() == 0);
}

TEST_CASE("an order whose payment does not answer is cancelled when its time is over") {
  Shop shop("payment_timeout = 0.2\n");
  shop.place("slow", 25000);
  shop.next("payment.processing", "slow");
  CHECK(holds(shop.tap->wait_for_output_line("com.example.orders.saga.timeout"), "\"correlationid\":\"c-slow\""));
  CHECK(holds(shop.next("order.cancelled", "slow"), "\"reason\":\"payment_timeout\""));
  CHECK(shop.totals().at("timed_out").get<int>() == 1);
  CHECK(shop.totals().at("active").get<int>() == 0);
  CHECK(shop.host.stop() == 0);
}

TEST_CASE("nexus saga ls and show tell what is under way") {
  Shop shop;
  for (const char* id : {"A-1", "A-2", "A-3"}) {
    shop.place(id, 25000);
    shop.next("payment.processing", id);
  }
  const Outcome all = shop.host.nexus({"saga", "ls"});
  CHECK(all.status == 0);
  for (const char* part : {"com.example.orders", "KEY", "A-1", "A-3", "payment", "c-A-2"})
    CHECK(holds(all.output, part));
  const Outcome page = shop.host.nexus({"saga", "ls", "--json", "--after", "A-1", "--limit", "1"});
  CHECK(lines_of(page.output).size() == 1);
  CHECK(holds(page.output, "\"key\":\"A-2\""));
  CHECK(lines_of(shop.host.nexus({"saga", "ls", "--json", "--state", "inventory"}).output).empty());

  const Outcome one = shop.host.nexus({"saga", "show", "A-2"});
  CHECK(one.status == 0);
  for (const char* part : {"payment", "c-A-2", "times out", "\"total_amount\":25000"}) CHECK(holds(one.output, part));
  const Outcome json = shop.host.nexus({"saga", "show", "A-2", "--plugin", "com.example.orders", "--json"});
  CHECK(holds(json.output, "\"sku\":\"tea\""));

  const Outcome nobody = shop.host.nexus({"saga", "show", "A-9"});
  CHECK(nobody.status != 0);
  CHECK(nobody.output.empty());
  CHECK(holds(nobody.errors, "no saga has an active instance with the key 'A-9'"));
  CHECK(holds(shop.host.nexus({"saga", "ls", "--plugin", "com.example.payment"}).errors, "has no saga"));
  CHECK(holds(shop.host.nexus({"saga", "ls", "--plugin", "com.example.nobody"}).errors, "no such plugin"));
  CHECK(shop.host.stop() == 0);
}

TEST_CASE("a saga that is swapped while it runs goes on where it was") {
  Shop shop;
  shop.place("A", 25000);
  shop.next("payment.processing", "A");
  CHECK(shop.host.nexus({"plugins", "reload", "com.example.orders"}).status == 0);
  CHECK(shop.totals().at("active").get<int>() == 1);
  CHECK(shop.host
            .nexus({"emit", "payment.completed", "--correlation", "elsewhere", "--data",
                    R"({"order_id":"A","amount":25000})"})
            .status == 0);
  shop.next("inventory.reservation", "A");
  shop.next("order.confirmed", "A");
  CHECK(shop.totals().at("active").get<int>() == 0);
  CHECK(shop.host.stop() == 0);
}
