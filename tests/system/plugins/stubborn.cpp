// A plugin whose handlers misbehave on request: one never returns, one always fails.
#include <chrono>
#include <nexus/plugin.hpp>
#include <thread>

struct Hang {};
NEXUS_EVENT(Hang, "stubborn.hang")
struct Fail {
  std::string text;
};
NEXUS_EVENT(Fail, "stubborn.fail", text)
struct Slow {
  int milliseconds = 0;
};
NEXUS_EVENT(Slow, "stubborn.slow", milliseconds)

class Stubborn final : public nexus::Plugin {
  NEXUS_ON(hang)
  void hang(const Hang&) {
    log().info("hanging");
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }

  NEXUS_ON(fail)
  void fail(const Fail& wish) { throw std::runtime_error(wish.text); }

  NEXUS_ON(slow)
  void slow(const Slow& wish) { std::this_thread::sleep_for(std::chrono::milliseconds(wish.milliseconds)); }
};

NEXUS_PLUGIN(Stubborn, "test.stubborn", "1.0.0")
