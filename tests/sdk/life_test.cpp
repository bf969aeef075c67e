// The life of an instance: its config, start and stop, what it hands over, and what it provides to others.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "nexus/plugin.hpp"
#include "nexus/testing.hpp"

namespace {

struct Ping {
  int number = 0;
};
NEXUS_EVENT(Ping, "test.ping", number)

struct Settings {
  int limit = 10;
  std::string sender = "nobody";
};
NEXUS_CONFIG(Settings, limit, sender)

struct Peer final : nexus::Plugin {
  using Plugin::query;
  using Plugin::query_plugin;
};
NEXUS_PLUGIN_INFO(Peer, "com.example.peer", "1.0.0")

struct Configured final : nexus::Plugin {
  Settings settings = config<Settings>();
};
NEXUS_PLUGIN_INFO(Configured, "com.example.configured", "1.0.0")

TEST_CASE("a config is read in the constructor, with defaults for what is missing") {
  nexus::testing::Host host;
  CHECK(host.load<Configured>()->settings.limit == 10);
  CHECK(host.load<Configured>({{"limit", 5}})->settings.limit == 5);
  CHECK(host.load<Configured>({{"sender", "me"}})->settings.sender == "me");
}

TEST_CASE("an unknown or wrong key refuses the load and names the nearest right one") {
  nexus::testing::Host host;
  try {
    host.load<Configured>({{"limt", 5}});
    FAIL("must throw");
  } catch (const nexus::Error& error) {
    CHECK(error.code() == NEXUS_E_LOAD_CONFIG);
    CHECK(std::string(error.what()).find("limit") != std::string::npos);
  }
  CHECK_THROWS_AS(host.load<Configured>({{"limit", "many"}}), nexus::Error);
}

struct Life final : nexus::Plugin {
  static inline std::vector<std::string>* story = nullptr;
  static inline std::string fail_in;

  Life() {
    note("create");
    emit(Ping{1});
  }
  ~Life() override { note("destroy"); }
  void start() override { note("start"); }
  void stop() override { note("stop"); }

  NEXUS_ON(ping)
  void ping(const Ping& ping) { note("ping " + std::to_string(ping.number)); }

  void save(nexus::cbor::Buffer& state) const override {
    if (fail_in == "save") throw std::runtime_error("save failed");
    nexus::cbor::Writer(state).write_text("memory");
  }
  void restore(std::string_view version, std::span<const std::uint8_t> state) override {
    if (fail_in == "restore") throw std::runtime_error("restore failed");
    std::string_view text;
    nexus::cbor::Reader(state).read_text(text);
    note("restore " + std::string(text) + " of " + std::string(version));
  }

  static void note(const std::string& what) {
    story->push_back(what);
    if (what == fail_in) throw std::runtime_error(what + " failed");
  }
};
NEXUS_PLUGIN_INFO(Life, "com.example.life", "1.2.3")

using Story = std::vector<std::string>;

TEST_CASE("an instance is created, started, stopped and destroyed, each once") {
  Story story;
  Life::story = &story;
  Life::fail_in.clear();
  {
    nexus::testing::Host host;
    auto life = host.load<Life>();
    CHECK(static_cast<bool>(life));
    host.emit(Ping{2});
    host.run();
    SECTION("by hand") {
      host.unload(life);
      CHECK_FALSE(static_cast<bool>(life));
      host.emit(Ping{3});
      host.run();
    }
    SECTION("with the host") {}
  }
  CHECK(story == Story{"create", "start", "ping 2", "stop", "destroy"});
}

TEST_CASE("a failing constructor or start refuses the load with its sentence") {
  Story story;
  Life::story = &story;
  nexus::testing::Host host;
  const auto sentence = [&](const char* where) {
    Life::fail_in = where;
    try {
      host.load<Life>();
    } catch (const nexus::Error& error) {
      CHECK(error.code() == NEXUS_E_LOAD_CREATE);
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  SECTION("in the constructor") {
    CHECK(sentence("create") == "create failed");
    CHECK(story == Story{"create"});
  }
  SECTION("in start") {
    CHECK(sentence("start") == "start failed");
    CHECK(story == Story{"create", "start", "stop", "destroy"});
  }
  Life::fail_in.clear();
  host.emit(Ping{9});
  host.run();
  CHECK(std::count(story.begin(), story.end(), "ping 9") == 0);
}

TEST_CASE("a failing stop is logged, and the plugin goes all the same") {
  Story story;
  Life::story = &story;
  Life::fail_in = "stop";
  nexus::testing::Host host;
  auto life = host.load<Life>();
  host.unload(life);
  CHECK(host.logged("stop() failed: stop failed"));
  CHECK(story.back() == "destroy");
}

TEST_CASE("a hot swap hands the state over") {
  Story story;
  Life::story = &story;
  Life::fail_in.clear();
  nexus::testing::Host host;
  auto life = host.load<Life>();
  host.swap(life);
  host.emit(Ping{4});
  host.run();
  // What the new one emits while it is made still goes to the old one.
  CHECK(story ==
        Story{"create", "start", "create", "ping 1", "stop", "restore memory of 1.2.3", "destroy", "start", "ping 4"});
  for (const char* where : {"save", "restore"}) {
    Life::fail_in = where;
    CHECK_THROWS_AS(host.swap(life), nexus::Error);
    Life::fail_in.clear();
    life = host.load<Life>();
  }
}

struct Adder {
  std::uint32_t size;
  int (*add)(void* instance, int amount);
};

struct Provider final : nexus::Plugin {
  int total = 0;
  const void* provide(std::string_view interface_id) override {
    static constexpr Adder kTable{sizeof(Adder), [](void* instance, int amount) {
                                    return nexus::plugin_cast<Provider>(instance).total += amount;
                                  }};
    return interface_id == "example.adder/1" ? &kTable : nullptr;
  }
};
NEXUS_PLUGIN_INFO(Provider, "com.example.provider", "1.0.0")

TEST_CASE("a plugin may provide an interface, and another may use it") {
  nexus::testing::Host host;
  auto provider = host.load<Provider>();
  auto peer = host.load<Peer>();
  const auto* adder = peer->query_plugin<Adder>("com.example.provider", "example.adder/1");
  REQUIRE(adder != nullptr);
  CHECK(adder->add(provider.module()->instance(), 5) == 5);
  CHECK(provider->total == 5);
  CHECK(peer->query_plugin<Adder>("com.example.provider", "example.other/1") == nullptr);
  CHECK(peer->query_plugin<Adder>("com.example.nobody", "example.adder/1") == nullptr);
  CHECK(peer->query<nexus_bus>(NEXUS_BUS_ID) != nullptr);
  CHECK(peer->query<nexus_bus>("nexus.bus/9") == nullptr);
}

TEST_CASE("create refuses a host that is older than ABI 1.0") {
  const nexus_module& module = *nexus::testing::detail::module_of_class<Peer>();
  nexus_host small{};
  small.size = 8;
  void* instance = nullptr;
  nexus::detail::ErrorBuffer error;
  CHECK(module.create(&small, {}, &instance, error.get()) == NEXUS_E_ARGUMENT);
  CHECK(module.create(nullptr, {}, &instance, nullptr) == NEXUS_E_ARGUMENT);
  CHECK(instance == nullptr);
}

}  // namespace
