// Asking plugins in their mailboxes: answers, errors of one among many, and plugins that go or hang meanwhile.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "host/control/saga_methods.hpp"
#include "nexus/abi/draft/saga.h"
#include "nexus/errors.hpp"

using namespace nexus::host;
using nexus::cbor::Value;

namespace {

// A plugin's side of nexus.saga/1: what it writes and answers is the test's to say.
struct FakeSaga {
  Value answer;
  std::string sentence = {};
  int32_t code = NEXUS_OK;
  bool throws = false;
  std::vector<std::string> asked = {};

  static int32_t reply(void* instance, std::string asked, nexus_write_fn write, void* user, nexus_error* error) {
    auto& self = *static_cast<FakeSaga*>(instance);
    self.asked.push_back(std::move(asked));
    if (self.throws) throw 7;
    if (self.code != NEXUS_OK) return nexus::detail::write_error(error, self.code, self.sentence);
    const nexus::Bytes bytes = self.answer.encode();
    // In two pieces, as a plugin may.
    write(user, bytes.data(), 1);
    write(user, bytes.data() + 1, bytes.size() - 1);
    return NEXUS_OK;
  }
  static constexpr nexus_saga kTable{
      sizeof(nexus_saga), 0,
      [](void* instance, nexus_string state, nexus_string after, uint64_t limit, nexus_write_fn write, void* user,
         nexus_error* error) {
        return reply(instance,
                     "list " + std::string(nexus::detail::from_abi(state)) + "/" +
                         std::string(nexus::detail::from_abi(after)) + "/" + std::to_string(limit),
                     write, user, error);
      },
      [](void* instance, nexus_string key, nexus_write_fn write, void* user, nexus_error* error) {
        return reply(instance, "show " + std::string(nexus::detail::from_abi(key)), write, user, error);
      }};
};

// A manager of which only the asking is real.
class FakeManager final : public PluginManager {
 public:
  enum class Mailbox { runs, closes, hangs };

  struct Plugin {
    std::string id;
    FakeSaga* saga = nullptr;  // null: it has none
    Mailbox mailbox = Mailbox::runs;
  };
  std::vector<Plugin> plugins;
  std::vector<std::function<void()>> hanging;

  void ask_providers(const char* interface_id, std::string_view id, const MakeQuestion& make) override {
    REQUIRE(std::string_view(interface_id) == NEXUS_SAGA_ID);
    for (const Plugin& plugin : plugins) {
      if (plugin.saga == nullptr || (!id.empty() && plugin.id != id)) continue;
      std::function<void()> question = make(plugin.id, &FakeSaga::kTable, plugin.saga);
      if (plugin.mailbox == Mailbox::runs) question();
      if (plugin.mailbox == Mailbox::hangs) hanging.push_back(std::move(question));
    }
  }
  Result<PluginStatus> info(std::string_view id) const override {
    for (const Plugin& plugin : plugins)
      if (plugin.id == id) return PluginStatus{};
    return make_error(NEXUS_E_UNKNOWN, "no such plugin: " + std::string(id));
  }

  const std::vector<std::filesystem::path>& folders() const override { return folders_; }
  ScanReport scan(const ScanRequest&) override { return {}; }
  Result<PluginStatus> load(const std::filesystem::path&) override { return PluginStatus{}; }
  Result<void> unload(std::string_view, std::string_view) override { return {}; }
  Result<PluginStatus> reload(std::string_view) override { return PluginStatus{}; }
  Result<PluginStatus> enable(std::string_view) override { return PluginStatus{}; }
  Result<PluginStatus> disable(std::string_view) override { return PluginStatus{}; }
  std::vector<PluginStatus> list() const override { return {}; }
  CheckReport check(const std::filesystem::path&) override { return {}; }
  bool stop_all(std::string_view, std::chrono::milliseconds) override { return true; }
  size_t collect() override { return 0; }
  const void* query_plugin(std::string_view, std::string_view, const char*) override { return nullptr; }

 private:
  std::vector<std::filesystem::path> folders_;
};

struct Rig {
  FakeManager manager;
  ControlThread thread;
  Surface surface{thread};
  Rig() { add_saga_methods(surface, manager, thread, std::chrono::milliseconds(1)); }
};

Value listed(const std::vector<std::string>& keys) {
  Value rows = Value::array();
  for (const std::string& key : keys) rows.push_back({{"key", key}, {"state", "payment"}, {"steps", 1}});
  return {{"active", keys.size()}, {"active_max", 10}, {"instances", rows}, {"of a later version", true}};
}

}  // namespace

