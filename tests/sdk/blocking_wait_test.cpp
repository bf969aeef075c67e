// Threads of a plugin's own that wait until they are answered.
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "nexus/plugin.hpp"
#include "nexus/testing.hpp"

namespace {

using namespace std::chrono_literals;

struct ValidateUser {
  std::string user_id;
};
NEXUS_EVENT(ValidateUser, "user.validate", user_id)

struct UserVerdict {
  bool is_valid = false;
};
NEXUS_EVENT(UserVerdict, "user.verdict", is_valid)

struct Users final : nexus::Plugin {
  std::atomic<int> asked{0};
  bool silent = false;
  NEXUS_ON(validate)
  UserVerdict validate(const ValidateUser& query) {
    ++asked;
    if (silent) throw nexus::Skip();
    return {query.user_id != "nobody"};
  }
};
NEXUS_PLUGIN_INFO(Users, "com.example.users", "1.0.0")

// What came of a call: what it gave, or the code and the sentence.
template <class Call>
std::string outcome_of(Call call) {
  try {
    return call();
  } catch (const nexus::Error& error) {
    return std::to_string(error.code()) + " " + error.what();
  }
}

std::string text_of(const UserVerdict& verdict) { return verdict.is_valid ? "valid" : "invalid"; }

struct Shop final : nexus::Plugin {
  using Plugin::post;
  using Plugin::request;
  using Plugin::wait_for;

  void stop() override {
    if (thread.joinable()) thread.join();
  }
  // Has a thread of its own call, and keeps what came of it.
  template <class Call>
  void begin(Call call) {
    std::promise<std::string> promise;
    answer = promise.get_future();
    thread = std::thread([call, done = std::move(promise)]() mutable { done.set_value(outcome_of(call)); });
  }
  // Lets the host run until the thread has its answer.
  std::string run(nexus::testing::Host& host) {
    while (answer.wait_for(0s) != std::future_status::ready) host.run();
    thread.join();
    return answer.get();
  }

  std::thread thread;
  std::future<std::string> answer;
};
NEXUS_PLUGIN_INFO(Shop, "com.example.shop", "1.0.0")

TEST_CASE("an own thread blocks until its request is answered") {
  nexus::testing::Host host;
  auto users = host.load<Users>();
  auto shop = host.load<Shop>();
  for (const auto& [user, verdict] : {std::pair{"u-7", "valid"}, std::pair{"nobody", "invalid"}}) {
    shop->begin([&, name = user] {
      const UserVerdict v = shop->request(ValidateUser{name}, 5s).wait<UserVerdict>();
      return text_of(v);
    });
    CHECK(shop->run(host) == verdict);
  }
  shop->begin([&] {
    const nexus::KeptEvent event = shop->request(ValidateUser{"u-7"}, 5s).wait();
    return std::string((*event).type());
  });
  CHECK(shop->run(host) == "user.verdict");
}

TEST_CASE("a blocked request ends when nobody listens, and when its time is up") {
  nexus::testing::Host host;
  auto shop = host.load<Shop>();
  const auto ask = [&] { return text_of(shop->request(ValidateUser{"u-7"}, 5s).wait<UserVerdict>()); };
  shop->begin(ask);
  CHECK(shop->run(host) == std::to_string(NEXUS_E_UNKNOWN) + " nobody listens to this request");
  auto users = host.load<Users>();
  users->silent = true;
  shop->begin(ask);
  while (users->asked == 0) host.run();
  host.advance(5s);
  CHECK(shop->run(host) == std::to_string(NEXUS_E_TIMEOUT) + " no answer came in time");
}

TEST_CASE("a reply that is none is an error of the thread that waits") {
  nexus::testing::Host host;
  auto shop = host.load<Shop>();
  std::atomic<bool> begun{false};
  shop->begin([&] {
    begun = true;
    try {
      return text_of(shop->wait_for<UserVerdict>(5s).wait<UserVerdict>());
    } catch (const nexus::SchemaError& error) {
      return std::string(error.what());
    }
  });
  while (!begun) std::this_thread::yield();
  // The wait may begin a moment later: an event that comes too early is passed over, the next is not.
  while (shop->answer.wait_for(0s) != std::future_status::ready) {
    host.emit("user.verdict", {{"is_valid", "perhaps"}});
    host.run();
  }
  CHECK(shop->run(host).find("is_valid") != std::string::npos);
}

TEST_CASE("an own thread blocks until an event comes that its filter lets through") {
  nexus::testing::Host host;
  auto shop = host.load<Shop>();
  shop->begin([&] {
    const auto wanted = nexus::where<ValidateUser>([](const ValidateUser& query) { return query.user_id == "u-7"; });
    return shop->wait_for<ValidateUser>(5s, wanted).wait<ValidateUser>().user_id;
  });
  while (shop->answer.wait_for(0s) != std::future_status::ready) {
    host.emit(ValidateUser{"u-1"});
    host.emit(ValidateUser{"u-7"});
    host.run();
  }
  CHECK(shop->run(host) == "u-7");
}

TEST_CASE("stopping the plugin wakes its blocked threads, and none blocks afterwards") {
  nexus::testing::Host host;
  auto users = host.load<Users>();
  users->silent = true;
  auto shop = host.load<Shop>();
  std::atomic<Shop*> alive{&*shop};
  shop->begin([&] {
    const auto ask = [&] { return text_of(alive.load()->request(ValidateUser{"u-7"}, 1h).wait<UserVerdict>()); };
    std::string both = outcome_of(ask) + "; ";
    both += outcome_of(ask);
    return both;
  });
  while (users->asked == 0) host.run();
  std::future<std::string> answer = std::move(shop->answer);
  host.unload(shop);  // joins the thread
  const std::string cancelled = std::to_string(NEXUS_E_CANCELLED) + " ";
  CHECK(answer.get() == cancelled + "the wait was cancelled; " + cancelled + "the plugin is being stopped");
}

// --- where nothing may block ---

struct Hasty final : nexus::Plugin {
  using Plugin::post;
  std::string in_constructor = ask();
  std::string in_start, in_handler, in_task;

  void start() override { in_start = ask(); }
  NEXUS_ON(handle)
  void handle(const ValidateUser&) { in_handler = ask(); }

  std::string ask() {
    return outcome_of([this] { return text_of(request(ValidateUser{"u-7"}, 5s).wait<UserVerdict>()); });
  }
};
NEXUS_PLUGIN_INFO(Hasty, "com.example.hasty", "1.0.0")

TEST_CASE("a wait that would block the host is refused with what to do instead") {
  nexus::testing::Host host;
  auto hasty = host.load<Hasty>();
  host.emit(ValidateUser{"u-7"});
  hasty->post([&] { hasty->in_task = hasty->ask(); });
  host.run();
  const std::string thread = std::to_string(NEXUS_E_THREAD) + " wait() would block ";
  for (const std::string& text : {hasty->in_constructor, hasty->in_start}) {
    CHECK(text.starts_with(thread + "the host"));
    CHECK(text.find("a thread of the plugin's own") != std::string::npos);
  }
  for (const std::string& text : {hasty->in_handler, hasty->in_task}) {
    CHECK(text.starts_with(thread + "a worker"));
    CHECK(text.find("then()") != std::string::npos);
  }
  CHECK(host.emitted<ValidateUser>().empty());  // nothing was asked
}

}  // namespace
