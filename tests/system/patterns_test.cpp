// The patterns of the documentation as plugins in the real host, asked by the command line.
#include <catch2/catch_test_macros.hpp>

#include "tests/system/host_process.hpp"

using namespace nexus::system_test;

namespace {

const fs::path kPlugins = TEST_PLUGINS;

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The value of a text member in a line of JSON.
std::string member(const std::string& line, const std::string& name) {
  const std::string begin = "\"" + name + "\":\"";
  const size_t at = line.find(begin);
  if (at == std::string::npos) return {};
  return line.substr(at + begin.size(), line.find('"', at + begin.size()) - at - begin.size());
}

struct Shop : Host {
  explicit Shop(bool with_users = true) {
    add_plugin(kPlugins / "shop_1.0.0.so", "shop.so");
    if (with_users) add_plugin(kPlugins / "users.so");
    start();
  }
  Outcome ask(const std::string& type, const std::string& data, const std::string& reply) {
    return nexus({"request", type, "--data", data, "--reply", reply, "--timeout", "60"});
  }
};

}  // namespace

TEST_CASE("request and response: a handler answers when it is answered itself") {
  Shop shop;
  const Outcome accepted = shop.ask("order.created", R"({"id":"A-1","buyer":"u-7"})", "order.accepted");
  CHECK(accepted.status == 0);
  CHECK(accepted.output == "{\"id\":\"A-1\",\"version\":\"1.0.0\"}\n");
  const Outcome refused = shop.ask("order.created", R"({"id":"A-2","buyer":"nobody"})", "plugin.error");
  CHECK(refused.status == 0);
  CHECK(member(refused.output, "error_type") == "unknown_buyer");
  CHECK(member(refused.output, "error_message").starts_with("unknown buyer (handler take, event order.created "));
  CHECK(shop.stop() == 0);
}

TEST_CASE("an own thread asks, blocks, and answers for the handler") {
  Shop shop;
  for (int i = 0; i < 20; ++i) {
    const Outcome done = shop.ask("import.wanted", R"({"owner":"u-7"})", "import.done");
    CHECK(done.output == "{\"is_valid\":true,\"version\":\"1.0.0\"}\n");
  }
  CHECK(shop.stop() == 0);
}

TEST_CASE("fire and forget: a failure goes into the log and nowhere else") {
  Shop shop;
  for (const char* email : {"ada@example.org", "nowhere"})
    CHECK(shop.nexus({"emit", "user.registered", "--data", std::string("{\"email\":\"") + email + "\"}"}).status == 0);
  CHECK(holds(shop.process().wait_for_error_line("no welcome mail"), "nowhere"));
  const auto stat =
      shop.wait_for_stat([](const auto& now) { return now.at("deliveries.waiting").template get<int>() == 0; });
  CHECK(stat.at("deliveries.failed").get<int>() == 0);
  CHECK(shop.stop() == 0);
}

TEST_CASE("error recovery: the bus tries again until it works, or gives up and tells so once") {
  Shop shop;
  CHECK(shop.ask("profile.wanted", R"({"user_id":"u-1","failures":2})", "profile.made").output == "{\"attempts\":3}\n");
  const Outcome given_up = shop.ask("profile.wanted", R"({"user_id":"u-2","failures":99})", "plugin.error");
  CHECK(given_up.status == 0);
  CHECK(member(given_up.output, "plugin_id") == "test.shop");
  CHECK(member(given_up.output, "error_message").starts_with("no database at attempt 4 (handler make_profile, "));
  CHECK(shop.stop() == 0);
}

TEST_CASE("a hot swap while answers are pending: the successor asks again, and answers who asked") {
  Shop shop(false);
  auto questions = shop.begin({"tap", "user.validate", "--json"});
  questions->wait_for_error_line("listening");
  const auto next_question = [&] { return member(questions->wait_for_output_line("user.validate"), "id"); };
  // One answer is awaited by a continuation, the other by a thread that blocks.
  auto order = shop.begin({"request", "order.created", "--data", R"({"id":"A-1","buyer":"u-7"})", "--reply",
                           "order.accepted", "--timeout", "60"});
  const std::string first = next_question();
  auto import = shop.begin(
      {"request", "import.wanted", "--data", R"({"owner":"u-7"})", "--reply", "import.done", "--timeout", "60"});
  const std::string second = next_question();
  shop.add_plugin(kPlugins / "shop_2.0.0.so", "shop.so");
  const std::string third = next_question(), fourth = next_question();
  CHECK(first != second);
  // The first two are not waited for any more.
  for (const std::string& question : {first, second, third, fourth}) {
    const std::string verdict = R"({"is_valid":true})";
    CHECK(shop.nexus({"emit", "user.verdict", "--data", verdict, "--causation", question}).status == 0);
  }
  CHECK(order->wait() == 0);
  CHECK(order->rest_of_output() == "{\"id\":\"A-1\",\"version\":\"2.0.0\"}\n");
  CHECK(import->wait() == 0);
  CHECK(import->rest_of_output() == "{\"is_valid\":true,\"version\":\"2.0.0\"}\n");
  CHECK(shop.stop() == 0);
}