TEST_CASE("the answers of all plugins make one list, each row with its plugin") {
  Rig rig;
  FakeSaga orders{listed({"A", "B"})}, trips{listed({"T"})};
  rig.manager.plugins = {{"com.example.orders", &orders}, {"com.example.hello"}, {"com.example.trips", &trips}};
  const auto all = rig.surface.call("saga.list", {{"state", "payment"}, {"after", "0"}, {"limit", 7}});
  REQUIRE(all.has_value());
  CHECK(orders.asked == std::vector<std::string>{"list payment/0/7"});
  REQUIRE(all->at("sagas").size() == 2);
  CHECK(all->at("sagas").items()[0].at("active").get<int>() == 2);
  REQUIRE(all->at("instances").size() == 3);
  CHECK(all->at("instances").items()[0].at("plugin").get<std::string>() == "com.example.orders");
  CHECK(all->at("instances").items()[2].at("plugin").get<std::string>() == "com.example.trips");
  CHECK(all->at("instances").items()[2].at("key").get<std::string>() == "T");

  const auto one = rig.surface.call("saga.list", {{"plugin", "com.example.trips"}});
  REQUIRE(one.has_value());
  CHECK(one->at("instances").size() == 1);
  CHECK(orders.asked.size() == 1);
  CHECK(rig.surface.call("saga.list", {{"plugin", "com.example.hello"}}).error().code == NEXUS_E_UNSUPPORTED);
  CHECK(rig.surface.call("saga.list", {{"plugin", "com.example.nobody"}}).error().code == NEXUS_E_UNKNOWN);
}

TEST_CASE("a plugin that fails, throws, goes or hangs has an error in its row, and the others their answers") {
  Rig rig;
  FakeSaga good{listed({"A"})}, failing{{}, "it rains", NEXUS_E_PLUGIN}, throwing, junk{Value("no map")}, gone, hung;
  throwing.throws = true;
  rig.manager.plugins = {{"a.good", &good},
                         {"b.failing", &failing},
                         {"c.throwing", &throwing},
                         {"d.junk", &junk},
                         {"e.gone", &gone, FakeManager::Mailbox::closes},
                         {"f.hung", &hung, FakeManager::Mailbox::hangs}};
  const auto all = rig.surface.call("saga.list");
  REQUIRE(all.has_value());
  const auto& rows = all->at("sagas").items();
  REQUIRE(rows.size() == 6);
  CHECK(rows[0].find("error") == nullptr);
  const std::array<std::pair<int32_t, const char*>, 5> expected{{{NEXUS_E_PLUGIN, "b.failing: it rains"},
                                                                 {NEXUS_E_PLUGIN, "c.throwing threw"},
                                                                 {NEXUS_E_SCHEMA, "d.junk"},
                                                                 {NEXUS_E_STOPPING, "e.gone has been unloaded"},
                                                                 {NEXUS_E_TIMEOUT, "f.hung is busy"}}};
  for (size_t i = 0; i < expected.size(); ++i) {
    const Value& error = rows[i + 1].at("error");
    CHECK(error.at("code").get<int32_t>() == expected[i].first);
    CHECK(error.at("message").get<std::string>().find(expected[i].second) == 0);
  }
  CHECK(all->at("instances").size() == 1);
  // The question that came to its turn late harms nobody.
  hung.answer = listed({});
  for (const auto& question : rig.manager.hanging) question();
  CHECK(hung.asked.size() == 1);
}

TEST_CASE("one instance is shown by whichever saga has it") {
  Rig rig;
  FakeSaga orders{{{"key", "A"}, {"state", "payment"}, {"data", {{"total", 3}}}}};
  FakeSaga trips{{}, "there is no instance of that key", NEXUS_E_UNKNOWN};
  rig.manager.plugins = {{"com.example.orders", &orders}, {"com.example.trips", &trips}};
  const auto shown = rig.surface.call("saga.show", {{"key", "A"}});
  REQUIRE(shown.has_value());
  REQUIRE(shown->at("instances").size() == 1);
  CHECK(shown->at("instances").items()[0].at("plugin").get<std::string>() == "com.example.orders");
  CHECK(shown->at("instances").items()[0].at("data").at("total").get<int>() == 3);

  orders.code = NEXUS_E_UNKNOWN;
  const auto none = rig.surface.call("saga.show", {{"key", "Z"}});
  CHECK(none.error().code == NEXUS_E_UNKNOWN);
  CHECK(none.error().message == "no saga has an active instance with the key 'Z'");
  // What failed is not taken for an absence.
  orders.code = NEXUS_E_PLUGIN;
  orders.sentence = "it rains";
  CHECK(rig.surface.call("saga.show", {{"key", "Z"}}).error().message == "com.example.orders: it rains");
}

TEST_CASE("an answer that is too large is an error") {
  Rig rig;
  FakeSaga large{Value(std::string(kSagaAnswerBytesMax + 1, 'x'))};
  rig.manager.plugins = {{"a.large", &large}};
  const auto all = rig.surface.call("saga.list");
  REQUIRE(all.has_value());
  CHECK(all->at("sagas").items()[0].at("error").at("code").get<int32_t>() == NEXUS_E_TOO_LARGE);
}
